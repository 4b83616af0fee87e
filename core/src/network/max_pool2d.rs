//! Max-pooling. Of equal values the first in row-major order wins, in both directions; a NaN wins over
//! everything, so that it reaches the loss and is noticed.

use super::operation::Windows;
use crate::real::Real;

/// y\[c\]\[r\]\[s\] = max over the window, for the samples of a micro-batch.
pub(super) fn forward<F: Real>(windows: Windows, x: &[F], y: &mut [F]) {
    each_window(windows, x, |output, winner| y[output] = x[winner]);
}

/// dx\[winner\] += dy.
pub(super) fn backward<F: Real>(windows: Windows, x: &[F], dy: &[F], dx: &mut [F]) {
    each_window(windows, x, |output, winner| dx[winner] += dy[output]);
}

/// Calls `visit(output index, index of the window's winner)` for every window.
fn each_window<F: Real>(windows: Windows, x: &[F], mut visit: impl FnMut(usize, usize)) {
    let Windows { input, output, kernel, stride, .. } = windows;
    let [width, columns, rows] = [input.width, output.width, output.height].map(|size| size as usize);
    for plane in 0..x.len() / input.plane() {
        for row in 0..rows {
            let first_output = (plane * rows + row) * columns;
            let first_input = plane * input.plane() + row * stride * width;
            for column in 0..columns {
                let corner = first_input + column * stride;
                visit(first_output + column, winner(x, corner, width, kernel));
            }
        }
    }
}

#[inline]
fn winner<F: Real>(x: &[F], corner: usize, width: usize, kernel: usize) -> usize {
    let mut best = corner;
    for row in 0..kernel {
        let start = corner + row * width;
        for index in start..start + kernel {
            if x[index] > x[best] || x[index].is_nan() {
                best = index;
            }
        }
    }
    best
}
