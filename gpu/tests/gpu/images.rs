//! Samples drawn on the device are, bit for bit, those that the data set reads.

use std::sync::Arc;

use adadagrad_core::augmentation::{Augmentation, Placements};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::dataset::{Dataset, Encoding, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::images::LabelledImages;
use adadagrad_core::loss::Loss;
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::random::Key;
use adadagrad_core::shuffle::Order;
use adadagrad_core::statistics::Needs;
use adadagrad_core::training::{BatchOrder, Cut};
use adadagrad_gpu::dataset::Images;
use adadagrad_gpu::engine::Engine;
use adadagrad_gpu::webgpu::{DeviceImages, DeviceOrder, Gpu, GpuError};
use pollster::block_on;

use super::parity::difference;
use super::{SEED, cpu, gpu, support};

const COUNT: u32 = 23;

/// Images of random bytes.
fn images(shape: Shape) -> LabelledImages<Vec<u8>> {
    let key = Key::new(9, u64::from(shape.channels));
    let bytes = (0..COUNT * shape.len() as u32).map(|index| key.bits(index) as u8).collect();
    LabelledImages::new(bytes, (0..COUNT as u8).collect(), shape, COUNT).unwrap()
}

/// Draws more than a pass, from the middle of one to the middle of the one after the next, and compares.
fn compare(gpu: &Gpu, dataset: &dyn Dataset<f32>, images: &DeviceImages, what: &str) {
    let mut values = vec![0.0; dataset.shape().input.len()];
    for (order, seed) in [(DeviceOrder::File, None), (DeviceOrder::Shuffled(SEED), Some(SEED))] {
        for (position, samples) in [(0, COUNT), (u64::from(COUNT) + 11, 17)] {
            let (drawn, labels) = block_on(images.drawn(gpu, order, position, samples)).unwrap();
            let mut of_seed = seed.map(|seed| Order::new(COUNT, seed));
            for (k, label) in labels.into_iter().enumerate() {
                let place = position + k as u64;
                let in_file =
                    || Visit { sample: (place % u64::from(COUNT)) as u32, pass: place / u64::from(COUNT) };
                let visit = of_seed.as_mut().map_or_else(in_file, |order| order.visit(place));
                let mut expected = [u32::MAX];
                dataset.read(visit, &mut values, &mut Targets::labels(&mut expected)).unwrap();
                let found = &drawn[k * values.len()..][..values.len()];
                let same = found.iter().zip(&values).all(|(found, value)| found.to_bits() == value.to_bits());
                assert!(same && expected == [label], "{what}, {order:?}, {visit:?}: {found:?} {values:?}");
            }
        }
    }
}

#[test]
fn images_are_drawn_bit_for_bit_as_they_are_read() {
    let Some(gpu) = support::device() else { return };
    let normalised = Encoding::Bytes { mean: [0.49, 0.48, 0.45, 0.1], deviation: [0.25, 0.24, 0.26, 3.0] };
    let placed = Augmentation { padding: 2, flip: true };
    for shape in [
        Shape::image(1, 3, 3),
        Shape::image(2, 5, 1),
        Shape::image(3, 4, 7),
        Shape::image(4, 3, 5),
        Shape::vector(6),
    ] {
        for encoding in [Encoding::BYTES, normalised] {
            for augmentation in [Augmentation::NONE, placed, Augmentation { padding: 0, ..placed }] {
                let placements = Placements { augmentation, seed: 6 };
                let images = images(shape).with_encoding(encoding).with_placements(placements);
                if shape.is_vector() && encoding != Encoding::BYTES {
                    continue;
                }
                // As a whole, three samples a buffer, and one.
                for most in [u64::MAX, 3 * shape.len() as u64 + 2, 1] {
                    let on_device = DeviceImages::in_chunks(&gpu, &images, most).unwrap();
                    compare(
                        &gpu,
                        &images,
                        &on_device,
                        &format!("{shape}, {encoding:?}, {placements:?}, {most}"),
                    );
                }
            }
        }
    }
}

/// A data set without stored bytes: each value is the float that it reads.
struct Floats(LabelledImages<Vec<u8>>);

impl Dataset<f32> for Floats {
    fn len(&self) -> u32 {
        COUNT
    }

    fn shape(&self) -> SampleShape {
        SampleShape::floats(self.0.sample_shape().input, COUNT)
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        self.0.read(visit, input, targets)?;
        // No byte divided by 255.
        input.iter_mut().for_each(|value| *value = value.exp() - 1.5);
        Ok(())
    }

    fn placements(&self) -> Placements {
        Dataset::<f32>::placements(&self.0)
    }
}

#[test]
fn floats_are_drawn_as_they_are() {
    let Some(gpu) = support::device() else { return };
    for shape in [Shape::vector(5), Shape::image(2, 3, 3)] {
        let floats = Floats(images(shape));
        for most in [u64::MAX, 10 * shape.len() as u64] {
            let on_device = DeviceImages::in_chunks(&gpu, &floats, most).unwrap();
            compare(&gpu, &floats, &on_device, &format!("{shape}, {most}"));
        }
    }
}

#[test]
fn floats_that_depend_on_the_visit_are_refused() {
    let Some(gpu) = support::device() else { return };
    let placements = Placements { augmentation: Augmentation { padding: 1, flip: false }, seed: 1 };
    let floats = Floats(images(Shape::image(1, 2, 2)).with_placements(placements));
    let error = DeviceImages::of_dataset(&gpu, &floats).unwrap_err();
    assert!(matches!(error, GpuError::Unsupported(_)) && error.to_string().contains("crops"), "{error}");
}

/// Data that are not classes, or cannot be read.
struct Odd {
    loss: fn() -> Loss<'static, f32>,
    broken: bool,
}

impl Dataset<f32> for Odd {
    fn len(&self) -> u32 {
        3
    }

    fn shape(&self) -> SampleShape {
        SampleShape::floats(Shape::vector(2), 3)
    }

    fn loss(&self) -> Loss<'_, f32> {
        (self.loss)()
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        if self.broken && visit.sample == 2 {
            return Err(ReadError::new("it is gone"));
        }
        input.fill(0.0);
        targets.labels.fill(0);
        Ok(())
    }
}

