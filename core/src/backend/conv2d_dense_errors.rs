//! Convolutions in `f32` whose output gradients are mostly not zero, for any step between windows.
//!
//! No patches are formed. With zeros around it, a channel is one long run of values in which a weight's input lies at
//! the output's place plus an offset that is the weight's own (of several steps between windows, each phase of rows and
//! columns has a run of its own). The same kernel gives the outputs, and from the outputs' gradient e the input's:
//!
//! ```text
//! y[o][p]       = Σ_c,tap  w[o][c][tap] · x[c][p + offset(tap)]       8 outputs × 3 vectors of places in registers
//! dx[c][p]      = Σ_o,tap  w[o][c][tap] · e[o][p + offset'(tap)]      the same, once for each phase
//! g[tap][c][o]  = Σ_p      x[p + offset(tap)][c] · e[p][o]            8 channels × 2 vectors of outputs in registers
//! ```
//!
//! A sample's gradient g is formed with e and x transposed, so that nothing is summed across a vector, and is squared
//! and added to the others' while it is still in registers: its norm costs one multiplication per weight. Places are
//! taken as many at a time as stay in the first cache.
//!
//! A row's zeros on the right are those on the left of the next one. So outputs are computed for them too, 1 in 33 of a
//! row of 32, and dropped.
//!
//! Letters: L values of a run's row, P output places.

use core::ops::Range;

use pulp::{Simd, WithSimd};

use super::cache_line::{CACHE_LINE, Pieces};
use super::conv2d_pointwise;
use super::dispatch::Call;
use super::kernels::{BackwardOf, ForwardOf};
use super::transpose::{SQUARES, transpose, transpose_whole};
use crate::sink::Sink;
use crate::windows::Windows;

/// Most weights of a kernel.
const MOST_TAPS: usize = 128;
/// Channels of x in a transposed copy come in multiples of this.
const CHANNELS: usize = 8;
/// Most outputs that one pass computes.
const MOST_OUTPUTS: usize = 8;
/// Values that stay in the first cache.
const CACHED: usize = 9 << 10;

pub(super) fn can_do(windows: Windows) -> bool {
    windows.kernel.pow(2) <= MOST_TAPS
}

pub(super) fn scratch_len(windows: Windows) -> usize {
    let of_others = if windows.is_pointwise() { conv2d_pointwise::scratch_len(windows) } else { 0 };
    Plan::new(windows, CACHE_LINE).scratch_len().max(of_others)
}

/// Sizes for vectors of `lanes` values.
#[derive(Clone, Copy)]
struct Plan {
    lanes: usize,
    channels: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    /// Rows and columns of the input and of the output.
    input: [usize; 2],
    output: [usize; 2],
}

/// Runs of values with zeros around, one for each channel and phase.
#[derive(Clone, Copy)]
struct Grid {
    /// L.
    row: usize,
    /// Values of a run.
    run: usize,
}

/// What is in a run, and where: of one phase of rows or columns those that come from inside the image.
#[derive(Clone, Copy)]
struct Inside {
    start: usize,
    end: usize,
}

impl Inside {
    const fn len(self) -> usize {
        self.end - self.start
    }
}

/// Offsets of a kernel's weights, with their places in it.
struct Taps {
    offsets: [usize; MOST_TAPS],
    weights: [usize; MOST_TAPS],
    len: usize,
}

impl Taps {
    const fn none() -> Self {
        Self { offsets: [0; MOST_TAPS], weights: [0; MOST_TAPS], len: 0 }
    }

    fn push(&mut self, offset: usize, weight: usize) {
        self.offsets[self.len] = offset;
        self.weights[self.len] = weight;
        self.len += 1;
    }

    fn offsets(&self) -> &[usize] {
        &self.offsets[..self.len]
    }

    fn weights(&self) -> &[usize] {
        &self.weights[..self.len]
    }
}

impl Plan {
    fn new(windows: Windows, lanes: usize) -> Self {
        let Windows { input, output, kernel, stride, padding } = windows;
        let [channels, outputs, height, width, rows, columns] =
            [input.channels, output.channels, input.height, input.width, output.height, output.width]
                .map(|size| size as usize);
        let (input, output) = ([height, width], [rows, columns]);
        Self { lanes, channels, outputs, kernel, stride, padding, input, output }
    }

    /// Values of a sample.
    fn image(&self) -> usize {
        self.channels * self.input[0] * self.input[1]
    }

    /// P.
    fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    fn weights(&self) -> usize {
        self.outputs * self.channels * self.taps()
    }

    fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Phases of rows, and as many of columns.
    fn phases(&self) -> usize {
        self.stride.min(self.kernel)
    }

    /// Steps from a phase's first weight to its last.
    fn reach(&self, phase: usize) -> usize {
        (self.kernel - 1 - phase) / self.stride
    }

    /// What of a phase comes from inside the image. The i-th value is i·stride + phase − padding of the image.
    fn inside(&self, phase: usize, len: usize) -> Inside {
        let start = self.padding.saturating_sub(phase).div_ceil(self.stride);
        let end = (len + self.padding).saturating_sub(phase).div_ceil(self.stride);
        Inside { start, end: end.max(start) }
    }

    /// The same without what no window reaches.
    fn reached(&self, phase: usize, axis: usize) -> Inside {
        let Inside { start, end } = self.inside(phase, self.input[axis]);
        let end = end.min(self.output[axis] + self.reach(phase));
        Inside { start: start.min(end), end }
    }

    /// Runs of x. A place beyond a row's end is one of the zeros that the next one begins with.
    fn inputs(&self) -> Grid {
        let columns = self.output[1];
        let of_phase = |phase| {
            let inside = self.reached(phase, 1);
            (columns + self.reach(phase)).saturating_sub(inside.start).max(inside.end)
        };
        let row = (0..self.phases()).map(of_phase).max().unwrap_or(0).max(columns);
        let reach = self.reach(0);
        Grid { row, run: (self.output[0] + reach) * row + reach + self.lanes }
    }

    /// Offsets into the runs of x.
    fn input_taps(&self) -> Taps {
        let (grid, phases) = (self.inputs(), self.phases());
        let mut taps = Taps::none();
        for u in 0..self.kernel {
            for v in 0..self.kernel {
                let phase = u % self.stride * phases + v % self.stride;
                let offset = phase * grid.run + u / self.stride * grid.row + v / self.stride;
                taps.push(offset, u * self.kernel + v);
            }
        }
        taps
    }

    /// Zeros on the left of e, and above it.
    fn margin(&self) -> usize {
        let of_phase = |phase| self.reach(phase).saturating_sub(self.inside(phase, 0).start);
        (0..self.phases()).map(of_phase).max().unwrap_or(0)
    }

    /// Runs of e.
    fn errors(&self) -> Grid {
        let margin = self.margin();
        let end = |axis: usize| {
            let ends = (0..self.phases()).map(|phase| self.inside(phase, self.input[axis]).end);
            ends.max().unwrap_or(0)
        };
        let row = (margin + self.output[1]).max(end(1));
        Grid { row, run: (end(0).max(self.output[0]) + margin) * row + margin + self.lanes }
    }

    /// Offsets into the runs of e, for one phase of the input's gradient.
    fn error_taps(&self, phase: [usize; 2]) -> Taps {
        let (grid, margin) = (self.errors(), self.margin());
        let [first_row, first_column] = phase.map(|phase| self.inside(phase, 0).start + margin);
        let mut taps = Taps::none();
        for u in (phase[0]..self.kernel).step_by(self.stride) {
            for v in (phase[1]..self.kernel).step_by(self.stride) {
                let [up, left] = [u / self.stride, v / self.stride];
                taps.push((first_row - up) * grid.row + first_column - left, u * self.kernel + v);
            }
        }
        taps
    }

    /// x, with its channels as they are or innermost.
    fn input_values(&self, channels: usize) -> usize {
        channels * self.phases().pow(2) * self.inputs().run
    }

    fn padded_channels(&self) -> usize {
        self.channels.next_multiple_of(CHANNELS)
    }

    fn padded_outputs(&self) -> usize {
        self.outputs.next_multiple_of(self.lanes)
    }

    /// A gradient in the order that it is summed in, \[tap\]\[c\]\[o\].
    fn ordered(&self) -> usize {
        self.taps() * self.padded_channels() * self.padded_outputs()
    }

    /// Outputs of some channels, row by row of a grid.
    fn strip(&self, rows: usize, grid: Grid) -> usize {
        rows * grid.row + self.lanes
    }

    fn scratch_len(&self) -> usize {
        let (inputs, errors) = (self.inputs(), self.errors());
        let packed =
            |outputs: usize, others: usize| outputs.next_multiple_of(MOST_OUTPUTS) * others * self.taps();
        let forward = packed(self.outputs, self.channels)
            + self.input_values(self.channels)
            + MOST_OUTPUTS * self.strip(self.output[0], inputs);
        let input_gradient = packed(self.channels, self.outputs)
            + self.outputs * errors.run
            + MOST_OUTPUTS * self.strip(self.input[0], errors);
        let transposed = self.input_values(self.padded_channels()) + self.positions() * self.padded_outputs();
        forward.max(input_gradient + transposed + 4 * self.ordered()) + SQUARES + 8 * CACHE_LINE
    }

