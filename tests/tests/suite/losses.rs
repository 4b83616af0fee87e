//! Every loss: values and gradients against a formula in `f64`, per-sample gradients against those of the oracle and
//! against differences of the loss, and everything a batch says with each of them.

use adadagrad_core::backend::{FastBackend, PlainBackend};
use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::layer::{Conv2d, Dense, Flatten, Operation, Tanh};
use adadagrad_core::loss::{Loss, OwnLoss, SampleLoss, Target};
use adadagrad_core::model::Model;
use adadagrad_core::network::{Node, Shape, SweepError};
use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork, RunError};
use adadagrad_core::random::Key;
use adadagrad_core::real::Real;
use adadagrad_tests::compare::narrowed;
use adadagrad_tests::engine::{measure, with_sweep};
use adadagrad_tests::reference::{Reference, Sample};
use adadagrad_tests::table::uniform;

const SAMPLES: u32 = 7;

/// Which loss the numbers are compared by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Squared,
    Binary,
    /// w √(1 + (z₀ − t)²) + ½ z₁², with targets t and w: not as many as outputs.
    Own,
    /// The same with a gradient that is wrong.
    Wrong,
}

/// Rows of numbers with targets that are numbers.
#[derive(Clone)]
struct Numbers {
    kind: Kind,
    shape: Shape,
    inputs: Vec<Vec<f64>>,
    targets: Vec<Vec<f64>>,
}

impl Numbers {
    fn new(kind: Kind, shape: Shape, targets: usize) -> Self {
        let rows = |seed, len, bound| -> Vec<Vec<f64>> {
            (0..SAMPLES).map(|sample| uniform(Key::new(seed, sample.into()), len, bound)).collect()
        };
        let mut targets = rows(6, targets, 1.0);
        if kind != Kind::Squared {
            // Between 0 and 1, both ends included.
            targets.iter_mut().flatten().for_each(|t| *t = (0.7 * *t + 0.5).clamp(0.0, 1.0));
        }
        Self { kind, shape, inputs: rows(5, shape.len(), 1.0), targets }
    }
}

fn own<F: Real>(factor: f64, z: &[F], t: &[F], gradient: &mut [F]) -> F {
    let error = z[0] - t[0];
    let root = (F::one() + error * error).root();
    gradient[0] = F::of(factor) * t[1] * error / root;
    gradient[1] = z[1];
    t[1] * root + F::of(0.5) * z[1] * z[1]
}

fn right<F: Real>(z: &[F], t: &[F], gradient: &mut [F]) -> F {
    own(1.0, z, t, gradient)
}

fn wrong<F: Real>(z: &[F], t: &[F], gradient: &mut [F]) -> F {
    own(1.01, z, t, gradient)
}

impl<F: Real> Dataset<F> for Numbers {
    fn shape(&self) -> SampleShape {
        let targets = self.targets.first().map_or(0, Vec::len);
        SampleShape::numbers(self.shape, u32::try_from(targets).unwrap_or(u32::MAX))
    }

    fn len(&self) -> u32 {
        SAMPLES
    }

    fn loss(&self) -> Loss<'_, F> {
        match self.kind {
            Kind::Squared => Loss::SquaredError,
            Kind::Binary => Loss::BinaryCrossEntropy,
            Kind::Own => Loss::Own(&right::<F>),
            Kind::Wrong => Loss::Own(&wrong::<F>),
        }
    }

    fn read(&self, visit: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError> {
        let rows = [(input, &self.inputs), (&mut *targets.values, &self.targets)];
        for (values, rows) in rows {
            for (value, &given) in values.iter_mut().zip(&rows[visit.sample as usize]) {
                *value = F::of(given);
            }
        }
        Ok(())
    }
}

/// The losses once more, as they are written in books.
fn by_the_book(kind: Kind, z: &[f64], t: &[f64]) -> (f64, Vec<f64>) {
    let k = z.len() as f64;
    let pairs = || z.iter().zip(t);
    match kind {
        Kind::Squared => (
            pairs().map(|(z, t)| (z - t).powi(2)).sum::<f64>() / k,
            pairs().map(|(z, t)| 2.0 * (z - t) / k).collect(),
        ),
        Kind::Binary => {
            let p = |z: &f64| 1.0 / (1.0 + (-z).exp());
            (
                pairs().map(|(z, t)| -t * p(z).ln() - (1.0 - t) * (1.0 - p(z)).ln()).sum::<f64>() / k,
                pairs().map(|(z, t)| (p(z) - t) / k).collect(),
            )
        }
        Kind::Own | Kind::Wrong => {
            let root = (1.0 + (z[0] - t[0]).powi(2)).sqrt();
            (t[1] * root + 0.5 * z[1].powi(2), vec![t[1] * (z[0] - t[0]) / root, z[1]])
        }
    }
}

