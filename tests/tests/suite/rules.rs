//! What every rule of batch-size control keeps, with every optimizer.

use std::sync::Arc;

use adadagrad_core::backend::{FastBackend, PlainBackend};
use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{LARGEST_EXACT, Preset, RunConfig};
use adadagrad_core::controller::{
    Accordion, AdAdaGrad, AnyController, AnyState, BigBatch, Cabs, CostAware, DiveBatch, GradientNoiseScale,
    Limits, Linear, Smith, StageList, Stages, WindowKind,
};
use adadagrad_core::model::Model;
use adadagrad_core::noise_scale::{MeasuredNoise, Noise, Sensor};
use adadagrad_core::optimizer::{AnyOptimizer, Sgd};
use adadagrad_core::owned::checkpoint::{self, STATE_VERSION, State};
use adadagrad_core::owned::{Advance, LocalRun, SharedDataset};
use adadagrad_core::random::Key;
use adadagrad_core::settings::Choices;
use adadagrad_core::sizer::BatchSizer;
use adadagrad_core::statistics::{Evidence, Inner, Parts, Reason};
use adadagrad_core::training::{Progress, Step, Trainer};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::mnist::network;
pub(crate) use adadagrad_tests::rules::every_rule as rules;
use adadagrad_tests::rules::on_threads;

use crate::determinism::{Images, run};
use crate::part_workers::shared;

pub(crate) const SAMPLES: u32 = 90;
const LARGEST: u32 = 80;

/// An optimizer by name, so that another one in the table changes nothing here.
pub(crate) fn optimizer(name: &str) -> AnyOptimizer {
    AnyOptimizer::named(name).unwrap()
}

pub(crate) fn config(controller: AnyController, optimizer: AnyOptimizer) -> RunConfig {
    RunConfig {
        model: Model::Logistic,
        optimizer,
        learning_rate: 0.05,
        test: controller.uses_test().then_some(AnyTest::Norm(NormTest { eta: 0.5, debiased: true })),
        controller,
        initial_batch: 4,
        min_batch: 1,
        max_batch: LARGEST,
        sample_budget: LARGEST_EXACT,
        ..Preset::Quick.config()
    }
}

/// Random evidence: of all orders of magnitude, with zeros, and now and then nothing that numbers can be.
fn evidence(key: Key, index: u32, samples: u32) -> Evidence<f64> {
    let bits = |place| key.bits(index.wrapping_mul(16).wrapping_add(place));
    let number = |place: u32| {
        let unit = f64::from(bits(place)) / f64::from(u32::MAX);
        match bits(place + 8) % 64 {
            0 => 0.0,
            1 => 1e300,
            2 => 1e-300,
            3 => f64::MIN_POSITIVE / 4.0,
            _ => unit * 10.0_f64.powi((bits(place + 8) % 9) as i32 - 4),
        }
    };
    let b = f64::from(samples);
    let mean_norm_sq = number(0);
    let norms = b * mean_norm_sq + number(1);
    let special = match bits(7) % 200 {
        0 => f64::NAN,
        1 => f64::INFINITY,
        _ => 0.0,
    };
    let first = samples / 2;
    let sign = if bits(6) % 2 == 0 { 1.0 } else { -1.0 };
    Evidence {
        samples,
        correct: 0,
        loss: number(2) + if bits(7) % 3 == 0 { special } else { 0.0 },
        mean_norm_sq,
        sum_squared_norms: Some(norms + if bits(7) % 3 == 1 { special } else { 0.0 }),
        inner: Some(Inner {
            sum_squared_inner_products: b * mean_norm_sq * mean_norm_sq + number(3),
            sum_norm_inner_products: norms * mean_norm_sq,
            sum_squared_square_norms: norms * norms,
        }),
        coordinate_ratio: Some(number(3)),
        parts: Some(Parts {
            count: 2.min(samples),
            sum_squared_means: b * mean_norm_sq + number(4),
            first: (first, number(4) * 0.5),
        }),
        measured_noise: MeasuredNoise::default().with(
            if bits(5) % 2 == 0 { Sensor::Sign } else { Sensor::Preconditioned },
            Ok(Noise { noise: number(4), signal: sign * number(5) }),
        ),
        epoch_norm_sq: Some(number(5) + if bits(7) % 3 == 2 { special } else { 0.0 }),
    }
}