    /// Calls `visit` with every weight's place in the tensor and in the order of sums.
    fn each_weight(&self, mut visit: impl FnMut(usize, usize)) {
        let (taps, channels, outputs) = (self.taps(), self.padded_channels(), self.padded_outputs());
        // A cache line's outputs at a time.
        for first in (0..self.outputs).step_by(CACHE_LINE) {
            for c in 0..self.channels {
                for o in first..self.outputs.min(first + CACHE_LINE) {
                    for tap in 0..taps {
                        visit((o * self.channels + c) * taps + tap, (tap * channels + c) * outputs + o);
                    }
                }
            }
        }
    }

    /// Calls `visit` with every run of a row that is read from inside the image: where it lies in a channel, where in
    /// the channel's runs, and how long it is.
    fn each_row(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let (grid, phases) = (self.inputs(), self.phases());
        for a in 0..phases {
            for b in 0..phases {
                let (rows, columns) = (self.reached(a, 0), self.reached(b, 1));
                if columns.len() == 0 {
                    continue;
                }
                let first = columns.start * self.stride + b - self.padding;
                for i in rows.start..rows.end {
                    let y = i * self.stride + a - self.padding;
                    let place = (a * phases + b) * grid.run + i * grid.row + columns.start;
                    visit(y * self.input[1] + first, place, columns.len());
                }
            }
        }
    }
}

impl WithSimd for Call<'_, Windows, ForwardOf<'_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes: windows, of, scratch } = self;
        if windows.is_pointwise() {
            return conv2d_pointwise::forward(simd, windows, of, scratch);
        }
        let ForwardOf { parameters, x, y } = of;
        let plan = Plan::new(windows, S::F32_LANES);
        let ([_, columns], positions) = (plan.output, plan.positions());
        sum_outputs(simd, windows, parameters, x, scratch, |sample, output, sums, row| {
            let y = &mut y[(sample * plan.outputs + output) * positions..][..positions];
            for (y, sums) in y.chunks_exact_mut(columns).zip(sums.chunks_exact(row)) {
                copy(simd, &sums[..columns], y);
            }
        });
    }
}

/// A convolution's outputs, one after the other: `finish(sample, output, sums, row)` is given each with what lies in its
/// rows' rests, `row` values a row.
#[inline(always)]
pub(super) fn sum_outputs<S: Simd>(
    simd: S,
    windows: Windows,
    parameters: &[f32],
    x: &[f32],
    scratch: &mut [f32],
    finish: impl FnMut(usize, usize, &[f32], usize),
) {
    let plan = Plan::new(windows, S::F32_LANES);
    // What fits the registers.
    if S::F32_LANES >= CACHE_LINE {
        sum_blocks::<S, 8, 3>(simd, plan, parameters, x, scratch, finish);
    } else {
        sum_blocks::<S, 4, 2>(simd, plan, parameters, x, scratch, finish);
    }
}

#[inline(always)]
fn sum_blocks<S: Simd, const OUTPUTS: usize, const VECTORS: usize>(
    simd: S,
    plan: Plan,
    parameters: &[f32],
    x: &[f32],
    scratch: &mut [f32],
    mut finish: impl FnMut(usize, usize, &[f32], usize),
) {
    let grid = plan.inputs();
    let [rows, columns] = plan.output;
    let mut pieces = Pieces::of(scratch);
    let packed = pieces.take(plan.outputs.next_multiple_of(OUTPUTS) * plan.channels * plan.taps());
    let values = pieces.take(plan.input_values(plan.channels));
    let strip_len = plan.strip(rows, grid);
    let strips = pieces.take(OUTPUTS * strip_len);
    let square = pieces.take(SQUARES);
    let (weights, bias) = parameters.split_at(plan.weights());
    let taps = plan.input_taps();
    // Of OUTPUTS outputs side by side.
    packed.fill(0.0);
    let len = plan.channels * plan.taps();
    for (weights, packed) in weights.chunks(OUTPUTS * len).zip(packed.chunks_exact_mut(OUTPUTS * len)) {
        transpose::<OUTPUTS>(weights, len, packed, OUTPUTS, square);
    }
    values.fill(0.0);
    for (sample, x) in x.chunks_exact(plan.image()).enumerate() {
        spread_rows(simd, plan, x, values);
        let blocks = packed.chunks_exact(OUTPUTS * plan.channels * plan.taps());
        for (weights, output) in blocks.zip((0..plan.outputs).step_by(OUTPUTS)) {
            let first: [f32; OUTPUTS] =
                core::array::from_fn(|i| bias.get(output + i).copied().unwrap_or(0.0));
            let channel = plan.phases().pow(2) * grid.run;
            let sum = Correlation { simd, weights, offsets: taps.offsets(), values, channel, first };
            sum.run::<VECTORS>((rows - 1) * grid.row + columns, strips, strip_len);
            for (output, sums) in (output..plan.outputs).zip(strips.chunks_exact(strip_len)) {
                finish(sample, output, sums, grid.row);
            }
        }
    }
}

