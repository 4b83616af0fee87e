//! `trajectory.json`: whole adaptive runs, through the trainer.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{AdAdaGrad, AnyController};
use adadagrad_core::layer::{Dense, Operation};
use adadagrad_core::network::{Node, Shape};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::real::Real;
use adadagrad_core::schedule::Schedule;
use adadagrad_core::statistics::Needs;
use adadagrad_core::training::{Plan, Step, Telemetry, Trainer};
use adadagrad_tests::by_hand::{Sums, sweep};
use adadagrad_tests::compare::{Check, all_close_to_largest, close, equal};
use adadagrad_tests::engine::{measure, with_sweep};
use adadagrad_tests::golden::{self, TrajectoryFile, TrajectoryRun, batch_test};
use adadagrad_tests::table::Table;

/// Samples in a micro-batch: no divisor of anything.
const MICRO_BATCH: usize = 13;

struct Run<F: Real> {
    network: OwnedNetwork,
    table: Table,
    trainer: Trainer<F>,
    parameters: Vec<F>,
    memory: Vec<F>,
}

impl<F: Real<Sum = f64>> Run<F> {
    fn new(file: &TrajectoryFile, run: &TrajectoryRun) -> Self {
        let (optimizer, learning_rate) = run.hyper.optimizer(&run.optimizer);
        let config = RunConfig {
            optimizer,
            learning_rate,
            schedule: Schedule::default(),
            test: Some(batch_test(&run.test.test, run.test.eta, run.test.theta, run.test.nu)),
            controller: AnyController::AdAdaGrad(AdAdaGrad::default()),
            initial_batch: file.first_batch,
            min_batch: file.min_batch,
            max_batch: file.max_batch,
            sample_budget: 1_000_000,
            ..RunConfig::default()
        };
        let nodes = Node::chain([Operation::Dense(Dense { outputs: file.classes })]);
        let network = OwnedNetwork::new(Shape::vector(file.features), &nodes).unwrap();
        let parameters = vec![F::zero(); network.view().parameters()];
        let rule = config.optimizer.as_optimizer::<F>();
        let mut memory = vec![F::nan(); rule.slots() * parameters.len()];
        rule.start(&mut memory);
        Self {
            network,
            table: Table { inputs: file.inputs.clone(), labels: file.labels.clone() },
            trainer: Trainer::new(config, file.samples).unwrap(),
            parameters,
            memory,
        }
    }

    /// One step over the next samples in order.
    fn step(&mut self, plan: &Plan<f64>) -> Result<Telemetry, String> {
        let Self { network, table, trainer, parameters, memory } = self;
        let len = table.labels.len() as u64;
        let sample = |place: u64| u32::try_from(place % len).unwrap().into();
        let mut step = Step::of_plan(plan);
        let mut sums = Sums::new(parameters.len(), &step);
        with_sweep(network.view(), PlainBackend, MICRO_BATCH, |workspaces| {
            let evidence = sweep(&mut step, &mut sums, workspaces, parameters, table, sample)?;
            let made = step.conclude(
                trainer,
                &evidence,
                network.view(),
                &mut sums.mean_gradient,
                parameters,
                memory,
            );
            made.map_err(|error| error.to_string())?.ok_or_else(|| "the batch was extended".to_owned())
        })
    }

    /// Every quantity of the planned batch, whatever the test asks for.
    fn look(&self, plan: &Plan<f64>) -> Result<adadagrad_tests::engine::Batch<F>, String> {
        let len = self.table.labels.len() as u64;
        let position = |position: u32| u32::try_from((plan.start + u64::from(position)) % len).unwrap();
        let samples: Vec<u32> = (0..plan.cut.samples()).map(position).collect();
        measure(&self.network, PlainBackend, &self.parameters, &self.table, &samples, MICRO_BATCH)
    }
}

