//! What is asked of public functions beyond what they have: an error value or the result that their documentation names,
//! never a panic, and never a NaN that looks like a number.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::batch_test::{AnyTest, BatchTest, CoordinateNormTest, InnerProductTest, Required};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::dataset::{Dataset, SampleShape, Targets};
use adadagrad_core::images::LabelledImages;
use adadagrad_core::layer::{Conv2d, Dense, Operation};
use adadagrad_core::model::Model;
use adadagrad_core::network::{Grain, Network, Placed, Score, Shape, Sweep, SweepError, Workspace};
use adadagrad_core::optimizer::{Adam, AdamW, AnyOptimizer, Optimizer, Sgd, Shared};
use adadagrad_core::owned::{
    Advance, BatchSums, LocalRun, OwnedNetwork, OwnedStatistics, PartWorker, Predictor, RunError, Swept,
};
use adadagrad_core::real::{Real, dot, power_of_two, square_norm};
use adadagrad_core::shuffle::{Order, Shuffle};
use adadagrad_core::statistics::{Evidence, Inner, LengthMismatch, Needs, Reason, Statistics, Totals};
use adadagrad_core::training::{Cut, Part, PartError, Plan, Progress, StepError, Task, Trainer};
use adadagrad_tests::engine::{all_needs, with_sweep};
use adadagrad_tests::mnist::network;

use crate::determinism::{Images, run_configs};

fn check_dot<F: Real>() {
    let values: Vec<F> = (1..=40).map(|k| F::of(f64::from(k))).collect();
    for (x, y) in [(16, 17), (17, 16), (0, 1), (1, 0), (40, 39), (32, 16)] {
        let error = dot(&values[..x], &values[..y]).unwrap_err();
        assert_eq!((error.expected, error.found), (x, y), "{error}");
    }
    for len in [0, 1, 15, 16, 17, 40] {
        let found = dot(&values[..len], &values[..len]).unwrap();
        assert_eq!(found, square_norm(&values[..len]));
        assert_eq!(found.as_f64(), (1..=len).map(|k| (k * k) as f64).sum::<f64>());
    }
}

#[test]
fn products_of_vectors_of_unequal_length_are_refused() {
    check_dot::<f32>();
    check_dot::<f64>();
}

#[test]
fn the_order_of_nothing_is_0() {
    for position in [0, 1, 7, u32::MAX] {
        assert_eq!(Shuffle::new(0, 5, 3).index(position), 0);
        assert_eq!(Order::new(0, 5).visit(u64::from(position) << 31).sample, 0);
    }
    // As many as there can be, and as many bits.
    for len in [1, 2, u32::MAX] {
        for position in [0, 1, u32::MAX, 1 << 31] {
            assert!(Shuffle::new(len, u64::MAX, u64::MAX).index(position) < len);
        }
        assert!(Order::new(len, 0).visit(u64::MAX).sample < len);
    }
}

#[test]
fn a_cut_has_nothing_beyond_its_parts() {
    for (samples, least_parts) in [(0, 0), (1, 0), (100, 7), (u32::MAX, 5), (0, u32::MAX), (3, u32::MAX)] {
        for grain in
            [Grain::default(), Grain { samples: 0, parts: 0 }, Grain { samples: u32::MAX, parts: u32::MAX }]
        {
            let cut = Cut::by_grain(grain, samples, least_parts.min(1000));
            let parts = cut.parts();
            assert!(parts > 0 && cut.part(parts - 1).end == samples);
            for beyond in [parts, parts + 1, u32::MAX] {
                assert_eq!(cut.part(beyond), samples..samples);
                assert_eq!(cut.walk_part(beyond, 5).count(), 0);
                assert_eq!(cut.walk(beyond..u32::MAX, 5).count(), 0);
            }
            // More than there are is all that there are.
            let walk = cut.walk(0..u32::MAX, u32::MAX);
            assert_eq!(walk, cut.walk(0..parts, u32::MAX));
            let walked: u64 = walk.map(|piece| u64::from(piece.positions.end - piece.positions.start)).sum();
            assert_eq!(walked, u64::from(samples));
        }
    }
    #[allow(clippy::reversed_empty_ranges)]
    let backwards = Cut::new(100, 7).walk(5..2, 3);
    assert_eq!(backwards.count(), 0);
    let mut walk = Cut::new(100, 7).walk(0..7, 0);
    assert_eq!((walk.by_ref().count(), walk.position(), walk.next()), (100, 100, None));
}