/// Copies an image into its runs. What is around it stays as it is.
// Where vectors are not found at run time, one copy for all callers will do.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
fn spread_rows<S: Simd>(simd: S, plan: Plan, x: &[f32], values: &mut [f32]) {
    let runs = values.chunks_exact_mut(plan.phases().pow(2) * plan.inputs().run);
    for (x, values) in x.chunks_exact(plan.input[0] * plan.input[1]).zip(runs) {
        plan.each_row(|from, to, len| {
            let values = &mut values[to..to + len];
            if plan.stride == 1 {
                copy(simd, &x[from..from + len], values);
            } else {
                for (value, &x) in values.iter_mut().zip(x[from..].iter().step_by(plan.stride)) {
                    *value = x;
                }
            }
        });
    }
}

// Where vectors are not found at run time, one copy for all callers will do.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
fn copy<S: Simd>(simd: S, from: &[f32], to: &mut [f32]) {
    let (from, from_rest) = S::as_simd_f32s(from);
    let (to, to_rest) = S::as_mut_simd_f32s(to);
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
    if !to_rest.is_empty() {
        simd.partial_store_f32s(to_rest, simd.partial_load_f32s(from_rest));
    }
}

// Where vectors are not found at run time, one copy for all callers will do.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
fn add<S: Simd>(simd: S, from: &[f32], to: &mut [f32]) {
    let (from, from_rest) = S::as_simd_f32s(from);
    let (to, to_rest) = S::as_mut_simd_f32s(to);
    for (to, &from) in to.iter_mut().zip(from) {
        *to = simd.add_f32s(*to, from);
    }
    if !to_rest.is_empty() {
        let sum = simd.add_f32s(simd.partial_load_f32s(to_rest), simd.partial_load_f32s(from_rest));
        simd.partial_store_f32s(to_rest, sum);
    }
}

/// Weighted sums of runs for up to `OUTPUTS` outputs.
#[derive(Clone, Copy)]
struct Correlation<'a, S, const OUTPUTS: usize> {
    simd: S,
    /// Channel by channel, offset by offset.
    weights: &'a [f32],
    offsets: &'a [usize],
    values: &'a [f32],
    /// Values from one channel to the next.
    channel: usize,
    /// What the sums begin with.
    first: [f32; OUTPUTS],
}

impl<S: Simd, const OUTPUTS: usize> Correlation<'_, S, OUTPUTS> {
    /// The sums at the first `len` places, rounded up to whole vectors, into one strip for each output.
    // Where vectors are not found at run time, one copy for all callers will do.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn run<const VECTORS: usize>(self, len: usize, strips: &mut [f32], strip: usize) {
        let vectors = len.div_ceil(S::F32_LANES);
        let whole = vectors / VECTORS * VECTORS;
        for vector in (0..whole).step_by(VECTORS) {
            self.at::<VECTORS>(vector * S::F32_LANES, strips, strip);
        }
        match vectors - whole {
            0 => {}
            1 => self.at::<1>(whole * S::F32_LANES, strips, strip),
            _ if VECTORS > 2 => self.at::<2>(whole * S::F32_LANES, strips, strip),
            _ => {}
        }
    }

    /// The sums at `VECTORS` vectors of places.
    #[inline(always)]
    fn at<const VECTORS: usize>(self, place: usize, strips: &mut [f32], strip: usize) {
        let Self { simd, weights, offsets, values, channel, first } = self;
        let mut sums = first.map(|first| [simd.splat_f32s(first); VECTORS]);
        let of_channels = weights.chunks_exact(offsets.len() * OUTPUTS);
        for (weights, values) in of_channels.zip(values.chunks_exact(channel)) {
            let values = &values[place..];
            let (weights, _) = weights.as_chunks::<OUTPUTS>();
            for (&offset, weights) in offsets.iter().zip(weights) {
                let (values, _) = S::as_simd_f32s(&values[offset..offset + VECTORS * S::F32_LANES]);
                let Some(values) = values.first_chunk::<VECTORS>() else { return };
                for (sums, &weight) in sums.iter_mut().zip(weights) {
                    let weight = simd.splat_f32s(weight);
                    for (sum, &value) in sums.iter_mut().zip(values) {
                        *sum = simd.mul_add_e_f32s(weight, value, *sum);
                    }
                }
            }
        }
        for (sums, strip) in sums.iter().zip(strips.chunks_exact_mut(strip)) {
            let (strip, _) = S::as_mut_simd_f32s(&mut strip[place..place + VECTORS * S::F32_LANES]);
            strip.copy_from_slice(sums);
        }
    }
}

