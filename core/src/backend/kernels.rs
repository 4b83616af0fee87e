//! What kernels for whole layers are given, wherever they come from.

use crate::layer::{DenseSizes, Sink, Windows};
use crate::real::Real;

/// Kernels for convolutions that need no matrix of patches, and into which ReLU and a 2×2 max-pooling can be
/// fused. A [`super::Backend`] may have them.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dKernels<F: Real> {
    /// Whether a convolution can be done in so much scratch memory.
    pub(crate) fits: fn(Windows, usize) -> bool,
    pub(crate) forward: Forward<F>,
    pub(crate) backward: Backward<F>,
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
type Forward<F> = fn(Windows, ForwardOf<'_, F>, &mut [F]);
/// The windows, what of, where the sums go, and scratch memory.
type Backward<F> = fn(Windows, BackwardOf<'_, F>, &mut Sink<'_, F>, &mut [F]);

/// What a forward pass reads and writes: a micro-batch, sample by sample.
#[derive(Debug)]
pub(crate) struct ForwardOf<'a, F> {
    pub(crate) parameters: &'a [F],
    pub(crate) x: &'a [F],
    pub(crate) outputs: Outputs<'a, F>,
}

/// Where a forward pass writes, sample by sample.
#[derive(Debug)]
pub(crate) enum Outputs<'a, F> {
    /// The convolution's own outputs.
    Plain(&'a mut [F]),
    /// The largest of each 2×2 window, at least 0, and where it was: what [`Errors::Pooled`] takes. Of each
    /// sample's places, which are as many as outputs of the convolution, only the first are used.
    Pooled { places: &'a mut [F], y: &'a mut [F] },
}

/// The gradient of a convolution's outputs, sample by sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Errors<'a, F> {
    /// Output by output.
    Plain(&'a [F]),
    /// Window by window of the pooling behind it: the gradient of the pooled outputs y.
    Pooled { places: &'a [F], y: &'a [F], dy: &'a [F] },
}

/// What a backward pass reads and writes: a micro-batch, sample by sample.
#[derive(Debug)]
pub(crate) struct BackwardOf<'a, F> {
    pub(crate) parameters: &'a [F],
    pub(crate) x: &'a [F],
    pub(crate) errors: Errors<'a, F>,
    /// What is added to; `None` where nobody asks for the input's gradient.
    pub(crate) dx: Option<&'a mut [F]>,
}
