//! Made-up images of bytes, of any shape and number of classes.

use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::network::Shape;
use adadagrad_core::random::Key;
use adadagrad_core::real::Real;

/// Images of noise in which each class has bright stripes of its own in one channel.
#[derive(Clone, Debug)]
pub struct Coloured {
    shape: SampleShape,
    bytes: Vec<u8>,
    labels: Vec<u32>,
}

impl Coloured {
    /// The same for the same seed.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn new(seed: u64, samples: u32, input: Shape, classes: u32) -> Self {
        let (mut bytes, mut labels) = (Vec::new(), Vec::new());
        for sample in 0..samples {
            let key = Key::new(seed, sample.into());
            let label = key.bits(u32::MAX) % classes;
            for pixel in 0..input.len() as u32 {
                let stripe = (pixel + pixel / input.width) % classes == label;
                bytes.push((key.bits(pixel) % 128 + if stripe { 120 } else { 0 }) as u8);
            }
            labels.push(label);
        }
        Self { shape: SampleShape::image(input, classes), bytes, labels }
    }

    /// Images like those of CIFAR.
    #[must_use]
    pub fn cifar(seed: u64, samples: u32, classes: u32) -> Self {
        Self::new(seed, samples, Shape::image(3, 32, 32), classes)
    }

    /// The class of each image.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }
}

impl<F: Real> Dataset<F> for Coloured {
    fn shape(&self) -> SampleShape {
        self.shape
    }

    fn len(&self) -> u32 {
        u32::try_from(self.labels.len()).unwrap_or(u32::MAX)
    }

    fn read(&self, visit: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError> {
        let index = visit.sample as usize;
        let len = self.shape.input.len();
        for (value, &byte) in input.iter_mut().zip(&self.bytes[index * len..][..len]) {
            *value = F::of(f64::from(f32::from(byte) / 255.0));
        }
        targets.labels.fill(self.labels[index]);
        Ok(())
    }

    fn raw(&self) -> Option<&[u8]> {
        Some(&self.bytes)
    }
}