#[test]
fn losses_without_kernels_and_samples_that_cannot_be_read_are_refused() {
    let Some(gpu) = support::device() else { return };
    for (loss, name) in [
        ((|| Loss::SquaredError) as fn() -> Loss<'static, f32>, "the squared error"),
        (|| Loss::BinaryCrossEntropy, "binary cross-entropy"),
        (|| Loss::Own(&|_: &[f32], _: &[f32], _: &mut [f32]| 0.0), "a custom loss"),
    ] {
        let error = DeviceImages::of_dataset(&gpu, &Odd { loss, broken: false }).unwrap_err().to_string();
        let expected =
            format!("the GPU engine does not support this: {name} (it supports only softmax cross-entropy");
        assert!(error.starts_with(&expected), "{error}");
    }
    let loss = || Loss::SoftmaxCrossEntropy;
    assert!(DeviceImages::of_dataset(&gpu, &Odd { loss, broken: false }).is_ok());
    let error = DeviceImages::of_dataset(&gpu, &Odd { loss, broken: true }).unwrap_err();
    assert_eq!(error.to_string(), "sample 2 could not be read: it is gone");
}

/// The second pass's crops, in both sweeps and in several micro-batches.
#[test]
fn augmented_images_give_the_cpus_evidence() {
    let [images, labels] = support::idx(100, 3);
    let placements = Placements { augmentation: Augmentation { padding: 4, flip: true }, seed: SEED };
    let side = support::SIDE as u32;
    let plain = Images::parse(images.into(), labels.into(), [side; 2], 10).unwrap();
    let [plain, placed]: [SharedDataset; 2] =
        [Arc::new(plain.clone()), Arc::new(plain.with_placements(placements))];
    let config = RunConfig { model: Model::MLP, seed: SEED, ..Preset::PaperCnn.config() };
    let Some(mut on_gpu) = gpu(&config, &placed) else { return };
    let needs = Needs { norms: true, inner: true, coordinate_quantile: None, parts: 2, ..Needs::NONE };
    let visits = BatchOrder::Shuffled { order: Order::new(100, SEED), start: 170 };
    let of_gpu = on_gpu.evidence(Cut::new(60, 2), visits, &needs).unwrap();
    let of_cpu = |images| cpu(&config, images).evidence(Cut::new(60, 2), visits, &needs).unwrap();
    assert_eq!(difference(&of_gpu, &of_cpu(&placed)), None);
    assert!(difference(&of_gpu, &of_cpu(&plain)).is_some());
}