/// All that can be asked of no samples, and of samples that are not there.
fn check_sweep<F: Real<Sum = f64>>(model: Model, product: impl Backend<F> + Copy) {
    let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap().by_inputs();
    let network = network.view();
    let images = Images::new(5);
    let len = network.parameters();
    let parameters = vec![F::of(0.01); len];
    let (mut sums, mut moments) = (vec![F::one(); len], vec![F::one(); len]);
    with_sweep(network, product, 3, |sweep| {
        let needs = all_needs();
        let mut statistics = Statistics::new(&mut sums, &mut moments).unwrap();
        sweep.accumulate(&parameters, &images, [0_u32; 0], &needs, &mut statistics).unwrap();
        let is_empty = |statistics: &Statistics<'_, F>| {
            statistics.totals == Totals::default() && statistics.gradient_sum.iter().all(F::is_zero)
        };
        assert!(is_empty(&statistics), "{model:?}");
        let mut inner = Inner::default();
        sweep.project(&parameters, &parameters, &images, [0_u32; 0], &mut inner).unwrap();
        sweep.project_from_cache(&parameters, &parameters, 0, &mut inner).unwrap();
        assert_eq!(inner, Inner::default());
        assert_eq!(sweep.evaluate(&parameters, &images, [0_u32; 0]).unwrap(), Score::default());
        assert!(sweep.outputs(0).is_empty() && sweep.probabilities(0).0.is_empty());
        for sample in [5, u32::MAX] {
            let missing = SweepError::Sample { sample, samples: 5 };
            let found = sweep.accumulate(&parameters, &images, [0, sample], &needs, &mut statistics);
            assert_eq!(found, Err(missing));
            assert_eq!(sweep.project(&parameters, &parameters, &images, [sample], &mut inner), Err(missing));
            assert_eq!(sweep.evaluate(&parameters, &images, [sample]).unwrap_err(), missing);
        }
        assert!(is_empty(&statistics) && inner == Inner::default());
        let none = Images::new(0);
        let missing = sweep.evaluate(&parameters, &none, [Order::new(0, 1).visit(7)]).unwrap_err();
        assert_eq!(missing, SweepError::Sample { sample: 0, samples: 0 });
        assert!(missing.to_string().contains("no sample 0 in a data set of 0"), "{missing}");
        let too_many = SweepError::TooManySamples { capacity: 3 };
        assert_eq!(sweep.evaluate(&parameters, &images, 0..4).unwrap_err(), too_many);
        assert_eq!(sweep.project_from_cache(&parameters, &parameters, 4, &mut inner).unwrap_err(), too_many);
        for samples in [4, usize::MAX] {
            assert!(sweep.outputs(samples).is_empty());
            assert_eq!(sweep.probabilities(samples), (&[][..], &[][..]));
        }
        // Slices that were changed for others.
        let mut short = vec![F::zero(); len - 1];
        let mut statistics = Statistics::new(&mut short, &mut []).unwrap();
        let refused = sweep.accumulate(&parameters, &images, [0], &needs, &mut statistics).unwrap_err();
        assert!(matches!(refused, SweepError::Length(_)), "{refused}");
        let mut whole = vec![F::zero(); len];
        let mut statistics = Statistics::new(&mut whole, &mut []).unwrap();
        let mut moments = vec![F::zero(); len - 1];
        statistics.second_moment = &mut moments;
        let refused = sweep.accumulate(&parameters, &images, [0], &needs, &mut statistics).unwrap_err();
        assert!(
            matches!(refused, SweepError::Length(LengthMismatch { what: "the second moment", .. })),
            "{refused}"
        );
        assert_eq!(statistics.coordinate_ratio(1.0), None);
    });
}

#[test]
fn sweeps_over_no_samples_and_over_missing_ones() {
    for model in Model::MNIST {
        check_sweep::<f32>(model, PlainBackend);
        check_sweep::<f64>(model, PlainBackend);
        check_sweep::<f32>(model, FastBackend);
        check_sweep::<f64>(model, FastBackend);
    }
}

