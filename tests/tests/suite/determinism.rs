//! The same seed gives the same bits, whatever happens between the micro-batches.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, OrthogonalityTest, WorkerNormTest,
};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController};
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd,
};
use adadagrad_core::owned::{Advance, LocalRun};
use adadagrad_core::random::Key;
use adadagrad_core::real::Real;
use adadagrad_core::training::{Progress, Telemetry};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;
use adadagrad_tests::tiny::{self, Tiny};

/// Random images of 28×28 pixels, brighter at a place that depends on the label: something to learn.
pub(crate) struct Images {
    count: u32,
}

impl Images {
    pub(crate) fn new(count: u32) -> Self {
        Self { count }
    }
}

impl<F: Real> Dataset<F> for Images {
    fn len(&self) -> u32 {
        self.count
    }

    fn shape(&self) -> SampleShape {
        SampleShape::floats(Shape::image(1, 28, 28), 10)
    }

    fn read(&self, visit: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError> {
        let key = Key::new(11, u64::from(visit.sample));
        let label = key.bits(u32::MAX) % 10;
        for (pixel, value) in (0..).zip(input.iter_mut()) {
            let noise = f64::from(key.bits(pixel) & 0xff) / 1000.0;
            *value = F::of(noise + if pixel / 78 == label { 0.5 } else { 0.0 });
        }
        targets.labels.fill(label);
        Ok(())
    }
}

/// Every test and every optimizer, on the smallest model.
pub(crate) fn run_configs() -> Vec<RunConfig> {
    let base = RunConfig {
        model: Model::Logistic,
        learning_rate: 0.01,
        controller: AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(2.0), ..AdAdaGrad::default() }),
        initial_batch: 4,
        max_batch: 80,
        sample_budget: 600,
        ..Preset::Quick.config()
    };
    let tests = [
        AnyTest::Norm(NormTest { eta: 0.5, debiased: false }),
        AnyTest::InnerProduct(InnerProductTest { theta: 0.3, leave_one_out: true }),
        AnyTest::Orthogonality(OrthogonalityTest { nu: 0.5 }),
        AnyTest::Augmented(AugmentedTest { theta: 0.5, nu: 0.7, leave_one_out: false }),
        AnyTest::CoordinateNorm(CoordinateNormTest { eta: 1.0, quantile: 0.3 }),
        AnyTest::WorkerNorm(WorkerNormTest { eta: 0.5, workers: 3 }),
    ];
    let optimizers = [
        AnyOptimizer::Sgd(Sgd::default()),
        AnyOptimizer::Momentum(Momentum::default()),
        AnyOptimizer::Nesterov(Nesterov::default()),
        AnyOptimizer::AdaGrad(AdaGrad::default()),
        AnyOptimizer::AdaGradNorm(AdaGradNorm::default()),
        AnyOptimizer::RmsProp(RmsProp::default()),
        AnyOptimizer::Adam(Adam::default()),
        AnyOptimizer::AdamW(AdamW::default()),
    ];
    let by_test = tests.map(|test| RunConfig { test: Some(test), ..base });
    let by_optimizer = optimizers.map(|optimizer| RunConfig { optimizer, ..base });
    by_test.into_iter().chain(by_optimizer).chain([base.without_test()]).collect()
}