pub(crate) fn through_text(progress: &Progress<f64>) -> Progress<f64> {
    let text = serde_json::to_string(progress).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Random steps of one run, beside a run that is resumed again and again from its written progress. Returns how many
/// decisions were made.
fn check_contract(config: RunConfig, seed: u64, steps: u32) -> u32 {
    let key = Key::new(seed, 0);
    let mut straight = Trainer::<f32>::new(config, SAMPLES).unwrap();
    let mut resumed = straight;
    let mut decisions = 0;
    let least = if config.needs().compares_samples() { 2 } else { 1 };
    for index in 0..steps {
        let mut step = Step::begin(&straight).unwrap();
        assert_eq!(Step::begin(&resumed), Some(step), "{config:?}");
        let mut found = evidence(key, index, step.batch().samples());
        let weighed = loop {
            let more = step.batch().round().cut().samples();
            step.batch_mut().take_whole(more).unwrap();
            let mut again = step;
            let weighed = (step.weigh(&straight, &found), again.weigh(&resumed, &found));
            assert_eq!(again, step);
            if !matches!(weighed, (Ok(None), Ok(None))) {
                break weighed;
            }
            let extended = step.batch().samples();
            assert!(step.batch().round().cut().samples() > 0);
            assert!(extended <= LARGEST, "{step:?}");
            found = evidence(key, index.wrapping_add(extended << 20), extended);
            decisions += 1;
        };
        let plan = *step.plan();
        let (Ok(Some(pending)), Ok(Some(again))) = weighed else { continue };
        let telemetry = straight.commit(pending);
        assert_eq!(resumed.commit(again), telemetry);
        assert!(telemetry.wanted.is_none_or(f64::is_finite), "{config:?}: {telemetry:?}");
        let next = telemetry.next_batch;
        assert!((least..=LARGEST).contains(&next), "{config:?}: {next} after {found:?}");
        let progress = *straight.progress();
        assert!(
            progress.learning_rate_scale.is_finite() && progress.learning_rate_scale >= 0.0,
            "{progress:?}"
        );
        decisions += 1;
        if index % 50 == 0 {
            let read = through_text(&progress);
            assert_eq!(read, progress, "{config:?}");
            resumed = Trainer::resume(config, SAMPLES, read).unwrap();
        }
        let seconds = 0.02 + 0.001 * f64::from(plan.cut.samples());
        for trainer in [&mut straight, &mut resumed] {
            trainer.measured(plan.cut.samples(), seconds);
        }
        // The learning rates of schedules go to 0, where the trainer says so.
        if progress.learning_rate_scale < 1e-200 {
            break;
        }
    }
    decisions
}

#[test]
fn every_rule_with_every_optimizer_keeps_the_contract() {
    let (mut decisions, mut refused) = (0, 0);
    for (row, rule) in rules().into_iter().enumerate() {
        for (column, optimizer) in AnyOptimizer::all().into_iter().enumerate() {
            let config = config(rule, optimizer);
            if let Err(error) = config.validate(SAMPLES) {
                let text = error.to_string();
                let expects = matches!(rule, AnyController::Cabs(_)) || config.needs().sensors.preconditioned;
                assert!(expects && text.contains("does not fit: "), "{config:?}: {text}");
                refused += 1;
                continue;
            }
            decisions += check_contract(config, (row * 100 + column) as u64, 8_000);
        }
    }
    // CABS without plain SGD, and preconditioning without squares.
    let optimizers = AnyOptimizer::all();
    let without_squares = optimizers.iter().filter(|optimizer| !optimizer.keeps_squares()).count();
    assert_eq!(refused, optimizers.len() - 1 + without_squares);
    assert!(decisions > 1_000_000, "only {decisions} decisions");
}

/// A checkpoint of the run, written and read.
pub(crate) fn through_file(
    config: RunConfig,
    run: &LocalRun<f32, PlainBackend>,
) -> LocalRun<f32, PlainBackend> {
    let state = State {
        version: STATE_VERSION,
        config,
        progress: *run.progress(),
        training_samples: SAMPLES,
        training_data: None,
        sample: None,
        network: None,
        encoding: None,
        vocabulary: None,
    };
    let owned = network(&config);
    let bytes = checkpoint::write(owned.view(), &run.parameters(), &run.memory(), &state).unwrap();
    let file = checkpoint::read(&bytes).unwrap();
    let State { config, progress, .. } = file.state().unwrap();
    let parameters = file.parameters(owned.view()).unwrap();
    let memory = file.memory(owned.view(), config.slots()).unwrap();
    let trainer = Trainer::resume(*config, SAMPLES, *progress).unwrap();
    LocalRun::resume(trainer, owned, PlainBackend, &parameters, &memory, []).unwrap()
}

/// A run through the engine, resumed from a checkpoint every few steps, ends with the same bits.
#[test]
fn a_run_is_resumed_anywhere_with_the_same_bits() {
    for rule in rules() {
        let needs_squares = rule.needs().sensors.preconditioned;
        let optimizer = optimizer(if needs_squares { "adam" } else { "sgd" });
        // Measured times repeat nothing.
        if rule.needs().step_time {
            continue;
        }
        let config = RunConfig { sample_budget: 700, ..config(rule, optimizer) };
        let images = Images::new(SAMPLES);
        let finish = |every: Option<u64>| {
            let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
            loop {
                match run.advance(&images).unwrap() {
                    Advance::Working => {}
                    Advance::Finished => {
                        return (through_text(run.progress()), fingerprint(&run.parameters()));
                    }
                    Advance::Step(step) => {
                        if every.is_some_and(|every| step.step % every == 0) {
                            run = through_file(config, &run);
                        }
                    }
                }
            }
        };
        let straight = finish(None);
        assert!(straight.0.steps > 3, "{rule:?}");
        assert_eq!(straight, finish(Some(1)), "{rule:?}");
        assert_eq!(straight, finish(Some(3)), "{rule:?}");
    }
}

/// The engine on threads computes the same bits as a run on one thread, the epoch's sum among them.
#[test]
fn engines_agree_on_every_rule() {
    let training: SharedDataset = Arc::new(Images::new(SAMPLES));
    let images = Images::new(SAMPLES);
    for rule in rules() {
        // Measured times are no one else's.
        if rule.needs().step_time {
            continue;
        }
        let needs_squares = rule.needs().sensors.preconditioned;
        let optimizer = optimizer(if needs_squares { "adagrad" } else { "sgd" });
        let config = RunConfig { sample_budget: 400, ..config(rule, optimizer) };
        let mut local = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, FastBackend).unwrap();
        let (mut engine, mut trainer) = on_threads(&config, network(&config), &training);
        while let Some(plan) = trainer.plan() {
            let found = engine.step(&mut trainer, &plan).unwrap();
            let expected = loop {
                match local.advance(&images).unwrap() {
                    Advance::Working => {}
                    Advance::Step(telemetry) => break telemetry,
                    Advance::Finished => panic!("{rule:?}: the run on one thread ended before the other"),
                }
            };
            assert_eq!(found, expected, "{rule:?}");
        }
        assert_eq!(fingerprint(&engine.parameters()), fingerprint(&local.parameters()), "{rule:?}");
        assert_eq!(fingerprint(&engine.memory()), fingerprint(&local.memory()), "{rule:?}");
    }
}

