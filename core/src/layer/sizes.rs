use super::Tensor;
use crate::shape::Shape;

/// What a layer gives and holds for an input whose sizes are not zero: known at compile time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// The output's shape.
    pub(crate) output: Shape,
    /// Weights, then biases.
    pub(crate) tensors: [Option<Tensor>; 2],
}

impl Sizes {
    /// Of a layer without parameters.
    pub(crate) const fn without_parameters(output: Shape) -> Self {
        Self { output, tensors: [None, None] }
    }
}
