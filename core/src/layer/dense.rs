use core::fmt;

use num_traits::One;

use super::{Backward, Conv2d, Forward, Initial, Layer, Place, ShapeError, Signature, Sizes, Tensor};
use crate::backend::{
    Backend, DenseKernels, DenseSizes, ForwardOf, KERNELS, Matrix, MatrixMut, OuterProductsOf,
};
use crate::real::{ROWS, Real, dot_of_equals, square_norms};
use crate::shape::Shape;
use crate::sink::Sink;
use crate::statistics::Needs;
use crate::vectors::{Work, on_vectors};

/// y = W x + b, W \[outputs, inputs\] or, by inputs, its transposed; of a sequence the same at every position.
///
/// A sample's gradient is the outer product e aᵀ (with a 1 for the bias), so that its squared norm is ‖e‖²·(‖a‖² + 1),
/// and none is ever formed (Goodfellow, arXiv 1510.01799). Over the positions of a sequence it is Σₜ eₜ aₜᵀ, which is not an
/// outer product: there the layer is computed as a convolution with a 1×1 kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Length of y.
    pub outputs: u32,
}

impl Dense {
    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        if !input.is_sequence() {
            return Err(ShapeError::WantsVector);
        }
        let initial = Initial::Uniform { fan_in: input.channels };
        let weights = Tensor::new([self.outputs, input.channels], initial);
        let biases = Tensor::new([self.outputs], initial);
        Ok(Sizes {
            tensors: [Some(weights), Some(biases)],
            ..Sizes::without_parameters(Shape::sequence(self.outputs, input.width))
        })
    }

    /// What it is on a sequence.
    pub(crate) const fn on_positions(self) -> Conv2d {
        Conv2d { outputs: self.outputs, kernel: 1, stride: 1, padding: 0, bias: true }
    }

    /// E² and A² for second moments, or A Ḡᵀ.
    pub(crate) const fn scratch_len(self, place: Place, samples: usize, needs: &Needs) -> usize {
        if !place.input.is_vector() {
            return self.on_positions().scratch_len(place, samples, needs);
        }
        let sizes = DenseSizes::new(place, samples);
        if needs.moments() {
            samples.saturating_mul(sizes.inputs.saturating_add(sizes.outputs))
        } else if needs.inner {
            samples.saturating_mul(sizes.outputs)
        } else {
            0
        }
    }
}

impl Signature for Dense {
    fn flops(&self, input: Shape, output: Shape) -> u64 {
        u64::from(input.channels).saturating_mul(2).saturating_mul(output.len() as u64)
    }

    /// Kernels run beside the squares.
    fn with_kernels(&self, place: Place, samples: usize, scratch_len: usize) -> usize {
        if !place.input.is_vector() {
            return self.on_positions().with_kernels(place, samples, scratch_len);
        }
        let sizes = DenseSizes::new(place, samples);
        let kernels = KERNELS.map(|kernels| kernels.dense).filter(|kernels| (kernels.can_do)(sizes));
        scratch_len.saturating_add(kernels.map_or(0, |kernels| (kernels.scratch_len)(sizes)))
    }
}

impl fmt::Display for Dense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dense, {} outputs", self.outputs)
    }
}

impl<F: Real> Layer<F> for Dense {
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], scratch: &mut [F]) {
        if !call.place.input.is_vector() {
            return self.on_positions().forward(call, y, scratch);
        }
        let sizes = DenseSizes::new(call.place, call.samples);
        sizes.forward(call.backend, call.parameters, call.x[0], y, scratch);
    }

    fn can_overwrite(&self, backend: &dyn Backend<F>, place: Place, scratch: usize) -> bool {
        !place.input.is_vector() && self.on_positions().can_overwrite(backend, place, scratch)
    }

    /// dx += e W.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], scratch: &mut [F]) {
        if !call.place.input.is_vector() {
            return self.on_positions().input_gradient(call, dx, scratch);
        }
        let sizes = DenseSizes::new(call.place, call.samples);
        let weights = sizes.weights(call.parameters);
        let errors = Matrix::of(call.dy, sizes.samples, sizes.outputs);
        call.backend.multiply(errors, weights, F::one(), MatrixMut::of(dx, sizes.samples, sizes.inputs));
    }

    fn statistics(&self, call: &Backward<'_, F>, sink: &mut Sink<'_, F>, scratch: &mut [F]) {
        DenseSizes::new(call.place, call.samples).statistics(call.backend, call.x[0], call.dy, sink, scratch);
    }

    fn backward(
        &self,
        call: &Backward<'_, F>,
        dx: Option<&mut [F]>,
        sink: &mut Sink<'_, F>,
        scratch: &mut [F],
    ) {
        if !call.place.input.is_vector() {
            return self.on_positions().backward(call, dx, sink, scratch);
        }
        self.statistics(call, sink, scratch);
        if let Some(dx) = dx {
            self.input_gradient(call, dx, scratch);
        }
    }
}

impl DenseSizes {
    const fn new(place: Place, samples: usize) -> Self {
        let (inputs, outputs) = (place.input.len(), place.output.len());
        Self { samples, inputs, outputs, by_inputs: place.by_inputs }
    }

