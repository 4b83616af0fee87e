use core::fmt;

use super::slide::slide;
use super::{Backward, Forward, Layer, Place, ShapeError, Signature, Sizes};
use crate::real::{Real, count};
use crate::shape::Shape;
use crate::windows::Windows;

/// Average pooling: the mean of each window, without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePool2d {
    /// Side of the square window.
    pub kernel: u32,
    /// Steps between windows.
    pub stride: u32,
}

impl AveragePool2d {
    fn windows(self, place: Place) -> Windows {
        Windows::new(place.input, place.output, self.kernel, self.stride, 0)
    }

    /// 1 / kernel².
    fn share<F: Real>(self) -> F {
        F::one() / count(u64::from(self.kernel).pow(2))
    }
}

impl AveragePool2d {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        match slide(input, input.channels, self.kernel, self.stride, 0) {
            Ok(output) => Ok(Sizes::without_parameters(output)),
            Err(error) => Err(error),
        }
    }
}

impl Signature for AveragePool2d {}

impl fmt::Display for AveragePool2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel, stride } = self;
        write!(f, "average-pool {kernel}×{kernel}, stride {stride}")
    }
}

impl<F: Real> Layer<F> for AveragePool2d {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        let ([x, _], share) = (call.x, self.share::<F>());
        y.fill(F::zero());
        each_row(self.windows(call.place), x.len(), |output, input, len| {
            y[output] += row_sum(&x[input..][..len])
        });
        y.iter_mut().for_each(|y| *y *= share);
    }

    /// dx += dy / kernel² all over the window.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        let share = self.share::<F>();
        each_row(self.windows(call.place), dx.len(), |output, input, len| {
            let gradient = call.dy[output] * share;
            dx[input..][..len].iter_mut().for_each(|dx| *dx += gradient);
        });
    }
}

fn row_sum<F: Real>(row: &[F]) -> F {
    row.iter().copied().sum()
}

/// Calls `visit(which output, where one row of its window begins, how long that is)` for every row of every window.
fn each_row(windows: Windows, values: usize, mut visit: impl FnMut(usize, usize, usize)) {
    let Windows { input, output, kernel, stride, .. } = windows;
    let [width, columns, rows] = [input.width, output.width, output.height].map(|size| size as usize);
    for plane in 0..values / input.plane() {
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let corner = plane * input.plane() + row * stride * width + column * stride;
            for u in 0..kernel {
                visit((plane * rows + row) * columns + column, corner + u * width, kernel);
            }
        }
    }
}