struct Case {
    name: String,
    network: OwnedNetwork,
    parameters: Vec<f64>,
    data: Numbers,
    samples: Vec<Sample>,
}

fn case(name: &str, kind: Kind, shape: Shape, nodes: &[Node]) -> Case {
    let outputs = OwnedNetwork::new(shape, nodes).unwrap().view().outputs();
    let targets = if matches!(kind, Kind::Own | Kind::Wrong) { 2 } else { outputs };
    let data = Numbers::new(kind, shape, targets);
    let network = OwnedNetwork::of_nodes(nodes, Dataset::<f64>::shape(&data)).unwrap();
    let parameters = uniform(Key::new(4, 0), network.view().parameters(), 0.8);
    let reference = Reference::new(shape, nodes.to_vec());
    let samples = data.inputs.iter().zip(&data.targets);
    let samples =
        samples.map(|(x, t)| reference.sample_by(&parameters, x, |z| by_the_book(kind, z, t))).collect();
    Case { name: format!("{name}, {kind:?}"), network, parameters, data, samples }
}

/// Networks of one output and of several for each loss; that of the user's own takes two.
fn cases(kind: Kind) -> Vec<Case> {
    let dense = |outputs| Operation::Dense(Dense { outputs });
    let tanh = Operation::Tanh(Tanh);
    let conv = Operation::Conv2d(Conv2d { outputs: 3, kernel: 3, stride: 1, padding: 1, bias: true });
    let of_own = matches!(kind, Kind::Own | Kind::Wrong);
    let outputs: &[u32] = if of_own { &[2] } else { &[1, 3] };
    let of_outputs = |&outputs: &u32| {
        [
            case("linear", kind, Shape::vector(5), &Node::chain([dense(outputs)])),
            case("one hidden layer", kind, Shape::vector(5), &Node::chain([dense(6), tanh, dense(outputs)])),
            case(
                "convolution",
                kind,
                Shape::image(2, 4, 5),
                &Node::chain([conv, tanh, Operation::Flatten(Flatten), dense(outputs)]),
            ),
        ]
    };
    outputs.iter().flat_map(of_outputs).collect()
}

const KINDS: [Kind; 3] = [Kind::Squared, Kind::Binary, Kind::Own];

/// The largest difference of two lists, beside the largest value of the second.
fn apart(found: impl IntoIterator<Item = f64>, expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).fold(0.0, |worst: f64, (found, expected)| {
        let error = (found - expected).abs() / largest;
        if error.is_nan() { f64::NAN } else { worst.max(error) }
    })
}

/// How far what a batch says is from the oracle's per-sample gradients.
fn worst<F: Real<Sum = f64>>(
    case: &Case,
    backend: impl adadagrad_core::backend::Backend<F> + Copy,
    micro_batch: usize,
) -> f64 {
    let parameters: Vec<F> = narrowed(&case.parameters);
    let order: Vec<u32> = (0..SAMPLES).collect();
    let batch = measure(&case.network, backend, &parameters, &case.data, &order, micro_batch).unwrap();
    let samples = &case.samples;
    let b = f64::from(SAMPLES);
    let len = parameters.len();
    let sums = |term: fn(f64) -> f64| -> Vec<f64> {
        (0..len).map(|j| samples.iter().map(|sample| term(sample.gradient[j])).sum()).collect()
    };
    let mean: Vec<f64> = sums(|g| g).iter().map(|sum| sum / b).collect();
    let of_samples = |value: &dyn Fn(&Sample) -> f64| -> Vec<f64> { samples.iter().map(value).collect() };
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let losses = of_samples(&|sample| sample.loss);
    let norms = of_samples(&|sample| dot(&sample.gradient, &sample.gradient));
    let inner = of_samples(&|sample| dot(&sample.gradient, &mean));
    let evidence = batch.evidence;
    let sum_squared_norms = evidence.sum_squared_norms.unwrap();
    [
        apart(batch.losses, &losses),
        apart([evidence.loss], &[losses.iter().sum::<f64>() / b]),
        apart(batch.mean_gradient.iter().map(|g| g.as_f64()), &mean),
        apart(batch.second_moment.iter().map(|g| g.as_f64()), &sums(|g| g * g)),
        apart(batch.square_norms, &norms),
        apart([sum_squared_norms], &[norms.iter().sum()]),
        apart(batch.inner_products, &inner),
        apart([evidence.inner.unwrap().sum_squared_inner_products], &[dot(&inner, &inner)]),
    ]
    .into_iter()
    .fold(0.0, |worst, error| if error.is_nan() { f64::NAN } else { worst.max(error) })
}