#[test]
fn memory_for_no_network_or_for_endless_batches_is_refused() {
    let unplaced = [Placed::empty()];
    for network in [Network::from_placed(&[]), Network::from_placed(&unplaced)] {
        assert_eq!((network.parameters(), network.outputs(), network.flops()), (0, 0, 0));
        let workspace = Workspace::<f32> { values: &mut [], sums: &mut [], visits: &mut [], labels: &mut [] };
        let refused = Sweep::new(network, PlainBackend, 0, workspace).unwrap_err();
        assert_eq!(refused.found, 0, "{refused}");
    }
    for model in Model::MNIST {
        let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap().by_inputs();
        for samples in [usize::MAX, usize::MAX / 2, 1 << 60] {
            let needed = network.view().workspace(samples);
            assert!(needed.values > 1 << 60, "{model:?}: {needed:?}");
            let workspace =
                Workspace::<f32> { values: &mut [], sums: &mut [], visits: &mut [], labels: &mut [] };
            assert!(Sweep::new(network.view(), FastBackend, samples, workspace).is_err());
        }
        assert_eq!(network.view().micro_batch(usize::MAX), 128);
        assert_eq!(network.view().micro_batch(0), 1);
    }
}

#[test]
fn sizes_that_overflow_stay_at_the_largest() {
    let most = u32::MAX;
    let huge = Shape::image(most, most, most);
    assert_eq!((huge.len(), huge.checked_len(), huge.is_empty()), (usize::MAX, None, false));
    assert_eq!(huge.plane(), (most as usize).saturating_mul(most as usize));
    assert!(Shape::image(0, most, most).is_empty());
    let conv = Operation::Conv2d(Conv2d { outputs: most, kernel: most, stride: 1, padding: 0, bias: true });
    // Of an input that does not fit there are none.
    assert_eq!(conv.tensors(huge), [None, None]);
    for operation in [Operation::Dense(Dense { outputs: most }), conv] {
        assert_eq!(operation.flops(huge, huge), u64::MAX);
        assert!(operation.output(huge).is_err());
    }
}

#[test]
fn images_that_are_not_there() {
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat();
    let labels = [0, 0, 8, 1, 0, 0, 0, 2, 7, 8];
    let images = LabelledImages::parse(&images[..], &labels[..], [1, 2], 10).unwrap();
    assert_eq!((images.image(1), images.label(1)), (Some(&[3, 4][..]), Some(8)));
    for index in [2, 3, u32::MAX] {
        assert_eq!((images.image(index), images.label(index)), (None, None));
        Dataset::<f32>::prefetch(&images, index);
        let refused =
            images.read(index.into(), &mut [0.5_f32; 2], &mut Targets::labels(&mut [0])).unwrap_err();
        assert_eq!(refused.to_string(), "there is no such image");
    }
}

#[test]
fn quantiles_that_are_none_and_counts_that_are_full() {
    let [mut sums, mut moments] = [[0.0_f64; 3]; 2];
    let mut ratio = |quantile| {
        let mut statistics = Statistics::<f64>::new(&mut sums, &mut moments).unwrap();
        for gradient in [[1.0, 2.0, 3.0], [2.0, 2.0, 9.0]] {
            statistics.push(&gradient, 0.0).unwrap();
        }
        statistics.evidence(&Needs { norms: true, coordinate_quantile: Some(quantile), ..Needs::NONE }, None)
    };
    let [least, most] = [0.0, 0.5];
    for (quantile, expected) in [
        (-1.0, least),
        (f64::NEG_INFINITY, least),
        (0.0, least),
        (1.0, most),
        (2.0, most),
        (f64::INFINITY, most),
    ] {
        assert_eq!(ratio(quantile).coordinate_ratio, Some(expected), "{quantile}");
    }
    let test = CoordinateNormTest { eta: 0.1, quantile: f64::NAN };
    assert_eq!(test.required(&ratio(f64::NAN)), Required::Undefined(Reason::NonFinite));

    let full =
        Totals { samples: u32::MAX, correct: u32::MAX, moment_exponent: i32::MIN, ..Totals::default() };
    let mut statistics = Statistics::<f64>::resume(full, &mut sums, &mut moments).unwrap();
    statistics.push(&[1.0; 3], 0.0).unwrap();
    let [mut sums, mut moments] = [[1.0_f64; 3]; 2];
    for moment_exponent in [i32::MIN, i32::MAX] {
        let part = Totals { moment_exponent, ..full };
        let part = Statistics::<f64>::resume(part, &mut sums, &mut moments).unwrap();
        statistics.merge(&part).unwrap();
    }
    assert_eq!((statistics.totals.samples, statistics.totals.correct), (u32::MAX, u32::MAX));
    let mut score = Score { loss: 0.0, correct: u32::MAX };
    score.merge(score);
    assert_eq!(score.correct, u32::MAX);
    let [mut sums, mut moments] = [[0.0_f64; 1]; 2];
    let mut statistics = Statistics::<f64>::new(&mut sums, &mut moments).unwrap();
    for gradient in [1e200, 3e200] {
        statistics.push(&[gradient], 0.0).unwrap();
    }
    assert_eq!(statistics.coordinate_variance(0), None, "it is about 10⁴⁰⁰");
    assert_eq!(statistics.coordinate_variance(1), None);
    assert!((statistics.coordinate_ratio(1.0).unwrap() - 0.5).abs() < 1e-12);
    assert_eq!(power_of_two::<f32>(i32::MIN), 0.0);
    assert_eq!(power_of_two::<f64>(i32::MAX), f64::INFINITY);
}

