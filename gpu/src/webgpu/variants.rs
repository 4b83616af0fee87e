//! Variants of the heavy kernels: which entry point, how large its workgroups are, and how many of them run.
//!
//! Registers only, or tiles in workgroup memory: on real GPUs tiles pay, on software adapters a barrier costs more than
//! it saves. [`super::trial`] measures it on the current adapter.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::convolution::FusedConv2d;
use super::kernel::{Grid, Launch, Shader};
use super::product::FusedProduct;
use super::uniforms::{GroupNorm, MaxPool2d};

/// How a heavy kernel computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// 4×4 of the result an invocation, in registers.
    Plain,
    /// More of the result an invocation, without workgroup memory: 16×16 of a product; a row of a convolution, for
    /// stride 1 and kernels up to 5×5 (others run as [`Self::Plain`]).
    Wide,
    /// Tiles in workgroup memory.
    Tiles,
    /// Larger tiles.
    LargeTiles,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Wide, Self::Tiles, Self::LargeTiles];

    /// Whether a long sum is a workgroup's work, and not an invocation's.
    const fn sums_by_group(self) -> bool {
        matches!(self, Self::Tiles | Self::LargeTiles)
    }

    /// Its name in files and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Wide => "wide",
            Self::Tiles => "tiles",
            Self::LargeTiles => "large_tiles",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kernels that have variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heavy {
    /// Dense layers, all three directions.
    Product,
    /// A convolution's outputs.
    Conv2dForward,
    /// A convolution's input gradient.
    Conv2dInputGradient,
    /// A convolution's weight gradient, with its per-sample statistics.
    Conv2dWeightGradient,
    /// The long sums of the statistics: [`Variant::Plain`] an invocation each, [`Variant::Tiles`] a workgroup.
    Sums,
}

impl Heavy {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Product,
        Self::Conv2dForward,
        Self::Conv2dInputGradient,
        Self::Conv2dWeightGradient,
        Self::Sums,
    ];

    /// The variants that differ, the likely winner on software first.
    #[must_use]
    pub const fn variants(self) -> &'static [Variant] {
        match self {
            Self::Sums => &[Variant::Plain, Variant::Tiles],
            _ => &[Variant::Wide, Variant::Plain, Variant::Tiles, Variant::LargeTiles],
        }
    }

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Conv2dForward => "conv2d_forward",
            Self::Conv2dInputGradient => "conv2d_input_gradient",
            Self::Conv2dWeightGradient => "conv2d_weight_gradient",
            Self::Sums => "sums",
        }
    }
}

/// The variant of each heavy kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variants {
    /// Dense layers.
    pub product: Variant,
    /// A convolution's outputs.
    pub conv2d_forward: Variant,
    /// A convolution's input gradient.
    pub conv2d_input_gradient: Variant,
    /// A convolution's weight gradient.
    pub conv2d_weight_gradient: Variant,
    /// The long sums of the statistics.
    pub sums: Variant,
}

impl Variants {
    /// The same one everywhere.
    #[must_use]
    pub const fn all(variant: Variant) -> Self {
        Self {
            product: variant,
            conv2d_forward: variant,
            conv2d_input_gradient: variant,
            conv2d_weight_gradient: variant,
            sums: variant,
        }
    }

    /// What is used where nothing was tried: on software what was fastest, or within a tenth of it, on
    /// lavapipe and SwiftShader.
    #[must_use]
    pub const fn untried(is_software: bool) -> Self {
        if !is_software {
            return Self::all(Variant::Tiles);
        }
        Self { conv2d_input_gradient: Variant::Plain, sums: Variant::Plain, ..Self::all(Variant::Wide) }
    }

    /// That of one kernel.
    #[must_use]
    pub const fn of(&self, heavy: Heavy) -> Variant {
        match heavy {
            Heavy::Product => self.product,
            Heavy::Conv2dForward => self.conv2d_forward,
            Heavy::Conv2dInputGradient => self.conv2d_input_gradient,
            Heavy::Conv2dWeightGradient => self.conv2d_weight_gradient,
            Heavy::Sums => self.sums,
        }
    }

    /// With another one for one kernel.
    #[must_use]
    pub const fn with(mut self, heavy: Heavy, variant: Variant) -> Self {
        match heavy {
            Heavy::Product => self.product = variant,
            Heavy::Conv2dForward => self.conv2d_forward = variant,
            Heavy::Conv2dInputGradient => self.conv2d_input_gradient = variant,
            Heavy::Conv2dWeightGradient => self.conv2d_weight_gradient = variant,
            Heavy::Sums => self.sums = variant,
        }
        self
    }
}

/// Invocations of a workgroup of a convolution without workgroup memory.
const GROUP: u32 = 64;
/// Steps along the sum that a tile holds.
const DEPTH: u32 = 16;
/// The largest kernel of the variants by rows.
const WIDEST_KERNEL: u32 = 5;

