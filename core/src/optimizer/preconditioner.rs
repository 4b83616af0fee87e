//! What an optimizer divides gradients by.

use crate::real::Real;

/// Where an optimizer keeps squares of gradients, and how it computes a divisor from one: d = √(v/c) + ε.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preconditioner<S> {
    /// The slot of memory that holds v.
    pub slot: usize,
    /// c: the bias correction of a mean that started at 0; 1 for sums.
    pub correction: S,
    /// ε.
    pub epsilon: S,
}

impl<S: Real> Preconditioner<S> {
    /// d of a coordinate whose square in memory is v.
    #[must_use]
    pub fn divisor(&self, square: S) -> S {
        (square / self.correction).root() + self.epsilon
    }
}
