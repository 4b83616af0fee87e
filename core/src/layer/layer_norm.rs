use core::fmt;

use num_traits::Zero;

use super::{Backward, Forward, Initial, Layer, Place, ShapeError, Signature, Sizes, Tensor};
use crate::backend::{Backend, BackwardOf, ForwardOf, GroupNormSizes};
use crate::real::{Real, count};
use crate::shape::Shape;
use crate::sink::Sink;
use crate::vectors::{Work, on_vectors};

/// Layer normalisation, y = γ x̂ + β with γ and β per channel: x̂ = (x − μ)/√(σ² + 10⁻⁵) over the channels of *each position*
/// (Ba, Kiros and Hinton, arXiv 1607.06450). A sample's gradient is Σ e·x̂ and Σ e over its positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNorm;

impl LayerNorm {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        let channels = [input.channels];
        let tensors = [Tensor::new(channels, Initial::One), Tensor::new(channels, Initial::Zero)];
        Ok(Sizes { tensors: [Some(tensors[0]), Some(tensors[1])], ..Sizes::without_parameters(input) })
    }

    /// A sample's gradient, and four values of each position.
    pub(crate) const fn scratch_len(self, place: Place) -> usize {
        (place.weights + place.biases).saturating_add(place.input.plane().saturating_mul(4))
    }
}

impl Signature for LayerNorm {}

impl fmt::Display for LayerNorm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("layer norm")
    }
}

impl<F: Real> Layer<F> for LayerNorm {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], scratch: &mut [F]) {
        let input = call.place.input;
        if let Some(kernels) = call.backend.kernels() {
            return (kernels.layer_norm.forward)(
                input,
                ForwardOf { parameters: call.parameters, x: call.x[0], y },
            );
        }
        let (weights, biases) = call.parameters.split_at(call.place.weights);
        let samples = call.x[0].chunks_exact(input.len()).zip(y.chunks_exact_mut(input.len()));
        for (x, y) in samples {
            let normal = Normal::of(x, input, scratch).0;
            on_vectors(|| {
                let rows = x.chunks_exact(input.plane()).zip(y.chunks_exact_mut(input.plane()));
                for ((x, y), (&weight, &bias)) in rows.zip(weights.iter().zip(biases)) {
                    for ((y, &x), (&mean, &inverse)) in y.iter_mut().zip(x).zip(normal.each()) {
                        *y = weight * ((x - mean) * inverse) + bias;
                    }
                }
            });
        }
    }

    fn can_overwrite(&self, backend: &dyn Backend<F>, _: Place, _: usize) -> bool {
        backend.kernels().is_some()
    }

    /// dx += (w − mean(w) − x̂ · mean(w x̂))/√(σ² + 10⁻⁵) with w = γ e, means over the channels.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], scratch: &mut [F]) {
        let (input, weights) = (call.place.input, &call.parameters[..call.place.weights]);
        let len = input.len();
        let samples = call.x[0].chunks_exact(len).zip(call.dy.chunks_exact(len));
        for ((x, dy), dx) in samples.zip(dx.chunks_exact_mut(len)) {
            let (normal, scratch) = Normal::of(x, input, scratch);
            let (means, rest) = scratch.split_at_mut(input.plane());
            let along = &mut rest[..input.plane()];
            on_vectors(Means { x, dy, weights, normal, means, along });
            on_vectors(|| {
                let plane = input.plane();
                let rows = x.chunks_exact(plane).zip(dy.chunks_exact(plane)).zip(dx.chunks_exact_mut(plane));
                for (((x, dy), dx), &weight) in rows.zip(weights) {
                    let positions = normal.each().zip(means.iter().zip(&*along));
                    for (((dx, &dy), &x), ((&mean, &inverse), (&mean_w, &along))) in
                        dx.iter_mut().zip(dy).zip(x).zip(positions)
                    {
                        *dx += inverse * (weight * dy - mean_w - (x - mean) * inverse * along);
                    }
                }
            });
        }
    }

    fn sample_gradient(
        &self,
        call: &Backward<'_, F>,
        sample: usize,
        beta: F,
        gradient: &mut [F],
        scratch: &mut [F],
    ) {
        let input = call.place.input;
        let values = sample * input.len()..(sample + 1) * input.len();
        let (x, dy) = (&call.x[0][values.clone()], &call.dy[values]);
        let (normal, _) = Normal::of(x, input, scratch);
        let (of_weights, of_biases) = gradient.split_at_mut(call.place.weights);
        let rows = x.chunks_exact(input.plane()).zip(dy.chunks_exact(input.plane()));
        for ((x, dy), sums) in rows.zip(of_weights.iter_mut().zip(of_biases)) {
            let new = on_vectors(|| {
                let (mut weight, mut bias) = (F::Sum::zero(), F::Sum::zero());
                for ((&x, &e), (&mean, &inverse)) in x.iter().zip(dy).zip(normal.each()) {
                    weight += e.widen() * ((x - mean) * inverse).widen();
                    bias += e.widen();
                }
                [weight, bias].map(F::narrow)
            });
            for (sum, new) in [sums.0, sums.1].into_iter().zip(new) {
                *sum = if beta.is_zero() { new } else { beta * *sum + new };
            }
        }
    }

    fn backward(
        &self,
        call: &Backward<'_, F>,
        dx: Option<&mut [F]>,
        sink: &mut Sink<'_, F>,
        scratch: &mut [F],
    ) {
        if let Some(kernels) = call.backend.kernels() {
            let of = BackwardOf {
                parameters: call.parameters,
                x: call.x[0],
                dy: call.dy,
                dx,
                overwrites: call.overwrites,
                sink,
            };
            return (kernels.layer_norm.backward)(call.place.input, of, scratch);
        }
        self.statistics(call, sink, scratch);
        if let Some(dx) = dx {
            self.input_gradient(call, dx, scratch);
        }
    }
}