/// C = A B.
pub(super) fn product(variant: Variant, product: &FusedProduct) -> Launch {
    let (entry, block, [x, y]) = match variant {
        Variant::Plain => ("product_registers", 4, [8, 8]),
        Variant::Wide => ("product_blocks", 16, [8, 1]),
        Variant::Tiles => ("product_tiles", 4, [8, 8]),
        Variant::LargeTiles => ("product_tiles", 4, [16, 16]),
    };
    let groups = [product.block.columns.div_ceil(block * x), product.block.rows.div_ceil(block * y)];
    let mut constants = vec![("GROUP_X", x), ("GROUP_Y", y), ("DEPTH", DEPTH)];
    constants.extend(product.constants());
    Launch { shader: Shader::Matrix, entry, constants, grid: Grid::Groups(groups) }
}

/// The outputs of a convolution.
pub(super) fn conv2d_forward(variant: Variant, conv: &FusedConv2d) -> Launch {
    let entries = ["conv2d_forward", "conv2d_forward_rows", "conv2d_forward_tiles"];
    let block = &conv.block;
    conv2d(variant, conv, entries, block.outputs, [block.out_height, block.out_width])
}

/// The input gradient of a convolution.
pub(super) fn conv2d_input_gradient(variant: Variant, conv: &FusedConv2d) -> Launch {
    let entries = ["conv2d_input_gradient", "conv2d_input_gradient_rows", "conv2d_input_gradient_tiles"];
    let block = &conv.block;
    conv2d(variant, conv, entries, block.channels, [block.height, block.width])
}

/// `planes` × `height` × `width` values a sample.
fn conv2d(
    variant: Variant,
    conv: &FusedConv2d,
    [plain, rows, tiles]: [&'static str; 3],
    planes: u32,
    [height, width]: [u32; 2],
) -> Launch {
    let samples = conv.block.samples;
    match fitting(variant, conv) {
        Variant::Plain => flat(plain, conv, samples * planes.div_ceil(4) * (height * width).div_ceil(4)),
        Variant::Wide => flat(rows, conv, samples * planes.div_ceil(4) * height * width.div_ceil(16)),
        tiled => {
            let [x, y] = tile(tiled);
            tiles_of(tiles, tiled, conv, samples * planes.div_ceil(4 * y) * (height * width).div_ceil(4 * x))
        }
    }
}

/// The weight gradient of a convolution.
pub(super) fn conv2d_weight_gradient(variant: Variant, conv: &FusedConv2d) -> Launch {
    let slices = conv.block.samples.div_ceil(conv.block.slice);
    match fitting(variant, conv) {
        Variant::Plain => flat("conv2d_weight_gradient", conv, slices * gradient_tiles(variant, conv)),
        Variant::Wide => flat("conv2d_weight_gradient_rows", conv, slices * gradient_tiles(variant, conv)),
        tiled => {
            let [x, y] = tile(tiled);
            let groups = slices * conv.block.outputs.div_ceil(4 * y) * conv.gradient_taps().div_ceil(4 * x);
            tiles_of("conv2d_weight_gradient_tiles", tiled, conv, groups)
        }
    }
}

/// A long sum of `statistics.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// Square norms of a dense layer's inputs and output gradients, one a sample.
    DenseNorms,
    /// Over a convolution's tiles, one a sample.
    Tiles,
    /// Over samples, one an output.
    Samples,
    /// Of the gradient's square norm, in so many shares.
    SquareNorm,
}

/// So many sums of a kind.
pub(super) fn sums(variant: Variant, sum: Sum, count: u32) -> Launch {
    let by_group = variant.sums_by_group();
    let entry = match (sum, by_group) {
        (Sum::DenseNorms, false) => "dense_norms",
        (Sum::DenseNorms, true) => "dense_norms_by_group",
        (Sum::Tiles, false) => "sum_tiles",
        (Sum::Tiles, true) => "sum_tiles_by_group",
        (Sum::Samples, false) => "sum_samples",
        (Sum::Samples, true) => "sum_samples_by_group",
        (Sum::SquareNorm, false) => "square_norm",
        (Sum::SquareNorm, true) => "square_norm_by_group",
    };
    Launch { shader: Shader::Statistics, entry, constants: Vec::new(), grid: one_each(by_group, count) }
}

/// The moments of every group, or (`backward`) every sample's gradient of γ and β: long sums too.
pub(super) fn group_norm_sums(variant: Variant, backward: bool, norm: &GroupNorm) -> Launch {
    let by_group = variant.sums_by_group();
    let entry = match (backward, by_group) {
        (false, false) => "group_norm_moments",
        (false, true) => "group_norm_moments_by_group",
        (true, false) => "group_norm_sample_gradients",
        (true, true) => "group_norm_sample_gradients_by_group",
    };
    let grid = one_each(by_group, norm.samples * norm.groups);
    Launch { shader: Shader::GroupNorm, entry, constants: Vec::new(), grid }
}

/// An invocation or a workgroup each.
const fn one_each(by_group: bool, count: u32) -> Grid {
    if by_group { Grid::Folded(count) } else { Grid::Flat(count) }
}

