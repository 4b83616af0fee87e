use crate::shape::Shape;

/// What a layer knows of its place in a network: what it takes and gives, and how its parameters lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Shape of its input, or of both.
    pub(crate) input: Shape,
    /// Shape of its output.
    pub(crate) output: Shape,
    /// Number of weights.
    pub(crate) weights: usize,
    /// Number of biases, which follow them.
    pub(crate) biases: usize,
    /// Whether it is a dense layer whose weights lie by inputs, W \[inputs, outputs\].
    pub(crate) by_inputs: bool,
}
