//! Convolutions in `f32` with a 1×1 kernel that step by 1, such as a dense layer at every position of a sequence. With P
//! places, for each sample, three products of matrices:
//!
//! ```text
//! y[o][p]   = b[o] + Σ_c w[o][c] · x[c][p]         panels of x
//! dx[c][p] += Σ_o w[o][c] · e[o][p]                panels of e, rows of the transposed weights
//! g[o][c]   = Σ_p e[o][p] · x[c][p]                panels of the transposed x
//! ```
//!
//! A sample's gradient g is squared and added to the others' while it is in registers: its norm costs one multiplication
//! for P that form it.

use pulp::Simd;

use super::cache_line::{CACHE_LINE, Pieces};
use super::conv2d_dense_errors::sum;
use super::kernels::{BackwardOf, ForwardOf};
use super::panels::{self, MOST_PLACES, Row, Rows, VECTORS, add_row, copy_panel, places, update_row};
use super::transpose::{SQUARES, transpose};
use crate::sink::Sink;
use crate::windows::Windows;

/// Sizes of a layer.
#[derive(Clone, Copy)]
struct Sizes {
    channels: usize,
    outputs: usize,
    /// P.
    positions: usize,
}

impl Sizes {
    fn new(windows: Windows) -> Self {
        let Windows { input, output, .. } = windows;
        Self {
            channels: input.channels as usize,
            outputs: output.channels as usize,
            positions: output.plane(),
        }
    }

    const fn weights(self) -> usize {
        self.channels * self.outputs
    }
}

/// The weights transposed, and a panel.
pub(super) fn scratch_len(windows: Windows) -> usize {
    let sizes = Sizes::new(windows);
    let panel = sizes.channels.max(sizes.outputs).max(sizes.positions).saturating_mul(MOST_PLACES);
    sizes.weights().saturating_add(panel).saturating_add(SQUARES + 4 * CACHE_LINE)
}

/// y of a micro-batch.
#[inline(always)]
pub(super) fn forward<S: Simd>(simd: S, windows: Windows, of: ForwardOf<'_, f32>, scratch: &mut [f32]) {
    let ForwardOf { parameters, x, y } = of;
    let sizes = Sizes::new(windows);
    let Sizes { channels, outputs, positions } = sizes;
    let (values, bias) = parameters.split_at(sizes.weights());
    let rows = Rows { values, count: outputs, stride: channels, len: channels };
    let panel = Pieces::of(scratch).take(channels * places::<S>());
    let samples = x.chunks_exact(channels * positions).zip(y.chunks_exact_mut(outputs * positions));
    for (x, y) in samples {
        for first in (0..positions).step_by(places::<S>()) {
            copy_panel(simd, x, positions, first, panel);
            let end = positions.min(first + places::<S>());

            panels::multiply(
                simd,
                rows,
                panel,
                #[inline(always)]
                |output| bias.get(output).copied().unwrap_or(0.0),
                #[inline(always)]
                |output, rows| {
                    let y = y[output * positions..].chunks_exact_mut(positions);
                    for (y, row) in y.zip(rows) {
                        update_row(
                            simd,
                            row,
                            &mut y[first..end],
                            #[inline(always)]
                            |_, new| new,
                        );
                    }
                },
            );
        }
    }
}

/// The statistics of a micro-batch, and its dx.
#[inline(always)]
pub(super) fn backward<S: Simd>(simd: S, windows: Windows, of: BackwardOf<'_, '_, f32>, scratch: &mut [f32]) {
    let BackwardOf { parameters, x, dy, dx, overwrites, sink } = of;
    let sizes = Sizes::new(windows);
    weight_gradient(simd, sizes, [x, dy], parameters.len() > sizes.weights(), sink, scratch);
    if let Some(dx) = dx {
        input_gradient(simd, sizes, &parameters[..sizes.weights()], dy, (dx, overwrites), scratch);
    }
}

#[inline(always)]
fn input_gradient<S: Simd>(
    simd: S,
    sizes: Sizes,
    weights: &[f32],
    dy: &[f32],
    (dx, overwrites): (&mut [f32], bool),
    scratch: &mut [f32],
) {
    let Sizes { channels, outputs, positions } = sizes;
    let mut pieces = Pieces::of(scratch);
    let transposed = pieces.take(sizes.weights());
    let panel = pieces.take(outputs * places::<S>());
    transpose::<8>(weights, channels, transposed, outputs, pieces.take(SQUARES));
    let rows = Rows { values: transposed, count: channels, stride: outputs, len: outputs };
    let samples = dy.chunks_exact(outputs * positions).zip(dx.chunks_exact_mut(channels * positions));
    for (dy, dx) in samples {
        for first in (0..positions).step_by(places::<S>()) {
            copy_panel(simd, dy, positions, first, panel);
            let end = positions.min(first + places::<S>());
            panels::multiply(
                simd,
                rows,
                panel,
                #[inline(always)]
                |_| 0.0,
                #[inline(always)]
                |channel, rows| {
                    let dx = dx[channel * positions..].chunks_exact_mut(positions);
                    for (dx, row) in dx.zip(rows) {
                        let dx = &mut dx[first..end];
                        if overwrites {
                            update_row(
                                simd,
                                row,
                                dx,
                                #[inline(always)]
                                |_, new| new,
                            );
                        } else {
                            add_row(simd, row, dx);
                        }
                    }
                },
            );
        }
    }
}