/// Tiles of a convolution's gradient, of each of which every sample's square norm is left.
pub(super) fn gradient_tiles(variant: Variant, conv: &FusedConv2d) -> u32 {
    let block = &conv.block;
    match fitting(variant, conv) {
        // One row of the kernel, or the biases.
        Variant::Wide => block.outputs.div_ceil(8) * (block.channels * block.kernel + conv.biases()),
        // Four outputs by four taps, the bias being one more tap.
        _ => block.outputs.div_ceil(4) * conv.gradient_taps().div_ceil(4),
    }
}

/// The most of them, whatever the variant.
pub(super) fn most_gradient_tiles(conv: &FusedConv2d) -> u32 {
    gradient_tiles(Variant::Plain, conv).max(gradient_tiles(Variant::Wide, conv))
}

/// The variant that runs where this one is chosen.
const fn fitting(variant: Variant, conv: &FusedConv2d) -> Variant {
    match variant {
        Variant::Wide if conv.block.stride != 1 || conv.block.kernel > WIDEST_KERNEL => Variant::Plain,
        variant => variant,
    }
}

/// The gradient through a max-pooling: where windows lie side by side, one invocation a window in place of one a
/// pixel.
pub(super) fn max_pool2d_backward(pool: &MaxPool2d, adds: bool) -> Launch {
    let (entry, invocations) = if pool.stride == pool.kernel {
        let windows = pool.height.div_ceil(pool.kernel) * pool.width.div_ceil(pool.kernel);
        ("max_pool2d_backward_apart", pool.planes * windows)
    } else {
        ("max_pool2d_backward", pool.planes * pool.height * pool.width)
    };
    let constants = vec![("ADD", adds.into())];
    Launch { shader: Shader::MaxPool2d, entry, constants, grid: Grid::Flat(invocations) }
}

/// Columns and rows of invocations of a tiled convolution's workgroup.
const fn tile(variant: Variant) -> [u32; 2] {
    match variant {
        Variant::LargeTiles => [16, 8],
        _ => [16, 4],
    }
}

fn flat(entry: &'static str, conv: &FusedConv2d, invocations: u32) -> Launch {
    let mut constants = vec![("GROUP", GROUP)];
    constants.extend(conv.constants());
    Launch { shader: Shader::Conv2d, entry, constants, grid: Grid::Folded(invocations.div_ceil(GROUP)) }
}

fn tiles_of(entry: &'static str, variant: Variant, conv: &FusedConv2d, groups: u32) -> Launch {
    let [x, y] = tile(variant);
    let mut constants = vec![("GROUP_X", x), ("GROUP_Y", y), ("DEPTH", DEPTH), ("STRIDE", conv.block.stride)];
    constants.extend(conv.constants());
    Launch { shader: Shader::Conv2d, entry, constants, grid: Grid::Folded(groups) }
}

#[cfg(test)]
mod tests {
    use super::super::uniforms::{Conv2d, Product};
    use super::*;

    /// WebGPU's default limits.
    const INVOCATIONS: u32 = 256;
    const WORKGROUP_BYTES: u32 = 16 << 10;

    #[test]
    fn every_variant_keeps_to_the_default_limits_of_workgroups() {
        let block = Product { rows: 1, columns: 1, inner: 1, ..Product::default() };
        let fused = FusedProduct { block, ..FusedProduct::default() };
        let block = Conv2d {
            samples: 1,
            channels: 1,
            outputs: 1,
            kernel: 3,
            stride: 1,
            slice: 16,
            ..Conv2d::default()
        };
        let conv = FusedConv2d { block, has_bias: true, adds: false };
        for variant in Variant::ALL {
            for launch in [
                product(variant, &fused),
                conv2d_forward(variant, &conv),
                conv2d_input_gradient(variant, &conv),
                conv2d_weight_gradient(variant, &conv),
            ] {
                let constant = |name| {
                    let found = launch.constants.iter().find(|(known, _)| *known == name);
                    found.map_or(1, |&(_, value)| value)
                };
                let [x, y] = [constant("GROUP_X"), constant("GROUP_Y")];
                assert!(x * y <= INVOCATIONS && constant("GROUP") <= INVOCATIONS, "{launch:?}");
                // Convolutions load a column of one tile, and a position of the other, an invocation.
                let is_tiled_convolution =
                    launch.entry.starts_with("conv2d") && launch.entry.ends_with("_tiles");
                if is_tiled_convolution {
                    assert!(y % 4 == 0 && x * y % constant("DEPTH") == 0, "{launch:?}");
                }
                let values = constant("DEPTH") * (4 * x + 4 + 4 * y + 4);
                assert!(4 * values <= WORKGROUP_BYTES, "{launch:?}");
            }
        }
    }

    #[test]
    fn the_most_tiles_are_enough_for_every_variant() {
        for (kernel, outputs) in (1..=7).flat_map(|kernel| (1..=17).map(move |outputs| (kernel, outputs))) {
            let block = Conv2d { channels: 3, outputs, kernel, stride: 1, ..Conv2d::default() };
            for has_bias in [false, true] {
                let conv = FusedConv2d { block, has_bias, adds: false };
                for variant in Variant::ALL {
                    assert!(gradient_tiles(variant, &conv) <= most_gradient_tiles(&conv));
                }
            }
        }
    }
}
