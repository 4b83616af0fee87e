//! Convolutions as matrix products over patches, one sample at a time: x \[C, H, W\], patches
//! \[C·kernel², P\] with P output positions, y and its gradient e \[outputs, P\], W \[outputs, C·kernel²\].

use super::kernels::{BackwardOf, Conv2dKernels, Errors, ForwardOf, Outputs};
use super::operation::Windows;
use super::sweep::Sinks;
use super::{Matrix, MatrixMut, MatrixProduct, Shape};
use crate::real::{Real, dot_of_equals, square_norm};

/// Sizes of one convolution.
#[derive(Clone, Copy)]
pub(super) struct Conv2d {
    pub(super) windows: Windows,
}

impl Conv2d {
    fn outputs(self) -> usize {
        self.windows.output.channels as usize
    }

    fn positions(self) -> usize {
        self.windows.output.plane()
    }

    fn fan_in(self) -> usize {
        self.windows.input.channels as usize * self.windows.kernel.pow(2)
    }

    /// Values of one sample's patches.
    fn patches(self) -> usize {
        self.fan_in() * self.positions()
    }

    /// Values of scratch memory: one sample's patches, and its gradient, or its patches'.
    pub(super) fn scratch_len(self) -> usize {
        self.patches() + (self.outputs() * (self.fan_in() + 1)).max(self.patches())
    }

