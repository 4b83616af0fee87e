//! Kernels for whole layers: what they are given, and how they are chosen.

use super::{DenseSizes, GroupNormSizes};
use crate::real::Real;
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