#[inline(always)]
fn weight_gradient<S: Simd>(
    simd: S,
    sizes: Sizes,
    [x, dy]: [&[f32]; 2],
    has_bias: bool,
    sink: &mut Sink<'_, f32>,
    scratch: &mut [f32],
) {
    if sink.only_sum() && sink.gradient_sum.is_empty() {
        return;
    }
    let Sizes { channels, outputs, positions } = sizes;
    let mut pieces = Pieces::of(scratch);
    let panel = pieces.take(positions * places::<S>());
    let square = pieces.take(SQUARES);
    let samples = x.chunks_exact(channels * positions).zip(dy.chunks_exact(outputs * positions));
    for (sample, (x, dy)) in samples.enumerate() {
        let mut found = [0.0; 2];
        let errors = Rows { values: dy, count: outputs, stride: positions, len: positions };
        for first in (0..channels).step_by(places::<S>()) {
            let count = places::<S>().min(channels - first);
            if count < places::<S>() {
                panel.fill(0.0);
            }
            let of_panel = &x[first * positions..(first + count) * positions];
            transpose::<8>(of_panel, positions, panel, places::<S>(), square);
            panels::multiply(
                simd,
                errors,
                panel,
                #[inline(always)]
                |_| 0.0,
                #[inline(always)]
                |output, rows| {
                    let start = output * channels + first;
                    add_rows(simd, rows, start, [channels, count], sink, &mut found);
                },
            );
        }
        if has_bias {
            for (output, e) in dy.chunks_exact(positions).enumerate() {
                add_bias(sum(simd, e), sizes.weights() + output, sink, &mut found);
            }
        }
        if let Some(sum) = sink.square_norms.get_mut(sample) {
            *sum += found[0];
        }
        if let Some(sum) = sink.inner_products.get_mut(sample) {
            *sum += found[1];
        }
    }
}

/// Uses some rows of a sample's gradient, `len` values each, the first of which belong at `start` and `stride` values apart:
/// adds them, their squares, their square norm and their inner product with ḡ to what asks for them.
#[inline(always)]
fn add_rows<S: Simd>(
    simd: S,
    rows: &[Row<S>],
    start: usize,
    [stride, len]: [usize; 2],
    sink: &mut Sink<'_, f32>,
    found: &mut [f64; 2],
) {
    let begins = (start..).step_by(stride);
    if !sink.gradient_sum.is_empty() {
        for (row, begin) in rows.iter().zip(begins.clone()) {
            add_row(simd, row, &mut sink.gradient_sum[begin..begin + len]);
        }
    }
    if !sink.second_moment.is_empty() {
        for (row, begin) in rows.iter().zip(begins.clone()) {
            update_row(
                simd,
                row,
                &mut sink.second_moment[begin..begin + len],
                #[inline(always)]
                |old, new| simd.mul_add_e_f32s(new, new, old),
            );
        }
    }
    if !sink.square_norms.is_empty() {
        let mut squares = [simd.splat_f32s(0.0); VECTORS];
        for row in rows {
            for (squares, &value) in squares.iter_mut().zip(row) {
                *squares = simd.mul_add_e_f32s(value, value, *squares);
            }
        }
        let squares = squares.into_iter().reduce(
            #[inline(always)]
            |a, b| simd.add_f32s(a, b),
        );
        found[0] += squares.map_or(0.0, |squares| f64::from(simd.reduce_sum_f32s(squares)));
    }
    if !sink.inner_products.is_empty() && !sink.mean_gradient.is_empty() {
        let mut products = simd.splat_f32s(0.0);
        for (row, begin) in rows.iter().zip(begins) {
            let (mean, rest) = S::as_simd_f32s(&sink.mean_gradient[begin..begin + len]);
            let rest = (!rest.is_empty()).then(|| simd.partial_load_f32s(rest));
            for (&value, mean) in row.iter().zip(mean.iter().copied().chain(rest)) {
                products = simd.mul_add_e_f32s(value, mean, products);
            }
        }
        found[1] += f64::from(simd.reduce_sum_f32s(products));
    }
}

/// The same for a bias, whose gradient is a single value.
#[inline(always)]
fn add_bias(bias: f32, place: usize, sink: &mut Sink<'_, f32>, found: &mut [f64; 2]) {
    if let Some(sum) = sink.gradient_sum.get_mut(place) {
        *sum += bias;
    }
    if let Some(sum) = sink.second_moment.get_mut(place) {
        *sum += bias * bias;
    }
    found[0] += f64::from(bias) * f64::from(bias);
    if let Some(mean) = sink.mean_gradient.get(place) {
        found[1] += f64::from(bias) * f64::from(*mean);
    }
}
