//! Networks of other shapes, on the GPU and on the CPU: what a batch of colour images says, and the step that follows.

use std::sync::Arc;

use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::model::Model;
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::statistics::{Evidence, Needs};
use adadagrad_core::training::{BatchOrder, Cut, Trainer};
use adadagrad_gpu::engine::Engine;
use adadagrad_gpu::run::Run;
use adadagrad_tests::coloured::Coloured;

use super::parity::difference;
use super::{SEED, cpu, gpu};

const LEN: u32 = 12;

fn config(model: Model) -> RunConfig {
    RunConfig {
        model,
        seed: SEED,
        test: Some(AnyTest::Norm(NormTest::default())),
        initial_batch: LEN,
        max_batch: LEN,
        sample_budget: LEN.into(),
        evaluate_every: 1000,
        ..Preset::Quick.config()
    }
}

#[test]
fn colour_images_say_the_same_and_make_the_same_step() {
    for model in [Model::CifarCnn, Model::ResNet { depth: 8, width: 16 }] {
        let training: SharedDataset = Arc::new(Coloured::cifar(3, LEN, 10));
        let config = config(model);
        let Some(mut gpu) = gpu(&config, &training) else { return };
        let mut cpu = cpu(&config, &training);
        let needs = Needs { norms: true, inner: true, coordinate_quantile: None, parts: 0, ..Needs::NONE };
        let visit = BatchOrder::InFileOrder { start: 0 };
        let [of_gpu, of_cpu] = [&mut gpu as &mut dyn Engine, &mut cpu]
            .map(|engine| engine.evidence(Cut::new(LEN, 0), visit, &needs).unwrap());
        assert_eq!(difference(&of_gpu, &of_cpu), None, "{model}");
        let dropped = Evidence { loss: of_gpu.loss * 0.99, ..of_gpu };
        assert!(difference(&dropped, &of_cpu).is_some(), "the comparison sees what is wrong");

        let trainer = Trainer::new(config, LEN).unwrap();
        let before = cpu.parameters();
        let (mut on_gpu, mut on_cpu) = (Run::new(trainer, gpu), Run::new(trainer, cpu));
        let [of_gpu, of_cpu] = [
            on_gpu.step(&training).unwrap().unwrap().telemetry,
            on_cpu.step(&training).unwrap().unwrap().telemetry,
        ];
        assert_eq!((of_gpu.step, of_gpu.samples), (of_cpu.step, of_cpu.samples), "{model}");
        let expected = on_cpu.engine().parameters();
        let found = on_gpu.engine_mut().snapshot().unwrap().parameters.to_vec();
        // AdaGrad's first step is ±α, whatever the gradient: only those near 0 hang on their rounding.
        let rate = f32::EPSILON + 2.0 * 0.02;
        let mut far = 0;
        for ((before, expected), found) in before.iter().zip(&expected).zip(&found) {
            assert!((found - expected).abs() <= rate, "{model}: {before} became {found}, not {expected}");
            far += usize::from((found - expected).abs() > 1e-3 * 0.02);
        }
        assert!(far * 100 <= expected.len(), "{model}: {far} of {} parameters differ", expected.len());
    }
}
