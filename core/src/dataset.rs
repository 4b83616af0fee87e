//! Where samples come from.

use crate::real::Real;

/// A labelled data set that can be read in any order.
pub trait Dataset<F: Real> {
    /// Number of samples, N.
    fn len(&self) -> u32;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of values of one sample.
    fn input_len(&self) -> usize;

    /// Writes sample `index` < N and returns its label.
    fn read(&self, index: u32, input: &mut [F]) -> u32;

    /// Sample `index` < N will be read soon: a hint to prefetch its memory.
    fn approach(&self, index: u32) {
        let _ = index;
    }
}

impl<F: Real, T: Dataset<F> + ?Sized> Dataset<F> for &T {
    fn len(&self) -> u32 {
        (**self).len()
    }

    fn input_len(&self) -> usize {
        (**self).input_len()
    }

    fn read(&self, index: u32, input: &mut [F]) -> u32 {
        (**self).read(index, input)
    }

    fn approach(&self, index: u32) {
        (**self).approach(index);
    }
}
