//! Convolutions in `f32` with a ReLU and a 2×2 max-pooling behind them, for steps of 1 between windows.
//!
//! *Forward* as every convolution ([`conv2d_dense_errors`]); of every window only the largest value and its place are
//! kept. *Backward*, value by value of the output gradient and over nothing but those that are not zero: the max-pool
//! leaves a quarter of them at the most, and the ReLU half of those.
//!
//! With the input's channels innermost, the patch of one position is kernel rows of kernel·C values each, so
//! that one value of the gradient is a handful of vectors in both products.
//!
//! Letters: R = kernel·C values of a patch's row, padded to Rp; P output positions.

use pulp::{Simd, WithSimd};

use super::cache_line::{CACHE_LINE, from_cache_line};
use super::conv2d_dense_errors::{self, sum_outputs};
use super::dispatch::Call;
use super::kernels::{BackwardOf, PooledBackwardOf, PooledForwardOf};
use crate::sink::Sink;
use crate::windows::Windows;

/// A place in the padded image is kept as a float, which is exact up to here.
const LARGEST_PLACE: usize = 1 << 24;
/// Values of the output gradient that are listed at a time.
const LISTED: usize = 256;
/// Vectors of a patch's row that are summed in registers at a time.
const SUMMED: usize = 10;

pub(super) fn can_do(windows: Windows) -> bool {
    let has_places = Plan::new(windows, CACHE_LINE).pixels() <= LARGEST_PLACE;
    windows.stride == 1 && has_places && conv2d_dense_errors::can_do(windows)
}

pub(super) fn scratch_len(windows: Windows) -> usize {
    Plan::new(windows, CACHE_LINE).scratch_len().max(conv2d_dense_errors::scratch_len(windows))
}

/// Sizes for vectors of `lanes` values.
#[derive(Clone, Copy)]
struct Plan {
    lanes: usize,
    channels: usize,
    outputs: usize,
    kernel: usize,
    padding: usize,
    height: usize,
    width: usize,
    rows: usize,
    columns: usize,
}

impl Plan {
    fn new(windows: Windows, lanes: usize) -> Self {
        let Windows { input, output, kernel, padding, .. } = windows;
        let [channels, outputs, height, width, rows, columns] =
            [input.channels, output.channels, input.height, input.width, output.height, output.width]
                .map(|size| size as usize);
        Self { lanes, channels, outputs, kernel, padding, height, width, rows, columns }
    }

    fn positions(&self) -> usize {
        self.rows * self.columns
    }

    /// Values of a sample.
    fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Windows of a 2×2 pooling of the outputs.
    fn pooled_rows(&self) -> usize {
        self.rows / 2
    }

    fn pooled_columns(&self) -> usize {
        self.columns / 2
    }

