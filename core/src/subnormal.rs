//! No subnormal numbers: values smaller than the smallest normal number become 0.
//!
//! Processors need many times as long for a product that is subnormal or has a subnormal factor. Values that shrink by
//! a factor in each step, such as the memory of a weight without a gradient, would become subnormal and stay so: β
//! times the smallest subnormal number is rounded to that number again. Processors have a mode that does this in
//! hardware, but neither WebAssembly nor safe Rust can set it.

use crate::real::Real;
use crate::vectors::on_vectors;

/// x, or 0 where it is subnormal. A NaN stays a NaN.
#[must_use]
#[inline(always)]
pub fn flush<F: Real>(x: F) -> F {
    x.without_subnormal()
}

/// [`flush`] of each value: for parameters and memory from elsewhere, such as a file.
pub fn flush_all<F: Real>(values: &mut [F]) {
    on_vectors(|| values.iter_mut().for_each(|value| *value = flush(*value)));
}

/// A factor of many products. A product that would be subnormal is 0, and is never computed: between the smallest
/// normal number and the last value whose product is normal, others would spend thousands of slow steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factor<F> {
    value: F,
    /// The least |x| whose product is normal.
    least: F,
    /// The least |x| the product with whose square is normal.
    least_root: F,
}

impl<F: Real> Factor<F> {
    pub(crate) fn new(value: F) -> Self {
        let value = flush(value);
        let smallest = F::min_positive_value();
        let least = (smallest / value.abs()).max(smallest);
        Self { value, least, least_root: least.root() }
    }

    /// value · x.
    #[inline(always)]
    pub(crate) fn times(self, x: F) -> F {
        self.value * x.zero_below(self.least)
    }

    /// value · x².
    #[inline(always)]
    pub(crate) fn times_square(self, x: F) -> F {
        let x = x.zero_below(self.least_root);
        self.value * (x * x)
    }
}