/// Thresholds that no settings may have still give no NaN.
#[test]
fn thresholds_that_are_no_numbers_define_no_size() {
    let inner = Inner {
        sum_squared_inner_products: 9.0,
        sum_norm_inner_products: 9.0,
        sum_squared_square_norms: 90.0,
    };
    let evidence = Evidence {
        samples: 4,
        mean_norm_sq: 1.0,
        sum_squared_norms: Some(14.0),
        inner: Some(inner),
        coordinate_ratio: Some(2.0),
        ..Evidence::default()
    };
    for threshold in [f64::NAN, 0.0, f64::INFINITY, -1.0, f64::MIN_POSITIVE] {
        let tests = [
            AnyTest::InnerProduct(InnerProductTest { theta: threshold, leave_one_out: false }),
            AnyTest::InnerProduct(InnerProductTest { theta: threshold, leave_one_out: true }),
            AnyTest::CoordinateNorm(CoordinateNormTest { eta: threshold, quantile: 1.0 }),
        ];
        for test in tests {
            let test = test.as_test::<f64>();
            assert!(!test.required(&evidence).size().is_some_and(f64::is_nan), "{threshold}");
            assert!(!test.threshold(&evidence).is_some_and(f64::is_nan), "{threshold}");
        }
    }
}

#[test]
fn the_norm_of_a_batch_is_its_own_whether_its_mean_was_asked_for_or_not() {
    let needs = Needs { norms: true, ..Needs::NONE };
    let mut batch = BatchSums::<f32>::new(2, &needs).unwrap();
    let mut part = OwnedStatistics::<f32>::new(2, &needs).unwrap();
    let mut push = |batch: &mut BatchSums<f32>, gradients: &[[f32; 2]]| {
        batch.begin(&mut part);
        for gradient in gradients {
            part.clear();
            part.with(|part| part.push(gradient, 0.0).map(|_| ())).unwrap();
            batch.take(&mut part, &needs).unwrap();
        }
    };
    let mut mean = [0.0; 2];
    push(&mut batch, &[[3.0, 4.0], [3.0, 4.0]]);
    batch.mean_gradient(&mut mean).unwrap();
    assert_eq!((mean, batch.evidence(&needs, None).unwrap().mean_norm_sq), ([3.0, 4.0], 25.0));
    for gradients in [&[[1.0, 0.0], [3.0, 0.0], [5.0, 0.0]][..], &[[3.0, 0.0]]] {
        push(&mut batch, gradients);
        let evidence = batch.evidence(&needs, None).unwrap();
        assert_eq!((evidence.samples as usize, evidence.mean_norm_sq), (gradients.len(), 9.0));
    }
    push(&mut batch, &[]);
    let nothing = batch.evidence(&needs, None).unwrap();
    assert_eq!((nothing.samples, nothing.mean_norm_sq, nothing.sum_squared_norms), (0, 0.0, Some(0.0)));
}

fn planned(trainer: &Trainer<f32>) -> (Plan<f64>, Evidence<f64>) {
    let plan = trainer.plan().unwrap();
    let samples = plan.cut.samples();
    let evidence =
        Evidence { samples, mean_norm_sq: 1.0, sum_squared_norms: Some(20.0), ..Evidence::default() };
    (plan, evidence)
}

