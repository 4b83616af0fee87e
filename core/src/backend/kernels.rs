//! What kernels for whole layers are given, wherever they come from.

use crate::layer::{DenseSizes, GroupNormSizes, Sink, Windows};
use crate::real::Real;

/// Kernels for convolutions that need no matrix of patches. A [`super::Backend`] may have them.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dKernels<F: Real> {
    /// Whether a convolution can be done in so much scratch memory.
    pub(crate) fits: fn(Windows, usize) -> bool,
    pub(crate) forward: Conv2dForward<F>,
    pub(crate) backward: Conv2dBackward<F>,
}

/// Kernels for convolutions with a ReLU and a 2×2 max-pooling behind them. A [`super::Backend`] may have them.
#[derive(Clone, Copy, Debug)]
pub struct PooledConv2dKernels<F: Real> {
    /// Whether a convolution can be done in so much scratch memory.
    pub(crate) fits: fn(Windows, usize) -> bool,
    pub(crate) forward: PooledForward<F>,
    pub(crate) backward: PooledBackward<F>,
}

/// Kernels for group normalisation, and for one with a ReLU behind it. A [`super::Backend`] may have them.
#[derive(Clone, Copy, Debug)]
pub struct GroupNormKernels<F: Real> {
    pub(crate) forward: GroupNormForward<F>,
    pub(crate) backward: GroupNormBackward<F>,
}

/// Kernels for dense layers whose inputs are mostly zeros and whose weights lie by inputs. A
/// [`super::Backend`] may have them.
#[derive(Clone, Copy, Debug)]
pub struct DenseKernels<F: Real> {
    /// Values of scratch memory that either takes.
    pub(crate) scratch_len: fn(DenseSizes) -> usize,
    pub(crate) forward: DenseForward<F>,
    pub(crate) add_outer_products: AddOuterProducts<F>,
}

/// y = x W + b: the layer, its parameters, x, y, and scratch memory.
type DenseForward<F> = fn(DenseSizes, &[F], &[F], &mut [F], &mut [F]);
/// \[weights, bias\] += \[xᵀ e, Σᵢ eᵢ\]: the layer, x, the gradient e of y, the sums, and scratch memory.
type AddOuterProducts<F> = fn(DenseSizes, &[F], &[F], &mut [F], &mut [F]);

/// The windows, what of, and scratch memory.
type Conv2dForward<F> = fn(Windows, ForwardOf<'_, F>, &mut [F]);
/// The windows, what of, where the sums go, and scratch memory.
type Conv2dBackward<F> = fn(Windows, BackwardOf<'_, F>, &mut Sink<'_, F>, &mut [F]);
/// As [`Conv2dForward`].
type PooledForward<F> = fn(Windows, PooledForwardOf<'_, F>, &mut [F]);
/// As [`Conv2dBackward`].
type PooledBackward<F> = fn(Windows, PooledBackwardOf<'_, F>, &mut Sink<'_, F>, &mut [F]);

/// The layer, its parameters, x, whether a ReLU is behind it, and y.
type GroupNormForward<F> = fn(GroupNormSizes, &[F], &[F], bool, &mut [F]);
/// The layer, what of, the outputs of the ReLU behind it, where the sums go, and scratch memory for one gradient.
type GroupNormBackward<F> = fn(GroupNormSizes, BackwardOf<'_, F>, Option<&[F]>, &mut Sink<'_, F>, &mut [F]);

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
pub(crate) struct BackwardOf<'a, F> {
    pub(crate) parameters: &'a [F],
    pub(crate) x: &'a [F],
    pub(crate) dy: &'a [F],
    /// The input's gradient, which is added to; `None` if it is not needed.
    pub(crate) dx: Option<&'a mut [F]>,
}

/// The same where only the largest of each 2×2 window, at least 0, is kept.
#[derive(Debug)]
pub(crate) struct PooledForwardOf<'a, F> {
    pub(crate) parameters: &'a [F],
    pub(crate) x: &'a [F],
    /// Where the largest was. Of each sample's places, which are as many as outputs of the convolution, only the first
    /// are used.
    pub(crate) places: &'a mut [F],
    pub(crate) y: &'a mut [F],
}

/// The same for the way back.
#[derive(Debug)]
pub(crate) struct PooledBackwardOf<'a, F> {
    pub(crate) parameters: &'a [F],
    pub(crate) x: &'a [F],
    pub(crate) places: &'a [F],
    pub(crate) y: &'a [F],
    pub(crate) dy: &'a [F],
    /// The input's gradient, which is added to; `None` if it is not needed.
    pub(crate) dx: Option<&'a mut [F]>,
}
