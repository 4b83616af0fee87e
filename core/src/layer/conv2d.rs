use core::fmt;

use super::operation::nonzero;
use super::slide::slide;
use super::{Backward, Forward, Initial, Layer, Place, ShapeError, Signature, Sizes, Tensor};
use crate::backend::{Backend, BackwardOf, Conv2dKernels, ForwardOf, KERNELS, Matrix, MatrixMut};
use crate::real::Real;
use crate::shape::Shape;
use crate::sink::Sink;
use crate::statistics::Needs;
use crate::windows::Windows;

/// Cross-correlation, W \[outputs, C, kernel, kernel\], zero padding: a matrix product over patches, one sample at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Output channels.
    pub outputs: u32,
    /// Side of the square kernel.
    pub kernel: u32,
    /// Steps between windows.
    pub stride: u32,
    /// Zeros added on every side.
    pub padding: u32,
    /// Whether it adds b \[outputs\]; in front of a normalisation it would have no effect.
    pub bias: bool,
}

impl Conv2d {
    pub(crate) const fn windows(self, place: Place) -> Windows {
        Windows::new(place.input, place.output, self.kernel, self.stride, self.padding)
    }

    pub(crate) const fn sizes(self, input: Shape) -> Result<Sizes, ShapeError> {
        let output = match slide(input, self.outputs, self.kernel, self.stride, self.padding) {
            Ok(output) => output,
            Err(error) => return Err(error),
        };
        // A sample's patches have to fit too.
        let Some(fan_in) = self.fan_in(input) else { return Err(ShapeError::TooLarge) };
        if let Err(error) = nonzero(Shape { channels: fan_in, ..output }.checked_len()) {
            return Err(error);
        }
        let initial = Initial::Uniform { fan_in };
        let weights = Tensor::new([self.outputs, input.channels, self.kernel, self.kernel], initial);
        let biases = if self.bias { Some(Tensor::new([self.outputs], initial)) } else { None };
        Ok(Sizes { tensors: [Some(weights), biases], ..Sizes::without_parameters(output) })
    }

    /// One sample's patches, and its gradient, or its patches'.
    pub(crate) const fn scratch_len(self, place: Place, _: usize, _: &Needs) -> usize {
        let patches = Patches::new(self.windows(place)).len();
        let gradient = place.weights + place.biases;
        patches + if gradient > patches { gradient } else { patches }
    }

    const fn fan_in(self, input: Shape) -> Option<u32> {
        Shape::image(input.channels, self.kernel, self.kernel).checked_len()
    }

    /// Kernels that can do this convolution in so much scratch memory.
    fn kernels<F: Real>(
        self,
        backend: &dyn Backend<F>,
        place: Place,
        scratch: usize,
    ) -> Option<Conv2dKernels<F>> {
        backend.kernels()?.conv2d.fitting(self.windows(place), scratch)
    }
}

impl Signature for Conv2d {
    fn flops(&self, input: Shape, output: Shape) -> u64 {
        let fan_in = u64::from(self.fan_in(input).unwrap_or(u32::MAX));
        fan_in.saturating_mul(2).saturating_mul(output.len() as u64)
    }

    fn with_kernels(&self, place: Place, _: usize, scratch_len: usize) -> usize {
        scratch_len.max(KERNELS.map_or(0, |kernels| (kernels.conv2d.scratch_len)(self.windows(place))))
    }
}

impl fmt::Display for Conv2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outputs, kernel, stride, padding, bias } = self;
        let bias = if *bias { "" } else { ", no bias" };
        write!(
            f,
            "convolution {kernel}×{kernel}, {outputs} output channels, stride {stride}, padding {padding}{bias}"
        )
    }
}