/// Each setting is in range, and what a step makes of them is not.
#[test]
fn updates_by_infinite_factors_are_refused() {
    let base = Preset::PaperCnn.config();
    let adamw = AdamW { weight_decay: 1e30, ..AdamW::default() };
    let adam = Adam { beta1: 1.0 - 1e-7, ..Adam::default() };
    for (optimizer, learning_rate) in [(AnyOptimizer::AdamW(adamw), 1e30), (AnyOptimizer::Adam(adam), 1e38)] {
        let config = RunConfig { optimizer, learning_rate, ..base };
        let mut trainer = Trainer::<f32>::new(config, 60_000).unwrap();
        let (plan, evidence) = planned(&trainer);
        let refused = StepError::NonFinite { step: 1, what: "step size" };
        assert_eq!(trainer.weigh(&plan, &evidence), Err(refused));
        assert_eq!(trainer.speculate(&plan), None, "an engine does not run ahead of a step that is refused");
        let (mut parameters, mut memory) = ([1.0; 2], [0.0; 4]);
        let concluded = trainer.conclude(
            &plan,
            &evidence,
            Network::from_placed(&[]),
            &mut [0.0; 2],
            &mut parameters,
            &mut memory,
        );
        assert_eq!(concluded, Err(refused));
        assert_eq!((parameters, memory, trainer.progress().steps), ([1.0; 2], [0.0; 4], 0));
    }
    let sound = Trainer::<f32>::new(base, 60_000).unwrap();
    let (plan, evidence) = planned(&sound);
    assert!(sound.weigh(&plan, &evidence).is_ok() && sound.speculate(&plan).is_some());
}

#[test]
fn progress_at_the_end_of_its_range() {
    let config = RunConfig { optimizer: AnyOptimizer::Sgd(Sgd::default()), ..Preset::PaperCnn.config() };
    let shared = Shared { steps: u64::MAX, ..Shared::default() };
    let progress = Progress { steps: u64::MAX, shared, ..Progress::start(8) };
    let trainer = Trainer::<f32>::resume(config, 60_000, progress).unwrap();
    let (plan, evidence) = planned(&trainer);
    assert_eq!(plan.step, u64::MAX);
    assert!(trainer.weigh(&plan, &evidence).is_ok());
    let late = Plan { start: u64::MAX, ..plan };
    assert!(trainer.measures_after(&late) && trainer.speculate(&late).is_some());
    for optimizer in [AnyOptimizer::Adam(Adam::default()), AnyOptimizer::Sgd(Sgd::default())] {
        let optimizer: &dyn Optimizer<f32> = optimizer.as_optimizer();
        assert_eq!(optimizer.prepare(&shared, 0.1, 1.0).0.steps, u64::MAX);
    }
    let spent = Progress { samples_seen: u64::MAX, ..progress };
    assert_eq!(Trainer::<f32>::resume(config, 60_000, spent).unwrap().plan(), None);
    // A batch of nothing has no accuracy.
    let empty = Plan { cut: Cut::new(0, 0), ..plan };
    let refused = trainer.weigh(&empty, &Evidence { samples: 0, ..evidence }).unwrap_err();
    assert!(matches!(refused, StepError::Length(_)), "{refused}");
}

#[test]
fn a_worker_is_asked_for_parts_that_are_not_there() {
    let config = run_configs()[0];
    let images = Images::new(90);
    let mut worker = PartWorker::<f32, _>::new(config, network(&config), 90, PlainBackend).unwrap();
    let mut sweep = |part: &Part, images: &Images| {
        worker.sweep::<_, RunError>(part, images, |swept| {
            Ok(match swept {
                Swept::Sums(sums) => sums.totals == Totals::default(),
                Swept::Inner(inner) => inner == Inner::default(),
                Swept::Score(score) => score == Score::default(),
            })
        })
    };
    for task in [Task::Accumulate, Task::Project, Task::Evaluate] {
        for (batch, index) in [(80, 80), (80, u32::MAX), (0, 0), (0, 1)] {
            for start in [0, u64::MAX] {
                let part = Part { task, start, cut: Cut::new(batch, 0), index };
                assert_eq!(sweep(&part, &images), Ok(true), "{part:?}");
            }
        }
    }
    let part = Part { task: Task::Accumulate, start: u64::MAX, cut: Cut::new(4, 0), index: 0 };
    assert_eq!(sweep(&part, &images), Ok(false));
    // Fewer samples than the run was made for.
    let refused = sweep(&Part { start: 0, cut: Cut::new(80, 0), ..part }, &Images::new(1));
    assert!(matches!(refused, Err(RunError::Sweep(SweepError::Sample { samples: 1, .. }))), "{refused:?}");
}

