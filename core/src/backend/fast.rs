use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};

use super::dispatch::KERNELS;
use super::kernels::Kernels;
use super::{Backend, Matrix, MatrixMut, PlainBackend};
use crate::real::Real;

/// The kernels of the `matrixmultiply` crate, through ndarray's safe interface; in `f32` convolutions, group
/// normalisation, and dense layers that read the network's input have kernels of their own.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastBackend;

impl Backend<f32> for FastBackend {
    fn multiply(&self, a: Matrix<'_, f32>, b: Matrix<'_, f32>, beta: f32, c: MatrixMut<'_, f32>) {
        by_ndarray(a, b, beta, c);
    }

    fn kernels(&self) -> Option<&'static Kernels<f32>> {
        Some(&KERNELS)
    }
}

impl Backend<f64> for FastBackend {
    fn multiply(&self, a: Matrix<'_, f64>, b: Matrix<'_, f64>, beta: f64, c: MatrixMut<'_, f64>) {
        by_ndarray(a, b, beta, c);
    }
}

fn by_ndarray<F: Real + ndarray::LinalgScalar>(
    a: Matrix<'_, F>,
    b: Matrix<'_, F>,
    beta: F,
    c: MatrixMut<'_, F>,
) {
    if [a.rows, a.columns, b.columns].contains(&0) {
        // ndarray takes no strides for a matrix without elements.
        return PlainBackend.multiply(a, b, beta, c);
    }
    let (Ok(a), Ok(b), Ok(mut c)) = (
        ArrayView2::from_shape((a.rows, a.columns).strides((a.row_stride, a.column_stride)), a.values),
        ArrayView2::from_shape((b.rows, b.columns).strides((b.row_stride, b.column_stride)), b.values),
        ArrayViewMut2::from_shape((c.rows, c.columns), c.values),
    ) else {
        unreachable!("a matrix holds exactly rows × columns values");
    };
    ndarray::linalg::general_mat_mul(F::one(), &a, &b, beta, &mut c);
}