    fn taps(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    fn padded_height(&self) -> usize {
        self.height + 2 * self.padding
    }

    /// R.
    fn run(&self) -> usize {
        self.kernel * self.channels
    }

    /// Rp.
    fn padded_run(&self) -> usize {
        self.run().next_multiple_of(self.lanes)
    }

    /// Values of a padded row with all channels.
    fn pixel_row(&self) -> usize {
        (self.width + 2 * self.padding) * self.channels
    }

    /// A padded image with its channels innermost, and what a last row's vector may read beyond it.
    fn pixels(&self) -> usize {
        self.padded_height() * self.pixel_row() + self.lanes
    }

    /// Weights, or gradients of them, in the order of patches' rows.
    fn ordered(&self) -> usize {
        self.outputs * self.kernel * self.padded_run()
    }

    fn scratch_len(&self) -> usize {
        let one_gradient = self.kernel * self.padded_run();
        4 * self.ordered() + 2 * self.pixels() + one_gradient + CACHE_LINE
    }

    /// Where (c, u, v) of one output's weights lies in the order of patches' rows.
    fn each_weight(&self, mut visit: impl FnMut(usize, usize)) {
        let (kernel, run) = (self.kernel, self.padded_run());
        for output in 0..self.outputs {
            let (plain, ordered) = (output * self.taps(), output * kernel * run);
            for u in 0..kernel {
                for v in 0..kernel {
                    for c in 0..self.channels {
                        visit(
                            plain + (c * kernel + u) * kernel + v,
                            ordered + u * run + v * self.channels + c,
                        );
                    }
                }
            }
        }
    }

    /// Calls `visit` with every pixel's place in the image and in the padded image with channels innermost.
    fn each_pixel(&self, mut visit: impl FnMut(usize, usize)) {
        for c in 0..self.channels {
            for y in 0..self.height {
                let plain = (c * self.height + y) * self.width;
                let padded = (y + self.padding) * self.pixel_row() + self.padding * self.channels + c;
                for x in 0..self.width {
                    visit(plain + x, padded + x * self.channels);
                }
            }
        }
    }
}

impl WithSimd for Call<'_, Windows, PooledForwardOf<'_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes: windows, of: PooledForwardOf { parameters, x, places, y }, scratch } = self;
        let plan = Plan::new(windows, S::F32_LANES);
        let columns = plan.pooled_columns();
        let windows_of_output = plan.pooled_rows() * columns;
        sum_outputs(simd, windows, parameters, x, scratch, |sample, output, sums, row| {
            // Each sample's places begin where its outputs would.
            let place = sample * plan.outputs * plan.positions() + output * windows_of_output;
            let places = &mut places[place..place + windows_of_output];
            let y = &mut y[(sample * plan.outputs + output) * windows_of_output..][..windows_of_output];
            let rows = places.chunks_exact_mut(columns).zip(y.chunks_exact_mut(columns));
            for (pair, ((places, y), sums)) in rows.zip(sums.chunks_exact(2 * row)).enumerate() {
                let (upper, lower) = sums.split_at(row);
                let corner = 2 * pair * plan.pixel_row();
                pick(plan, corner, [upper, lower].map(|row| &row[..2 * columns]), places, y);
            }
        });
    }
}

/// ReLU and the windows of two rows, side by side. Of equal values the first in row-major order wins; a NaN
/// stays one, so that it reaches the loss.
#[inline(always)]
fn pick(plan: Plan, corner: usize, [upper, lower]: [&[f32]; 2], places: &mut [f32], y: &mut [f32]) {
    let (right, down) = (plan.channels, plan.pixel_row());
    let windows = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
    for (column, (((&[a, b], &[c, d]), place), y)) in windows.zip(places).zip(y).enumerate() {
        let (mut best, mut step) = (a, 0);
        for (value, its_step) in [(b, right), (c, down), (d, down + right)] {
            let wins = value > best || value.is_nan();
            best = if wins { value } else { best };
            step = if wins { its_step } else { step };
        }
        *y = if best < 0.0 { 0.0 } else { best };
        *place = (corner + 2 * column * right + step) as f32;
    }
}

/// Scratch memory of a backward pass. What belongs to weights lies in the order of patches' rows.
struct Memory<'a> {
    weights: &'a mut [f32],
    /// Σ gᵢ and Σ gᵢ² over the micro-batch.
    total: &'a mut [f32],
    squares: &'a mut [f32],
    /// ḡ.
    mean: &'a mut [f32],
    /// The sample, and its gradient.
    pixels: &'a mut [f32],
    d_pixels: &'a mut [f32],
    /// One sample's gradient of one output's weights.
    gradient: &'a mut [f32],
}

impl<'a> Memory<'a> {
    fn cut(plan: Plan, scratch: &'a mut [f32]) -> Self {
        let (weights, rest) = from_cache_line(scratch).split_at_mut(plan.ordered());
        let (total, rest) = rest.split_at_mut(plan.ordered());
        let (squares, rest) = rest.split_at_mut(plan.ordered());
        let (mean, rest) = rest.split_at_mut(plan.ordered());
        let (pixels, rest) = rest.split_at_mut(plan.pixels());
        let (d_pixels, rest) = rest.split_at_mut(plan.pixels());
        let gradient = &mut rest[..plan.kernel * plan.padded_run()];
        Self { weights, total, squares, mean, pixels, d_pixels, gradient }
    }
}