/// Sums that nobody asked for are not mixed with those of the step.
#[test]
fn a_run_takes_nothing_inside_a_part() {
    // So many that a part has several micro-batches.
    const SAMPLES: u32 = 5000;
    let images = Images::new(SAMPLES);
    let config = RunConfig {
        test: Some(AnyTest::InnerProduct(InnerProductTest::default())),
        initial_batch: SAMPLES,
        max_batch: SAMPLES,
        sample_budget: SAMPLES.into(),
        ..run_configs()[0]
    };
    let begin = || LocalRun::<f32, _>::new(config, network(&config), SAMPLES, FastBackend).unwrap();
    let end = |mut run: LocalRun<f32, FastBackend>| loop {
        match run.advance(&images).unwrap() {
            Advance::Working => {}
            Advance::Step(telemetry) => break telemetry,
            Advance::Finished => unreachable!("one step was to be made"),
        }
    };
    let expected = end(begin());
    let nonsense = Inner { sum_squared_inner_products: 1e9, ..Inner::default() };
    let interfere = |run: &mut LocalRun<f32, FastBackend>| {
        assert!(run.share().is_none(), "inside a part");
        let refused = RunError::from(PartError::OtherSweep);
        let part = Part { task: Task::Accumulate, start: 0, cut: run.trainer().cut(SAMPLES), index: 0 };
        let sums = run.take_sums::<RunError>(&part, |_| unreachable!("nobody asked for them"));
        assert_eq!(sums, Err(refused));
        assert_eq!(run.take_inner(&Part { task: Task::Project, ..part }, &nonsense), Err(refused));
    };
    let mut first_sweep = begin();
    first_sweep.advance(&images).unwrap();
    interfere(&mut first_sweep);
    assert_eq!(end(first_sweep), expected);
    let mut second_sweep = begin();
    while second_sweep.share().map(|shared| shared.round.task()) != Some(Task::Project) {
        second_sweep.advance(&images).unwrap();
    }
    second_sweep.advance(&images).unwrap();
    interfere(&mut second_sweep);
    assert_eq!(end(second_sweep), expected);
}

#[test]
fn an_evaluation_takes_nothing_inside_a_part() {
    let (training, test) = (Images::new(90), Images::new(5000));
    let mut run =
        LocalRun::<f32, _>::new(run_configs()[0], network(&run_configs()[0]), 90, FastBackend).unwrap();
    run.advance(&training).unwrap();
    let part = Part { task: Task::Evaluate, start: 0, cut: Cut::new(5000, 0), index: 0 };
    let nonsense = Score { loss: 1e9, correct: 7 };
    let mut evaluate = |interfere: bool| {
        run.begin_evaluation(&test);
        loop {
            if let Some(evaluation) = run.advance_evaluation(&test).unwrap() {
                break evaluation;
            }
            if interfere && run.share().is_none() {
                assert_eq!(run.take_score(&part, nonsense), Err(PartError::OtherSweep));
            }
        }
    };
    let alone = evaluate(false);
    assert_eq!(evaluate(true), alone);
    let refused = run.take_score(&part, nonsense);
    assert_eq!(refused, Err(PartError::OtherSweep), "no evaluation is under way");
    // Another data set than the one that was begun with.
    run.begin_evaluation(&test);
    let error = run.advance_evaluation(&training).unwrap_err();
    assert!(matches!(error, RunError::Sweep(SweepError::Sample { samples: 90, .. })), "{error}");
}

#[test]
fn parameters_of_another_length_are_not_reordered() {
    let predictor = Predictor::<f32, _>::new(
        OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap(),
        PlainBackend,
    )
    .unwrap();
    for len in [0, 1, 7849, 2 * 7850] {
        let error = predictor.in_own_order(&vec![0.0; len]).unwrap_err();
        assert_eq!((error.expected, error.found), (7850, len));
    }
    assert_eq!(predictor.in_own_order(&vec![1.0; 7850]).unwrap().len(), 7850);
}
