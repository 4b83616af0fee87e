//! Data sets in memory.

use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::network::Shape;
use adadagrad_core::random::Key;
use adadagrad_core::real::Real;

/// Rows of numbers with labels.
#[derive(Clone, Debug)]
pub struct Table {
    /// One row for each sample.
    pub inputs: Vec<Vec<f64>>,
    /// One label for each sample, or as many for each as sequences have positions.
    pub labels: Vec<u32>,
}

impl Table {
    /// `samples` rows of `width` values in (−1, 1) with labels below `classes`, the same for the same seed.
    #[must_use]
    pub fn random(seed: u64, samples: usize, width: usize, classes: u32) -> Self {
        let inputs = (0..samples).map(|sample| uniform(Key::new(seed, sample as u64), width, 1.0)).collect();
        let labels = Key::new(seed, u64::MAX);
        Self { inputs, labels: (0..).take(samples).map(|sample| labels.bits(sample) % classes).collect() }
    }

    /// Labels of one sample.
    #[must_use]
    pub fn labels_each(&self) -> usize {
        self.labels.len() / self.inputs.len().max(1)
    }

    /// The labels of a sample.
    #[must_use]
    pub fn labels_of(&self, sample: usize) -> &[u32] {
        &self.labels[sample * self.labels_each()..][..self.labels_each()]
    }
}

/// `len` numbers in (−bound, bound).
#[must_use]
pub fn uniform(key: Key, len: usize, bound: f64) -> Vec<f64> {
    (0..).take(len).map(|index| key.uniform(index, bound)).collect()
}

impl<F: Real> Dataset<F> for Table {
    fn len(&self) -> u32 {
        u32::try_from(self.inputs.len()).unwrap_or(u32::MAX)
    }

    fn shape(&self) -> SampleShape {
        let len = self.inputs.first().map_or(0, Vec::len);
        let classes = self.labels.iter().max().map_or(0, |label| label + 1);
        let shape = SampleShape::floats(Shape::vector(u32::try_from(len).unwrap_or(u32::MAX)), classes);
        SampleShape { labels: u32::try_from(self.labels_each()).unwrap_or(u32::MAX), ..shape }
    }

    fn read(&self, visit: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError> {
        let index = visit.sample as usize;
        for (value, &given) in input.iter_mut().zip(&self.inputs[index]) {
            *value = F::of(given);
        }
        targets.labels.copy_from_slice(self.labels_of(index));
        Ok(())
    }
}
