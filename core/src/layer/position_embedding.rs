use core::fmt;

use super::{Backward, Forward, Initial, Layer, ShapeError, Signature, Sizes, Tensor};
use crate::real::Real;
use crate::shape::Shape;
use crate::vectors::on_vectors;

/// A vector for each position of a sequence, W \[positions, channels\]: y\[c\]\[t\] = x\[c\]\[t\] + W\[t\]\[c\]. Sequences may
/// be shorter; a sample's gradient of row t is e at position t, and 0 beyond its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionEmbedding {
    /// The longest sequence.
    pub positions: u32,
}

impl PositionEmbedding {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        if !input.is_sequence() {
            return Err(ShapeError::WantsSequence);
        }
        if input.width > self.positions {
            return Err(ShapeError::Positions);
        }
        let weights = Tensor::new([self.positions, input.channels], Initial::NORMAL);
        Ok(Sizes { tensors: [Some(weights), None], ..Sizes::without_parameters(input) })
    }
}

impl PositionEmbedding {
    /// y at one position of a sequence, from x there.
    pub(crate) fn forward_at<F: Real>(self, position: usize, call: &Forward<'_, F>, y: &mut [F]) {
        let row = &call.parameters[position * y.len()..][..y.len()];
        for ((y, &x), &weight) in y.iter_mut().zip(call.x[0]).zip(row) {
            *y = x + weight;
        }
    }
}

impl Signature for PositionEmbedding {}

impl fmt::Display for PositionEmbedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position embedding, {} positions", self.positions)
    }
}

impl<F: Real> Layer<F> for PositionEmbedding {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        let Shape { channels, width: positions, .. } = call.place.input;
        let (channels, positions) = (channels as usize, positions as usize);
        let rows = call.x[0].chunks_exact(positions).zip(y.chunks_exact_mut(positions));
        for ((x, y), channel) in rows.zip((0..channels).cycle()) {
            let weights = call.parameters.iter().skip(channel).step_by(channels);
            for ((y, &x), &weight) in y.iter_mut().zip(x).zip(weights) {
                *y = x + weight;
            }
        }
    }

    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], _: &mut [F]) {
        on_vectors(|| {
            for (dx, &dy) in dx.iter_mut().zip(call.dy) {
                *dx += dy;
            }
        });
    }

    fn sample_gradient(
        &self,
        call: &Backward<'_, F>,
        sample: usize,
        beta: F,
        gradient: &mut [F],
        _: &mut [F],
    ) {
        let Shape { channels, width: positions, .. } = call.place.input;
        let (channels, positions) = (channels as usize, positions as usize);
        let dy = &call.dy[sample * channels * positions..][..channels * positions];
        let (used, unused) = gradient.split_at_mut(channels * positions);
        for (position, row) in used.chunks_exact_mut(channels).enumerate() {
            for (sum, &e) in row.iter_mut().zip(dy.iter().skip(position).step_by(positions)) {
                *sum = if beta.is_zero() { e } else { beta * *sum + e };
            }
        }
        if beta.is_zero() {
            unused.fill(F::zero());
        } else {
            unused.iter_mut().for_each(|sum| *sum *= beta);
        }
    }
}
