//! The cases of layer normalisation.

use super::super::kernel::{Launch, Shader};
use super::super::uniforms::LayerNorm;
use super::case::{Random, added, word};
use super::{Approx, Case};

/// Where γ begins.
const OFFSET: u32 = 3;
/// Kept away from 0.
const EPSILON: f64 = 1e-5;

/// Samples, channels, positions: a vector, one channel, and sizes around a workgroup.
const SHAPES: [[u32; 3]; 6] = [[1, 1, 1], [3, 7, 1], [2, 1, 5], [5, 4, 64], [3, 65, 9], [2, 6, 131]];

pub(super) fn cases(random: &mut Random, cases: &mut Vec<Case>) {
    for [samples, channels, plane] in SHAPES {
        let norm = LayerNorm { samples, channels, plane, parameter_offset: OFFSET };
        let [x, errors] = [(); 2].map(|()| random.values(samples * channels * plane));
        // Means far from 0.
        let x = x.iter().map(|x| x + 2.0).collect();
        let parameters = random.values(OFFSET + 2 * channels);
        let problem = Problem { norm, x, errors, parameters };
        problem.forward(cases);
        problem.backward(random, cases);
    }
}

/// A layer with inputs, parameters and output gradients.
struct Problem {
    norm: LayerNorm,
    x: Vec<f32>,
    errors: Vec<f32>,
    parameters: Vec<f32>,
}

/// μ and 1/√(σ² + ε) of a position as a kernel takes them.
type Moments = [f32; 2];

impl Problem {
    fn shape(&self, what: &str) -> String {
        let LayerNorm { samples, channels, plane, .. } = self.norm;
        format!("{samples} samples of {channels} channels at {plane} positions{what}")
    }

    fn case(&self, entry: &'static str, what: &str, adds: bool, count: usize) -> Case {
        let launch = Launch::flat(Shader::LayerNorm, entry, &[("ADD", adds)], word(count));
        Case::new(None, self.shape(what), launch, &self.norm)
    }

    fn positions(&self) -> usize {
        (self.norm.samples * self.norm.plane) as usize
    }

    /// The values of a position.
    fn of_position(&self, position: usize) -> impl Iterator<Item = usize> + Clone {
        let [channels, plane] = [self.norm.channels, self.norm.plane].map(|size| size as usize);
        let first = position / plane * channels * plane + position % plane;
        (0..channels).map(move |channel| first + channel * plane)
    }

    /// The position of a value.
    const fn position(&self, index: usize) -> usize {
        let [channels, plane] = [self.norm.channels as usize, self.norm.plane as usize];
        index / (channels * plane) * plane + index % plane
    }

    const fn channel(&self, index: usize) -> usize {
        index / self.norm.plane as usize % self.norm.channels as usize
    }

    fn weight(&self, channel: usize) -> Approx {
        Approx::of(self.parameters[OFFSET as usize + channel])
    }

    fn bias(&self, channel: usize) -> Approx {
        Approx::of(self.parameters[(OFFSET + self.norm.channels) as usize + channel])
    }

    fn moments_of(&self, position: usize) -> [Approx; 2] {
        let values = || self.of_position(position).map(|index| Approx::of(self.x[index]));
        let len = Approx::exact(self.norm.channels.into());
        let mean = Approx::sum(values()) / len;
        let differences = values().map(|x| x - mean);
        let variance = Approx::dot(differences.map(|difference| (difference, difference))) / len;
        [mean, (variance + Approx::rounded_once(EPSILON)).inverse_root()]
    }

    /// Rounded, for the kernels that read them.
    fn moments(&self) -> Vec<Moments> {
        (0..self.positions()).map(|position| self.moments_of(position).map(Approx::narrow)).collect()
    }

    fn normal(&self, index: usize, moments: &[Moments]) -> Approx {
        let [mean, inverse] = moments[self.position(index)].map(Approx::of);
        (Approx::of(self.x[index]) - mean) * inverse
    }

