use core::fmt;

use super::slide::slide;
use super::{Backward, Forward, Layer, ShapeError, Signature, Sizes};
use crate::real::Real;
use crate::shape::Shape;
use crate::windows::Windows;

/// Max-pooling: the largest of each window. Of equal values the first in row-major order wins, in both directions; a NaN
/// wins over everything, so that it reaches the loss and is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool2d {
    /// Side of the square window.
    pub kernel: u32,
    /// Steps between windows.
    pub stride: u32,
}

impl MaxPool2d {
    fn windows(self, input: Shape, output: Shape) -> Windows {
        Windows::new(input, output, self.kernel, self.stride, 0)
    }
}

impl MaxPool2d {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        match slide(input, input.channels, self.kernel, self.stride, 0) {
            Ok(output) => Ok(Sizes::without_parameters(output)),
            Err(error) => Err(error),
        }
    }
}

impl Signature for MaxPool2d {}

impl fmt::Display for MaxPool2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel, stride } = self;
        write!(f, "max-pool {kernel}×{kernel}, stride {stride}")
    }
}

impl<F: Real> Layer<F> for MaxPool2d {
    /// y\[c\]\[r\]\[s\] = max over the window.
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        let [x, _] = call.x;
        each_row(self.windows(call.place.input, call.place.output), x, |output, input, winners| {
            let y = &mut y[output..output + winners.columns];
            winners.pick(&x[input..], |column, offset| y[column] = x[input + offset]);
        });
    }

    /// dx\[winner\] += dy.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        let [x, _] = call.x;
        each_row(self.windows(call.place.input, call.place.output), x, |output, input, winners| {
            let dy = &call.dy[output..output + winners.columns];
            winners.pick(&x[input..], |column, offset| dx[input + offset] += dy[column]);
        });
    }
}

/// Calls `visit(where an output row begins, where its windows begin in x, how to find the winners)`.
fn each_row<F: Real>(windows: Windows, x: &[F], mut visit: impl FnMut(usize, usize, Winners)) {
    let Windows { input, output, kernel, stride, .. } = windows;
    let [width, columns, rows] = [input.width, output.width, output.height].map(|size| size as usize);
    let winners = Winners { width, columns, kernel, stride };
    for plane in 0..x.len() / input.plane() {
        for row in 0..rows {
            visit((plane * rows + row) * columns, plane * input.plane() + row * stride * width, winners);
        }
    }
}

/// One row of windows.
#[derive(Clone, Copy)]
struct Winners {
    width: usize,
    columns: usize,
    kernel: usize,
    stride: usize,
}

impl Winners {
    /// Calls `visit(column, offset of the window's winner)` for each window of the row that `x` begins with.
    #[inline]
    fn pick<F: Real>(self, x: &[F], mut visit: impl FnMut(usize, usize)) {
        if (self.kernel, self.stride) == (2, 2) {
            return self.pick_pairs(x, visit);
        }
        for column in 0..self.columns {
            let corner = column * self.stride;
            let mut best = corner;
            for row in 0..self.kernel {
                let start = corner + row * self.width;
                for index in start..start + self.kernel {
                    if beats(x[index], x[best]) {
                        best = index;
                    }
                }
            }
            visit(column, best);
        }
    }

    /// The same for windows of 2×2 side by side, without a branch per value.
    #[inline]
    fn pick_pairs<F: Real>(self, x: &[F], mut visit: impl FnMut(usize, usize)) {
        let (upper, lower) = x.split_at(self.width);
        let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2)).take(self.columns);
        for (column, (upper, lower)) in pairs.enumerate() {
            let (mut best, mut offset) = (upper[0], 0);
            for (value, place) in [(upper[1], 1), (lower[0], self.width), (lower[1], self.width + 1)] {
                let wins = beats(value, best);
                best = if wins { value } else { best };
                offset = if wins { place } else { offset };
            }
            visit(column, 2 * column + offset);
        }
    }
}

#[inline]
fn beats<F: Real>(value: F, best: F) -> bool {
    value > best || value.is_nan()
}
