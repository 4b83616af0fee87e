use core::fmt;

use super::{Backward, Forward, Initial, Layer, ShapeError, Signature, Sizes, Tensor};
use crate::real::Real;
use crate::shape::Shape;
use crate::sink::Sink;

/// Tokens as vectors, W \[vocabulary, width\]: y\[c\]\[t\] = W\[xₜ\]\[c\], with tokens that are whole numbers from 0. It reads
/// the network's input.
///
/// A sample's gradient of a token's row is the sum of e over *all* of its positions: a token that occurs twice gets both
/// before anything is squared. Rows of tokens that do not occur are not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedding {
    /// Number of tokens.
    pub vocabulary: u32,
    /// Length of a token's vector.
    pub width: u32,
}

/// Whole numbers that an `f32` tells apart.
const MOST_TOKENS: u32 = 1 << 24;

impl Embedding {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        if input.channels != 1 || !input.is_sequence() {
            return Err(ShapeError::WantsTokens);
        }
        if self.vocabulary > MOST_TOKENS {
            return Err(ShapeError::Vocabulary);
        }
        let weights = Tensor::new([self.vocabulary, self.width], Initial::NORMAL);
        let output = Shape::sequence(self.width, input.width);
        Ok(Sizes { tensors: [Some(weights), None], ..Sizes::without_parameters(output) })
    }

    /// A row.
    pub(crate) const fn scratch_len(self) -> usize {
        self.width as usize
    }

    /// Whether a value is one of its tokens.
    #[must_use]
    pub fn takes<F: Real>(self, x: F) -> bool {
        x >= F::zero() && x < F::of(self.vocabulary.into()) && x.floor() == x
    }

    /// A token that has been checked.
    fn token<F: Real>(self, x: F) -> usize {
        x.to_usize().unwrap_or(0).min(self.vocabulary as usize - 1)
    }
}

impl Signature for Embedding {}

impl fmt::Display for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "embedding, {} tokens to {} channels", self.vocabulary, self.width)
    }
}

impl<F: Real> Layer<F> for Embedding {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], _: &mut [F]) {
        let (positions, width) = (call.place.input.len(), self.width as usize);
        let samples = call.x[0].chunks_exact(positions).zip(y.chunks_exact_mut(positions * width));
        for (x, y) in samples {
            for (position, &x) in x.iter().enumerate() {
                let row = &call.parameters[self.token(x) * width..][..width];
                for (y, &value) in y.iter_mut().skip(position).step_by(positions).zip(row) {
                    *y = value;
                }
            }
        }
    }

    /// Tokens have no gradient.
    fn input_gradient(&self, _: &Backward<'_, F>, _: &mut [F], _: &mut [F]) {}

    /// Token by token, in the order of their first positions.
    fn statistics(&self, call: &Backward<'_, F>, sink: &mut Sink<'_, F>, scratch: &mut [F]) {
        let (positions, width) = (call.place.input.len(), self.width as usize);
        let gradient = &mut scratch[..width];
        let samples = call.x[0].chunks_exact(positions).zip(call.dy.chunks_exact(positions * width));
        for (sample, (x, dy)) in samples.enumerate() {
            for (first, token) in x.iter().enumerate() {
                if x[..first].contains(token) {
                    continue;
                }
                gradient.fill(F::zero());
                for (position, _) in x.iter().enumerate().filter(|(_, other)| *other == token) {
                    for (sum, &e) in gradient.iter_mut().zip(dy.iter().skip(position).step_by(positions)) {
                        *sum += e;
                    }
                }
                let row = self.token(*token) * width;
                sink.of_layer(row..row + width).add(sample, gradient);
            }
        }
    }
}
