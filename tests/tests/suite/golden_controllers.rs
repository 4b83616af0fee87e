//! `controllers.json`: whole runs under every rule, noise scales, couplings.

use std::collections::BTreeMap;

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::batch_test::{AnyTest, AugmentedTest, BatchTest, NormTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{
    Accordion, AdAdaGrad, AdaBatch, AdaBatchGrad, AnyController, AnyState, BigBatch, Cabs, Constant,
    CostAware, DiveBatch, GradientNoiseScale, Linear, Milestones, RatioAverage, Seesaw, SimiGrad, Smith,
    Stages, WindowKind,
};
use adadagrad_core::coupling::{Coupled, Coupling};
use adadagrad_core::layer::{Dense, Operation};
use adadagrad_core::network::{Node, Shape};
use adadagrad_core::noise_scale::{Noise, Sensor};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::real::Real;
use adadagrad_core::schedule::Schedule;
use adadagrad_core::settings::Choices;
use adadagrad_core::statistics::{Evidence, Needs, Reason, Statistics};
use adadagrad_core::training::{self, Decided, Plan, Progress, Telemetry, Trainer};
use adadagrad_tests::by_hand::{Sums, sweep};
use adadagrad_tests::compare::{Check, all_close_to_largest, close, equal, holds};
use adadagrad_tests::engine::{measure, with_sweep};
use adadagrad_tests::golden::{
    self, ControllerRun, ControllersFile, CouplingRow, Number, SensorCase, SensorRow,
};
use adadagrad_tests::table::Table;
use serde_json::Value;

/// Samples in a micro-batch: no divisor of anything.
const MICRO_BATCH: usize = 13;

fn file() -> ControllersFile {
    golden::read("controllers.json")
}

/// The library's rule for one of the files'.
fn rule_of(run: &ControllerRun) -> AnyController {
    let number = |name: &str| run.rule[name].as_f64().unwrap();
    let whole = |name: &str| run.rule[name].as_u64().unwrap();
    let size = |name: &str| u32::try_from(whole(name)).unwrap();
    let kind = || match run.rule["window_kind"].as_str().unwrap() {
        "block" => WindowKind::Block,
        "sliding" => WindowKind::Sliding,
        other => panic!("unknown window {other}"),
    };
    let milestones = || {
        let numbers: Vec<String> =
            run.rule["milestones"].as_array().unwrap().iter().map(Value::to_string).collect();
        numbers.join(" ").parse::<Milestones>().unwrap()
    };
    match run.rule["rule"].as_str().unwrap() {
        "constant" => AnyController::Constant(Constant {}),
        "stages" => {
            let stage = |stage: &Value| format!("{}:{}", stage[0], stage[1]);
            let stages: Vec<String> = run.rule["stages"].as_array().unwrap().iter().map(stage).collect();
            AnyController::Stages(Stages { schedule: stages.join(" ").parse().unwrap() })
        }
        "geometric" => AnyController::AdaBatch(AdaBatch {
            every_epochs: whole("every_epochs"),
            factor: number("factor"),
            gamma: number("gamma"),
        }),
        "smith" => {
            // The limit is the default, a tenth of the data.
            assert_eq!(number("limit"), 25.6);
            AnyController::Smith(Smith { milestones: milestones(), factor: number("factor"), limit: None })
        }
        "seesaw" => AnyController::Seesaw(Seesaw { milestones: milestones(), cut: number("alpha") }),
        "linear" => AnyController::Linear(Linear {
            last_batch: size("last_batch"),
            over_samples: whole("over_samples"),
        }),
        "cabs" => AnyController::Cabs(Cabs { ema: number("ema"), scale: number("c") }),
        "dive_batch" => AnyController::DiveBatch(DiveBatch {
            delta: number("delta"),
            every_epochs: whole("every_epochs"),
            scale_learning_rate: false,
        }),
        "gradient_noise_scale" => AnyController::GradientNoiseScale(GradientNoiseScale {
            sensor: Sensor::Plain,
            scale: number("c"),
            ema: number("ema"),
        }),
        "ada_batch_grad" => AnyController::AdaBatchGrad(AdaBatchGrad {
            theta: number("theta"),
            nu: number("nu"),
            window: size("window"),
            window_kind: kind(),
        }),
        "big_batch" => AnyController::BigBatch(BigBatch { growth: number("growth") }),
        "simi_grad" => AnyController::SimiGrad(SimiGrad { target: number("target") }),
        "accordion" => AnyController::Accordion(Accordion {
            small: size("small"),
            large: size("large"),
            threshold: number("threshold"),
        }),
        "cost_aware" => AnyController::CostAware(CostAware {
            ema: number("ema"),
            gain: number("gain"),
            warm_up: 0,
            dwell: 0,
            fixed_time: Some(number("t0")),
            time_per_sample: Some(number("t1")),
            ..CostAware::default()
        }),
        "norm_test" if run.rule.contains_key("cap") => {
            AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(number("cap")), ..AdAdaGrad::default() })
        }
        "norm_test" => AnyController::AdAdaGrad(AdAdaGrad {
            window: size("window"),
            window_kind: kind(),
            ..AdAdaGrad::default()
        }),
        other => panic!("unknown rule {other}"),
    }
}

