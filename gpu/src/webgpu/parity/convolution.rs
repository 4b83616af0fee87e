//! The cases of convolutions.

use super::super::convolution::FusedConv2d;
use super::super::uniforms::Conv2d;
use super::super::variants::{self, Variant};
use super::case::{Random, added};
use super::{Approx, Case};

const MOMENT: u32 = 1;
const PROJECT: u32 = 2;
/// Where the layer's parameters begin.
const OFFSET: u32 = 3;

/// Samples, channels, height, width, outputs, kernel, stride, padding: odd sizes around the tiles' and rows', one
/// kernel too large for the variants by rows, one with a stride, one without padding, and the CNN's second layer.
const SHAPES: [[u32; 8]; 9] = [
    [1, 1, 1, 1, 1, 1, 1, 0],
    [3, 1, 5, 7, 3, 3, 1, 1],
    [2, 3, 9, 15, 5, 5, 1, 2],
    [1, 2, 8, 11, 7, 3, 2, 0],
    [5, 5, 6, 16, 9, 2, 1, 1],
    [2, 4, 3, 35, 33, 4, 1, 3],
    [3, 17, 4, 17, 8, 1, 1, 0],
    [2, 2, 10, 9, 4, 7, 1, 3],
    [2, 16, 14, 14, 32, 5, 1, 2],
];

/// Taps whose number is one of a tile's, and others.
const WITHOUT_BIAS: [[u32; 8]; 4] = [
    [3, 1, 5, 7, 3, 3, 1, 1],
    [1, 2, 8, 11, 7, 3, 2, 0],
    [5, 5, 6, 16, 9, 2, 1, 1],
    [3, 17, 4, 17, 8, 1, 1, 0],
];

pub(super) fn cases(random: &mut Random, cases: &mut Vec<Case>) {
    for shape in SHAPES {
        let problem = Problem::new(random, shape, true);
        problem.parameter_cases(cases);
        for (variant, adds) in
            Variant::ALL.into_iter().flat_map(|variant| [(variant, false), (variant, true)])
        {
            cases.push(problem.input_gradient(random, variant, adds));
        }
    }
    for shape in WITHOUT_BIAS {
        Problem::new(random, shape, false).parameter_cases(cases);
    }
}

/// A convolution with inputs, parameters and output gradients.
struct Problem {
    conv: Conv2d,
    has_bias: bool,
    x: Vec<f32>,
    parameters: Vec<f32>,
    e: Vec<f32>,
}

impl Problem {
    fn new(random: &mut Random, shape: [u32; 8], has_bias: bool) -> Self {
        let [samples, channels, height, width, outputs, kernel, stride, padding] = shape;
        let out = |size: u32| (size + 2 * padding - kernel) / stride + 1;
        let conv = Conv2d {
            samples,
            channels,
            height,
            width,
            outputs,
            out_height: out(height),
            out_width: out(width),
            kernel,
            stride,
            padding,
            parameter_offset: OFFSET,
            relu: 1,
            slice: 2,
            ..Conv2d::default()
        };
        let x = random.values(samples * channels * height * width);
        let taps = channels * kernel * kernel + u32::from(has_bias);
        let parameters = random.values(OFFSET + outputs * taps);
        let e = random.values(samples * outputs * conv.out_height * conv.out_width);
        Self { conv, has_bias, x, parameters, e }
    }

    /// Cases that are others where there are no biases.
    fn parameter_cases(&self, cases: &mut Vec<Case>) {
        for variant in Variant::ALL {
            cases.push(self.forward(variant));
            for flags in [0, MOMENT, PROJECT] {
                cases.push(self.weight_gradient(variant, flags));
            }
        }
    }

    const fn fused(&self, block: Conv2d, adds: bool) -> FusedConv2d {
        FusedConv2d { block, has_bias: self.has_bias, adds }
    }

    fn shape(&self, what: &str) -> String {
        let Conv2d { samples, channels, height, width, outputs, kernel, stride, padding, .. } = self.conv;
        let bias = if self.has_bias { "" } else { ", no bias" };
        format!(
            "{samples}×{channels}×{height}×{width}, {outputs} outputs, kernel {kernel}, stride {stride}, padding {padding}{bias}{what}"
        )
    }

    fn taps(&self) -> u32 {
        self.conv.channels * self.conv.kernel * self.conv.kernel
    }

    fn positions(&self) -> u32 {
        self.conv.out_height * self.conv.out_width
    }

    /// Where the pixel lies that an output position sees through a tap.
    fn pixel(&self, sample: u32, tap: u32, position: u32) -> Option<usize> {
        let Conv2d { channels, height, width, kernel, stride, padding, out_width, .. } = self.conv;
        let (channel, u, v) = (tap / (kernel * kernel), tap / kernel % kernel, tap % kernel);
        let y = (position / out_width * stride + u).checked_sub(padding).filter(|&y| y < height)?;
        let x = (position % out_width * stride + v).checked_sub(padding).filter(|&x| x < width)?;
        Some((((sample * channels + channel) * height + y) * width + x) as usize)
    }

    fn weight(&self, output: u32, tap: u32) -> Approx {
        Approx::of(self.parameters[(OFFSET + output * self.taps() + tap) as usize])
    }

    fn error(&self, sample: u32, output: u32, position: u32) -> Approx {
        let at = (sample * self.conv.outputs + output) * self.positions() + position;
        Approx::of(self.e[at as usize])
    }

