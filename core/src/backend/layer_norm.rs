//! Layer normalisation in `f32`: [`LANES`] positions side by side, channel after channel.
//!
//! The reference sums in `f64`. Here up to [`SUMMED`] values are summed in `f32`, and what they give in `f64`. The loops are
//! plain ones, compiled for the machine's vectors: the same bits on each.

use super::GroupNormSizes;
use super::kernels::{BackwardOf, ForwardOf};
use crate::shape::Shape;
use crate::vectors::{Work, on_vectors};

/// Positions, and running sums over positions.
const LANES: usize = 16;
/// Values that are summed without widening.
const SUMMED: usize = 64;

/// y of a micro-batch.
pub(super) fn forward(input: Shape, of: ForwardOf<'_, f32>) {
    on_vectors(Forward { input, of });
}

/// The statistics of a micro-batch, and its dx. The scratch memory is for one gradient.
pub(super) fn backward(input: Shape, of: BackwardOf<'_, '_, f32>, scratch: &mut [f32]) {
    on_vectors(Backward { input, of, scratch });
}

struct Forward<'a> {
    input: Shape,
    of: ForwardOf<'a, f32>,
}

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { input, of: ForwardOf { parameters, x, y } } = self;
        let parameters = parameters.split_at(input.channels as usize);
        let samples = x.chunks_exact(input.len()).zip(y.chunks_exact_mut(input.len()));
        for (x, y) in samples {
            for first in (0..input.plane()).step_by(LANES) {
                // Known lengths let the compiler keep sums in registers.
                match input.plane() - first {
                    LANES.. => normalise(x, y, input.plane(), first, LANES, parameters),
                    rest => normalise(x, y, input.plane(), first, rest, parameters),
                }
            }
        }
    }
}

/// y at some positions.
#[inline(always)]
fn normalise(
    x: &[f32],
    y: &mut [f32],
    plane: usize,
    first: usize,
    count: usize,
    (weights, biases): (&[f32], &[f32]),
) {
    let normal = Normal::of(x, plane, first, count);
    let rows = x.chunks_exact(plane).zip(y.chunks_exact_mut(plane)).zip(weights.iter().zip(biases));
    for ((x, y), (&weight, &bias)) in rows {
        let x = load(x, first, count);
        let values: [f32; LANES] =
            core::array::from_fn(|lane| weight * normal.of_value(lane, x[lane]) + bias);
        y[first..first + count].copy_from_slice(&values[..count]);
    }
}

struct Backward<'a, 'b, 's> {
    input: Shape,
    of: BackwardOf<'b, 's, f32>,
    scratch: &'a mut [f32],
}

impl Work for Backward<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { input, of: BackwardOf { parameters, x, dy, dx, overwrites, sink }, scratch } = self;
        let (channels, plane) = (input.channels as usize, input.plane());
        let weights = &parameters[..channels];
        let gradient = &mut scratch[..2 * channels];
        let mut dx = dx.map(|dx| dx.chunks_exact_mut(input.len()));
        let samples = x.chunks_exact(input.len()).zip(dy.chunks_exact(input.len()));
        for (sample, (x, dy)) in samples.enumerate() {
            let dx = dx.as_mut().and_then(Iterator::next).unwrap_or_default();
            gradient.fill(0.0);
            for first in (0..plane).step_by(LANES) {
                match plane - first {
                    LANES.. => {
                        of_positions(weights, [x, dy], dx, overwrites, [plane, first, LANES], gradient)
                    }
                    rest => of_positions(weights, [x, dy], dx, overwrites, [plane, first, rest], gradient),
                }
            }
            sink.add(sample, gradient);
        }
    }
}