impl<F: Real> Layer<F> for Conv2d {
    /// y = W · patches(x) + b.
    fn forward(&self, call: &Forward<'_, F>, y: &mut [F], scratch: &mut [F]) {
        let Forward { backend, place, parameters, x: [x, _], .. } = *call;
        if let Some(kernels) = self.kernels(backend, place, scratch.len()) {
            let of = ForwardOf { parameters, x, y };
            return (kernels.forward)(self.windows(place), of, scratch);
        }
        let sizes = Patches::new(self.windows(place));
        let (weights, bias) = parameters.split_at(place.weights);
        let patches = &mut scratch[..sizes.len()];
        for (x, y) in x.chunks_exact(place.input.len()).zip(y.chunks_exact_mut(place.output.len())) {
            sizes.gather(x, patches);
            for (row, &bias) in y.chunks_exact_mut(sizes.positions).zip(bias) {
                row.fill(bias);
            }
            let y = MatrixMut::of(y, sizes.outputs, sizes.positions);
            let beta = if self.bias { F::one() } else { F::zero() };
            backend.multiply(sizes.weights(weights), sizes.matrix(patches), beta, y);
        }
    }

    fn can_overwrite(&self, backend: &dyn Backend<F>, place: Place, scratch: usize) -> bool {
        self.windows(place).is_pointwise() && self.kernels(backend, place, scratch).is_some()
    }

    /// dx += adjoint of the forward pass.
    fn input_gradient(&self, call: &Backward<'_, F>, dx: &mut [F], scratch: &mut [F]) {
        let place = call.place;
        let sizes = Patches::new(self.windows(place));
        let d_patches = &mut scratch[..sizes.len()];
        let samples = call.dy.chunks_exact(place.output.len()).zip(dx.chunks_exact_mut(place.input.len()));
        for (e, dx) in samples {
            let e = Matrix::of(e, sizes.outputs, sizes.positions);
            let target = MatrixMut::of(d_patches, sizes.fan_in, sizes.positions);
            call.backend.multiply(sizes.weights(call.parameters).transposed(), e, F::zero(), target);
            sizes.scatter(d_patches, dx);
        }
    }

    /// \[weights, bias\] ← \[e · patchesᵀ, row sums of e\] + β times what they were.
    fn sample_gradient(
        &self,
        call: &Backward<'_, F>,
        sample: usize,
        beta: F,
        gradient: &mut [F],
        scratch: &mut [F],
    ) {
        let place = call.place;
        let sizes = Patches::new(self.windows(place));
        let x = &call.x[0][sample * place.input.len()..][..place.input.len()];
        let e = &call.dy[sample * place.output.len()..][..place.output.len()];
        let patches = &mut scratch[..sizes.len()];
        sizes.gather(x, patches);
        let (weights, bias) = gradient.split_at_mut(place.weights);
        let target = MatrixMut::of(weights, sizes.outputs, sizes.fan_in);
        let errors = Matrix::of(e, sizes.outputs, sizes.positions);
        call.backend.multiply(errors, sizes.matrix(patches).transposed(), beta, target);
        for (sum, row) in bias.iter_mut().zip(e.chunks_exact(sizes.positions)) {
            let before = if beta.is_zero() { F::zero() } else { beta * *sum };
            *sum = before + row.iter().copied().sum();
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
        if let Some(kernels) = self.kernels(backend, place, scratch.len()) {
            let of = BackwardOf { parameters, x, dy, dx, overwrites: call.overwrites, sink };
            return (kernels.backward)(self.windows(place), of, scratch);
        }
        self.statistics(call, sink, scratch);
        if let Some(dx) = dx {
            self.input_gradient(call, dx, scratch);
        }
    }
}

/// One sample's patches \[C·kernel², P\], with P output positions.
#[derive(Clone, Copy)]
struct Patches {
    windows: Windows,
    outputs: usize,
    fan_in: usize,
    positions: usize,
}

impl Patches {
    const fn new(windows: Windows) -> Self {
        Self {
            windows,
            outputs: windows.output.channels as usize,
            fan_in: windows.input.channels as usize * windows.kernel.pow(2),
            positions: windows.output.plane(),
        }
    }

    const fn len(self) -> usize {
        self.fan_in * self.positions
    }

    fn matrix<F: Copy>(self, values: &[F]) -> Matrix<'_, F> {
        Matrix::of(values, self.fan_in, self.positions)
    }

    /// W \[outputs, C·kernel²\].
    fn weights<F: Copy>(self, parameters: &[F]) -> Matrix<'_, F> {
        Matrix::of(parameters, self.outputs, self.fan_in)
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
        for patch_row in 0..self.fan_in {
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
