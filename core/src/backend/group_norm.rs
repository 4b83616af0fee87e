//! Group normalisation in `f32`.
//!
//! The reference sums in `f64`, one value after the other. Here up to [`SUMMED`] values are summed in `f32`, in
//! [`LANES`] running sums, each of which is rounded a few dozen times at most; what they give is summed in `f64`. The
//! loops are plain ones, compiled for the machine's vectors: the same bits on each.

use pulp::{Simd, WithSimd};

use super::GroupNormSizes;
use super::dispatch::Call;
use super::kernels::{BackwardOf, ForwardOf, NormalisedBackwardOf, NormalisedOf};

/// Values that are summed without widening.
const SUMMED: usize = 1024;
/// Running sums: vectors of them, and more than one, because each addition waits for the last.
const LANES: usize = 32;

/// One gradient.
pub(super) fn scratch_len(sizes: GroupNormSizes) -> usize {
    2 * sizes.channels
}

impl WithSimd for Call<'_, GroupNormSizes, NormalisedOf<'_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { sizes, of: NormalisedOf { layer, rectified }, .. } = self;
        let ForwardOf { parameters, x, y } = layer;
        let (weights, biases) = parameters.split_at(sizes.channels);
        // As [`crate::layer::Relu`]: a NaN stays one.
        let least = if rectified { 0.0 } else { f32::NEG_INFINITY };
        let groups = x.chunks_exact(sizes.group()).zip(y.chunks_exact_mut(sizes.group()));
        for (index, (x, y)) in groups.enumerate() {
            let normal = Normal::of(x);
            let planes = x.chunks_exact(sizes.plane).zip(y.chunks_exact_mut(sizes.plane));
            for (channel, (x, y)) in sizes.channels_of(index).zip(planes) {
                let (weight, bias) = (weights[channel], biases[channel]);
                for (y, &x) in y.iter_mut().zip(x) {
                    let value = weight * normal.of_value(x) + bias;
                    *y = if value < least { least } else { value };
                }
            }
        }
    }
}

impl WithSimd for Call<'_, GroupNormSizes, NormalisedBackwardOf<'_, '_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { sizes, of: NormalisedBackwardOf { layer, rectified }, scratch } = self;
        let BackwardOf { parameters, x, dy, dx, sink, .. } = layer;
        let sample = sizes.channels * sizes.plane;
        let gradient = &mut scratch[..scratch_len(sizes)];
        let mut dx = dx.map(|dx| dx.chunks_exact_mut(sample));
        // Without a ReLU its input stands for its outputs, and all of that is above the threshold.
        let outputs = rectified.unwrap_or(x).chunks_exact(sample);
        let threshold = if rectified.is_some() { 0.0 } else { f32::NEG_INFINITY };
        let samples = x.chunks_exact(sample).zip(dy.chunks_exact(sample)).zip(outputs);
        for (index, ((x, dy), y)) in samples.enumerate() {
            let dx = dx.as_mut().and_then(Iterator::next).unwrap_or_default();
            backward_sample(sizes, parameters, [x, dy, y], threshold, dx, gradient);
            sink.add(index, gradient);
        }
    }
}