    /// Kernels that can do this layer in so much scratch memory.
    fn kernels<F: Real>(self, backend: &dyn Backend<F>, scratch: usize) -> Option<DenseKernels<F>> {
        backend.kernels()?.dense.fitting(self, scratch)
    }

    /// W \[outputs, inputs\], however it lies.
    fn weights<F: Copy>(self, values: &[F]) -> Matrix<'_, F> {
        if self.by_inputs {
            Matrix::of(values, self.inputs, self.outputs).transposed()
        } else {
            Matrix::of(values, self.outputs, self.inputs)
        }
    }

    /// y = x Wᵀ + b.
    fn forward<F: Real>(
        self,
        backend: &dyn Backend<F>,
        parameters: &[F],
        x: &[F],
        y: &mut [F],
        scratch: &mut [F],
    ) {
        if let Some(kernels) = self.kernels(backend, scratch.len()) {
            return (kernels.forward)(self, ForwardOf { parameters, x, y }, scratch);
        }
        let (weights, bias) = parameters.split_at(self.outputs * self.inputs);
        for row in y.chunks_exact_mut(self.outputs) {
            row.copy_from_slice(bias);
        }
        let y = MatrixMut::of(y, self.samples, self.outputs);
        backend.multiply(
            Matrix::of(x, self.samples, self.inputs),
            self.weights(weights).transposed(),
            F::one(),
            y,
        );
    }

    fn statistics<F: Real>(
        self,
        backend: &dyn Backend<F>,
        x: &[F],
        e: &[F],
        sink: &mut Sink<'_, F>,
        scratch: &mut [F],
    ) {
        self.accumulate(backend, x, e, sink, scratch);
        if !sink.mean_gradient.is_empty() {
            let (projected, scratch) = scratch.split_at_mut(self.samples * self.outputs);
            self.forward(backend, sink.mean_gradient, x, projected, scratch);
            let rows = e.chunks_exact(self.outputs).zip(projected.chunks_exact(self.outputs));
            for (inner_product, (e, projected)) in sink.inner_products.iter_mut().zip(rows) {
                *inner_product += dot_of_equals(e, projected);
            }
        }
    }

    /// Sum over samples, second moment and square norms.
    fn accumulate<F: Real>(
        self,
        backend: &dyn Backend<F>,
        x: &[F],
        e: &[F],
        sink: &mut Sink<'_, F>,
        scratch: &mut [F],
    ) {
        if !sink.gradient_sum.is_empty() {
            self.add_outer_products(backend, x, e, sink.gradient_sum, scratch);
        }
        on_vectors(SquareNorms { sizes: self, x, e, sums: sink.square_norms });
        if !sink.second_moment.is_empty() {
            let (x_squared, scratch) = scratch.split_at_mut(self.samples * self.inputs);
            let (e_squared, scratch) = scratch.split_at_mut(self.samples * self.outputs);
            square(x, x_squared);
            square(e, e_squared);
            self.add_outer_products(backend, x_squared, e_squared, sink.second_moment, scratch);
        }
    }

    /// \[weights, bias\] += \[eᵀ x, Σᵢ eᵢ\]; by inputs xᵀ e.
    fn add_outer_products<F: Real>(
        self,
        backend: &dyn Backend<F>,
        x: &[F],
        e: &[F],
        sums: &mut [F],
        scratch: &mut [F],
    ) {
        if let Some(kernels) = self.kernels(backend, scratch.len()) {
            return (kernels.backward)(self, OuterProductsOf { x, dy: e, sums }, scratch);
        }
        let (weights, bias) = sums.split_at_mut(self.outputs * self.inputs);
        let errors = Matrix::of(e, self.samples, self.outputs);
        let x = Matrix::of(x, self.samples, self.inputs);
        let (left, right) = if self.by_inputs { (x, errors) } else { (errors, x) };
        let (rows, columns) =
            if self.by_inputs { (self.inputs, self.outputs) } else { (self.outputs, self.inputs) };
        backend.multiply(left.transposed(), right, F::one(), MatrixMut::of(weights, rows, columns));
        for row in e.chunks_exact(self.outputs) {
            for (sum, &value) in bias.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}

/// sᵢ += ‖eᵢ‖²·(‖aᵢ‖² + 1).
struct SquareNorms<'a, F: Real> {
    sizes: DenseSizes,
    x: &'a [F],
    e: &'a [F],
    sums: &'a mut [F::Sum],
}

impl<F: Real> Work for SquareNorms<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let DenseSizes { inputs, outputs, .. } = self.sizes;
        let samples = self.e.chunks(ROWS * outputs).zip(self.x.chunks(ROWS * inputs));
        for (sums, (e, a)) in self.sums.chunks_mut(ROWS).zip(samples) {
            let (e, a) = (square_norms(e, outputs), square_norms(a, inputs));
            for (sum, (e, a)) in sums.iter_mut().zip(e.into_iter().zip(a)) {
                *sum += e * (a + F::Sum::one());
            }
        }
    }
}

fn square<F: Real>(values: &[F], squares: &mut [F]) {
    for (square, &value) in squares.iter_mut().zip(values) {
        *square = value * value;
    }
}
