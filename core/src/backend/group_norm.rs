//! Group normalisation in `f32` on vectors of the machine at hand.
//!
//! The reference sums in `f64`, one value after the other. Here up to [`SUMMED`] values are summed in `f32`, in
//! [`LANES`] running sums, each of which is rounded a few dozen times at most; what they give is summed in `f64`. The
//! loops are plain ones, compiled for the machine's vectors: the same bits on each.

use pulp::{Arch, Simd, WithSimd};

use super::kernels::GroupNormKernels;
use crate::layer::GroupNormSizes;

/// Values that are summed without widening.
const SUMMED: usize = 1024;
/// Running sums: vectors of them, and more than one, because each addition waits for the last.
const LANES: usize = 32;

/// The kernels.
pub(super) const KERNELS: GroupNormKernels<f32> =
    GroupNormKernels { forward, sample_gradient, input_gradient };

fn forward(sizes: GroupNormSizes, parameters: &[f32], x: &[f32], y: &mut [f32]) {
    Arch::new().dispatch(Forward { sizes, parameters, x, y });
}

struct Forward<'a> {
    sizes: GroupNormSizes,
    parameters: &'a [f32],
    x: &'a [f32],
    y: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { sizes, parameters, x, y } = self;
        let (weights, biases) = parameters.split_at(sizes.channels);
        let groups = x.chunks_exact(sizes.group()).zip(y.chunks_exact_mut(sizes.group()));
        for (index, (x, y)) in groups.enumerate() {
            let normal = Normal::of(x);
            let planes = x.chunks_exact(sizes.plane).zip(y.chunks_exact_mut(sizes.plane));
            for (channel, (x, y)) in sizes.channels_of(index).zip(planes) {
                let (weight, bias) = (weights[channel], biases[channel]);
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = weight * normal.of_value(x) + bias;
                }
            }
        }
    }
}

fn sample_gradient(sizes: GroupNormSizes, x: &[f32], dy: &[f32], beta: f32, gradient: &mut [f32]) {
    Arch::new().dispatch(SampleGradient { sizes, x, dy, beta, gradient });
}

struct SampleGradient<'a> {
    sizes: GroupNormSizes,
    x: &'a [f32],
    dy: &'a [f32],
    beta: f32,
    gradient: &'a mut [f32],
}

impl WithSimd for SampleGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { sizes, x, dy, beta, gradient } = self;
        let (of_weights, of_biases) = gradient.split_at_mut(sizes.channels);
        let groups = x.chunks_exact(sizes.group()).zip(dy.chunks_exact(sizes.group()));
        for (index, (x, dy)) in groups.enumerate() {
            let normal = Normal::of(x);
            let planes = x.chunks_exact(sizes.plane).zip(dy.chunks_exact(sizes.plane));
            for (channel, (x, dy)) in sizes.channels_of(index).zip(planes) {
                let [bias, weight] = normal.sums(x, dy);
                for (sum, new) in [(&mut of_weights[channel], weight), (&mut of_biases[channel], bias)] {
                    let before = if beta == 0.0 { 0.0 } else { beta * *sum };
                    *sum = before + new as f32;
                }
            }
        }
    }
}

fn input_gradient(sizes: GroupNormSizes, parameters: &[f32], x: &[f32], dy: &[f32], dx: &mut [f32]) {
    Arch::new().dispatch(InputGradient { sizes, parameters, x, dy, dx });
}

struct InputGradient<'a> {
    sizes: GroupNormSizes,
    parameters: &'a [f32],
    x: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { sizes, parameters, x, dy, dx } = self;
        let groups = x.chunks_exact(sizes.group()).zip(dy.chunks_exact(sizes.group()));
        for (index, ((x, dy), dx)) in groups.zip(dx.chunks_exact_mut(sizes.group())).enumerate() {
            let normal = Normal::of(x);
            let planes = || {
                sizes.channels_of(index).zip(x.chunks_exact(sizes.plane).zip(dy.chunks_exact(sizes.plane)))
            };
            let [mut mean, mut along] = [0.0; 2];
            for (channel, (x, dy)) in planes() {
                let [of_channel, along_channel] = normal.sums(x, dy);
                let weight = f64::from(parameters[channel]);
                mean += weight * of_channel;
                along += weight * along_channel;
            }
            let [mean, along] = [mean, along].map(|sum| (sum / sizes.group() as f64) as f32);
            for ((channel, (x, dy)), dx) in planes().zip(dx.chunks_exact_mut(sizes.plane)) {
                let weight = parameters[channel];
                for ((dx, &dy), &x) in dx.iter_mut().zip(dy).zip(x) {
                    *dx += normal.inverse * (weight * dy - mean - normal.of_value(x) * along);
                }
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
    #[inline(always)]
    fn of(x: &[f32]) -> Self {
        let count = x.len() as f64;
        let [mean, _] = sums(x, x, |x, _| [x, 0.0]).map(|sum| sum / count);
        // Around the nearest float. How far the mean is from that is taken off.
        let centre = mean as f32;
        let [squares, _] = sums(x, x, |x, _| [(x - centre) * (x - centre), 0.0]);
        let off = mean - f64::from(centre);
        let variance = squares / count - off * off;
        Self { mean: centre, inverse: (1.0 / (variance + GroupNormSizes::EPSILON).sqrt()) as f32 }
    }

    /// x̂.
    #[inline(always)]
    fn of_value(self, x: f32) -> f32 {
        (x - self.mean) * self.inverse
    }

    /// Σ e and Σ e·x̂.
    #[inline(always)]
    fn sums(self, x: &[f32], errors: &[f32]) -> [f64; 2] {
        sums(x, errors, |x, e| [e, e * self.of_value(x)])
    }
}

/// Two sums of terms of pairs of values.
#[inline(always)]
fn sums(x: &[f32], y: &[f32], terms: impl Fn(f32, f32) -> [f32; 2]) -> [f64; 2] {
    let mut totals = [0.0; 2];
    for (x, y) in x.chunks(SUMMED).zip(y.chunks(SUMMED)) {
        let mut running = [[0.0_f32; LANES]; 2];
        let (x, x_rest) = x.as_chunks::<LANES>();
        let (y, y_rest) = y.as_chunks::<LANES>();
        for (x, y) in x.iter().zip(y) {
            for lane in 0..LANES {
                let [first, second] = terms(x[lane], y[lane]);
                running[0][lane] += first;
                running[1][lane] += second;
            }
        }
        for (lane, (&x, &y)) in x_rest.iter().zip(y_rest).enumerate() {
            let [first, second] = terms(x, y);
            running[0][lane] += first;
            running[1][lane] += second;
        }
        for (total, running) in totals.iter_mut().zip(running) {
            *total += running.into_iter().map(f64::from).sum::<f64>();
        }
    }
    totals
}
