use core::fmt;

use super::{Backward, Forward, Layer, Place, ShapeError, Signature, Sizes};
use crate::backend::{AttentionSizes, Backend, ForwardOf, InputGradientOf, KERNELS, Matrix, MatrixMut};
use crate::loss::softmax;
use crate::real::{Real, count};
use crate::shape::Shape;
use crate::vectors::on_vectors;

/// Multi-head causal self-attention between a dense layer that gives query, key and value and one that takes the heads'
/// outputs (Vaswani and others, arXiv 1706.03762): \[3·width\]\[T\] → \[width\]\[T\], q, k and v in this order, head after head
/// in each. With d = width/heads, for each head,
///
/// ```text
/// a[t][u] = softmax over u ≤ t of ⟨q_t, k_u⟩/√d        y_t = Σ_{u≤t} a[t][u] v_u
/// ```
///
/// It has no parameters. The backward pass computes a once more: of T×T values nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CausalAttention {
    /// Number of heads; it divides the width.
    pub heads: u32,
}

impl CausalAttention {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        if !input.is_sequence() {
            return Err(ShapeError::WantsSequence);
        }
        let width = input.channels / 3;
        if !input.channels.is_multiple_of(3) {
            return Err(ShapeError::QueryKeyValue);
        }
        match width.checked_rem(self.heads) {
            None => Err(ShapeError::Zero),
            Some(0) => Ok(Sizes::without_parameters(Shape::sequence(width, input.width))),
            Some(_) => Err(ShapeError::Heads),
        }
    }

    fn attention_sizes(self, output: Shape) -> AttentionSizes {
        let Head { channels, positions } = Head::new(self.heads, output);
        AttentionSizes { heads: self.heads as usize, channels, positions }
    }

    /// Two matrices \[T, T\]. What does not fit is no shape either: the softmax is over T·T values.
    pub(crate) const fn scratch_len(self, place: Place) -> usize {
        let positions = place.input.width as usize;
        positions.saturating_mul(positions).saturating_mul(2)
    }
}

impl Signature for CausalAttention {
    /// As if nothing were masked: scores and sums over the values.
    fn flops(&self, _: Shape, output: Shape) -> u64 {
        (output.len() as u64).saturating_mul(output.width.into()).saturating_mul(4)
    }

    fn with_kernels(&self, place: Place, _: usize, scratch_len: usize) -> usize {
        let sizes = self.attention_sizes(place.output);
        scratch_len.max(KERNELS.map_or(0, |kernels| (kernels.attention.scratch_len)(sizes)))
    }
}

impl fmt::Display for CausalAttention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "causal attention, {} heads", self.heads)
    }
}

/// Sizes of a head.
#[derive(Clone, Copy)]
struct Head {
    /// d.
    channels: usize,
    /// T.
    positions: usize,
}

/// Query, key and value of one head, \[d, T\] each.
#[derive(Clone, Copy)]
struct Projections<'a, F> {
    query: Matrix<'a, F>,
    key: Matrix<'a, F>,
    value: Matrix<'a, F>,
}

impl Head {
    fn new(heads: u32, output: Shape) -> Self {
        Self { channels: (output.channels / heads) as usize, positions: output.width as usize }
    }

    /// Values of a query, a key, or a value.
    const fn len(self) -> usize {
        self.channels * self.positions
    }

    /// 1/√d.
    fn scale<F: Real>(self) -> F {
        F::one() / count::<F>(self.channels as u64).root()
    }

    fn matrix<F: Copy>(self, values: &[F]) -> Matrix<'_, F> {
        Matrix::of(values, self.channels, self.positions)
    }

    fn matrix_mut<F>(self, values: &mut [F]) -> MatrixMut<'_, F> {
        MatrixMut::of(values, self.channels, self.positions)
    }

    fn square<F: Copy>(self, values: &[F]) -> Matrix<'_, F> {
        Matrix::of(values, self.positions, self.positions)
    }

    fn square_mut<F>(self, values: &mut [F]) -> MatrixMut<'_, F> {
        MatrixMut::of(values, self.positions, self.positions)
    }

    /// Of the `index`-th head of one sample's input.
    fn projections<F: Copy>(self, x: &[F], index: usize) -> Projections<'_, F> {
        let third = x.len() / 3;
        let [query, key, value] = [0, 1, 2].map(|k| self.matrix(&x[k * third + index * self.len()..]));
        Projections { query, key, value }
    }

    /// Fills a \[T, T\] with the softmax of the scores, 0 where u > t. `scores` is scratch memory of the same size.
    fn attend<F: Real>(
        self,
        backend: &dyn Backend<F>,
        of: Projections<'_, F>,
        scores: &mut [F],
        attention: &mut [F],
    ) {
        backend.multiply(of.query.transposed(), of.key, F::zero(), self.square_mut(scores));
        let scale = self.scale::<F>();
        on_vectors(|| scores.iter_mut().for_each(|score| *score *= scale));
        let rows = scores.chunks_exact(self.positions).zip(attention.chunks_exact_mut(self.positions));
        for (last, (scores, attention)) in rows.enumerate() {
            let (seen, future) = attention.split_at_mut(last + 1);
            softmax(&scores[..=last], seen);
            future.fill(F::zero());
        }
    }
}

impl CausalAttention {
    /// Values kept of a sequence of at most `context` tokens: a key and a value of each.
    pub(crate) const fn kept_len(self, place: Place, context: usize) -> usize {
        2 * place.output.channels as usize * context
    }

