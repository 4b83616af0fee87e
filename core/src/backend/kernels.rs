//! Kernels for whole layers: what they are given, and how they are chosen.

use super::{AttentionSizes, DenseSizes, GroupNormSizes};
use crate::loss::SampleLoss;
use crate::real::Real;
use crate::shape::Shape;
use crate::sink::Sink;
use crate::windows::Windows;

/// Kernels for whole layers. A [`super::Backend`] may have them.
#[derive(Clone, Copy, Debug)]
pub struct Kernels<F: Real> {
    /// Convolutions.
    pub(crate) conv2d: Conv2dKernels<F>,
    /// Convolutions with biases, and with a ReLU and a 2×2 max-pooling behind them.
    pub(crate) pooled_conv2d: PooledConv2dKernels<F>,
    /// Group normalisations, and those with a ReLU behind them.
    pub(crate) group_norm: GroupNormKernels<F>,
    /// Dense layers: the forward pass, and the sum over a micro-batch's gradients.
    pub(crate) dense: DenseKernels<F>,
    /// GELUs.
    pub(crate) gelu: ActivationKernels<F>,
    /// Layer normalisations.
    pub(crate) layer_norm: LayerNormKernels<F>,
    /// Causal self-attention.
    pub(crate) attention: AttentionKernels<F>,
    /// Softmax cross-entropy of sequences.
    pub(crate) cross_entropy: CrossEntropyKernel<F>,
}

/// The loss of a sequence's outputs \[K, T\] with T labels, and its gradient. `None` when there is no such class.
pub(crate) type CrossEntropyKernel<F> = fn(&[F], &[u32], &mut [F]) -> Option<SampleLoss<F>>;

/// As [`Conv2dKernels`].
pub(crate) type AttentionKernels<F> = Passes<
    AttentionSizes,
    fn(AttentionSizes, ForwardOf<'_, F>, &mut [F]),
    fn(AttentionSizes, InputGradientOf<'_, F>, &mut [F]),
>;

/// The passes of a layer norm over inputs of a shape, which is that of its outputs. The scratch memory of the backward pass is
/// for a gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerNormKernels<F: Real> {
    pub(crate) forward: fn(Shape, ForwardOf<'_, F>),
    pub(crate) backward: fn(Shape, BackwardOf<'_, '_, F>, &mut [F]),
}

/// The passes of a layer that computes value by value: y from x, and dx of x and dy, which is added to what is there or, if the
/// last argument says so, takes its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActivationKernels<F> {
    pub(crate) forward: fn(&[F], &mut [F]),
    pub(crate) backward: fn(&[F], &[F], &mut [F], bool),
}

/// The two passes of a kind of layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passes<Sizes, Forward, Backward> {
    /// Whether they are made for a layer of these sizes.
    pub(crate) can_do: fn(Sizes) -> bool,
    /// Values of scratch memory that either takes.
    pub(crate) scratch_len: fn(Sizes) -> usize,
    pub(crate) forward: Forward,
    pub(crate) backward: Backward,
}

impl<Sizes: Copy, Forward, Backward> Passes<Sizes, Forward, Backward> {
    /// These, if they can do a layer in so much scratch memory.
    pub(crate) fn fitting(self, sizes: Sizes, scratch: usize) -> Option<Self> {
        ((self.can_do)(sizes) && (self.scratch_len)(sizes) <= scratch).then_some(self)
    }
}

/// Every kernel takes the layer's sizes, what it computes of what, and scratch memory.
pub(crate) type Conv2dKernels<F> =
    Passes<Windows, fn(Windows, ForwardOf<'_, F>, &mut [F]), fn(Windows, BackwardOf<'_, '_, F>, &mut [F])>;

/// As [`Conv2dKernels`].
pub(crate) type PooledConv2dKernels<F> = Passes<
    Windows,
    fn(Windows, PooledForwardOf<'_, F>, &mut [F]),
    fn(Windows, PooledBackwardOf<'_, '_, F>, &mut [F]),
>;

/// As [`Conv2dKernels`].
pub(crate) type GroupNormKernels<F> = Passes<
    GroupNormSizes,
    fn(GroupNormSizes, NormalisedOf<'_, F>, &mut [F]),
    fn(GroupNormSizes, NormalisedBackwardOf<'_, '_, F>, &mut [F]),
>;

/// As [`Conv2dKernels`].
pub(crate) type DenseKernels<F> = Passes<
    DenseSizes,
    fn(DenseSizes, ForwardOf<'_, F>, &mut [F]),
    fn(DenseSizes, OuterProductsOf<'_, F>, &mut [F]),
>;

/// What a forward pass reads and writes: a micro-batch, sample by sample. Parameters without biases are the weights
/// alone.
#[derive(Debug)]
pub(crate) struct ForwardOf<'a, F> {
    pub(crate) parameters: &'a [F],
    pub(crate) x: &'a [F],
    pub(crate) y: &'a mut [F],
}

/// What a backward pass reads and writes.
#[derive(Debug)]
pub(crate) struct BackwardOf<'a, 's, F: Real> {
    pub(crate) parameters: &'a [F],
    pub(crate) x: &'a [F],
    pub(crate) dy: &'a [F],
    /// The input's gradient, which is added to; `None` if it is not needed.
    pub(crate) dx: Option<&'a mut [F]>,
    /// Whether the input's gradient takes the place of what is there. Not every kernel can do so.
    pub(crate) overwrites: bool,
    /// Where the sums over samples go.
    pub(crate) sink: &'a mut Sink<'s, F>,
}

/// [`ForwardOf`] a convolution where only the largest of each 2×2 window, at least 0, is kept.
#[derive(Debug)]
pub(crate) struct PooledForwardOf<'a, F> {
    pub(crate) parameters: &'a [F],
    pub(crate) x: &'a [F],
    /// Where the largest was. Of each sample's places, which are as many as outputs of the convolution, only the first
    /// are used.
    pub(crate) places: &'a mut [F],
    pub(crate) y: &'a mut [F],
}

/// [`BackwardOf`] the same.
#[derive(Debug)]
pub(crate) struct PooledBackwardOf<'a, 's, F: Real> {
    pub(crate) places: &'a [F],
    pub(crate) y: &'a [F],
    /// Of the pooled outputs.
    pub(crate) layer: BackwardOf<'a, 's, F>,
}

/// [`ForwardOf`] a group normalisation.
#[derive(Debug)]
pub(crate) struct NormalisedOf<'a, F> {
    pub(crate) layer: ForwardOf<'a, F>,
    /// Whether a ReLU is behind it, whose outputs are y.
    pub(crate) rectified: bool,
}

/// [`BackwardOf`] the same.
#[derive(Debug)]
pub(crate) struct NormalisedBackwardOf<'a, 's, F: Real> {
    pub(crate) layer: BackwardOf<'a, 's, F>,
    /// The outputs of the ReLU behind it, whose gradient is given.
    pub(crate) rectified: Option<&'a [F]>,
}

/// \[weights, bias\] += \[xᵀ e, Σᵢ eᵢ\] with the gradient e of a dense layer's outputs.
#[derive(Debug)]
pub(crate) struct OuterProductsOf<'a, F> {
    pub(crate) x: &'a [F],
    pub(crate) dy: &'a [F],
    pub(crate) sums: &'a mut [F],
}

/// What the backward pass of a layer without parameters reads, and the input's gradient, which is added to.
#[derive(Debug)]
pub(crate) struct InputGradientOf<'a, F> {
    pub(crate) x: &'a [F],
    pub(crate) dy: &'a [F],
    pub(crate) dx: &'a mut [F],
}