#[test]
fn statistics_are_those_of_the_samples_own_gradients() {
    for case in KINDS.into_iter().flat_map(cases) {
        for micro_batch in [1, 3, 8] {
            let worst = worst::<f64>(&case, PlainBackend, micro_batch);
            assert!(worst < 1e-12, "{}: {worst:e}", case.name);
        }
        let fast = worst::<f32>(&case, FastBackend, 4);
        assert!(fast < 3e-5, "{}: {fast:e}", case.name);
        let plain = worst::<f32>(&case, PlainBackend, 4);
        assert!(plain < 3e-5, "{}: {plain:e}", case.name);
    }
}

/// The negative control: a gradient that is wrong by a hundredth is seen.
#[test]
fn a_wrong_gradient_is_noticed() {
    for case in cases(Kind::Wrong) {
        let worst = worst::<f64>(&case, PlainBackend, 3);
        assert!(worst > 1e-4, "{}: {worst:e}", case.name);
    }
}

/// (ℓ(w + h) − ℓ(w − h))/2h for every parameter.
#[test]
fn gradients_are_the_slopes_of_the_loss() {
    const STEP: f64 = 1e-5;
    for case in KINDS.into_iter().flat_map(cases) {
        let order: Vec<u32> = (0..SAMPLES).collect();
        let gradient = measure(&case.network, PlainBackend, &case.parameters, &case.data, &order, 4);
        let gradient = gradient.unwrap().mean_gradient;
        let mut slopes = Vec::new();
        with_sweep(case.network.view(), PlainBackend, SAMPLES as usize, |sweep| {
            for j in 0..gradient.len() {
                let mut loss_at = |shift: f64| {
                    let mut parameters = case.parameters.clone();
                    parameters[j] += shift;
                    sweep.evaluate(&parameters, &case.data, 0..SAMPLES).unwrap().loss / f64::from(SAMPLES)
                };
                slopes.push((loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP));
            }
        });
        let worst = apart(gradient, &slopes);
        assert!(worst < 1e-7, "{}: {worst:e}", case.name);
    }
}

/// The one sample (z, t) of a network that gives its bias.
fn of_logit(z: f32, t: f32) -> (f64, u32, f32) {
    let nodes = Node::chain([Operation::Dense(Dense { outputs: 1 })]);
    let mut data = Numbers::new(Kind::Binary, Shape::vector(1), 1);
    data.inputs[0] = vec![0.0];
    data.targets[0] = vec![t.into()];
    let network = OwnedNetwork::of_nodes(&nodes, Dataset::<f32>::shape(&data)).unwrap();
    let batch = measure(&network, PlainBackend, &[0.0, z], &data, &[0], 1).unwrap();
    let correct = batch.evidence.correct;
    (batch.evidence.loss, correct, batch.mean_gradient[1])
}

/// Also where exp z overflows and where 1 + exp(−|z|) is 1.
#[test]
fn binary_cross_entropy_is_accurate_for_large_logits() {
    for z in [0.0_f32, 1e-3, 0.5, 3.0, 17.0, 25.0, 88.0] {
        for z in [z, -z] {
            for t in [0.0_f32, 0.25, 1.0] {
                let (loss, correct, slope) = of_logit(z, t);
                let (wide, target) = (f64::from(z), f64::from(t));
                let expected = wide.max(0.0) - wide * target + (-wide.abs()).exp().ln_1p();
                assert!((loss - expected).abs() <= 3e-7 * expected.max(1e-30), "{z} {t}: {loss} {expected}");
                let expected = 1.0 / (1.0 + (-wide).exp()) - target;
                let error = (f64::from(slope) - expected).abs();
                assert!(error <= 1e-7, "{z} {t}: {slope} {expected}");
                assert_eq!(correct == 1, (z > 0.0) == (t > 0.5), "{z} {t}");
            }
        }
    }
    // Far out, the loss is |z| or 0 to the last bit.
    assert_eq!(of_logit(1e30, 0.0).0, f64::from(1e30_f32));
    assert_eq!(of_logit(1e30, 1.0), (0.0, 1, 0.0));
}