impl WithSimd for Call<'_, Windows, PooledBackwardOf<'_, '_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes: windows, of: PooledBackwardOf { places, y, layer }, scratch } = self;
        let BackwardOf { parameters, x, dy, dx, sink, .. } = layer;
        let errors = Errors { places, y, dy };
        let plan = Plan::new(windows, S::F32_LANES);
        let mut memory = Memory::cut(plan, scratch);
        memory.total.fill(0.0);
        memory.pixels.fill(0.0);
        memory.weights.fill(0.0);
        plan.each_weight(|plain, ordered| memory.weights[ordered] = parameters[plain]);
        if !sink.second_moment.is_empty() {
            memory.squares.fill(0.0);
        }
        if !sink.mean_gradient.is_empty() {
            memory.mean.fill(0.0);
            plan.each_weight(|plain, ordered| memory.mean[ordered] = sink.mean_gradient[plain]);
        }
        let mut dx = dx.map(|dx| dx.chunks_exact_mut(plan.image()));
        let mut list = [(0, 0.0); LISTED];
        for (sample, x) in x.chunks_exact(plan.image()).enumerate() {
            plan.each_pixel(|plain, padded| memory.pixels[padded] = x[plain]);
            let dx = dx.as_mut().and_then(Iterator::next);
            if dx.is_some() {
                memory.d_pixels.fill(0.0);
            }
            let errors = errors.of_sample(plan, sample);
            backward_sample(simd, plan, sample, errors, dx.is_some(), &mut memory, sink, &mut list);
            if let Some(dx) = dx {
                plan.each_pixel(|plain, padded| dx[plain] += memory.d_pixels[padded]);
            }
        }
        if !sink.gradient_sum.is_empty() {
            plan.each_weight(|plain, ordered| sink.gradient_sum[plain] += memory.total[ordered]);
        }
        if !sink.second_moment.is_empty() {
            plan.each_weight(|plain, ordered| sink.second_moment[plain] += memory.squares[ordered]);
        }
    }
}

/// The gradient of pooled outputs, window by window.
#[derive(Clone, Copy)]
struct Errors<'a> {
    places: &'a [f32],
    y: &'a [f32],
    dy: &'a [f32],
}

impl Errors<'_> {
    fn of_sample(self, plan: Plan, sample: usize) -> Self {
        let outputs = plan.outputs * plan.positions();
        let pooled = plan.outputs * plan.pooled_rows() * plan.pooled_columns();
        Self {
            places: &self.places[sample * outputs..sample * outputs + pooled],
            y: &self.y[sample * pooled..(sample + 1) * pooled],
            dy: &self.dy[sample * pooled..(sample + 1) * pooled],
        }
    }

    /// Lists the values of one output that are not zero (a NaN is not), from the `begun`-th on, with where their
    /// patches begin in the padded image. Gives how many it lists, and where to go on.
    #[inline(always)]
    fn list(self, plan: Plan, output: usize, begun: usize, list: &mut List) -> (usize, usize) {
        let Self { places, y, dy } = self;
        let mut count = 0;
        let windows = plan.pooled_rows() * plan.pooled_columns();
        let end = windows.min(begun + LISTED);
        let range = output * windows + begun..output * windows + end;
        let values = places[range.clone()].iter().zip(&y[range.clone()]).zip(&dy[range]);
        for ((&place, &y), &value) in values {
            list[count] = (place as usize, value);
            count += usize::from(y > 0.0 && value != 0.0);
        }
        (count, end)
    }
}

/// Values of an output's gradient, with where their patches begin.
type List = [(usize, f32); LISTED];