struct Run<F: Real> {
    network: OwnedNetwork,
    table: Table,
    trainer: Trainer<F>,
    parameters: Vec<F>,
    memory: Vec<F>,
}

/// One step as it was made.
struct Step {
    before: Progress<f64>,
    planned: Plan<f64>,
    /// With the samples that the rule has added.
    whole: Plan<f64>,
    extensions: u32,
    /// What was decided from.
    evidence: Evidence<f64>,
    /// Everything about the whole batch.
    everything: Evidence<f64>,
    telemetry: Telemetry,
}

impl<F: Real<Sum = f64>> Run<F> {
    fn new(file: &ControllersFile, run: &ControllerRun) -> Self {
        let (optimizer, learning_rate) = run.hyper.optimizer(&run.optimizer);
        let eta = run.rule.get("eta").and_then(Value::as_f64);
        let config = RunConfig {
            optimizer,
            learning_rate,
            schedule: Schedule::default(),
            test: eta.map(|eta| AnyTest::Norm(NormTest { eta, debiased: false })),
            controller: rule_of(run),
            initial_batch: run.first_batch,
            min_batch: run.min_batch,
            max_batch: run.max_batch,
            sample_budget: 1_000_000,
            ..RunConfig::default()
        };
        let nodes = Node::chain([Operation::Dense(Dense { outputs: file.classes })]);
        let network = OwnedNetwork::new(Shape::vector(file.features), &nodes).unwrap();
        let parameters = vec![F::zero(); network.view().parameters()];
        let mut memory = vec![F::nan(); config.slots() * parameters.len()];
        config.start(parameters.len(), &mut memory);
        Self {
            network,
            table: Table { inputs: file.inputs.clone(), labels: file.labels.clone() },
            trainer: Trainer::new(config, file.samples).unwrap(),
            parameters,
            memory,
        }
    }