/// A loss with answers that count, as a type of its own: right where the output is within ½ of the target.
struct Within;

impl<F: Real> OwnLoss<F> for Within {
    fn of_sample(&self, outputs: &[F], target: Target<'_, F>, gradient: &mut [F]) -> SampleLoss<F> {
        assert_eq!((target.labels, gradient[0]), (&[u32::MAX][..], F::zero()));
        let error = outputs[0] - target.values[0];
        gradient[0] = error;
        SampleLoss { loss: F::of(0.5) * error * error, correct: u32::from(error.abs() < F::of(0.5)) }
    }
}

struct Counted(Numbers);

impl Dataset<f32> for Counted {
    fn shape(&self) -> SampleShape {
        Dataset::<f32>::shape(&self.0)
    }

    fn len(&self) -> u32 {
        SAMPLES
    }

    fn loss(&self) -> Loss<'_, f32> {
        Loss::Own(&Within)
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        self.0.read(visit, input, targets)
    }
}

#[test]
fn a_loss_of_ones_own_may_count_answers() {
    let nodes = Node::chain([Operation::Dense(Dense { outputs: 1 })]);
    let data = Counted(Numbers::new(Kind::Squared, Shape::vector(2), 1));
    let network = OwnedNetwork::of_nodes(&nodes, data.shape()).unwrap();
    let right = data.0.targets.iter().filter(|t| (t[0] - 0.1).abs() < 0.5).count();
    let score = with_sweep(network.view(), PlainBackend, 8, |sweep| {
        sweep.evaluate(&[0.0, 0.0, 0.1], &data, 0..SAMPLES).unwrap()
    });
    assert_eq!(score.correct as usize, right);
    assert!(right > 0 && right < SAMPLES as usize, "{right}");
}

#[test]
fn what_does_not_fit_a_loss_is_refused() {
    let dense = |outputs| Node::chain([Operation::Dense(Dense { outputs })]);
    let shape = Shape::vector(3);
    let evaluate = |network: &OwnedNetwork, data: &Numbers| {
        let parameters = vec![0.0; network.view().parameters()];
        with_sweep(network.view(), PlainBackend, 8, |sweep| {
            sweep.evaluate(&parameters, data, 0..SAMPLES).map_err(|error| error.to_string())
        })
    };
    // As many targets as the network was made for, and as outputs.
    let data = Numbers::new(Kind::Squared, shape, 2);
    let network = OwnedNetwork::of_nodes(&dense(3), SampleShape::numbers(shape, 2)).unwrap();
    assert_eq!(evaluate(&network, &data).unwrap_err(), "the targets of a sample: expected 3 values, found 2");
    let network = OwnedNetwork::of_nodes(&dense(2), SampleShape::numbers(shape, 3)).unwrap();
    assert_eq!(
        evaluate(&network, &data).unwrap_err(),
        "the targets of the data set's samples: expected 3 values, found 2"
    );
    // Targets that are no probabilities.
    for target in [-0.1, 1.1, f64::NAN] {
        let mut data = Numbers::new(Kind::Binary, shape, 2);
        data.targets[4][1] = target;
        let network = OwnedNetwork::of_nodes(&dense(2), SampleShape::numbers(shape, 2)).unwrap();
        assert_eq!(
            evaluate(&network, &data).unwrap_err(),
            "sample 4 has a target that is not between 0 and 1, which binary cross-entropy requires"
        );
    }
    // A single class.
    let refused = OwnedNetwork::of_nodes(&dense(1), SampleShape::floats(shape, 1)).unwrap_err();
    assert!(refused.to_string().contains("one output"), "{refused}");
    let network = OwnedNetwork::new(shape, &dense(1)).unwrap();
    let labelled = adadagrad_tests::table::Table::random(1, 5, 3, 1);
    with_sweep(network.view(), PlainBackend, 8, |sweep| {
        let refused = sweep.evaluate(&[0.0; 4], &labelled, 0..5_u32).unwrap_err();
        assert!(matches!(refused, SweepError::Length(_)), "{refused}");
    });
}