/// μ and 1/√(σ² + ε) of each position, with the biased variance.
#[derive(Clone, Copy)]
struct Normal<'a, F> {
    means: &'a [F],
    inverses: &'a [F],
}

/// Positions whose sums run side by side.
const LANES: usize = 8;

impl<'a, F: Real> Normal<'a, F> {
    /// Of a sample, in scratch memory; returns what is left of that.
    fn of(x: &[F], input: Shape, scratch: &'a mut [F]) -> (Self, &'a mut [F]) {
        let (means, rest) = scratch.split_at_mut(input.plane());
        let (inverses, rest) = rest.split_at_mut(input.plane());
        on_vectors(Moments { x, means, inverses });
        (Self { means, inverses }, rest)
    }

    #[inline(always)]
    fn each(self) -> impl Iterator<Item = (&'a F, &'a F)> {
        self.means.iter().zip(self.inverses)
    }
}

/// Fills μ and 1/√(σ² + ε).
struct Moments<'a, F> {
    x: &'a [F],
    means: &'a mut [F],
    inverses: &'a mut [F],
}

impl<F: Real> Work for Moments<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (x, plane) = (self.x, self.means.len());
        let share = F::Sum::of(1.0) / count((x.len() / plane) as u64);
        let blocks = self.means.chunks_mut(LANES).zip(self.inverses.chunks_mut(LANES));
        for ((means, inverses), first) in blocks.zip((0..plane).step_by(LANES)) {
            let mut sums = [F::Sum::zero(); LANES];
            for row in x.chunks_exact(plane) {
                for (sum, x) in sums.iter_mut().zip(&row[first..][..means.len()]) {
                    *sum += x.widen();
                }
            }
            let wide_means = sums.map(|sum| sum * share);
            let mut squares = [F::Sum::zero(); LANES];
            for row in x.chunks_exact(plane) {
                let values = row[first..][..means.len()].iter().zip(&wide_means);
                for (sum, (x, &mean)) in squares.iter_mut().zip(values) {
                    *sum += (x.widen() - mean).squared();
                }
            }
            for ((mean, inverse), (wide, square)) in
                means.iter_mut().zip(inverses).zip(wide_means.into_iter().zip(squares))
            {
                let root = (square * share + F::Sum::of(GroupNormSizes::EPSILON)).root();
                (*mean, *inverse) = (F::narrow(wide), F::narrow(F::Sum::of(1.0) / root));
            }
        }
    }
}

/// Fills the means of w and of w x̂ over the channels of each position.
struct Means<'a, F> {
    x: &'a [F],
    dy: &'a [F],
    weights: &'a [F],
    normal: Normal<'a, F>,
    means: &'a mut [F],
    along: &'a mut [F],
}

impl<F: Real> Work for Means<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { x, dy, weights, normal, means, along } = self;
        let plane = means.len();
        let share = F::Sum::of(1.0) / count((x.len() / plane) as u64);
        let blocks = means.chunks_mut(LANES).zip(along.chunks_mut(LANES));
        for ((means, along), first) in blocks.zip((0..plane).step_by(LANES)) {
            let places = first..first + means.len();
            let normal =
                Normal { means: &normal.means[places.clone()], inverses: &normal.inverses[places.clone()] };
            let [mut sums, mut sums_along] = [[F::Sum::zero(); LANES]; 2];
            for ((x, dy), weight) in x.chunks_exact(plane).zip(dy.chunks_exact(plane)).zip(weights) {
                let values = x[places.clone()].iter().zip(&dy[places.clone()]).zip(normal.each());
                let sums = sums.iter_mut().zip(&mut sums_along);
                for ((sum, along), ((&x, &dy), (&mean, &inverse))) in sums.zip(values) {
                    let weighted = weight.widen() * dy.widen();
                    *sum += weighted;
                    *along += weighted * ((x - mean) * inverse).widen();
                }
            }
            for ((mean, along), (sum, sum_along)) in
                means.iter_mut().zip(along).zip(sums.into_iter().zip(sums_along))
            {
                (*mean, *along) = (F::narrow(sum * share), F::narrow(sum_along * share));
            }
        }
    }
}