    /// One step over the next samples in order, as an engine makes it.
    fn step(&mut self) -> Result<Step, String> {
        let Self { network, table, trainer, parameters, memory } = self;
        let before = *trainer.progress();
        let mut step = training::Step::begin(trainer).ok_or("the run ended early")?;
        let planned = *step.plan();
        let len = table.labels.len() as u64;
        let sample = |place: u64| u32::try_from(place % len).unwrap();
        let mut sums = Sums::new(parameters.len(), &step);
        let mut extensions = 0;
        let (evidence, pending) = with_sweep(network.view(), PlainBackend, MICRO_BATCH, |workspaces| {
            loop {
                let visit = |place| sample(place).into();
                let evidence = sweep(&mut step, &mut sums, workspaces, parameters, table, visit)?;
                let evidence = trainer.with_epoch(step.plan(), &evidence, &sums.mean_gradient, memory);
                match step.weigh(trainer, &evidence).map_err(|error| error.to_string())? {
                    Some(pending) => return Ok::<_, String>((evidence, pending)),
                    None => extensions += 1,
                }
            }
        })?;
        let (whole, mean) = (*step.plan(), &mut sums.mean_gradient);
        let samples: Vec<u32> =
            (0..whole.cut.samples()).map(|position| sample(whole.start + u64::from(position))).collect();
        let everything = measure(network, PlainBackend, parameters, table, &samples, MICRO_BATCH)?.evidence;
        let (config, samples) = (*trainer.config(), trainer.samples());
        config
            .update(
                &Decided { plan: whole, scalars: pending.scalars },
                samples,
                network.view(),
                parameters,
                mean,
                memory,
            )
            .map_err(|error| error.to_string())?;
        let telemetry = trainer.commit(pending);
        Ok(Step { before, planned, whole, extensions, evidence, everything, telemetry })
    }
}

/// What a run has to be told of the steps before, to say what a column says.
#[derive(Default)]
struct Past {
    /// Required sizes so far.
    required: Vec<f64>,
    /// Samples of the epoch before this step.
    epoch_samples: u64,
}

type Columns = BTreeMap<&'static str, Option<f64>>;