    fn forward(&self, variant: Variant) -> Case {
        let Conv2d { samples, outputs, .. } = self.conv;
        let mut y = Vec::new();
        for (sample, output) in pairs(samples, outputs) {
            let bias = (OFFSET + outputs * self.taps() + output) as usize;
            let bias = if self.has_bias { Approx::of(self.parameters[bias]) } else { Approx::exact(0.0) };
            for position in 0..self.positions() {
                let terms = (0..self.taps()).filter_map(|tap| {
                    let pixel = self.pixel(sample, tap, position)?;
                    Some((self.weight(output, tap), Approx::of(self.x[pixel])))
                });
                y.push((Approx::dot(terms) + bias).relu());
            }
        }
        let conv = self.fused(self.conv, false);
        let launch = variants::conv2d_forward(variant, &conv);
        Case::new(Some(variant), self.shape(""), launch, &conv)
            .reads(1, &self.x)
            .reads(2, &self.parameters)
            .writes(3, y)
    }

    fn input_gradient(&self, random: &mut Random, variant: Variant, adds: bool) -> Case {
        let mut terms = vec![Vec::new(); self.x.len()];
        for (sample, output) in pairs(self.conv.samples, self.conv.outputs) {
            for (tap, position) in pairs(self.taps(), self.positions()) {
                if let Some(pixel) = self.pixel(sample, tap, position) {
                    terms[pixel].push((self.weight(output, tap), self.error(sample, output, position)));
                }
            }
        }
        let conv = self.fused(self.conv, adds);
        let launch = variants::conv2d_input_gradient(variant, &conv);
        Case::new(Some(variant), self.shape(added(adds)), launch, &conv)
            .reads(1, &self.e)
            .reads(2, &self.parameters)
            .leaves(3, adds, random, terms.into_iter().map(Approx::dot).collect())
    }

    /// Parameters of an output.
    fn gradient_taps(&self) -> u32 {
        self.taps() + u32::from(self.has_bias)
    }

    /// One sample's gradient, [output][tap], the last tap being the bias where there is one.
    fn gradient(&self, sample: u32) -> Vec<Approx> {
        let gradient = |(output, tap)| {
            let e = |position| self.error(sample, output, position);
            if tap == self.taps() {
                return Approx::sum((0..self.positions()).map(e));
            }
            Approx::dot((0..self.positions()).filter_map(|position| {
                Some((e(position), Approx::of(self.x[self.pixel(sample, tap, position)?])))
            }))
        };
        pairs(self.conv.outputs, self.gradient_taps()).map(gradient).collect()
    }

    /// The tile whose square norm a value of the gradient counts in.
    fn tile(&self, entry: &str, output: u32, tap: u32) -> u32 {
        if !entry.ends_with("_rows") {
            return output / 4 * self.gradient_taps().div_ceil(4) + tap / 4;
        }
        let rows = self.conv.channels * self.conv.kernel;
        output / 8 * (rows + u32::from(self.has_bias))
            + if tap == self.taps() { rows } else { tap / self.conv.kernel }
    }

    fn weight_gradient(&self, variant: Variant, flags: u32) -> Case {
        let taps = self.taps();
        let tiles = variants::gradient_tiles(variant, &self.fused(self.conv, false));
        let conv = Conv2d { flags, sink_stride: tiles + 1, ..self.conv };
        let fused = self.fused(conv, false);
        let launch = variants::conv2d_weight_gradient(variant, &fused);
        let place = |output: u32, tap: u32| {
            if tap == taps { conv.outputs * taps + output } else { output * taps + tap }
        };
        let layer = (conv.outputs * self.gradient_taps()) as usize;
        let slices = conv.samples.div_ceil(conv.slice) as usize;
        let stride = conv.sink_stride as usize;
        let nothing = || vec![Vec::new(); stride * conv.samples as usize];
        let (mut norms, mut products) = (nothing(), nothing());
        let mut totals = vec![vec![Vec::new(); layer]; slices];
        let mut squares = totals.clone();
        for sample in 0..conv.samples {
            let gradient = self.gradient(sample);
            let slice = (sample / conv.slice) as usize;
            for ((output, tap), g) in pairs(conv.outputs, self.gradient_taps()).zip(gradient) {
                let tile = sample as usize * stride + self.tile(launch.entry, output, tap) as usize;
                let at = place(output, tap) as usize;
                norms[tile].push((g, g));
                products[tile].push((g, Approx::of(self.parameters[OFFSET as usize + at])));
                totals[slice][at].push(g);
                squares[slice][at].push(g * g);
            }
        }
        // Between one sample's tiles and the next's lies a place that nobody writes.
        let dots = |tiles: Vec<Vec<(Approx, Approx)>>| {
            let last = |k: usize| k % stride == stride - 1;
            let dot = |(k, terms)| if last(k) { Approx::UNTOUCHED } else { Approx::dot(terms) };
            tiles.into_iter().enumerate().map(dot).collect::<Vec<_>>()
        };
        let untouched = |len: usize| vec![Approx::UNTOUCHED; len];
        let (sums, sixth) = match flags {
            PROJECT => (untouched(1), dots(products)),
            _ => (
                totals.into_iter().flatten().map(Approx::sum).collect(),
                if flags == MOMENT {
                    squares.into_iter().flatten().map(Approx::sum).collect()
                } else {
                    untouched(1)
                },
            ),
        };
        let what = ["", ", second moments", ", inner products"][flags as usize];
        Case::new(Some(variant), self.shape(what), launch, &fused)
            .reads(1, &self.x)
            .reads(2, &self.parameters)
            .writes(3, sums)
            .reads(4, &self.e)
            .writes(5, dots(norms))
            .writes(6, sixth)
    }
}

fn pairs(first: u32, second: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..first).flat_map(move |a| (0..second).map(move |b| (a, b)))
}
