//! Backends for the arithmetic: plain loops as the reference and, with the feature `std`, the kernels of a library and
//! of this crate.

mod attention_sizes;
#[cfg(feature = "std")]
mod cache_line;
#[cfg(feature = "std")]
mod causal_attention;
#[cfg(feature = "std")]
mod conv2d_dense_errors;
#[cfg(feature = "std")]
mod conv2d_pointwise;
#[cfg(feature = "std")]
mod conv2d_sparse_errors;
#[cfg(feature = "std")]
mod cross_entropy;
mod dense_sizes;
#[cfg(feature = "std")]
mod dense_sparse_inputs;
#[cfg(feature = "std")]
mod dispatch;
#[cfg(feature = "std")]
mod exponential;
#[cfg(feature = "std")]
mod fast;
#[cfg(feature = "std")]
mod gelu;
mod gelu_argument;
#[cfg(feature = "std")]
mod group_norm;
mod group_norm_sizes;
#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "kernels come with `std`"))]
mod kernels;
#[cfg(feature = "std")]
mod layer_norm;
mod matrix;
#[cfg(feature = "std")]
mod panels;
mod plain;
#[cfg(feature = "std")]
mod transpose;

#[cfg(feature = "std")]
pub use fast::FastBackend;
pub use kernels::Kernels;
pub use matrix::{Matrix, MatrixMut};
pub use plain::PlainBackend;

pub(crate) use attention_sizes::AttentionSizes;
pub(crate) use dense_sizes::DenseSizes;
pub(crate) use gelu_argument::gelu_argument;
pub(crate) use group_norm_sizes::GroupNormSizes;
pub(crate) use kernels::{
    BackwardOf, Conv2dKernels, DenseKernels, ForwardOf, GroupNormKernels, InputGradientOf,
    NormalisedBackwardOf, NormalisedOf, OuterProductsOf, PooledBackwardOf, PooledConv2dKernels,
    PooledForwardOf,
};

use crate::length::{LengthMismatch, check_length};
use crate::real::Real;

/// The kernels that there are: scratch memory is long enough for them whichever backend is to run.
#[cfg(feature = "std")]
pub(crate) const KERNELS: Option<&Kernels<f32>> = Some(&dispatch::KERNELS);
#[cfg(not(feature = "std"))]
pub(crate) const KERNELS: Option<&Kernels<f32>> = None;

/// Multiplies matrices for the layers, and may have kernels for whole layers.
pub trait Backend<F: Real>: Send + Sync {
    /// C ← A B + β C for A \[rows, k\], B \[k, columns\]; with β = 0 what C held does not matter.
    ///
    /// # Errors
    /// When the shapes do not fit; then C is as it was.
    fn product(
        &self,
        a: Matrix<'_, F>,
        b: Matrix<'_, F>,
        beta: F,
        c: MatrixMut<'_, F>,
    ) -> Result<(), LengthMismatch> {
        check_length("a column of the second matrix", a.columns, b.rows)?;
        check_length("a column of the product", a.rows, c.rows)?;
        check_length("a row of the product", b.columns, c.columns)?;
        self.multiply(a, b, beta, c);
        Ok(())
    }

    /// The same for shapes that are known to fit, as a network's layers are.
    #[doc(hidden)]
    fn multiply(&self, a: Matrix<'_, F>, b: Matrix<'_, F>, beta: F, c: MatrixMut<'_, F>);

    /// Kernels for whole layers, if there are any for this type.
    fn kernels(&self) -> Option<&'static Kernels<F>> {
        None
    }
}