    /// y at one position of a sequence, from x there and from what is `kept` of the positions before, to which the key and
    /// the value of this one are added. `kept` has [`Self::kept_len`] values, `scratch` two for each position.
    pub(crate) fn forward_at<F: Real>(
        self,
        position: usize,
        call: &Forward<'_, F>,
        kept: &mut [F],
        y: &mut [F],
        scratch: &mut [F],
    ) {
        let Forward { backend, x: [x, _], .. } = *call;
        let (context, seen) = (kept.len() / (2 * y.len()), position + 1);
        let head = Head { channels: y.len() / self.heads as usize, positions: seen };
        let heads = self.heads as usize;
        let queries = x.chunks_exact(head.channels);
        let own = queries.clone().zip(queries.clone().skip(heads)).zip(queries.skip(2 * heads));
        let (keys, values) = kept.split_at_mut(y.len() * context);
        let kept = keys
            .chunks_exact_mut(head.channels * context)
            .zip(values.chunks_exact_mut(head.channels * context));
        let (scores, rest) = scratch.split_at_mut(context);
        let (scores, attention) = (&mut scores[..seen], &mut rest[..seen]);
        for ((((query, key), value), (keys, values)), y) in
            own.zip(kept).zip(y.chunks_exact_mut(head.channels))
        {
            let place = position * head.channels..seen * head.channels;
            keys[place.clone()].copy_from_slice(key);
            values[place].copy_from_slice(value);
            let of = |values| Matrix::of(values, seen, head.channels).transposed();
            let query = Matrix::of(query, 1, head.channels);
            backend.multiply(query, of(keys), F::zero(), MatrixMut::of(scores, 1, seen));
            let scale = head.scale::<F>();
            scores.iter_mut().for_each(|score| *score *= scale);
            softmax(scores, attention);
            let weights = Matrix::of(attention, seen, 1);
            backend.multiply(of(values), weights, F::zero(), MatrixMut::of(y, head.channels, 1));
        }
    }
}

impl<F: Real> Layer<F> for CausalAttention {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], scratch: &mut [F]) {
        let Forward { backend, place, x: [x, _], .. } = *call;
        let sizes = self.attention_sizes(place.output);
        if let Some(kernels) =
            backend.kernels().and_then(|kernels| kernels.attention.fitting(sizes, scratch.len()))
        {
            return (kernels.forward)(sizes, ForwardOf { parameters: &[], x, y }, scratch);
        }
        let head = Head::new(self.heads, place.output);
        let (scores, attention) = squares(head, scratch);
        let samples = x.chunks_exact(place.input.len()).zip(y.chunks_exact_mut(place.output.len()));
        for (x, y) in samples {
            for (index, y) in y.chunks_exact_mut(head.len()).enumerate() {
                let of = head.projections(x, index);
                head.attend(backend, of, scores, attention);
                let weights = head.square(attention).transposed();
                backend.multiply(of.value, weights, F::zero(), head.matrix_mut(y));
            }
        }
    }

    /// With dA = eᵀ V and dS = A ∘ (dA − the sums of A ∘ dA over each row)/√d: dQ += K dSᵀ, dK += Q dS, dV += E A.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], scratch: &mut [F]) {
        let Backward { backend, place, x: [x, _], dy, .. } = *call;
        let sizes = self.attention_sizes(place.output);
        if let Some(kernels) =
            backend.kernels().and_then(|kernels| kernels.attention.fitting(sizes, scratch.len()))
        {
            return (kernels.backward)(sizes, InputGradientOf { x, dy, dx }, scratch);
        }
        let head = Head::new(self.heads, place.output);
        let (gradient, attention) = squares(head, scratch);
        let third = place.input.len() / 3;
        let samples = x.chunks_exact(place.input.len()).zip(dy.chunks_exact(place.output.len()));
        for ((x, dy), dx) in samples.zip(dx.chunks_exact_mut(place.input.len())) {
            for (index, dy) in dy.chunks_exact(head.len()).enumerate() {
                let of = head.projections(x, index);
                // The scores are not needed any more once there is a.
                head.attend(backend, of, gradient, attention);
                let dy = head.matrix(dy);
                let (d_query, rest) = dx.split_at_mut(third);
                let (d_key, d_value) = rest.split_at_mut(third);
                let [d_query, d_key, d_value] =
                    [d_query, d_key, d_value].map(|third| head.matrix_mut(&mut third[index * head.len()..]));
                backend.multiply(dy, head.square(attention), F::one(), d_value);
                backend.multiply(dy.transposed(), of.value, F::zero(), head.square_mut(gradient));
                score_gradients(head, attention, gradient);
                let gradient = head.square(gradient);
                backend.multiply(of.key, gradient.transposed(), F::one(), d_query);
                backend.multiply(of.query, gradient, F::one(), d_key);
            }
        }
    }
}

/// dS in place of dA.
fn score_gradients<F: Real>(head: Head, attention: &[F], gradient: &mut [F]) {
    let scale = head.scale::<F>();
    on_vectors(|| {
        let rows = attention.chunks_exact(head.positions).zip(gradient.chunks_exact_mut(head.positions));
        for (attention, gradient) in rows {
            let sum = attention.iter().zip(&*gradient).map(|(&a, &da)| a * da).sum::<F>();
            for (gradient, &a) in gradient.iter_mut().zip(attention) {
                *gradient = a * (*gradient - sum) * scale;
            }
        }
    });
}

/// Two matrices \[T, T\] of scratch memory.
fn squares<F>(head: Head, scratch: &mut [F]) -> (&mut [F], &mut [F]) {
    let len = head.positions * head.positions;
    let (first, rest) = scratch.split_at_mut(len);
    (first, &mut rest[..len])
}
