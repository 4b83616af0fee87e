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
                    add_scaled(row, factor, &b.values[start..start + b.columns]);
                }
            } else if (a.column_stride, b.row_stride) == (1, 1) {
                // Down columns of B, which are contiguous: each sum in the same order, in a register.
                let factors = &a.values[i * a.row_stride..][..a.columns];
                for (j, value) in row.iter_mut().enumerate() {
                    let column = &b.values[j * b.column_stride..][..a.columns];
                    *value = plus_products(*value, factors, column);
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

// Four values a turn, written out, because small code (`opt-level = "s"`) is not unrolled: on a Cortex-M4F half of the loop's
// instructions are its own. The order of the additions is that of one value a turn.

/// row += factor · other.
#[inline(always)]
fn add_scaled<F: Real>(row: &mut [F], factor: F, other: &[F]) {
    let (fours, rest) = row.as_chunks_mut::<4>();
    let (other_fours, other_rest) = other.as_chunks::<4>();
    for ([a, b, c, d], &[x, y, z, w]) in fours.iter_mut().zip(other_fours) {
        *a += factor * x;
        *b += factor * y;
        *c += factor * z;
        *d += factor * w;
    }
    for (value, &x) in rest.iter_mut().zip(other_rest) {
        *value += factor * x;
    }
}

/// sum + Σ xⱼ yⱼ, from the first product to the last.
#[inline(always)]
fn plus_products<F: Real>(mut sum: F, x: &[F], y: &[F]) -> F {
    let ((x_fours, x_rest), (y_fours, y_rest)) = (x.as_chunks::<4>(), y.as_chunks::<4>());
    for (&[a, b, c, d], &[x, y, z, w]) in x_fours.iter().zip(y_fours) {
        sum += a * x;
        sum += b * y;
        sum += c * z;
        sum += d * w;
    }
    for (&x, &y) in x_rest.iter().zip(y_rest) {
        sum += x * y;
    }
    sum
}
