//! Matrix products: plain loops as the reference, and a library's kernels behind the `std` feature.

use super::{Conv2dKernels, DenseKernels};
#[cfg(feature = "std")]
use super::{direct, sparse};
use crate::length::{LengthMismatch, check_length};
use crate::real::Real;

/// A matrix in the caller's memory: element (i, j) is `values[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, F> {
    values: &'a [F],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, F: Copy> Matrix<'a, F> {
    /// A row-major matrix over the first `rows`·`columns` values.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn new(values: &'a [F], rows: usize, columns: usize) -> Result<Self, LengthMismatch> {
        check_size(values.len(), rows, columns)?;
        Ok(Self::of(values, rows, columns))
    }

    /// The same over values that are known to be enough.
    pub(super) fn of(values: &'a [F], rows: usize, columns: usize) -> Self {
        Self { values: &values[..rows * columns], rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same values, read as the transposed matrix.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn at(&self, i: usize, j: usize) -> F {
        self.values[i * self.row_stride + j * self.column_stride]
    }
}

/// A row-major matrix that a product is written to.
#[derive(Debug)]
pub struct MatrixMut<'a, F> {
    values: &'a mut [F],
    rows: usize,
    columns: usize,
}

impl<'a, F> MatrixMut<'a, F> {
    /// A row-major matrix over the first `rows`·`columns` values.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn new(values: &'a mut [F], rows: usize, columns: usize) -> Result<Self, LengthMismatch> {
        check_size(values.len(), rows, columns)?;
        Ok(Self::of(values, rows, columns))
    }

    /// The same over values that are known to be enough.
    pub(super) fn of(values: &'a mut [F], rows: usize, columns: usize) -> Self {
        Self { values: &mut values[..rows * columns], rows, columns }
    }
}

/// Whether there are as many values as a matrix takes.
fn check_size(values: usize, rows: usize, columns: usize) -> Result<(), LengthMismatch> {
    let needed = rows.saturating_mul(columns);
    check_length("the matrix", needed, values.min(needed))
}

/// Multiplies matrices.
pub trait MatrixProduct<F>: Copy + Send + Sync {
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

    /// Kernels for whole convolutions, if there are any for this type.
    fn conv2d_kernels(&self) -> Option<Conv2dKernels<F>>
    where
        F: Real,
    {
        None
    }

    /// Kernels for dense layers whose inputs are mostly zeros, if there are any for this type.
    fn dense_kernels(&self) -> Option<DenseKernels<F>>
    where
        F: Real,
    {
        None
    }
}

/// Plain loops in one fixed order, without fused multiply-adds: the same bits on every platform. The
/// reference for every fast path.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainProduct;

impl<F: Real> MatrixProduct<F> for PlainProduct {
    fn multiply(&self, a: Matrix<'_, F>, b: Matrix<'_, F>, beta: F, c: MatrixMut<'_, F>) {
        for (i, row) in c.values.chunks_exact_mut(c.columns.max(1)).enumerate() {
            if beta.is_zero() {
                row.fill(F::zero());
            } else {
                row.iter_mut().for_each(|value| *value *= beta);
            }
            for k in 0..a.columns {
                let factor = a.at(i, k);
                if b.column_stride == 1 {
                    let start = k * b.row_stride;
                    for (value, &other) in row.iter_mut().zip(&b.values[start..start + b.columns]) {
                        *value += factor * other;
                    }
                } else {
                    for (j, value) in row.iter_mut().enumerate() {
                        *value += factor * b.at(k, j);
                    }
                }
            }
        }
    }
}

/// The kernels of the `matrixmultiply` crate, through ndarray's safe interface; in `f32` convolutions, and dense
/// layers that read the network's input, have kernels of their own.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct FastProduct;

#[cfg(feature = "std")]
impl MatrixProduct<f32> for FastProduct {
    fn multiply(&self, a: Matrix<'_, f32>, b: Matrix<'_, f32>, beta: f32, c: MatrixMut<'_, f32>) {
        by_ndarray(a, b, beta, c);
    }

    fn conv2d_kernels(&self) -> Option<Conv2dKernels<f32>> {
        Some(direct::KERNELS)
    }

    fn dense_kernels(&self) -> Option<DenseKernels<f32>> {
        Some(sparse::KERNELS)
    }
}

#[cfg(feature = "std")]
impl MatrixProduct<f64> for FastProduct {
    fn multiply(&self, a: Matrix<'_, f64>, b: Matrix<'_, f64>, beta: f64, c: MatrixMut<'_, f64>) {
        by_ndarray(a, b, beta, c);
    }
}

#[cfg(feature = "std")]
fn by_ndarray<F: Real + ndarray::LinalgScalar>(
    a: Matrix<'_, F>,
    b: Matrix<'_, F>,
    beta: F,
    c: MatrixMut<'_, F>,
) {
    use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};

    if [a.rows, a.columns, b.columns].contains(&0) {
        // ndarray takes no strides for a matrix without elements.
        return PlainProduct.multiply(a, b, beta, c);
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