/// Every column of a step, from what the library says.
fn columns<F: Real<Sum = f64>>(
    step: &Step,
    run: &Run<F>,
    golden: &ControllerRun,
    past: &mut Past,
) -> Columns {
    let Step { before, planned, whole, evidence, everything, telemetry, .. } = step;
    let after = run.trainer.progress();
    let n_samples = u64::from(run.trainer.samples());
    let b = everything.batch();
    let v = everything.variance().unwrap_or(f64::NAN);
    let ended = [whole.start, after.samples_seen].map(|seen| seen / n_samples);
    let ends_epoch = ended[0] < ended[1];
    let is_delayed = golden.optimizer == "adagrad_norm_delayed";
    let rate = if is_delayed {
        whole.learning_rate / (golden.hyper.get("beta") + before.shared.sum_norm_sq).sqrt()
    } else {
        telemetry.learning_rate
    };
    let epoch_samples = past.epoch_samples + u64::from(whole.cut.samples());
    past.epoch_samples = if ends_epoch { 0 } else { epoch_samples };
    #[allow(clippy::cast_precision_loss)]
    let count = |count: u64| Some(count as f64);
    let mut columns: Columns = BTreeMap::from([
        ("k", count(telemetry.step - 1)),
        ("samples_seen", count(whole.start)),
        ("start", count(whole.start % n_samples)),
        ("batch", Some(telemetry.samples.into())),
        ("loss", Some(telemetry.loss)),
        ("learning_rate", Some(rate)),
        ("n", Some(telemetry.mean_norm_sq)),
        ("S", telemetry.sum_squared_norms.or(everything.sum_squared_norms)),
        ("next_batch", Some(telemetry.next_batch.into())),
        ("v", Some(v)),
        ("n_unb", everything.debiased_norm_sq().ok()),
        ("epoch", count(ended[0])),
        ("epoch_samples", count(epoch_samples)),
        ("begin", Some(planned.cut.samples().into())),
        ("extensions", Some(step.extensions.into())),
    ]);
    let average = |columns: &mut Columns, average: RatioAverage<f64>| {
        columns.insert("v_average", Some(average.numerator));
        columns.insert("n_unb_average", Some(average.denominator));
        columns.insert("noise_scale", average.ratio().ok());
        average.ratio().ok()
    };
    match (run.trainer.config().controller, after.controller) {
        (AnyController::Stages(rule), _) => {
            let entered = rule.schedule.iter().filter(|&(start, _)| start <= whole.start).count();
            columns.insert("stage", count(entered as u64 - 1));
        }
        (AnyController::AdaBatch(rule), _) => {
            columns.insert("stage", count(ended[0] / rule.every_epochs));
        }
        (
            AnyController::Smith(Smith { milestones, .. }) | AnyController::Seesaw(Seesaw { milestones, .. }),
            _,
        ) => {
            columns.insert("milestones_passed", count(milestones.between(0, whole.start) as u64));
        }
        (AnyController::Cabs(rule), AnyState::Cabs(state)) => {
            columns.insert("xi", Some((b - 1.0) / b * v));
            columns.insert("xi_average", Some(state.xi));
            columns.insert("loss_average", Some(state.loss));
            columns.insert("raw", Some(rule.scale * telemetry.learning_rate * state.xi / state.loss));
        }
        (AnyController::DiveBatch(rule), _) => {
            let so_far = if let AnyState::DiveBatch(state) = before.controller {
                state.sum_squared_norms
            } else {
                0.0
            };
            let (sum, norm) = (so_far + evidence.sum_squared_norms.unwrap(), evidence.epoch_norm_sq.unwrap());
            let decides =
                ends_epoch && ended[1] % rule.every_epochs == 0 && telemetry.samples < golden.max_batch;
            columns.insert("epoch_sum_squared_norms", Some(sum));
            columns.insert("epoch_gradient_norm_sq", Some(norm));
            columns.insert("diversity", decides.then_some(sum / norm));
            columns.insert("raw", decides.then_some(rule.delta * 256.0 * sum / norm));
        }
        (AnyController::GradientNoiseScale(_), AnyState::GradientNoiseScale(state)) => {
            average(&mut columns, state);
        }
        (AnyController::CostAware(rule), AnyState::CostAware(state)) => {
            let scale = average(&mut columns, state.noise);
            let [t0, t1] = [rule.fixed_time.unwrap(), rule.time_per_sample.unwrap()];
            let best = scale.map(|scale| {
                (scale * t0 / t1).sqrt().clamp(golden.min_batch.into(), golden.max_batch.into())
            });
            let gain = best.zip(scale).map(|(best, scale)| {
                let progress = |b: f64| b / ((b + scale) * (t0 + t1 * b));
                progress(best) / progress(b) - 1.0
            });
            columns.insert("best", best);
            columns.insert("gain", gain);
        }
        (AnyController::AdaBatchGrad(rule), _) => {
            let test = AugmentedTest { theta: rule.theta, nu: rule.nu, leave_one_out: false };
            let required = test.required(evidence).size().unwrap();
            columns.insert("P2", Some(evidence.inner.unwrap().sum_squared_inner_products));
            columns.insert("squared_norm_sum", Some(before.shared.sum_norm_sq));
            columns.insert("v_ip", telemetry.variance_along);
            columns.insert("v_orth", telemetry.variance_orthogonal);
            window(&mut columns, past, required, rule.window, rule.window_kind);
        }
        (AnyController::SimiGrad(_), _) => {
            columns.insert("cosine", evidence.cosine_of_halves().ok());
        }
        (AnyController::Accordion(_), _) => {
            let norm = evidence.epoch_norm_sq.unwrap().sqrt();
            let last =
                if let AnyState::Accordion(state) = before.controller { state.last_norm } else { None };
            columns.insert("epoch_gradient_norm", Some(norm));
            columns.insert("ratio", last.filter(|_| ends_epoch).map(|last| (last - norm).abs() / last));
        }
        (AnyController::AdAdaGrad(rule), _) => {
            window(&mut columns, past, telemetry.required.unwrap(), rule.window, rule.window_kind);
        }
        _ => {}
    }
    columns
}

/// T, and the smallest of the last ones where it counts.
fn window(columns: &mut Columns, past: &mut Past, required: f64, length: u32, kind: WindowKind) {
    past.required.push(required);
    let (count, length) = (past.required.len(), length as usize);
    let counts = count >= length && (kind == WindowKind::Sliding || count % length == 0);
    let smallest = |sizes: &[f64]| sizes.iter().copied().fold(f64::INFINITY, f64::min);
    columns.insert("T", Some(required));
    columns.insert("window_minimum", counts.then(|| smallest(&past.required[count - length..])));
}

