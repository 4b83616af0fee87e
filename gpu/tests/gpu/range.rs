//! Gradients whose squares leave the range of `f32`, which is all that a device computes in: the evidence is the CPU's,
//! and a run depends on nothing but its settings.

use std::sync::Arc;

use adadagrad_core::batch_test::{AnyTest, InnerProductTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::layer::{Dense, Operation};
use adadagrad_core::model::Model;
use adadagrad_core::network::{Node, Shape};
use adadagrad_core::optimizer::{AdaGradNorm, AnyOptimizer, DecayOn, Momentum, Sgd};
use adadagrad_core::owned::{Control, OwnedNetwork, SharedDataset};
use adadagrad_core::statistics::{Evidence, Needs};
use adadagrad_core::training::{BatchOrder, Cut, Telemetry, Trainer};
use adadagrad_gpu::engine::Engine;
use adadagrad_gpu::run::Run;
use adadagrad_gpu::webgpu::{DeviceEngine, DeviceImages, DeviceOrder, Samples, Work};
use pollster::block_on;

use super::parity::{compare_sizes, difference};
use super::{SAMPLES, SEED, bits, cpu, gpu, run, settled, steps, support};

const CLASS: u32 = 3;
const CLASSES: usize = 10;
const LEN: u32 = 200;

/// Images that are all of one class.
struct OfOneClass(SharedDataset);

impl Dataset<f32> for OfOneClass {
    fn len(&self) -> u32 {
        self.0.len()
    }

    fn shape(&self) -> SampleShape {
        self.0.shape()
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        self.0.read(visit, input, targets)?;
        targets.labels.fill(CLASS);
        Ok(())
    }
}

fn of_one_class(images: SharedDataset) -> SharedDataset {
    Arc::new(OfOneClass(images))
}

/// Sure of that class: the others' probabilities are about e^−gap.
fn sure(mut parameters: Vec<f32>, gap: f32) -> Vec<f32> {
    let biases = parameters.len() - CLASSES;
    parameters[biases + CLASS as usize] += gap;
    parameters
}

/// The CNN's images without near-ties.
fn images(model: Model, parameters: &[f32]) -> SharedDataset {
    match model {
        Model::Cnn => support::screen::images(LEN, 3, parameters),
        _ => support::images(LEN, 3),
    }
}

#[test]
fn the_evidence_of_tiny_gradients_is_the_cpus() {
    let all = Needs { norms: true, inner: true, coordinate_quantile: Some(0.5), parts: 3, ..Needs::NONE };
    let needs = [all, Needs { parts: 0, ..all }, Needs { norms: true, ..Needs::NONE }, Needs::NONE];
    let mut compared = 0;
    for model in Model::MNIST {
        let config = RunConfig { model, seed: SEED, ..Preset::PaperCnn.config() };
        let parameters = cpu(&config, &support::images(2, 3)).parameters();
        let training = of_one_class(images(model, &parameters));
        let Some(mut gpu) = gpu(&config, &training) else { return };
        let mut cpu = cpu(&config, &training);
        // Of the first, squares are within the range, but not their squares.
        let gaps = if model == Model::Cnn { &[46.0][..] } else { &[20.0, 40.0, 46.0, 60.0, 75.0] };
        for &gap in gaps {
            let sure = sure(parameters.clone(), gap);
            gpu.restore(&sure, None).unwrap();
            cpu.restore(&sure, None).unwrap();
            for needs in needs {
                // Of the CNN more than a micro-batch.
                let (batch, cut) = (70, Cut::new(70, needs.parts));
                let visit = BatchOrder::InFileOrder { start: 1 };
                let of_gpu = gpu.evidence(cut, visit, &needs).unwrap();
                let of_cpu = cpu.evidence(cut, visit, &needs).unwrap();
                let what = format!("{model:?}, {batch} samples, gap {gap}, {needs:?}");
                assert!(of_cpu.mean_norm_sq > 0.0 && of_cpu.mean_norm_sq < 1e-10, "{what}");
                assert_eq!(difference(&of_gpu, &of_cpu), None, "{what}");
                compared += compare_sizes(&of_gpu, &of_cpu, &what);
            }
        }
        // So sure that nothing is left.
        let certain = sure(parameters, 300.0);
        gpu.restore(&certain, None).unwrap();
        cpu.restore(&certain, None).unwrap();
        let visit = BatchOrder::InFileOrder { start: 1 };
        let of_gpu = gpu.evidence(Cut::new(64, 0), visit, &needs[1]).unwrap();
        assert_eq!(of_gpu.mean_norm_sq, 0.0);
        assert_eq!(difference(&of_gpu, &cpu.evidence(Cut::new(64, 0), visit, &needs[1]).unwrap()), None);
    }
    assert!(compared >= 60, "only {compared} sizes were compared");
}

#[test]
fn the_evidence_of_huge_gradients_is_the_cpus() {
    let needs = Needs { norms: true, inner: true, coordinate_quantile: None, parts: 0, ..Needs::NONE };
    // The CPU's convolutions take square norms in `f32` as well.
    for (model, factors) in [(Model::MLP, &[1e6, 1e10, 1e16, 1e20][..]), (Model::Cnn, &[1e13])] {
        let config = RunConfig { model, seed: SEED, ..Preset::PaperCnn.config() };
        let parameters = cpu(&config, &support::images(2, 3)).parameters();
        let training = images(model, &parameters);
        let Some(mut gpu) = gpu(&config, &training) else { return };
        let mut cpu = cpu(&config, &training);
        for &factor in factors {
            let mut huge = parameters.clone();
            let last = match model {
                Model::Cnn => 1568 * CLASSES,
                _ => 128 * CLASSES,
            };
            let len = huge.len();
            huge[len - CLASSES - last..].iter_mut().for_each(|weight| *weight *= factor);
            gpu.restore(&huge, None).unwrap();
            cpu.restore(&huge, None).unwrap();
            for needs in [needs, Needs { inner: false, parts: 4, ..needs }] {
                let visit = BatchOrder::InFileOrder { start: 1 };
                let cut = Cut::new(64, needs.parts);
                let of_gpu = gpu.evidence(cut, visit, &needs).unwrap();
                let of_cpu = cpu.evidence(cut, visit, &needs).unwrap();
                let what = format!("{model:?} times {factor:e}, {needs:?}");
                assert!(of_cpu.mean_norm_sq > f64::from(factor).powi(2) / 100.0, "{what}: {of_cpu:?}");
                assert_eq!(difference(&of_gpu, &of_cpu), None, "{what}");
                compare_sizes(&of_gpu, &of_cpu, &what);
            }
        }
    }
}

/// What a batch says that is swept in pieces, and how many of them were swept again for their range.
fn in_pieces(engine: &mut DeviceEngine, images: &DeviceImages, pieces: &[u32]) -> (Evidence<f64>, u32) {
    let control = Control::default();
    let samples = |start, batch| {
        let (order, cut) = (DeviceOrder::File, Cut::new(batch, 0));
        Samples { images, order, start, cut, before_step: None }
    };
    let first = samples(0, pieces[0]);
    let mut again = 0;
    let mut extensions = Vec::new();
    let mut flight = block_on(engine.submit(&first, true, &control)).unwrap();
    let mut swept = pieces[0];
    let mut rest = pieces[1..].iter();
    loop {
        let found = block_on(engine.evidence(flight)).unwrap();
        again += u32::from(found.is_out_of_range());
        let found = block_on(engine.in_range(found, &first, &extensions, &control)).unwrap();
        let Some(&piece) = rest.next() else { return (*found.evidence(), again) };
        flight = block_on(engine.extend(&found, &samples(swept.into(), piece), &control)).unwrap();
        extensions.push(Cut::new(piece, 0));
        swept += piece;
    }
}

/// A batch that grows says what it says in one piece: where its first samples are out of range already, and where later
/// ones take it out of it, so that all of it is swept again.
#[test]
fn a_batch_that_grows_out_of_range_is_one_batch() {
    let Some(device) = support::device() else { return };
    let nodes = Node::chain([Operation::from(Dense { outputs: 3 })]);
    let network = OwnedNetwork::new(Shape::vector(4), &nodes).unwrap();
    let needs = Needs { norms: true, extends: true, ..Needs::NONE };
    let optimizer = AnyOptimizer::Sgd(Sgd::default());
    let work = Work {
        optimizer,
        decay_on: DecayOn::All,
        network: &network,
        needs,
        slots: 0,
        most_samples: 40,
        by_parts: false,
    };
    let labels: Vec<u32> = (0..40).map(|sample| sample % 3).collect();
    for (small, large, expected) in [(1.0, 1.0, 0), (6e18, 6e18, 1), (1.0, 6e18, 1)] {
        let size = |sample: usize| if sample < 25 { small } else { large };
        let value = |k: usize| size(k / 4) * (0.5 + (k * 7 % 11) as f32 / 11.0);
        let values: Vec<f32> = (0..160).map(value).collect();
        let mut engine = DeviceEngine::new(device.clone(), &work, 16).unwrap();
        engine
            .write(&[0.1, -0.2, 0.3, 0.05, -0.1, 0.2, 0.15, -0.3, 0.25, 0.1, -0.05, 0.2, 0.0, 0.0, 0.0], &[]);
        let images = DeviceImages::of_floats(engine.gpu(), &values, &labels).unwrap();
        let (whole, _) = in_pieces(&mut engine, &images, &[40]);
        let (grown, again) = in_pieces(&mut engine, &images, &[10, 1, 13, 16]);
        let what = format!("{small:e} and {large:e}: {grown:?}, in one piece {whole:?}");
        assert_eq!((grown.samples, grown.correct), (whole.samples, whole.correct), "{what}");
        let numbers = |evidence: &Evidence<f64>| {
            [evidence.loss, evidence.mean_norm_sq, evidence.sum_squared_norms.unwrap()]
        };
        for (grown, whole) in numbers(&grown).into_iter().zip(numbers(&whole)) {
            assert!((grown - whole).abs() <= 1e-5 * whole, "{what}");
        }
        assert_eq!(again, expected, "{what}");
    }
}

/// A run whose gradients fall from 1 to far below 1e-19, because momentum drives it on: through ordinary steps, with
/// others on their way behind them, into those that are swept again.
fn falling(test: AnyTest) -> RunConfig {
    RunConfig {
        optimizer: AnyOptimizer::Momentum(Momentum::default()),
        learning_rate: 0.07,
        test: Some(test),
        sample_budget: 900,
        ..settled(Model::Logistic)
    }
}

fn falls(lines: &[Telemetry]) -> bool {
    let norms = lines.iter().map(|line| line.mean_norm_sq);
    norms.clone().fold(0.0, f64::max) > 1e-2 && norms.clone().any(|norm| norm > 0.0 && norm < 1e-40)
}

#[test]
fn a_run_into_tiny_gradients_depends_on_nothing_but_its_settings() {
    let training = of_one_class(support::images(SAMPLES, 3));
    let tests = [
        AnyTest::Norm(NormTest::default()),
        AnyTest::InnerProduct(InnerProductTest { theta: 0.9, leave_one_out: true }),
    ];
    for test in tests {
        let config = falling(test);
        let Some(engine) = gpu(&config, &training) else { return };
        let mut ahead = run(config, engine);
        let mut held = run(config, gpu(&config, &training).unwrap());
        held.engine_mut().training_mut().hold(true);
        let mut settling = run(config, gpu(&config, &training).unwrap());
        let (mut lines, mut furthest) = (Vec::new(), 0);
        let mut half = None;
        while let Some(line) = ahead.step(&training).unwrap() {
            lines.push(line.telemetry);
            furthest = furthest.max(ahead.engine().training().steps_ahead());
            let expected = Some(line.telemetry);
            assert_eq!(held.step(&training).unwrap().map(|line| line.telemetry), expected, "{test:?}");
            assert_eq!(settling.step(&training).unwrap().map(|line| line.telemetry), expected, "{test:?}");
            bits(&mut settling);
            if line.telemetry.mean_norm_sq < 1e-40 && half.is_none() {
                let progress = *held.progress();
                let snapshot = held.engine_mut().snapshot().unwrap();
                half = Some((lines.len(), progress, snapshot.parameters.to_vec(), snapshot.memory.to_vec()));
            }
        }
        assert!(falls(&lines), "{lines:?}");
        assert_eq!((furthest, ahead.engine().training().steps_ahead()), (2, 0), "{test:?}");
        let reference = bits(&mut ahead);
        assert_eq!(
            (bits(&mut held), bits(&mut settling)),
            (reference.clone(), reference.clone()),
            "{test:?}"
        );
        // Resumed in the midst of it.
        let (made, progress, parameters, memory) = half.unwrap();
        let mut engine = gpu(&config, &training).unwrap();
        engine.restore(&parameters, Some(&memory)).unwrap();
        let mut resumed = Run::new(Trainer::resume(config, SAMPLES, progress).unwrap(), engine);
        assert_eq!(steps(&mut resumed, &training), lines[made..]);
        assert_eq!(bits(&mut resumed), reference, "{test:?}");
        // Through the same sizes as on the CPU, whose exponentials differ by a few roundings, times 60.
        let on_cpu = steps(&mut run(config, cpu(&config, &training)), &training);
        for (gpu, cpu) in lines.iter().zip(&on_cpu) {
            let numbers = |line: &Telemetry| [Some(line.mean_norm_sq), line.variance, line.variance_along];
            for (gpu, cpu) in numbers(gpu).into_iter().flatten().zip(numbers(cpu).into_iter().flatten()) {
                assert!((gpu - cpu).abs() <= 0.05 * cpu, "{test:?}: {gpu:e} on the GPU, {cpu:e} on the CPU");
            }
        }
    }
}

/// The update is made with the gradient that was swept last, whatever it was multiplied by.
#[test]
fn updates_by_tiny_gradients_are_the_cpus() {
    let training = of_one_class(support::images(SAMPLES, 3));
    for (optimizer, learning_rate) in [
        (AnyOptimizer::Sgd(Sgd { weight_decay: 0.0 }), 1e18),
        (AnyOptimizer::AdaGradNorm(AdaGradNorm { initial_norm: 1e-22 }), 0.1),
    ] {
        let config = RunConfig { optimizer, learning_rate, sample_budget: 90, ..settled(Model::MLP) };
        let Some(mut engine) = gpu(&config, &training) else { return };
        let mut cpu = cpu(&config, &training);
        let before = sure(cpu.parameters(), 46.0);
        engine.restore(&before, None).unwrap();
        cpu.restore(&before, None).unwrap();
        let (mut on_gpu, mut on_cpu) = (run(config, engine), run(config, cpu));
        assert_eq!(steps(&mut on_gpu, &training).len(), 3);
        steps(&mut on_cpu, &training);
        let [gpu, cpu] = [
            on_gpu.engine_mut().snapshot().unwrap().parameters.to_vec(),
            on_cpu.engine_mut().snapshot().unwrap().parameters.to_vec(),
        ];
        let pairs = || gpu.iter().zip(&cpu).zip(&before);
        let furthest = pairs().map(|((_, cpu), before)| (cpu - before).abs()).fold(0.0, f32::max);
        assert!(furthest > 1e-3, "{optimizer:?} moves by {furthest}");
        for ((gpu, cpu), _) in pairs() {
            assert!(
                (gpu - cpu).abs() <= 1e-2 * furthest,
                "{optimizer:?}: {gpu} on the GPU, {cpu} on the CPU"
            );
        }
    }
}