/// Workers that sweep parts, as those of a page do, change no bit.
#[test]
fn workers_agree_on_every_rule() {
    for (index, rule) in (0..).zip(rules()) {
        let needs_squares = rule.needs().sensors.preconditioned;
        let optimizer = optimizer(if needs_squares { "adagrad" } else { "sgd" });
        let config = RunConfig { sample_budget: 400, ..config(rule, optimizer) };
        let alone = run(config, PlainBackend, |_, _| {});
        assert_eq!(shared(config, PlainBackend, Key::new(5, index)), alone, "{rule:?}");
    }
}

/// What Big Batch has extended has the statistics of the whole, and the run visits each sample once in a pass.
#[test]
fn an_extended_batch_is_one_batch() {
    let rule = AnyController::BigBatch(BigBatch::default());
    let config = RunConfig {
        sample_budget: 400,
        learning_rate: 0.5,
        ..config(rule, AnyOptimizer::Sgd(Sgd::default()))
    };
    let images = Images::new(SAMPLES);
    let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
    let (mut seen, mut last, mut extended) = (0, 4, 0);
    loop {
        let parameters = run.parameters();
        let trainer = *run.trainer();
        let telemetry = loop {
            match run.advance(&images).unwrap() {
                Advance::Working => {}
                Advance::Step(telemetry) => break telemetry,
                Advance::Finished => {
                    assert!(extended > 0, "no batch grew");
                    return;
                }
            }
        };
        seen += u64::from(telemetry.samples);
        assert_eq!(telemetry.samples_seen, seen);
        assert!(telemetry.samples >= last);
        extended += u32::from(telemetry.samples > last);
        last = telemetry.samples;
        // The same batch in one piece.
        let constant = RunConfig {
            controller: AnyController::Constant(adadagrad_core::controller::Constant {}),
            test: Some(AnyTest::Norm(NormTest::default())),
            initial_batch: telemetry.samples,
            ..config
        };
        let progress = Progress { next_batch: telemetry.samples, ..*trainer.progress() };
        let whole = Trainer::resume(constant, SAMPLES, progress).unwrap();
        let mut whole =
            LocalRun::resume(whole, network(&config), PlainBackend, &parameters, &[], []).unwrap();
        let expected = loop {
            if let Advance::Step(telemetry) = whole.advance(&images).unwrap() {
                break telemetry;
            }
        };
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.abs();
        assert!(near(telemetry.mean_norm_sq, expected.mean_norm_sq), "{telemetry:?} {expected:?}");
        assert!(near(telemetry.sum_squared_norms.unwrap(), expected.sum_squared_norms.unwrap()));
        assert!(near(telemetry.loss, expected.loss));
    }
}