/// Adds what some positions give to the gradient of the parameters, and to dx, unless that is empty.
#[inline(always)]
fn of_positions(
    weights: &[f32],
    [x, dy]: [&[f32]; 2],
    dx: &mut [f32],
    overwrites: bool,
    [plane, first, count]: [usize; 3],
    gradient: &mut [f32],
) {
    let normal = Normal::of(x, plane, first, count);
    let (of_weights, of_biases) = gradient.split_at_mut(weights.len());
    let [mut means, mut alongs] = [[0.0_f64; LANES]; 2];
    let rows = x.chunks(SUMMED * plane).zip(dy.chunks(SUMMED * plane)).zip(weights.chunks(SUMMED));
    let sums = of_weights.chunks_mut(SUMMED).zip(of_biases.chunks_mut(SUMMED));
    for (((x, dy), weights), (of_weights, of_biases)) in rows.zip(sums) {
        let [mut mean, mut along] = [[0.0_f32; LANES]; 2];
        let rows = x.chunks_exact(plane).zip(dy.chunks_exact(plane)).zip(weights);
        for (((x, dy), &weight), (of_weight, of_bias)) in rows.zip(of_weights.iter_mut().zip(of_biases)) {
            let (x, errors) = (load(x, first, count), load(dy, first, count));
            let products: [f32; LANES] =
                core::array::from_fn(|lane| errors[lane] * normal.of_value(lane, x[lane]));
            mean = core::array::from_fn(|lane| mean[lane] + weight * errors[lane]);
            along = core::array::from_fn(|lane| along[lane] + weight * products[lane]);
            *of_weight += halved(products);
            *of_bias += halved(errors);
        }
        means = core::array::from_fn(|lane| means[lane] + f64::from(mean[lane]));
        alongs = core::array::from_fn(|lane| alongs[lane] + f64::from(along[lane]));
    }
    if dx.is_empty() {
        return;
    }
    let [means, alongs] = [means, alongs].map(|sums| sums.map(|sum| (sum / weights.len() as f64) as f32));
    let rows = x.chunks_exact(plane).zip(dy.chunks_exact(plane)).zip(weights);
    for (((x, dy), &weight), dx) in rows.zip(dx.chunks_exact_mut(plane)) {
        let (x, dy) = (load(x, first, count), load(dy, first, count));
        let old = if overwrites { [0.0; LANES] } else { load(dx, first, count) };
        let values: [f32; LANES] = core::array::from_fn(|lane| {
            let along = normal.of_value(lane, x[lane]) * alongs[lane];
            old[lane] + normal.inverses[lane] * (weight * dy[lane] - means[lane] - along)
        });
        dx[first..first + count].copy_from_slice(&values[..count]);
    }
}

/// Mean and 1/√(σ² + ε) of some positions.
struct Normal {
    means: [f32; LANES],
    inverses: [f32; LANES],
}

impl Normal {
    /// With the biased variance.
    #[inline(always)]
    fn of(x: &[f32], plane: usize, first: usize, count: usize) -> Self {
        let channels = (x.len() / plane) as f64;
        let means = sums(x, plane, first, count, |_, x| x).map(|sum| sum / channels);
        // Around the nearest float. How far the mean is from that is taken off.
        let centres = means.map(|mean| mean as f32);
        let squares = sums(x, plane, first, count, |lane, x| (x - centres[lane]) * (x - centres[lane]));
        let inverses = core::array::from_fn(|lane| {
            let off = means[lane] - f64::from(centres[lane]);
            let variance = squares[lane] / channels - off * off;
            (1.0 / (variance + GroupNormSizes::EPSILON).sqrt()) as f32
        });
        Self { means: centres, inverses }
    }

    /// x̂.
    #[inline(always)]
    fn of_value(&self, lane: usize, x: f32) -> f32 {
        (x - self.means[lane]) * self.inverses[lane]
    }
}

/// A row's values at some positions, and zeros in the other lanes: arrays of a known length are kept in registers.
#[inline(always)]
fn load(row: &[f32], first: usize, count: usize) -> [f32; LANES] {
    let mut values = [0.0; LANES];
    values[..count].copy_from_slice(&row[first..first + count]);
    values
}

/// Sums over the channels of some positions.
#[inline(always)]
fn sums(
    x: &[f32],
    plane: usize,
    first: usize,
    count: usize,
    term: impl Fn(usize, f32) -> f32,
) -> [f64; LANES] {
    let mut totals = [0.0; LANES];
    for rows in x.chunks(SUMMED * plane) {
        let mut running = [0.0_f32; LANES];
        for row in rows.chunks_exact(plane) {
            let row = load(row, first, count);
            running = core::array::from_fn(|lane| running[lane] + term(lane, row[lane]));
        }
        for (total, running) in totals.iter_mut().zip(running) {
            *total += f64::from(running);
        }
    }
    totals
}

/// The sum of running sums, half of them added to the other half at a time.
#[inline(always)]
fn halved(values: [f32; LANES]) -> f32 {
    let values: [f32; 8] = core::array::from_fn(|i| values[i] + values[i + 8]);
    let values: [f32; 4] = core::array::from_fn(|i| values[i] + values[i + 4]);
    (values[0] + values[2]) + (values[1] + values[3])
}