/// The whole run, at a tolerance. With `exact` all sizes must agree and every column is compared; otherwise the run may
/// part ways, and the comparison ends there.
fn check_run<F: Real<Sum = f64>>(
    file: &ControllersFile,
    golden: &ControllerRun,
    relative: f64,
    exact: bool,
) -> Check {
    let mut run = Run::<F>::new(file, golden);
    let mut past = Past::default();
    for k in 0..file.steps {
        let named = |error: String| format!("{}, step {k}: {error}", golden.name);
        let step = run.step().map_err(named)?;
        let found = columns(&step, &run, golden, &mut past);
        if !exact && golden.steps["next_batch"][k] != step.telemetry.next_batch {
            return Ok(());
        }
        for (column, values) in &golden.steps {
            let expected = &values[k];
            if column == "reason" {
                let reason =
                    step.telemetry.reasons.controller.map(|reason| serde_json::to_value(reason).unwrap());
                equal("reason", &reason.unwrap_or(Value::Null), expected).map_err(named)?;
                continue;
            }
            if !exact
                && !["loss", "n", "S", "batch", "next_batch", "learning_rate"].contains(&column.as_str())
            {
                continue;
            }
            let found = *found.get(column.as_str()).ok_or_else(|| named(format!("nobody says {column}")))?;
            match (found, expected.as_f64()) {
                (None, None) => {}
                (Some(found), Some(expected)) => {
                    // Whole numbers have to agree exactly.
                    let is_whole = values.iter().all(|value| value.is_u64());
                    let bound = if is_whole { 0.0 } else { relative * expected.abs() + 1e-3 * relative };
                    close(column, found, expected, bound).map_err(named)?;
                }
                (found, expected) => {
                    return Err(named(format!("{column} is {found:?}, expected {expected:?}")));
                }
            }
        }
    }
    equal("samples_processed", &run.trainer.progress().samples_seen, &golden.samples_processed)?;
    all_close_to_largest("final_parameters", &run.parameters, &golden.final_parameters, relative)
}

#[test]
fn golden_controllers_every_number_of_every_run_in_f64() -> Check {
    let file = file();
    equal("rules", &file.runs.len(), &20)?;
    file.runs.iter().try_for_each(|run| check_run::<f64>(&file, run, 1e-8, true))
}

#[test]
fn golden_controllers_f32_follows_until_a_size_differs() -> Check {
    let file = file();
    file.runs.iter().try_for_each(|run| check_run::<f32>(&file, run, 3e-3, false))
}

/// The comparison must be able to fail.
#[test]
fn golden_controllers_other_numbers_are_noticed() {
    let file = file();
    for (name, number) in
        [("cabs", "c"), ("accordion", "threshold"), ("simi_grad", "target"), ("big_batch", "growth")]
    {
        let mut run = file.runs.iter().find(|run| run.name == name).unwrap().clone();
        let doubled = run.rule[number].as_f64().unwrap() * 2.0;
        run.rule.insert(number.to_owned(), doubled.into());
        check_run::<f64>(&file, &run, 1e-8, true).expect_err(name);
    }
}

/// Every rule has a run.
#[test]
fn golden_controllers_every_rule_has_a_run() {
    let file = file();
    for rule in AnyController::all() {
        let is_this =
            |run: &ControllerRun| std::mem::discriminant(&rule_of(run)) == std::mem::discriminant(&rule);
        assert!(file.runs.iter().any(is_this), "{}", rule.name());
    }
}