#[test]
fn a_sizer_says_why_it_keeps_a_size() {
    let limits = Limits { min: 1, max: 1_000 };
    for rule in rules() {
        let test = rule.uses_test().then(NormTest::default);
        let needs = rule.needs();
        let mut sizer = BatchSizer::<f64, _, _>::new(test, rule, limits, 1);
        assert_eq!(sizer.limits.min, if sizer.needs().compares_samples() { 2 } else { 1 });
        if !sizer.needs().norms {
            continue;
        }
        // S was forgotten.
        let batch = sizer.batch();
        let forgotten = Evidence { samples: batch, mean_norm_sq: 1.0, loss: 1.0, ..Evidence::default() };
        let advice = sizer.advise(&forgotten);
        assert_eq!((advice.next, advice.reason), (batch, Some(Reason::MissingEvidence)), "{rule:?}");
        if needs.extends || !needs.sensors.is_empty() {
            continue;
        }
        // A single sample says nothing, but the next batch has two.
        let single =
            Evidence { samples: 1, sum_squared_norms: Some(1.0), inner: Some(Inner::default()), ..forgotten };
        if !needs.epoch {
            let advice = sizer.advise(&single);
            assert_eq!((advice.next, advice.reason), (2, Some(Reason::SingleSample)), "{rule:?}");
        }
    }
}

