//! A convolution with what is compiled into its kernels.

use super::cost::{Cost, Costed};
use super::uniforms::{Conv2d, Uniform};

/// A convolution, or the way back through it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FusedConv2d {
    /// What the shader reads: sizes and places.
    pub(super) block: Conv2d,
    /// Whether it has biases, one an output.
    pub(super) has_bias: bool,
    /// Whether the input gradient is added to what is there.
    pub(super) adds: bool,
}

impl FusedConv2d {
    /// The `override` constants of `conv2d.wgsl` that say what it computes.
    pub(super) fn constants(&self) -> [(&'static str, u32); 3] {
        [("KERNEL", self.block.kernel), ("BIAS", self.has_bias.into()), ("ADD", self.adds.into())]
    }

    /// Weights of one output.
    pub(super) const fn taps(&self) -> u32 {
        self.block.channels * self.block.kernel * self.block.kernel
    }

    /// Parameters of one output.
    pub(super) const fn gradient_taps(&self) -> u32 {
        self.taps() + self.biases()
    }

    /// Biases of one output.
    pub(super) const fn biases(&self) -> u32 {
        if self.has_bias { 1 } else { 0 }
    }
}

impl Uniform for FusedConv2d {
    const FIELDS: &'static [&'static str] = Conv2d::FIELDS;

    fn bytes(&self) -> Vec<u8> {
        self.block.bytes()
    }
}

impl Costed for FusedConv2d {
    fn cost(&self, entry: &str) -> Cost {
        let conv = &self.block;
        let [samples, channels, outputs] = [conv.samples, conv.channels, conv.outputs].map(u64::from);
        let input = channels * u64::from(conv.height) * u64::from(conv.width);
        let positions = u64::from(conv.out_height) * u64::from(conv.out_width);
        let weights = outputs * u64::from(self.taps());
        let biases = outputs * u64::from(self.biases());
        let products = 2 * samples * weights * positions;
        let activations = samples * (input + outputs * positions);
        if entry.starts_with("conv2d_forward") {
            return Cost::new(products, activations + weights + biases);
        }
        if entry.starts_with("conv2d_input_gradient") {
            let added = if self.adds { samples * input } else { 0 };
            return Cost::new(products, activations + added + weights);
        }
        let (parameters, has_moments, is_projection) =
            (weights + biases, conv.flags & 1 != 0, conv.flags & 2 != 0);
        let slices = u64::from(conv.samples.div_ceil(conv.slice.max(1)));
        let a_parameter = 3 + 2 * u64::from(has_moments) + 2 * u64::from(is_projection);
        let operations = products + samples * (2 * biases * positions + a_parameter * parameters);
        let left = match (is_projection, has_moments) {
            (true, _) => parameters,
            (false, true) => 2 * slices * parameters,
            (false, false) => slices * parameters,
        };
        let tile_values = samples * u64::from(conv.sink_stride) * (1 + u64::from(is_projection));
        Cost::new(operations, activations + left + tile_values)
    }
}