fn check_sensor(
    found: Result<Noise<f64>, Reason>,
    scale: fn(Noise<f64>) -> Result<f64, Reason>,
    expected: &SensorRow,
    absolute: f64,
) -> Check {
    let reason = expected.reason.as_deref().map(golden::reason);
    match found {
        Err(found) => {
            equal("reason", &Some(found), &reason)?;
            equal("noise", &None, &expected.noise)
        }
        Ok(found) => {
            let pairs = [("noise", found.noise, expected.noise), ("signal", found.signal, expected.signal)];
            for (what, found, expected) in pairs {
                let expected = expected.ok_or("it is defined")?;
                close(what, found, expected, 1e-11 * expected.abs() + absolute)?;
            }
            equal("reason", &scale(found).err(), &reason)?;
            match (scale(found).ok(), expected.scale) {
                (Some(found), Some(expected)) => close("scale", found, expected, 1e-9 * expected),
                (found, expected) => equal("scale", &found, &expected),
            }
        }
    }
}

fn check_sensors(case: &SensorCase) -> Check {
    let width = case.preconditioner.len();
    let (mut sums, mut moments) = (vec![0.0; width], vec![0.0; width]);
    let mut statistics = Statistics::<f64>::new(&mut sums, &mut moments).unwrap();
    for gradient in &case.gradients {
        statistics.push(gradient, 0.0).unwrap();
    }
    equal("B", &statistics.totals.samples, &case.B)?;
    let b = f64::from(case.B);
    let squares = |row: &Vec<f64>| row.iter().map(|g| g * g).sum::<f64>();
    let scaled =
        |row: &Vec<f64>| row.iter().zip(&case.preconditioner).map(|(g, d)| (g / d).powi(2)).sum::<f64>();
    let plain = 1e-13 * case.gradients.iter().map(squares).sum::<f64>() / b;
    let preconditioned = 1e-13 * case.gradients.iter().map(scaled).sum::<f64>() / b;
    #[allow(clippy::cast_precision_loss)]
    let sign = plain * width as f64;
    for (sensor, name, absolute) in [
        (Sensor::Plain, "plain", plain),
        (Sensor::Preconditioned, "preconditioned", preconditioned),
        (Sensor::Sign, "sign", sign),
    ] {
        let found = statistics.noise(sensor, |coordinate| Some(case.preconditioner[coordinate]));
        let scale = if sensor == Sensor::Sign { Noise::sign_scale } else { Noise::scale };
        check_sensor(found, scale, &case.expected[name], absolute)
            .map_err(|error| format!("{}, {name}: {error}", case.name))?;
    }
    // Evidence says the same of the plain one, without second moments.
    let evidence = statistics.evidence(&Needs { norms: true, ..Needs::NONE }, None);
    check_sensor(evidence.noise(Sensor::Plain), Noise::scale, &case.expected["plain"], plain)
}

#[test]
fn golden_controllers_sensors() -> Check {
    let file = file();
    holds(file.sensors.len() >= 11, || "sensors are missing".to_owned())?;
    file.sensors.iter().try_for_each(check_sensors)
}

fn check_coupling(row: &CouplingRow) -> Check {
    let coupling: Coupling =
        serde_json::from_value(row.rule.as_str().into()).map_err(|error| error.to_string())?;
    let before = Coupled { learning_rate: row.lr, beta1: row.beta1, beta2: row.beta2 };
    let found = coupling.follow(before, row.batch, row.next_batch);
    equal("refused", &found.is_err(), &(row.reason.as_deref() == Some("non_positive_beta")))?;
    let found = found.ok();
    let pairs: [(&str, Number, Number); 3] = [
        ("lr", found.map(|after| after.learning_rate), row.next_lr),
        ("beta1", found.map(|after| after.beta1), row.next_beta1),
        ("beta2", found.map(|after| after.beta2), row.next_beta2),
    ];
    for (what, found, expected) in pairs {
        equal(what, &found.is_some(), &expected.is_some())?;
        if let Some((found, expected)) = found.zip(expected) {
            close(what, found, expected, 1e-13 * expected.abs())?;
        }
    }
    Ok(())
}

#[test]
fn golden_controllers_coupling() -> Check {
    let file = file();
    holds(file.coupling.len() >= 70, || "couplings are missing".to_owned())?;
    file.coupling.iter().try_for_each(|row| check_coupling(row).map_err(|error| format!("{row:?}: {error}")))
}