/// What each rule wants is its formula, without rounding, limits, windows and waiting.
#[test]
fn a_rule_says_what_it_wanted() {
    let limits = Limits { min: 2, max: 100 };
    // n = 0.01 and v = 1.2, at a loss of 2.
    let evidence = Evidence {
        loss: 2.0,
        parts: Some(Parts { count: 2, sum_squared_means: 0.6, first: (2, 0.3) }),
        inner: Some(Inner { sum_squared_inner_products: 0.0016, ..Inner::default() }),
        epoch_norm_sq: Some(0.16),
        ..Evidence::from_norms(4, 0.01, 3.64).unwrap()
    };
    let wanted = |rule: AnyController| {
        let mut sizer = BatchSizer::new(Some(NormTest { eta: 0.5, debiased: false }), rule, limits, 4);
        (sizer.training_samples, sizer.learning_rate) = (4, 0.5);
        let advice = sizer.advise(&evidence);
        (advice.wanted, advice.next, advice.extend_by)
    };
    let near = |found: Option<f64>, expected: f64| {
        let found = found.unwrap_or(f64::NAN);
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} instead of {expected}");
    };
    let adadagrad = AdAdaGrad { growth_cap: Some(2.0), window: 4, window_kind: WindowKind::Block };
    let (found, next, _) = wanted(AnyController::AdAdaGrad(adadagrad));
    near(found, 480.0);
    assert_eq!(next, 4, "the window waits");
    // ξ = S/b − n = 0.9, of which a twentieth counts, over a loss of 0.95 + 0.1.
    near(wanted(AnyController::Cabs(Cabs::default())).0, 0.5 * 0.045 / 1.05);
    let dive = DiveBatch { delta: 10.0, every_epochs: 1, scale_learning_rate: false };
    near(wanted(AnyController::DiveBatch(dive)).0, 10.0 * 4.0 * 3.64 / 0.16);
    let (found, _, extend_by) = wanted(AnyController::BigBatch(BigBatch::default()));
    near(found, 120.0);
    assert_eq!(extend_by, 1);
    let times = CostAware { fixed_time: Some(0.02), time_per_sample: Some(0.001), ..CostAware::default() };
    assert_eq!(wanted(AnyController::CostAware(times)).0, None, "the noise exceeds the signal");
    let stages = Stages { schedule: "0:4 2:1K".parse().unwrap() };
    assert_eq!(wanted(AnyController::Stages(stages)), (Some(1_000.0), 100, 0));
    near(wanted(AnyController::Linear(Linear { last_batch: 5, over_samples: 8 })).0, 4.5);
    near(
        wanted(AnyController::Smith(Smith { milestones: "1 2".parse().unwrap(), ..Smith::default() })).0,
        100.0,
    );
    assert_eq!(wanted(AnyController::Constant(adadagrad_core::controller::Constant {})).0, None);
}