    fn forward(&self, cases: &mut Vec<Case>) {
        let zeros = [Approx::exact(0.0); 2];
        let moments = (0..self.positions()).flat_map(|position| [self.moments_of(position), zeros].concat());
        cases.push(
            self.case("layer_norm_moments", "", false, self.positions())
                .reads(1, &self.x)
                .writes(4, moments.collect()),
        );
        let moments = self.moments();
        let before: Vec<f32> =
            moments.iter().flat_map(|&[mean, inverse]| [mean, inverse, 0.0, 0.0]).collect();
        let value = |index| {
            let channel = self.channel(index);
            self.weight(channel) * self.normal(index, &moments) + self.bias(channel)
        };
        cases.push(
            self.case("layer_norm_forward", "", false, self.x.len())
                .reads(1, &self.x)
                .reads(3, &self.parameters)
                .reads(4, &before)
                .writes(5, (0..self.x.len()).map(value).collect()),
        );
    }

    fn backward(&self, random: &mut Random, cases: &mut Vec<Case>) {
        let moments = self.moments();
        let error = |index: usize| Approx::of(self.errors[index]);
        // What the forward pass leaves beside the moments is nothing's concern.
        let before: Vec<f32> =
            moments.iter().flat_map(|&[mean, inverse]| [mean, inverse, 5.0, 7.0]).collect();
        let [channels, plane] = [self.norm.channels, self.norm.plane].map(|size| size as usize);
        let gradients = (0..self.norm.samples as usize).flat_map(|sample| {
            let places = |channel: usize| ((sample * channels + channel) * plane..).take(plane);
            let weight = |channel| {
                Approx::dot(places(channel).map(|index| (error(index), self.normal(index, &moments))))
            };
            let bias = |channel| Approx::sum(places(channel).map(error));
            (0..channels).map(weight).chain((0..channels).map(bias)).collect::<Vec<_>>()
        });
        cases.push(
            self.case("layer_norm_sample_gradients", "", false, self.norm.samples as usize * channels)
                .reads(1, &self.x)
                .reads(2, &self.errors)
                .reads(4, &before)
                .writes(5, gradients.collect()),
        );
        let weighted = |index: usize| self.weight(self.channel(index)) * error(index);
        let means: Vec<[Approx; 2]> = (0..self.positions())
            .map(|position| {
                let places = self.of_position(position);
                let len = Approx::exact(self.norm.channels.into());
                let along = places.clone().map(|index| (weighted(index), self.normal(index, &moments)));
                [Approx::sum(places.map(weighted)) / len, Approx::dot(along) / len]
            })
            .collect();
        let after = moments.iter().zip(&means);
        let after = after.flat_map(|(moments, &means)| [moments.map(Approx::of), means].concat()).collect();
        cases.push(
            self.case("layer_norm_means", "", false, self.positions())
                .reads(1, &self.x)
                .reads(2, &self.errors)
                .reads(3, &self.parameters)
                .changes(4, &before, after),
        );
        let rounded: Vec<[f32; 2]> = means.iter().map(|means| means.map(Approx::narrow)).collect();
        let kept: Vec<f32> =
            moments.iter().zip(&rounded).flat_map(|(&moments, &means)| [moments, means].concat()).collect();
        let gradient = |index| {
            let position = self.position(index);
            let [mean, along] = rounded[position].map(Approx::of);
            let inverse = Approx::of(moments[position][1]);
            (weighted(index) - mean - self.normal(index, &moments) * along) * inverse
        };
        let dx: Vec<Approx> = (0..self.x.len()).map(gradient).collect();
        for adds in [false, true] {
            cases.push(
                self.case("layer_norm_input_gradient", added(adds), adds, self.x.len())
                    .reads(1, &self.x)
                    .reads(2, &self.errors)
                    .reads(3, &self.parameters)
                    .reads(4, &kept)
                    .leaves(5, adds, random, dx.clone()),
            );
        }
    }
}
