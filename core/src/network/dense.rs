//! Dense layers: x \[m, inputs\], y and its gradient e \[m, outputs\], W \[outputs, inputs\] or, by inputs, its
//! transposed.

use super::kernels::DenseKernels;
#[cfg(feature = "std")]
use super::sparse;
use super::sweep::Sinks;
use super::{Matrix, MatrixMut, MatrixProduct};
use num_traits::One;

use crate::real::{Real, dot_of_equals, square_norm};

/// Sizes of one dense layer on a micro-batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dense {
    pub(super) samples: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Whether the weights lie by inputs.
    pub(super) by_inputs: bool,
}

impl Dense {
    /// Values of scratch memory: E² and A², or A Ḡᵀ, and what kernels take.
    pub(super) fn scratch_len(self) -> usize {
        let squares = self.samples.saturating_mul(self.inputs.saturating_add(self.outputs));
        #[cfg(feature = "std")]
        if self.by_inputs {
            return squares.saturating_add((sparse::KERNELS.scratch_len)(self));
        }
        squares
    }

    /// Kernels that can do this layer in so much scratch memory.
    fn kernels<F: Real>(self, product: impl MatrixProduct<F>, scratch: usize) -> Option<DenseKernels<F>> {
        product.dense_kernels().filter(|kernels| self.by_inputs && (kernels.scratch_len)(self) <= scratch)
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
    pub(super) fn forward<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        parameters: &[F],
        x: &[F],
        y: &mut [F],
        scratch: &mut [F],
    ) {
        if let Some(kernels) = self.kernels(product, scratch.len()) {
            return (kernels.forward)(self, parameters, x, y, scratch);
        }
        let (weights, bias) = parameters.split_at(self.outputs * self.inputs);
        for row in y.chunks_exact_mut(self.outputs) {
            row.copy_from_slice(bias);
        }
        let y = MatrixMut::of(y, self.samples, self.outputs);
        product.multiply(
            Matrix::of(x, self.samples, self.inputs),
            self.weights(weights).transposed(),
            F::one(),
            y,
        );
    }

    /// dx += e W.
    pub(super) fn input_gradient<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        parameters: &[F],
        e: &[F],
        dx: &mut [F],
    ) {
        let weights = self.weights(parameters);
        let dx = MatrixMut::of(dx, self.samples, self.inputs);
        product.multiply(Matrix::of(e, self.samples, self.outputs), weights, F::one(), dx);
    }

    /// Everything the sinks ask for. A sample's gradient is the outer product e aᵀ (with a 1 for the bias),
    /// so that its square norm is ‖e‖²·(‖a‖² + 1), and none is ever formed (Goodfellow, arXiv 1510.01799).
    pub(super) fn statistics<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        x: &[F],
        e: &[F],
        sinks: &mut Sinks<'_, F>,
        scratch: &mut [F],
    ) {
        self.accumulate(product, x, e, sinks, scratch);
        if !sinks.mean_gradient.is_empty() {
            let (projected, scratch) = scratch.split_at_mut(self.samples * self.outputs);
            self.forward(product, sinks.mean_gradient, x, projected, scratch);
            let rows = e.chunks_exact(self.outputs).zip(projected.chunks_exact(self.outputs));
            for (inner_product, (e, projected)) in sinks.inner_products.iter_mut().zip(rows) {
                *inner_product += dot_of_equals(e, projected);
            }
        }
    }

    /// Sum over samples, second moment and square norms.
    fn accumulate<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        x: &[F],
        e: &[F],
        sinks: &mut Sinks<'_, F>,
        scratch: &mut [F],
    ) {
        if !sinks.gradient_sum.is_empty() {
            self.add_outer_products(product, x, e, sinks.gradient_sum, scratch);
        }
        let samples = e.chunks_exact(self.outputs).zip(x.chunks_exact(self.inputs));
        for (norm, (e, a)) in sinks.square_norms.iter_mut().zip(samples) {
            *norm += square_norm(e) * (square_norm(a) + F::Sum::one());
        }
        if !sinks.second_moment.is_empty() {
            let (x_squared, scratch) = scratch.split_at_mut(self.samples * self.inputs);
            let (e_squared, scratch) = scratch.split_at_mut(self.samples * self.outputs);
            square(x, x_squared);
            square(e, e_squared);
            self.add_outer_products(product, x_squared, e_squared, sinks.second_moment, scratch);
        }
    }

    /// \[weights, bias\] += \[eᵀ x, Σᵢ eᵢ\]; by inputs xᵀ e.
    fn add_outer_products<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        x: &[F],
        e: &[F],
        parameters: &mut [F],
        scratch: &mut [F],
    ) {
        if let Some(kernels) = self.kernels(product, scratch.len()) {
            return (kernels.add_outer_products)(self, x, e, parameters, scratch);
        }
        let (weights, bias) = parameters.split_at_mut(self.outputs * self.inputs);
        let errors = Matrix::of(e, self.samples, self.outputs);
        let x = Matrix::of(x, self.samples, self.inputs);
        let (left, right) = if self.by_inputs { (x, errors) } else { (errors, x) };
        let (rows, columns) =
            if self.by_inputs { (self.inputs, self.outputs) } else { (self.outputs, self.inputs) };
        product.multiply(left.transposed(), right, F::one(), MatrixMut::of(weights, rows, columns));
        for row in e.chunks_exact(self.outputs) {
            for (sum, &value) in bias.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}

fn square<F: Real>(values: &[F], squares: &mut [F]) {
    for (square, &value) in squares.iter_mut().zip(values) {
        *square = value * value;
    }
}