    /// Kernels that can do this convolution in so much scratch memory.
    pub(super) fn kernels<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        scratch: usize,
    ) -> Option<Conv2dKernels<F>> {
        product.conv2d_kernels().filter(|kernels| (kernels.fits)(self.windows, scratch))
    }

    /// y = W · patches(x) + b for the samples of a micro-batch.
    pub(super) fn forward<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        parameters: &[F],
        x: &[F],
        y: &mut [F],
        scratch: &mut [F],
    ) {
        if let Some(kernels) = self.kernels(product, scratch.len()) {
            let of = ForwardOf { parameters, x, outputs: Outputs::Plain(y) };
            return (kernels.forward)(self.windows, of, scratch);
        }
        let (weights, bias) = parameters.split_at(self.outputs() * self.fan_in());
        let (patches, _) = scratch.split_at_mut(self.patches());
        let [input, output] = [self.windows.input, self.windows.output].map(Shape::len);
        for (x, y) in x.chunks_exact(input).zip(y.chunks_exact_mut(output)) {
            self.gather(x, patches);
            for (row, &bias) in y.chunks_exact_mut(self.positions()).zip(bias) {
                row.fill(bias);
            }
            let weights = Matrix::of(weights, self.outputs(), self.fan_in());
            let patches = Matrix::of(patches, self.fan_in(), self.positions());
            product.multiply(weights, patches, F::one(), MatrixMut::of(y, self.outputs(), self.positions()));
        }
    }

    /// Everything the sinks ask for, and dx += adjoint of the forward pass, for the samples of a micro-batch.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn backward<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        parameters: &[F],
        x: &[F],
        e: &[F],
        dx: Option<&mut [F]>,
        sinks: &mut Sinks<'_, F>,
        scratch: &mut [F],
    ) {
        if let Some(kernels) = self.kernels(product, scratch.len()) {
            let of = BackwardOf { parameters, x, errors: Errors::Plain(e), dx };
            return (kernels.backward)(self.windows, of, sinks, scratch);
        }
        let (patches, scratch) = scratch.split_at_mut(self.patches());
        let [input, output] = [self.windows.input, self.windows.output].map(Shape::len);
        let mut dx = dx.map(|dx| dx.chunks_exact_mut(input));
        for (sample, (x, e)) in x.chunks_exact(input).zip(e.chunks_exact(output)).enumerate() {
            self.gather(x, patches);
            self.statistics(product, sample, patches, e, sinks, scratch);
            if let Some(dx) = dx.as_mut().and_then(Iterator::next) {
                self.input_gradient(product, parameters, e, dx, scratch);
            }
        }
    }

    /// dx += adjoint of the forward pass, for one sample.
    fn input_gradient<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        parameters: &[F],
        e: &[F],
        dx: &mut [F],
        scratch: &mut [F],
    ) {
        let weights = Matrix::of(parameters, self.outputs(), self.fan_in()).transposed();
        let e = Matrix::of(e, self.outputs(), self.positions());
        let d_patches = &mut scratch[..self.fan_in() * self.positions()];
        let target = MatrixMut::of(d_patches, self.fan_in(), self.positions());
        product.multiply(weights, e, F::zero(), target);
        self.scatter(d_patches, dx);
    }

    /// Everything the sinks ask for, for one sample: its gradient e · patchesᵀ is formed in scratch memory,
    /// used, and forgotten. That costs no multiplication more than the sum over samples would.
    fn statistics<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        sample: usize,
        patches: &[F],
        e: &[F],
        sinks: &mut Sinks<'_, F>,
        scratch: &mut [F],
    ) {
        if sinks.only_gradient() {
            if !sinks.gradient_sum.is_empty() {
                self.add_gradient(product, patches, e, F::one(), sinks.gradient_sum);
            }
            return;
        }
        let gradient = &mut scratch[..self.outputs() * (self.fan_in() + 1)];
        self.add_gradient(product, patches, e, F::zero(), gradient);
        for (sum, &g) in sinks.gradient_sum.iter_mut().zip(&*gradient) {
            *sum += g;
        }
        for (sum, &g) in sinks.second_moment.iter_mut().zip(&*gradient) {
            *sum += g * g;
        }
        if let Some(norm) = sinks.square_norms.get_mut(sample) {
            *norm += square_norm(gradient);
        }
        if let Some(inner_product) = sinks.inner_products.get_mut(sample) {
            *inner_product += dot_of_equals(gradient, sinks.mean_gradient);
        }
    }

    /// \[weights, bias\] ← \[e · patchesᵀ, row sums of e\] + β times what they were.
    fn add_gradient<F: Real>(
        self,
        product: impl MatrixProduct<F>,
        patches: &[F],
        e: &[F],
        beta: F,
        gradient: &mut [F],
    ) {
        let (weights, bias) = gradient.split_at_mut(self.outputs() * self.fan_in());
        let patches = Matrix::of(patches, self.fan_in(), self.positions()).transposed();
        let target = MatrixMut::of(weights, self.outputs(), self.fan_in());
        product.multiply(Matrix::of(e, self.outputs(), self.positions()), patches, beta, target);
        for (sum, row) in bias.iter_mut().zip(e.chunks_exact(self.positions())) {
            let before = if beta.is_zero() { F::zero() } else { beta * *sum };
            *sum = before + row.iter().copied().sum();
        }
    }

    /// patches\[c, u, v\]\[r, s\] = x\[c\]\[r·stride + u − padding\]\[s·stride + v − padding\], 0 outside.
    fn gather<F: Real>(self, x: &[F], patches: &mut [F]) {
        self.each_run(|run| {
            let row = &mut patches[run.row..run.row + run.columns];
            row[..run.skipped].fill(F::zero());
            row[run.skipped + run.len..].fill(F::zero());
            let inside = &mut row[run.skipped..run.skipped + run.len];
            if self.windows.stride == 1 {
                inside.copy_from_slice(&x[run.start..run.start + run.len]);
            } else {
                for (k, value) in inside.iter_mut().enumerate() {
                    *value = x[run.start + k * self.windows.stride];
                }
            }
        });
    }

    /// The adjoint of [`Self::gather`]: adds every patch value back to where it came from.
    fn scatter<F: Real>(self, patches: &[F], x: &mut [F]) {
        self.each_run(|run| {
            let inside = &patches[run.row + run.skipped..run.row + run.skipped + run.len];
            if self.windows.stride == 1 {
                for (sum, &value) in x[run.start..run.start + run.len].iter_mut().zip(inside) {
                    *sum += value;
                }
            } else {
                for (k, &value) in inside.iter().enumerate() {
                    x[run.start + k * self.windows.stride] += value;
                }
            }
        });
    }

    /// Calls `visit` for every output row of every patch row.
    fn each_run(self, mut visit: impl FnMut(Run)) {
        let Windows { input, output, kernel, stride, padding } = self.windows;
        let [height, width] = [input.height, input.width].map(|size| size as usize);
        let [rows, columns] = [output.height, output.width].map(|size| size as usize);
        for patch_row in 0..self.fan_in() {
            let (u, v) = (patch_row / kernel % kernel, patch_row % kernel);
            let plane = patch_row / (kernel * kernel) * height * width;
            // Output columns s with 0 ≤ s·stride + v − padding < width.
            let skipped = padding.saturating_sub(v).div_ceil(stride).min(columns);
            let end = (width + padding).saturating_sub(v).div_ceil(stride).clamp(skipped, columns);
            for r in 0..rows {
                let row = (patch_row * rows + r) * columns;
                let run = match (r * stride + u).checked_sub(padding).filter(|&y| y < height && skipped < end)
                {
                    Some(y) => Run {
                        row,
                        columns,
                        skipped,
                        len: end - skipped,
                        start: plane + y * width + skipped * stride + v - padding,
                    },
                    None => Run { row, columns, skipped: columns, len: 0, start: 0 },
                };
                visit(run);
            }
        }
    }
}

/// One output row of one patch row: `len` values that come from inside the image, after `skipped` zeros.
struct Run {
    /// Where the row begins in the patches.
    row: usize,
    columns: usize,
    skipped: usize,
    len: usize,
    /// Where the first value inside lies in the sample.
    start: usize,
}
