/// Sizes of one dense layer on a micro-batch: x \[m, inputs\], y and its gradient e \[m, outputs\].
#[derive(Clone, Copy, Debug)]
pub(crate) struct DenseSizes {
    pub(crate) samples: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Whether the weights lie by inputs.
    pub(crate) by_inputs: bool,
}
