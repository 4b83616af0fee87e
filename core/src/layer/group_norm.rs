use core::fmt;

use num_traits::Zero;

use super::{Backward, Forward, Initial, Layer, ShapeError, Signature, Sizes, Tensor};
use crate::backend::{BackwardOf, ForwardOf, GroupNormSizes, NormalisedBackwardOf, NormalisedOf};
use crate::real::{Real, count};
use crate::shape::Shape;
use crate::sink::Sink;

/// Group normalisation, y = γ x̂ + β with γ and β per channel: x̂ = (x − μ)/√(σ² + 10⁻⁵) over each group of neighbouring
/// channels of *one sample* (Wu and He, arXiv 1803.08494), so that, unlike with batch normalisation, a sample has a
/// gradient of its own: Σ e·x̂ and Σ e over the channel's positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupNorm {
    /// Number of groups; it divides the channels.
    pub groups: u32,
}

impl GroupNorm {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        match input.channels.checked_rem(self.groups) {
            None => Err(ShapeError::Zero),
            Some(0) => {
                let channels = [input.channels];
                let tensors = [Tensor::new(channels, Initial::One), Tensor::new(channels, Initial::Zero)];
                Ok(Sizes {
                    tensors: [Some(tensors[0]), Some(tensors[1])],
                    ..Sizes::without_parameters(input)
                })
            }
            Some(_) => Err(ShapeError::Groups),
        }
    }
}

impl Signature for GroupNorm {}

impl fmt::Display for GroupNorm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group norm, {} groups", self.groups)
    }
}

impl<F: Real> Layer<F> for GroupNorm {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], scratch: &mut [F]) {
        let Forward { backend, place, parameters, x: [x, _], .. } = *call;
        let sizes = GroupNormSizes::new(self.groups, place.input);
        if let Some(kernels) = sizes.kernels(backend, scratch.len()) {
            let layer = ForwardOf { parameters, x, y };
            return (kernels.forward)(sizes, NormalisedOf { layer, rectified: false }, scratch);
        }
        let (weights, biases) = parameters.split_at(sizes.channels);
        let groups = x.chunks_exact(sizes.group()).zip(y.chunks_exact_mut(sizes.group()));
        for (index, (x, y)) in groups.enumerate() {
            let normal = Normal::of(x);
            for (channel, x, y) in sizes.planes(index, x, y) {
                let (weight, bias) = (weights[channel], biases[channel]);
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = weight * normal.of_value(x) + bias;
                }
            }
        }
    }

    /// dx += (w − mean(w) − x̂ · mean(w x̂))/√(σ² + 10⁻⁵) with w = γ e, means over the group.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        let sizes = GroupNormSizes::new(self.groups, call.place.input);
        let weights = call.parameters;
        let share = F::Sum::of(1.0) / count(sizes.group() as u64);
        let inputs = call.x[0].chunks_exact(sizes.group()).zip(call.dy.chunks_exact(sizes.group()));
        for (index, ((x, dy), dx)) in inputs.zip(dx.chunks_exact_mut(sizes.group())).enumerate() {
            let normal = Normal::of(x);
            let [mut mean, mut along] = [F::Sum::zero(); 2];
            let channels = sizes.channels_of(index);
            let planes = || x.chunks_exact(sizes.plane).zip(dy.chunks_exact(sizes.plane));
            for ((x, dy), channel) in planes().zip(channels.clone()) {
                let [of_channel, along_channel] = normal.sums(x, dy);
                let weight = weights[channel].widen();
                mean += weight * of_channel;
                along += weight * along_channel;
            }
            let [mean, along] = [mean, along].map(|sum| F::narrow(sum * share));
            for (((x, dy), dx), channel) in planes().zip(dx.chunks_exact_mut(sizes.plane)).zip(channels) {
                let weight = weights[channel];
                for ((dx, &dy), &x) in dx.iter_mut().zip(dy).zip(x) {
                    *dx += normal.inverse * (weight * dy - mean - normal.of_value(x) * along);
                }
            }
        }
    }

    fn sample_gradient(
        &self,
        call: &Backward<'_, F>,
        sample: usize,
        beta: F,
        gradient: &mut [F],
        _: &mut [F],
    ) {
        let sizes = GroupNormSizes::new(self.groups, call.place.input);
        let values = sample * sizes.channels * sizes.plane..(sample + 1) * sizes.channels * sizes.plane;
        let (x, dy) = (&call.x[0][values.clone()], &call.dy[values]);
        let (of_weights, of_biases) = gradient.split_at_mut(sizes.channels);
        for (group, x) in x.chunks_exact(sizes.group()).enumerate() {
            let normal = Normal::of(x);
            for (channel, x) in (group * sizes.planes_of_group..).zip(x.chunks_exact(sizes.plane)) {
                let dy = &dy[channel * sizes.plane..][..sizes.plane];
                let [bias, weight] = normal.sums(x, dy).map(F::narrow);
                for (sum, new) in [(&mut of_weights[channel], weight), (&mut of_biases[channel], bias)] {
                    *sum = if beta.is_zero() { new } else { beta * *sum + new };
                }
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
        let Backward { backend, place, parameters, x: [x, _], dy, .. } = *call;
        let sizes = GroupNormSizes::new(self.groups, place.input);
        if let Some(kernels) = sizes.kernels(backend, scratch.len()) {
            let layer = BackwardOf { parameters, x, dy, dx, overwrites: false, sink };
            return (kernels.backward)(sizes, NormalisedBackwardOf { layer, rectified: None }, scratch);
        }
        self.statistics(call, sink, scratch);
        if let Some(dx) = dx {
            self.input_gradient(call, dx, scratch);
        }
    }
}

/// Mean and 1/√(σ² + ε) of a group.
#[derive(Clone, Copy)]
struct Normal<F> {
    mean: F,
    inverse: F,
}

impl<F: Real> Normal<F> {
    /// With the biased variance.
    fn of(x: &[F]) -> Self {
        let share = F::Sum::of(1.0) / count(x.len() as u64);
        let mean = x.iter().map(|x| x.widen()).sum::<F::Sum>() * share;
        let variance = x.iter().map(|x| (x.widen() - mean).squared()).sum::<F::Sum>() * share;
        let root = (variance + F::Sum::of(GroupNormSizes::EPSILON)).root();
        Self { mean: F::narrow(mean), inverse: F::narrow(F::Sum::of(1.0) / root) }
    }

    /// x̂.
    #[inline(always)]
    fn of_value(self, x: F) -> F {
        (x - self.mean) * self.inverse
    }

    /// Σ e and Σ e·x̂.
    fn sums(self, x: &[F], errors: &[F]) -> [F::Sum; 2] {
        let mut sums = [F::Sum::zero(); 2];
        for (&x, &e) in x.iter().zip(errors) {
            sums[0] += e.widen();
            sums[1] += e.widen() * self.of_value(x).widen();
        }
        sums
    }
}