/// One sample: its gradient output by output, formed, used and forgotten.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
fn backward_sample<S: Simd>(
    simd: S,
    plan: Plan,
    sample: usize,
    errors: Errors<'_>,
    wants_input: bool,
    memory: &mut Memory<'_>,
    sink: &mut Sink<'_, f32>,
    list: &mut List,
) {
    let biases = plan.outputs * plan.taps();
    let ordered = plan.kernel * plan.padded_run();
    let (mut norm, mut inner_product) = (0.0, 0.0);
    for output in 0..plan.outputs {
        memory.gradient.fill(0.0);
        let of_output = output * ordered..(output + 1) * ordered;
        let weights = &memory.weights[of_output.clone()];
        let (mut bias, mut begun) = (0.0, 0);
        while begun < plan.pooled_rows() * plan.pooled_columns() {
            let (count, end) = errors.list(plan, output, begun, list);
            let listed = &list[..count];
            begun = end;
            bias += listed.iter().map(|&(_, value)| value).sum::<f32>();
            add_gradient(simd, plan, listed, memory.pixels, memory.gradient);
            if wants_input {
                spread(simd, plan, listed, weights, memory.d_pixels);
            }
        }
        forget_beyond(plan, memory.gradient);
        let (total, mean) = (&mut memory.total[of_output.clone()], &memory.mean[of_output.clone()]);
        norm += f64::from(add_and_square(simd, memory.gradient, total)) + f64::from(bias * bias);
        if !sink.second_moment.is_empty() {
            for (sum, &g) in memory.squares[of_output].iter_mut().zip(&*memory.gradient) {
                *sum += g * g;
            }
            sink.second_moment[biases + output] += bias * bias;
        }
        if !sink.mean_gradient.is_empty() {
            let of_bias = f64::from(bias) * f64::from(sink.mean_gradient[biases + output]);
            inner_product += f64::from(dot(simd, memory.gradient, mean)) + of_bias;
        }
        if let Some(sum) = sink.gradient_sum.get_mut(biases + output) {
            *sum += bias;
        }
    }
    if let Some(sum) = sink.square_norms.get_mut(sample) {
        *sum += norm;
    }
    if let Some(sum) = sink.inner_products.get_mut(sample) {
        *sum += inner_product;
    }
}

/// gradient\[u\]\[..\] += Σ value · patch row u, over the listed values.
#[inline(always)]
fn add_gradient<S: Simd>(simd: S, plan: Plan, listed: &[(usize, f32)], pixels: &[f32], gradient: &mut [f32]) {
    if plan.padded_run() == S::F32_LANES {
        return match plan.kernel {
            5 => sum_rows::<S, 5>(simd, plan, listed, pixels, gradient),
            3 => sum_rows::<S, 3>(simd, plan, listed, pixels, gradient),
            _ => (0..plan.kernel).zip(gradient.chunks_exact_mut(S::F32_LANES)).for_each(|(u, gradient)| {
                sum_vectors::<S, 1>(simd, listed, &pixels[u * plan.pixel_row()..], gradient);
            }),
        };
    }
    let block = SUMMED * S::F32_LANES;
    for (u, gradient) in gradient.chunks_exact_mut(plan.padded_run()).enumerate() {
        for (place, gradient) in gradient.chunks_mut(block).enumerate() {
            let pixels = &pixels[u * plan.pixel_row() + place * block..];
            match gradient.len() / S::F32_LANES {
                SUMMED => sum_vectors::<S, SUMMED>(simd, listed, pixels, gradient),
                8.. => sum_vectors::<S, 8>(simd, listed, pixels, gradient),
                5.. => sum_vectors::<S, 5>(simd, listed, pixels, gradient),
                4 => sum_vectors::<S, 4>(simd, listed, pixels, gradient),
                2.. => sum_vectors::<S, 2>(simd, listed, pixels, gradient),
                _ => sum_vectors::<S, 1>(simd, listed, pixels, gradient),
            }
        }
    }
}