#[test]
fn a_rule_that_lacks_what_it_needs_is_refused_in_a_sentence() {
    let adam = optimizer("adam");
    let cabs = config(AnyController::Cabs(Cabs::default()), adam);
    assert_eq!(
        cabs.validate(SAMPLES).unwrap_err().to_string(),
        "optimizer does not fit: CABS assumes the steps of plain SGD"
    );
    let sensor = GradientNoiseScale { sensor: Sensor::Preconditioned, ..GradientNoiseScale::default() };
    let sensor = config(AnyController::GradientNoiseScale(sensor), AnyOptimizer::Sgd(Sgd::default()));
    assert!(sensor.validate(SAMPLES).unwrap_err().to_string().contains("keeps squares of gradients"));
    let stages = config(AnyController::Stages(Stages { schedule: "0:4 100:81".parse().unwrap() }), adam);
    assert!(
        stages
            .validate(SAMPLES)
            .unwrap_err()
            .to_string()
            .starts_with("schedule is 81, but must be from 1 to 80")
    );
    for (text, expected) in [
        ("", "there are no stages"),
        ("64", "entry 1 is not of the form start:size"),
        ("0:x", "entry 1 is not a whole number"),
        ("5:64", "the first stage must begin at 0"),
        ("0:64 0:65", "entry 2 is not above the one before it"),
        ("0:0", "entry 1 has a batch of 0 samples"),
        ("0:4294967296", "entry 1 has a batch of more than 4294967295 samples"),
        ("0:99999999B", "entry 1 has a number above 2^53 - 1"),
        ("0:64 99999999999999999999:65", "entry 2 has a number above 2^53 - 1"),
        ("0:64 1.2345K:65", "entry 2 is not a whole number"),
        ("0:64 60.000:65", "entry 2 is not a whole number"),
        ("0:1 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 11:1 12:1", "more than 12 entries"),
    ] {
        let error = text.parse::<StageList>().unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let error = "0 60K".parse::<adadagrad_core::controller::Milestones>().unwrap_err().to_string();
    assert_eq!(error, "entry 1 is 0, where the run begins: a milestone must be at least 1");
    let accordion = Accordion { small: 40, large: 20, threshold: 0.5 };
    assert_eq!(
        config(AnyController::Accordion(accordion), adam).validate(SAMPLES).unwrap_err().to_string(),
        "large is 20, but must be from 40 to 80 (the large batch cannot be below the small one)"
    );
    let list: StageList = "0:64,1.5M:256 2B:1K".parse().unwrap();
    assert_eq!(list.iter().collect::<Vec<_>>(), [(0, 64), (1_500_000, 256), (2_000_000_000, 1_000)]);
    let error =
        serde_json::from_str::<AnyController>(r#"{"name": "stages", "schedule": "0:64 x:1"}"#).unwrap_err();
    assert!(error.to_string().starts_with("schedule: \"0:64 x:1\": entry 2 is not"), "{error}");
}

/// Settings and progress of before there were rules with state are read.
#[test]
fn what_was_written_before_there_were_states_is_read() {
    let text = r#"{"steps":3,"samples_seen":24,"next_batch":16,"shared":{"steps":3,"sum_norm_sq":0.5}}"#;
    let progress: Progress<f64> = serde_json::from_str(text).unwrap();
    assert_eq!((progress.controller, progress.learning_rate_scale), (AnyState::None, 1.0));
    // What is written has all of it.
    assert_eq!(through_text(&progress), progress);
    let rule: AnyController = serde_json::from_str(r#"{"name":"adadagrad","growth_cap":null}"#).unwrap();
    assert_eq!(rule, AnyController::AdAdaGrad(AdAdaGrad::default()));
}

/// A run hears its shell's clock: of machines that differ in nothing but the fixed time of a step, the one with the longer
/// chooses the larger batch.
#[test]
fn a_run_told_of_slow_steps_chooses_larger_batches() {
    let last = |fixed: f64| {
        let rule = CostAware { warm_up: 3, dwell: 1, ..CostAware::default() };
        let controller = AnyController::CostAware(rule);
        let sgd = AnyOptimizer::Sgd(Sgd::default());
        let config = RunConfig { sample_budget: 2_000, ..config(controller, sgd) };
        let images = Images::new(SAMPLES);
        let mut run = LocalRun::<f32, _>::new(config, network(&config), SAMPLES, PlainBackend).unwrap();
        let mut batches = Vec::new();
        loop {
            match run.advance(&images).unwrap() {
                Advance::Working => {}
                Advance::Finished => return batches,
                Advance::Step(step) => {
                    run.measured(step.samples, fixed + 0.001 * f64::from(step.samples));
                    batches.push(step.samples);
                }
            }
        }
    };
    let [fast, slow] = [last(1e-4), last(0.5)];
    assert_eq!(fast[..3], slow[..3], "nothing is measured yet");
    let [fast, slow] = [fast, slow].map(|batches| *batches.last().unwrap());
    assert!(fast <= 4 && slow >= 64, "{fast} with short steps, {slow} with long ones");
}

/// The batch that makes most progress per second is large where a step has a long fixed part, and small where it has none.
#[test]
fn measured_times_lead_to_the_best_batch() {
    let next = |fixed: f64, per_sample: f64| {
        let rule = CostAware { warm_up: 3, dwell: 1, ema: 0.5, ..CostAware::default() };
        let limits = Limits { min: 2, max: 4_096 };
        let mut sizer = BatchSizer::<f64, NormTest, _>::new(None, rule, limits, 64);
        for _ in 0..100 {
            let batch = sizer.batch();
            let b = f64::from(batch);
            // v = 100 and a true squared norm of 1: a noise scale of 100.
            let evidence =
                Evidence::from_norms(batch, 1.0 + 100.0 / b, (b - 1.0) * 100.0 + b + 100.0).unwrap();
            sizer.advise(&evidence);
            sizer.measured(batch, fixed + per_sample * b);
        }
        sizer.batch()
    };
    // √(100 · 0.1/0.001) = 100, √(100 · 10/0.001) = 1,000 and √(100 · 1e-5/0.001) = 1.
    assert!((64..=128).contains(&next(0.1, 0.001)), "{}", next(0.1, 0.001));
    assert!((512..=2_048).contains(&next(10.0, 0.001)), "{}", next(10.0, 0.001));
    assert!(next(1e-5, 0.001) <= 4, "{}", next(1e-5, 0.001));
}
