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