/// A whole run: its telemetry, and its parameters' bits.
pub(crate) fn run<M: Backend<f32> + Copy>(
    config: RunConfig,
    product: M,
    mut between: impl FnMut(&mut LocalRun<f32, M>, &Images),
) -> (Vec<Telemetry>, u64) {
    let images = Images::new(90);
    let mut run = LocalRun::<f32, M>::new(config, network(&config), 90, product).unwrap();
    let mut steps = Vec::new();
    loop {
        match run.advance(&images).unwrap() {
            Advance::Working => {}
            Advance::Step(telemetry) => steps.push(telemetry),
            Advance::Finished => return (steps, fingerprint(&run.parameters())),
        }
        between(&mut run, &images);
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let mut prints = Vec::new();
    for config in run_configs() {
        let first = run(config, PlainBackend, |_, _| {});
        assert_eq!(first, run(config, PlainBackend, |_, _| {}), "{config:?}");
        assert!(first.0.len() > 3 && first.0.last().unwrap().samples_seen >= config.sample_budget);
        let fast = run(config, FastBackend, |_, _| {});
        assert_eq!(fast, run(config, FastBackend, |_, _| {}), "{config:?}");
        let other = run(RunConfig { seed: 1, ..config }, PlainBackend, |_, _| {});
        assert_ne!(first.1, other.1, "{config:?}");
        prints.push(first.1);
    }
    // Different settings are different runs, but for those that the norm test is the default of.
    prints.sort_unstable();
    prints.dedup();
    assert!(prints.len() >= 12, "{} different runs", prints.len());
}

/// Evaluating between any two micro-batches, a bit at a time and abandoned half-way, changes nothing.
#[test]
fn what_happens_between_micro_batches_does_not_matter() {
    let test_images = Images::new(70);
    for config in run_configs() {
        let plain = run(config, PlainBackend, |_, _| {});
        let mut calls = 0;
        let mut evaluations = 0;
        let disturbed = run(config, PlainBackend, |run, _| {
            calls += 1;
            if calls % 5 == 1 {
                run.begin_evaluation(&test_images);
            }
            evaluations += u32::from(run.advance_evaluation(&test_images).unwrap().is_some());
            let (done, of) = run.visits();
            assert!(done <= of);
        });
        assert!(evaluations > 2);
        assert_eq!(plain, disturbed, "{config:?}");
    }
}

/// Two runs that take turns do not see each other.
#[test]
fn runs_side_by_side_do_not_see_each_other() {
    let images = Images::new(90);
    let config = run_configs()[0];
    let alone = run(config, PlainBackend, |_, _| {});
    let mut pair = [config, RunConfig { seed: 9, ..config }]
        .map(|config| LocalRun::<f32, _>::new(config, network(&config), 90, PlainBackend).unwrap());
    let mut steps = Vec::new();
    while let advance @ (Advance::Working | Advance::Step(_)) = pair[0].advance(&images).unwrap() {
        if let Advance::Step(telemetry) = advance {
            steps.push(telemetry);
        }
        pair[1].advance(&images).unwrap();
    }
    assert_eq!((steps, fingerprint(&pair[0].parameters())), alone);
}

/// Evaluation is a sum over the samples, whatever run it is in.
#[test]
fn evaluation_is_the_mean_over_the_samples() {
    let images = Images::new(100);
    let mut run =
        LocalRun::<f32, _>::new(run_configs()[0], network(&run_configs()[0]), 90, PlainBackend).unwrap();
    assert_eq!(run.advance_evaluation(&images).unwrap(), None);
    run.begin_evaluation(&images);
    let evaluation = loop {
        if let Some(evaluation) = run.advance_evaluation(&images).unwrap() {
            break evaluation;
        }
    };
    let network = adadagrad_core::owned::OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    let score = adadagrad_tests::engine::with_sweep(network.view(), PlainBackend, 100, |sweep| {
        sweep.evaluate(&run.parameters(), &images, 0..100).unwrap()
    });
    assert_eq!(evaluation.accuracy, f64::from(score.correct) / 100.0);
    adadagrad_tests::compare::close("loss", evaluation.loss, score.loss / 100.0, 1e-12).unwrap();
    assert_eq!(run.advance_evaluation(&images).unwrap(), None);
}

/// A run that goes on from its written state is the run that never stopped.
#[test]
fn a_resumed_run_is_the_same_run() {
    let mut whole = Tiny::<f32>::new(tiny::config());
    let mut pieces = Tiny::<f32>::new(tiny::config());
    while let Some(telemetry) = whole.step(PlainBackend) {
        assert_eq!(pieces.step(PlainBackend), Some(telemetry));
        let text = serde_json::to_string(pieces.trainer.progress()).unwrap();
        let progress: Progress<f64> = serde_json::from_str(&text).unwrap();
        assert_eq!(progress, *pieces.trainer.progress());
        pieces = Tiny::resume(tiny::config(), progress, pieces.parameters, pieces.memory);
    }
    assert_eq!(fingerprint(&whole.parameters), fingerprint(&pieces.parameters));
    assert_eq!(fingerprint(&whole.memory), fingerprint(&pieces.memory));
    assert_eq!(pieces.step(PlainBackend), None);
}

/// Plain products, `libm` and one fixed order of sums give the same bits on every platform: x86-64, wasm32
/// and thumbv7em among them. Where this number must change, every recorded run changes with it.
#[test]
fn a_tiny_run_has_its_known_bits() {
    let mut tiny = Tiny::<f32>::new(tiny::config());
    let steps = std::iter::from_fn(|| tiny.step(PlainBackend)).count();
    assert_eq!(steps, KNOWN_STEPS);
    assert_eq!(fingerprint(&tiny.parameters), KNOWN_BITS, "{:#018x}", fingerprint(&tiny.parameters));
}

const KNOWN_STEPS: usize = 21;
const KNOWN_BITS: u64 = 0x9d5c_7602_b86a_eaa0;