/// A named model has an output for each target, and a whole run learns them: sums of the inputs.
#[test]
fn a_run_learns_a_regression() {
    #[derive(Clone, Copy)]
    struct Sums;
    impl Dataset<f32> for Sums {
        fn shape(&self) -> SampleShape {
            SampleShape::numbers(Shape::vector(4), 2)
        }
        fn len(&self) -> u32 {
            200
        }
        fn read(
            &self,
            visit: Visit,
            input: &mut [f32],
            targets: &mut Targets<'_, f32>,
        ) -> Result<(), ReadError> {
            let row = uniform(Key::new(8, visit.sample.into()), 4, 1.0);
            input.iter_mut().zip(&row).for_each(|(x, &given)| *x = given as f32);
            targets.values.copy_from_slice(&[input[0] + input[1], input[2] - input[3]]);
            Ok(())
        }
    }
    let network = OwnedNetwork::of_model(Model::Mlp { hidden: 16 }, Sums.shape()).unwrap();
    assert_eq!(network.view().outputs(), 2);
    let config = RunConfig {
        dataset: DatasetName::Own,
        model: Model::Mlp { hidden: 16 },
        initial_batch: 8,
        max_batch: 200,
        sample_budget: 40_000,
        learning_rate: 0.1,
        ..RunConfig::default()
    };
    let mut run = LocalRun::<f32, _>::new(config, network, 200, FastBackend).unwrap();
    let mut losses = Vec::new();
    loop {
        match run.advance(&Sums).unwrap() {
            Advance::Step(telemetry) => losses.push(telemetry.loss),
            Advance::Working => {}
            Advance::Finished => break,
        }
    }
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(last < 0.05 * first, "{first} {last}");
}

/// A data set that cannot be read now and then.
struct Flaky {
    numbers: Numbers,
    /// After how many reads, once.
    left: std::cell::Cell<u32>,
}

impl Dataset<f32> for Flaky {
    fn shape(&self) -> SampleShape {
        Dataset::<f32>::shape(&self.numbers)
    }

    fn len(&self) -> u32 {
        SAMPLES
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        let left = self.left.get();
        self.left.set(left.wrapping_sub(1));
        if left == 0 {
            input.fill(f32::NAN);
            return Err(ReadError::with_code("the card does not answer", -5));
        }
        self.numbers.read(visit, input, targets)
    }
}

/// Whichever read fails, the error names the sample, the run stands as before the step, and goes on to the same bits.
#[test]
fn a_sample_that_cannot_be_read_costs_nothing() {
    let numbers = Numbers::new(Kind::Squared, Shape::vector(5), 1);
    let network = || {
        let nodes = Node::chain([Operation::Dense(Dense { outputs: 1 })]);
        OwnedNetwork::of_nodes(&nodes, Dataset::<f32>::shape(&numbers)).unwrap()
    };
    let config = RunConfig {
        dataset: DatasetName::Own,
        initial_batch: 5,
        max_batch: 7,
        sample_budget: 30,
        test: Some(adadagrad_core::batch_test::AnyTest::InnerProduct(
            adadagrad_core::batch_test::InnerProductTest { theta: 0.9, leave_one_out: false },
        )),
        ..RunConfig::default()
    };
    let run = |left: u32| {
        let data = Flaky { numbers: numbers.clone(), left: std::cell::Cell::new(left) };
        let mut run = LocalRun::<f32, _>::new(config, network(), SAMPLES, PlainBackend).unwrap();
        let mut failures = Vec::new();
        let mut settled = (run.parameters(), run.memory(), *run.progress());
        loop {
            match run.advance(&data) {
                Ok(Advance::Step(_)) => settled = (run.parameters(), run.memory(), *run.progress()),
                Ok(Advance::Working) => {}
                Ok(Advance::Finished) => return (failures, run.parameters(), *run.progress()),
                Err(RunError::Sweep(error)) => {
                    assert_eq!(settled, (run.parameters(), run.memory(), *run.progress()));
                    failures.push(error);
                }
                Err(other) => panic!("{other}"),
            }
        }
    };
    let (none, parameters, progress) = run(u32::MAX);
    assert!(none.is_empty());
    for left in 0..25 {
        let (failures, after, progress_after) = run(left);
        let [SweepError::Read { sample, error }] = failures[..] else { panic!("{failures:?}") };
        assert!(sample < SAMPLES);
        assert_eq!(error, ReadError::with_code("the card does not answer", -5));
        assert_eq!(
            failures[0].to_string(),
            format!("sample {sample} could not be read: the card does not answer (code -5)")
        );
        assert_eq!((&after, progress_after), (&parameters, progress), "after read {left}");
    }
}