/// The whole run, at a relative tolerance. With `exact_sizes` all batch sizes must agree; otherwise the run
/// may part ways, and the comparison ends there.
fn check_run<F: Real<Sum = f64>>(
    file: &TrajectoryFile,
    expected: &TrajectoryRun,
    relative: f64,
    exact_sizes: bool,
) -> Check {
    let mut run = Run::<F>::new(file, expected);
    let steps = &expected.steps;
    equal("steps", &steps.k.len(), &file.steps)?;
    for &k in &steps.k {
        let named = |error: String| format!("{}, step {k}: {error}", expected.name);
        let plan = run.trainer.plan().ok_or("the run ended early")?;
        equal("batch", &plan.cut.samples(), &steps.batch[k]).map_err(named)?;
        equal("start", &(plan.start % u64::from(file.samples)), &u64::from(steps.start[k])).map_err(named)?;
        let batch = run.look(&plan)?;
        let telemetry = run.step(&plan).map_err(named)?;
        let evidence = &batch.evidence;
        let s = evidence.sum_squared_norms.unwrap();
        let b = evidence.batch();
        // The closed forms' absolute bounds, which count where a spread is small beside the mean.
        let rounding = if exact_sizes { 1e-12 } else { 1e-5 };
        let along = rounding * s * s / (b * (b - 1.0));
        let pairs = [
            ("loss", Some(telemetry.loss), steps.loss[k], 0.0),
            ("T", telemetry.required, steps.T[k], 0.0),
            ("n", Some(telemetry.mean_norm_sq), steps.n[k], rounding * s / b),
            ("v1", telemetry.variance.or(evidence.variance().ok()), steps.v1[k], rounding * s / (b - 1.0)),
            ("v_ip", telemetry.variance_along.or(evidence.variance_along().ok()), steps.v_ip[k], along),
            (
                "v_orth",
                telemetry.variance_orthogonal.or(evidence.variance_orthogonal().ok()),
                steps.v_orth[k],
                rounding * s / (b - 1.0),
            ),
        ];
        for (what, found, expected, rounding) in pairs {
            let found = found.ok_or_else(|| named(format!("{what} is missing")))?;
            close(what, found, expected, relative * expected.abs() + rounding).map_err(named)?;
        }
        close("v1 by the way", evidence.variance().unwrap(), steps.v1[k], relative * steps.v1[k])
            .map_err(named)?;
        equal("step", &telemetry.step, &(k as u64 + 1)).map_err(named)?;
        equal("samples", &telemetry.samples, &steps.batch[k]).map_err(named)?;
        let same_size = telemetry.next_batch == steps.next_batch[k];
        if !same_size && !exact_sizes {
            return Ok(());
        }
        equal("next_batch", &telemetry.next_batch, &steps.next_batch[k]).map_err(named)?;
    }
    equal("samples_processed", &run.trainer.progress().samples_seen, &expected.samples_processed)?;
    all_close_to_largest("final_parameters", &run.parameters, &expected.final_parameters, relative)
}

fn file() -> TrajectoryFile {
    golden::read("trajectory.json")
}

#[test]
fn every_number_in_f64_and_every_batch_size() -> Check {
    let file = file();
    assert!(file.runs.len() >= 3);
    file.runs.iter().try_for_each(|run| check_run::<f64>(&file, run, 1e-8, true))
}

#[test]
fn f32_follows_until_a_batch_size_differs() -> Check {
    let file = file();
    file.runs.iter().try_for_each(|run| check_run::<f32>(&file, run, 2e-3, false))
}

/// The comparison must be able to fail: a run with another test is another run.
#[test]
fn a_run_with_another_threshold_is_noticed() {
    let file = file();
    let mut run = file.runs[0].clone();
    run.test.eta = run.test.eta.map(|eta| eta * 1.01);
    let error = check_run::<f64>(&file, &run, 1e-8, true).unwrap_err();
    assert!(error.contains(" T is "), "{error}");
}

/// `Needs` says what an engine computes, so a run that needs less must not be given more.
#[test]
fn telemetry_holds_no_more_than_was_asked_for() {
    let file = file();
    for (run, inner) in file.runs.iter().zip([false, true, true]) {
        let mut run = Run::<f64>::new(&file, run);
        let plan = run.trainer.plan().unwrap();
        assert_eq!(plan.needs.inner, inner);
        assert!(plan.needs != Needs::NONE);
        let telemetry = run.step(&plan).unwrap();
        assert_eq!(telemetry.variance_along.is_some(), inner);
        assert_eq!(telemetry.coordinate_ratio, None);
        assert_eq!(telemetry.worker_variance, None);
    }
}
