use super::{Backend, Matrix, MatrixMut};
use crate::real::Real;

/// Plain loops in one fixed order, without fused multiply-adds: the same bits on every platform. The
/// reference for every fast path.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainBackend;

impl<F: Real> Backend<F> for PlainBackend {
    fn multiply(&self, a: Matrix<'_, F>, b: Matrix<'_, F>, beta: F, c: MatrixMut<'_, F>) {
        for (i, row) in c.values.chunks_exact_mut(c.columns.max(1)).enumerate() {
            if beta.is_zero() {
                row.fill(F::zero());
            } else {
                row.iter_mut().for_each(|value| *value *= beta);
            }
            if b.column_stride == 1 {
                // Across rows of B: as many sums at a time as there are columns.
                for k in 0..a.columns {
                    let factor = a.at(i, k);
                    let start = k * b.row_stride;
                    for (value, &other) in row.iter_mut().zip(&b.values[start..start + b.columns]) {
                        *value += factor * other;
                    }
                }
            } else if (a.column_stride, b.row_stride) == (1, 1) {
                // Down columns of B, which are contiguous: each sum in the same order, in a register.
                let factors = &a.values[i * a.row_stride..][..a.columns];
                for (j, value) in row.iter_mut().enumerate() {
                    let column = &b.values[j * b.column_stride..][..a.columns];
                    *value = factors.iter().zip(column).fold(*value, |sum, (&x, &y)| sum + x * y);
                }
            } else {
                for k in 0..a.columns {
                    let factor = a.at(i, k);
                    for (j, value) in row.iter_mut().enumerate() {
                        *value += factor * b.at(k, j);
                    }
                }
            }
        }
    }
}
