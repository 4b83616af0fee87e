//! A tensor as a file holds it.

use std::vec::Vec;

/// A tensor of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its dimensions, slowest first.
    pub shape: Vec<usize>,
    /// Its values, the last dimension varying fastest.
    pub values: Vec<f32>,
}