/// The gradient of the parameters, and what is added to dx, unless that is empty. Of the gradient that is given only what
/// belongs to a y above the threshold is one of the layer's output.
#[inline(always)]
fn backward_sample(
    sizes: GroupNormSizes,
    parameters: &[f32],
    [x, dy, y]: [&[f32]; 3],
    threshold: f32,
    dx: &mut [f32],
    gradient: &mut [f32],
) {
    let error = |e: f32, y: f32| if y > threshold { e } else { 0.0 };
    let (of_weights, of_biases) = gradient.split_at_mut(sizes.channels);
    for (index, begin) in (0..x.len()).step_by(sizes.group()).enumerate() {
        let group = begin..begin + sizes.group();
        let normal = Normal::of(&x[group.clone()]);
        let planes = || sizes.channels_of(index).zip(group.clone().step_by(sizes.plane));
        let [mut mean, mut along] = [0.0; 2];
        for (channel, begin) in planes() {
            let [x, dy, y] = [x, dy, y].map(|values| &values[begin..begin + sizes.plane]);
            let [of_bias, of_weight] = sums([x, dy, y], |[x, e, y]| {
                let e = error(e, y);
                [e, e * normal.of_value(x)]
            });
            (of_weights[channel], of_biases[channel]) = (of_weight as f32, of_bias as f32);
            let weight = f64::from(parameters[channel]);
            mean += weight * of_bias;
            along += weight * of_weight;
        }
        if dx.is_empty() {
            continue;
        }
        let [mean, along] = [mean, along].map(|sum| (sum / sizes.group() as f64) as f32);
        for (channel, begin) in planes() {
            let plane = begin..begin + sizes.plane;
            let [x, dy, y] = [x, dy, y].map(|values| &values[plane.clone()]);
            let weight = parameters[channel];
            for (((dx, &x), &e), &y) in dx[plane].iter_mut().zip(x).zip(dy).zip(y) {
                *dx += normal.inverse * (weight * error(e, y) - mean - normal.of_value(x) * along);
            }
        }
    }
}

/// Mean and 1/√(σ² + ε) of a group.
#[derive(Clone, Copy)]
struct Normal {
    mean: f32,
    inverse: f32,
}

impl Normal {
    /// With the biased variance.
    // Where vectors are not found at run time, one copy for all callers will do.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn of(x: &[f32]) -> Self {
        let count = x.len() as f64;
        let [mean] = sums([x], |[x]| [x]).map(|sum| sum / count);
        // Around the nearest float. How far the mean is from that is taken off.
        let centre = mean as f32;
        let [squares] = sums([x], |[x]| [(x - centre) * (x - centre)]);
        let off = mean - f64::from(centre);
        let variance = squares / count - off * off;
        Self { mean: centre, inverse: (1.0 / (variance + GroupNormSizes::EPSILON).sqrt()) as f32 }
    }

    /// x̂.
    #[inline(always)]
    fn of_value(self, x: f32) -> f32 {
        (x - self.mean) * self.inverse
    }
}

/// Sums of terms of equally long slices' values.
#[inline(always)]
fn sums<const N: usize, const M: usize>(
    values: [&[f32]; N],
    terms: impl Fn([f32; N]) -> [f32; M],
) -> [f64; M] {
    let mut totals = [0.0; M];
    let len = values.first().map_or(0, |values| values.len());
    for begin in (0..len).step_by(SUMMED) {
        let values = values.map(|values| &values[begin..len.min(begin + SUMMED)]);
        let mut running = [[0.0_f32; LANES]; M];
        let blocks = values.map(|values| values.as_chunks::<LANES>().0);
        let count = blocks.first().map_or(0, |blocks| blocks.len());
        let blocks = blocks.map(|blocks| &blocks[..count]);
        for block in 0..count {
            let block = blocks.map(|blocks| &blocks[block]);
            for lane in 0..LANES {
                let terms = terms(block.map(|block| block[lane]));
                for (running, term) in running.iter_mut().zip(terms) {
                    running[lane] += term;
                }
            }
        }
        for place in count * LANES..values.first().map_or(0, |values| values.len()) {
            let terms = terms(values.map(|values| values[place]));
            for (running, term) in running.iter_mut().zip(terms) {
                running[place % LANES] += term;
            }
        }
        for (total, running) in totals.iter_mut().zip(running) {
            *total += f64::from(halved(running));
        }
    }
    totals
}

/// The sum of running sums, half of them added to the other half at a time: one after the other would take longer than
/// a small plane.
#[inline(always)]
fn halved(running: [f32; LANES]) -> f32 {
    let running: [f32; 16] = halve(running);
    let running: [f32; 8] = halve(running);
    let running: [f32; 4] = halve(running);
    let [first, second] = halve(running);
    first + second
}

#[inline(always)]
fn halve<const N: usize, const HALF: usize>(values: [f32; N]) -> [f32; HALF] {
    const { assert!(N == 2 * HALF) };
    core::array::from_fn(|i| values[i] + values[i + HALF])
}