impl WithSimd for Call<'_, Windows, BackwardOf<'_, '_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes: windows, of, scratch } = self;
        if windows.is_pointwise() {
            return conv2d_pointwise::backward(simd, windows, of, scratch);
        }
        let BackwardOf { parameters, x, dy, dx, sink, .. } = of;
        let plan = Plan::new(windows, S::F32_LANES);
        weight_gradient(simd, plan, x, dy, parameters.len() > plan.weights(), sink, scratch);
        if let Some(dx) = dx {
            if S::F32_LANES >= CACHE_LINE {
                input_gradient::<S, 8, 3>(simd, plan, parameters, dy, dx, scratch);
            } else {
                input_gradient::<S, 4, 2>(simd, plan, parameters, dy, dx, scratch);
            }
        }
    }
}

#[inline(always)]
fn input_gradient<S: Simd, const OUTPUTS: usize, const VECTORS: usize>(
    simd: S,
    plan: Plan,
    parameters: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    scratch: &mut [f32],
) {
    let (grid, margin, phases) = (plan.errors(), plan.margin(), plan.phases());
    let [rows, columns] = plan.output;
    let mut pieces = Pieces::of(scratch);
    let packed = pieces.take(plan.channels.next_multiple_of(OUTPUTS) * plan.outputs * plan.taps());
    let values = pieces.take(plan.outputs * grid.run);
    let strip_len = plan.strip(plan.input[0], grid);
    let strip = pieces.take(OUTPUTS * strip_len);
    let blocks = plan.channels.div_ceil(OUTPUTS);
    // Phase by phase.
    let mut rest = &mut *packed;
    for phase in 0..phases * phases {
        let taps = plan.error_taps([phase / phases, phase % phases]);
        let (of_phase, others) = rest.split_at_mut(blocks * OUTPUTS * plan.outputs * taps.len);
        pack_for_input::<OUTPUTS>(plan, taps.weights(), parameters, of_phase);
        rest = others;
    }
    values.fill(0.0);
    let plane = plan.input[0] * plan.input[1];
    let samples = dy.chunks_exact(plan.outputs * plan.positions()).zip(dx.chunks_exact_mut(plan.image()));
    for (dy, dx) in samples {
        for (dy, values) in dy.chunks_exact(plan.positions()).zip(values.chunks_exact_mut(grid.run)) {
            let values = values[margin * grid.row + margin..].chunks_mut(grid.row);
            for (dy, values) in dy.chunks_exact(columns).zip(values.take(rows)) {
                copy(simd, dy, &mut values[..columns]);
            }
        }
        let mut rest = &*packed;
        for phase in 0..phases * phases {
            let phase = [phase / phases, phase % phases];
            let taps = plan.error_taps(phase);
            let (of_phase, others) = rest.split_at(blocks * OUTPUTS * plan.outputs * taps.len);
            rest = others;
            let (down, right) = (plan.inside(phase[0], plan.input[0]), plan.inside(phase[1], plan.input[1]));
            if down.len() == 0 || right.len() == 0 {
                continue;
            }
            let first = (down.start * plan.stride + phase[0] - plan.padding) * plan.input[1]
                + (right.start * plan.stride + phase[1] - plan.padding);
            let blocks = of_phase.chunks_exact(OUTPUTS * plan.outputs * taps.len);
            for (weights, dx) in blocks.zip(dx.chunks_mut(OUTPUTS * plane)) {
                let (offsets, channel) = (taps.offsets(), grid.run);
                let sum = Correlation { simd, weights, offsets, values, channel, first: [0.0; OUTPUTS] };
                sum.run::<VECTORS>((down.len() - 1) * grid.row + right.len(), strip, strip_len);
                for (dx, strip) in dx.chunks_exact_mut(plane).zip(strip.chunks_exact(strip_len)) {
                    let rows = dx[first..].chunks_mut(plan.stride * plan.input[1]);
                    for (dx, strip) in rows.zip(strip.chunks_exact(grid.row)).take(down.len()) {
                        let strip = &strip[..right.len()];
                        if plan.stride == 1 {
                            add(simd, strip, &mut dx[..right.len()]);
                        } else {
                            for (dx, &value) in dx.iter_mut().step_by(plan.stride).zip(strip) {
                                *dx += value;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A phase's weights, of `OUTPUTS` channels side by side, output by output; zeros where there is no such channel.
#[inline(always)]
fn pack_for_input<const OUTPUTS: usize>(plan: Plan, taps: &[usize], weights: &[f32], packed: &mut [f32]) {
    let of_output = plan.channels * plan.taps();
    let blocks = packed.chunks_exact_mut(OUTPUTS * plan.outputs * taps.len());
    for (packed, first) in blocks.zip((0..).step_by(OUTPUTS)) {
        let count = OUTPUTS.min(plan.channels - first);
        let (packed, _) = packed.as_chunks_mut::<OUTPUTS>();
        for (weights, packed) in weights.chunks_exact(of_output).zip(packed.chunks_exact_mut(taps.len())) {
            let weights = &weights[first * plan.taps()..(first + count) * plan.taps()];
            for (&tap, packed) in taps.iter().zip(packed) {
                packed[count..].fill(0.0);
                for (packed, weights) in packed.iter_mut().zip(weights.chunks_exact(plan.taps())) {
                    *packed = weights[tap];
                }
            }
        }
    }
}

/// Scratch memory of the weights' gradient, in the order of sums.
struct Memory<'a> {
    /// x and e with channels innermost.
    x: &'a mut [f32],
    e: &'a mut [f32],
    /// One sample's gradient, as far as it is summed.
    partial: &'a mut [f32],
    /// Σ gᵢ and Σ gᵢ² over the micro-batch.
    total: &'a mut [f32],
    squares: &'a mut [f32],
    /// ḡ.
    mean: &'a mut [f32],
}

#[inline(always)]
fn weight_gradient<S: Simd>(
    simd: S,
    plan: Plan,
    x: &[f32],
    dy: &[f32],
    has_bias: bool,
    sink: &mut Sink<'_, f32>,
    scratch: &mut [f32],
) {
    let only_sum = sink.only_sum();
    if only_sum && sink.gradient_sum.is_empty() {
        return;
    }
    let mut pieces = Pieces::of(scratch);
    let square = pieces.take(SQUARES);
    let memory = &mut Memory {
        x: pieces.take(plan.input_values(plan.padded_channels())),
        e: pieces.take(plan.positions() * plan.padded_outputs()),
        partial: pieces.take(plan.ordered()),
        total: pieces.take(plan.ordered()),
        squares: pieces.take(plan.ordered()),
        mean: pieces.take(plan.ordered()),
    };
    memory.x.fill(0.0);
    memory.e.fill(0.0);
    memory.total.fill(0.0);
    if !sink.second_moment.is_empty() {
        memory.squares.fill(0.0);
    }
    if !sink.mean_gradient.is_empty() {
        memory.mean.fill(0.0);
        plan.each_weight(|plain, ordered| memory.mean[ordered] = sink.mean_gradient[plain]);
    }
    let taps = plan.input_taps();
    let (squares, mean) = (!sink.second_moment.is_empty(), !sink.mean_gradient.is_empty());
    let asked = Asked { only_sum, squares, mean };
    let samples = x.chunks_exact(plan.image()).zip(dy.chunks_exact(plan.outputs * plan.positions()));
    for (sample, (x, dy)) in samples.enumerate() {
        transpose_rows(plan, x, memory.x, square);
        transpose::<CHANNELS>(dy, plan.positions(), memory.e, plan.padded_outputs(), square);
        let [mut norm, mut inner_product] = sum_sample(simd, plan, taps.offsets(), memory, asked);
        if has_bias {
            for (output, e) in dy.chunks_exact(plan.positions()).enumerate() {
                let (place, bias) = (plan.weights() + output, sum(simd, e));
                norm += f64::from(bias) * f64::from(bias);
                if let Some(mean) = sink.mean_gradient.get(place) {
                    inner_product += f64::from(bias) * f64::from(*mean);
                }
                if let Some(sum) = sink.gradient_sum.get_mut(place) {
                    *sum += bias;
                }
                if let Some(sum) = sink.second_moment.get_mut(place) {
                    *sum += bias * bias;
                }
            }
        }
        if let Some(sum) = sink.square_norms.get_mut(sample) {
            *sum += norm;
        }
        if let Some(sum) = sink.inner_products.get_mut(sample) {
            *sum += inner_product;
        }
    }
    if !sink.gradient_sum.is_empty() {
        plan.each_weight(|plain, ordered| sink.gradient_sum[plain] += memory.total[ordered]);
    }
    if !sink.second_moment.is_empty() {
        plan.each_weight(|plain, ordered| sink.second_moment[plain] += memory.squares[ordered]);
    }
}

/// What of a sample's gradient is asked for.
#[derive(Clone, Copy)]
struct Asked {
    only_sum: bool,
    squares: bool,
    mean: bool,
}

/// Copies an image into its runs, channels innermost. What is around it stays as it is.
#[inline(always)]
fn transpose_rows(plan: Plan, x: &[f32], values: &mut [f32], square: &mut [f32]) {
    let (channels, plane) = (plan.padded_channels(), plan.input[0] * plan.input[1]);
    let groups = x.chunks(CHANNELS * plane);
    for (group, x) in groups.enumerate() {
        let count = x.len() / plane;
        plan.each_row(|from, to, len| {
            let values = &mut values[to * channels + group * CHANNELS..];
            let row = |i: usize| &x[i * plane + from..][..(len - 1) * plan.stride + 1];
            if count == CHANNELS && plan.stride == 1 {
                transpose_whole(core::array::from_fn::<_, CHANNELS, _>(row), values, channels, square);
            } else {
                for i in 0..count {
                    let pixels = values.chunks_mut(channels);
                    for (pixel, &value) in pixels.zip(row(i).iter().step_by(plan.stride)) {
                        pixel[i] = value;
                    }
                }
            }
        });
    }
}

#[inline(always)]
pub(super) fn sum<S: Simd>(simd: S, values: &[f32]) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(values);
    let mut sum = simd.partial_load_f32s(rest);
    for &vector in vectors {
        sum = simd.add_f32s(sum, vector);
    }
    simd.reduce_sum_f32s(sum)
}

/// One sample's gradient, tile by tile: formed, used and forgotten. Gives its square norm and its inner product with ḡ.
#[inline(always)]
fn sum_sample<S: Simd>(
    simd: S,
    plan: Plan,
    offsets: &[usize],
    memory: &mut Memory<'_>,
    asked: Asked,
) -> [f64; 2] {
    let [rows, columns] = plan.output;
    let of_row = columns * plan.padded_outputs() + plan.inputs().row * plan.padded_channels();
    let blocks = rows.div_ceil((CACHED / of_row).max(1));
    let of_block = rows.div_ceil(blocks);
    let mut sums = [0.0; 2];
    for begin in (0..rows).step_by(of_block) {
        let rows = begin..rows.min(begin + of_block);
        let (is_first, is_last) = (begin == 0, rows.end == plan.output[0]);
        let block = TileRows { simd, plan, row: plan.inputs().row, rows, is_first, is_last, asked };
        for (tap, &offset) in offsets.iter().enumerate() {
            let mut first_channel = 0;
            while first_channel < plan.padded_channels() {
                let channels = block.tiles(tap, offset, first_channel, memory, &mut sums);
                first_channel += channels;
            }
        }
    }
    sums
}

/// Some rows of places that tiles of a gradient are summed over.
struct TileRows<S> {
    simd: S,
    plan: Plan,
    /// L.
    row: usize,
    rows: Range<usize>,
    is_first: bool,
    is_last: bool,
    asked: Asked,
}

impl<S: Simd> TileRows<S> {
    /// The tiles of one tap and some channels, over all outputs. Gives how many channels.
    #[inline(always)]
    fn tiles(
        &self,
        tap: usize,
        offset: usize,
        channel: usize,
        memory: &mut Memory<'_>,
        sums: &mut [f64; 2],
    ) -> usize {
        let vectors = self.plan.padded_outputs() / S::F32_LANES;
        let channels = self.plan.padded_channels() - channel;
        let is_wide = S::F32_LANES >= CACHE_LINE;
        if is_wide && vectors == 1 && channels >= 16 {
            self.tile::<16, 1>(tap, offset, channel, 0, memory, sums);
            return 16;
        }
        let count = if is_wide { CHANNELS } else { CHANNELS / 2 };
        for vector in (0..vectors).step_by(2) {
            match (is_wide, vectors - vector) {
                (true, 1) => self.tile::<8, 1>(tap, offset, channel, vector, memory, sums),
                (true, _) => self.tile::<8, 2>(tap, offset, channel, vector, memory, sums),
                (false, 1) => self.tile::<4, 1>(tap, offset, channel, vector, memory, sums),
                (false, _) => self.tile::<4, 2>(tap, offset, channel, vector, memory, sums),
            }
        }
        count
    }

    /// g\[tap\]\[J channels\]\[K vectors of outputs\].
    #[inline(always)]
    fn tile<const J: usize, const K: usize>(
        &self,
        tap: usize,
        offset: usize,
        channel: usize,
        vector: usize,
        memory: &mut Memory<'_>,
        found: &mut [f64; 2],
    ) {
        let Self { simd, plan, .. } = *self;
        let (channels, outputs, columns) = (plan.padded_channels(), plan.padded_outputs(), plan.output[1]);
        let output = vector * S::F32_LANES;
        let start = (tap * channels + channel) * outputs + output;
        let len = (J - 1) * outputs + K * S::F32_LANES;
        let partial = if self.asked.only_sum { &mut *memory.total } else { &mut *memory.partial };
        let partial = &mut partial[start..start + len];
        let mut sums = [[simd.splat_f32s(0.0); K]; J];
        if !self.is_first || self.asked.only_sum {
            load(simd, partial, outputs, &mut sums);
        }
        for r in self.rows.clone() {
            let e = &memory.e[r * columns * outputs..(r + 1) * columns * outputs];
            let x = &memory.x[(offset + r * self.row) * channels..];
            for (e, x) in e.chunks_exact(outputs).zip(x.chunks_exact(channels)) {
                let (e, _) = S::as_simd_f32s(&e[output..output + K * S::F32_LANES]);
                let Some(e) = e.first_chunk::<K>() else { return };
                let Some(x) = x[channel..].first_chunk::<J>() else { return };
                for (sums, &x) in sums.iter_mut().zip(x) {
                    let x = simd.splat_f32s(x);
                    for (sum, &e) in sums.iter_mut().zip(e) {
                        *sum = simd.mul_add_e_f32s(x, e, *sum);
                    }
                }
            }
        }
        if !self.is_last || self.asked.only_sum {
            return store(simd, &sums, partial, outputs);
        }
        let mut squares = simd.splat_f32s(0.0);
        let total = &mut memory.total[start..start + len];
        for (sums, total) in sums.iter().zip(total.chunks_mut(outputs)) {
            let (total, _) = S::as_mut_simd_f32s(total);
            for (&sum, total) in sums.iter().zip(total) {
                squares = simd.mul_add_e_f32s(sum, sum, squares);
                *total = simd.add_f32s(*total, sum);
            }
        }
        found[0] += f64::from(simd.reduce_sum_f32s(squares));
        if self.asked.squares {
            for (sums, squares) in sums.iter().zip(memory.squares[start..start + len].chunks_mut(outputs)) {
                let (squares, _) = S::as_mut_simd_f32s(squares);
                for (&sum, square) in sums.iter().zip(squares) {
                    *square = simd.mul_add_e_f32s(sum, sum, *square);
                }
            }
        }
        if self.asked.mean {
            let mut products = simd.splat_f32s(0.0);
            for (sums, mean) in sums.iter().zip(memory.mean[start..start + len].chunks(outputs)) {
                let (mean, _) = S::as_simd_f32s(mean);
                for (&sum, &mean) in sums.iter().zip(mean) {
                    products = simd.mul_add_e_f32s(sum, mean, products);
                }
            }
            found[1] += f64::from(simd.reduce_sum_f32s(products));
        }
    }
}

#[inline(always)]
fn load<S: Simd, const J: usize, const K: usize>(
    _: S,
    values: &[f32],
    row: usize,
    sums: &mut [[S::f32s; K]; J],
) {
    for (sums, values) in sums.iter_mut().zip(values.chunks(row)) {
        let (values, _) = S::as_simd_f32s(values);
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum = value;
        }
    }
}

#[inline(always)]
fn store<S: Simd, const J: usize, const K: usize>(
    _: S,
    sums: &[[S::f32s; K]; J],
    values: &mut [f32],
    row: usize,
) {
    for (sums, values) in sums.iter().zip(values.chunks_mut(row)) {
        let (values, _) = S::as_mut_simd_f32s(values);
        for (&sum, value) in sums.iter().zip(values) {
            *value = sum;
        }
    }
}