/// The first N vectors of `gradient` in registers, then what is left of it in ones of one vector.
#[inline(always)]
fn sum_vectors<S: Simd, const N: usize>(
    simd: S,
    listed: &[(usize, f32)],
    pixels: &[f32],
    gradient: &mut [f32],
) {
    let (whole, rest) = gradient.split_at_mut(N * S::F32_LANES);
    let (sums, _) = S::as_mut_simd_f32s(whole);
    let Some(sums) = sums.first_chunk_mut::<N>() else { return };
    let mut local = *sums;
    for &(start, value) in listed {
        let value = simd.splat_f32s(value);
        let (patch, _) = S::as_simd_f32s(&pixels[start..start + N * S::F32_LANES]);
        for (sum, &patch) in local.iter_mut().zip(patch) {
            *sum = simd.mul_add_e_f32s(value, patch, *sum);
        }
    }
    *sums = local;
    for (k, vector) in rest.chunks_exact_mut(S::F32_LANES).enumerate() {
        let pixels = &pixels[(N + k) * S::F32_LANES..];
        let (sums, _) = S::as_mut_simd_f32s(vector);
        let Some(sum) = sums.first_mut() else { return };
        for &(start, value) in listed {
            let (patch, _) = S::as_simd_f32s(&pixels[start..start + S::F32_LANES]);
            *sum = simd.mul_add_e_f32s(simd.splat_f32s(value), patch[0], *sum);
        }
    }
}

/// The same for N rows of one vector each.
#[inline(always)]
fn sum_rows<S: Simd, const N: usize>(
    simd: S,
    plan: Plan,
    listed: &[(usize, f32)],
    pixels: &[f32],
    gradient: &mut [f32],
) {
    let (lanes, row) = (S::F32_LANES, plan.pixel_row());
    let (sums, _) = S::as_mut_simd_f32s(gradient);
    let Some(sums) = sums.first_chunk_mut::<N>() else { return };
    let mut local = *sums;
    for &(start, value) in listed {
        let value = simd.splat_f32s(value);
        let patch = &pixels[start..start + (N - 1) * row + lanes];
        for (u, sum) in local.iter_mut().enumerate() {
            let (vector, _) = S::as_simd_f32s(&patch[u * row..u * row + lanes]);
            *sum = simd.mul_add_e_f32s(value, vector[0], *sum);
        }
    }
    *sums = local;
}

/// d_pixels at each listed value's patch += value · weights.
#[inline(always)]
fn spread<S: Simd>(simd: S, plan: Plan, listed: &[(usize, f32)], weights: &[f32], d_pixels: &mut [f32]) {
    let run = plan.padded_run();
    for &(start, value) in listed {
        let value = simd.splat_f32s(value);
        for (u, weights) in weights.chunks_exact(run).enumerate() {
            let start = start + u * plan.pixel_row();
            let (sums, _) = S::as_mut_simd_f32s(&mut d_pixels[start..start + run]);
            let (weights, _) = S::as_simd_f32s(weights);
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum = simd.mul_add_e_f32s(value, weight, *sum);
            }
        }
    }
}

/// A patch's row was summed in whole vectors: what lies behind it is no part of the gradient.
#[inline(always)]
fn forget_beyond(plan: Plan, gradient: &mut [f32]) {
    if plan.run() < plan.padded_run() {
        for row in gradient.chunks_exact_mut(plan.padded_run()) {
            row[plan.run()..].fill(0.0);
        }
    }
}

/// total += gradient; gives ‖gradient‖².
#[inline(always)]
fn add_and_square<S: Simd>(simd: S, gradient: &[f32], total: &mut [f32]) -> f32 {
    let (gradient, _) = S::as_simd_f32s(gradient);
    let (total, _) = S::as_mut_simd_f32s(total);
    let mut squares = simd.splat_f32s(0.0);
    for (sum, &g) in total.iter_mut().zip(gradient) {
        *sum = simd.add_f32s(*sum, g);
        squares = simd.mul_add_e_f32s(g, g, squares);
    }
    simd.reduce_sum_f32s(squares)
}

#[inline(always)]
fn dot<S: Simd>(simd: S, x: &[f32], y: &[f32]) -> f32 {
    let ((x, _), (y, _)) = (S::as_simd_f32s(x), S::as_simd_f32s(y));
    let mut sums = simd.splat_f32s(0.0);
    for (&x, &y) in x.iter().zip(y) {
        sums = simd.mul_add_e_f32s(x, y, sums);
    }
    simd.reduce_sum_f32s(sums)
}
