//! The cases of group normalisation.

use super::super::kernel::{Launch, Shader};
use super::super::uniforms::GroupNorm;
use super::super::variants::{self, Variant};
use super::case::{Random, added, word};
use super::{Approx, Case};

/// Where γ begins.
const OFFSET: u32 = 3;
/// Kept away from 0.
const EPSILON: f64 = 1e-5;
/// Long sums: an invocation each, or a workgroup.
const BY: [Variant; 2] = [Variant::Plain, Variant::Tiles];

/// Samples, channels, groups, values of a channel: one group, as many groups as channels, groups of one value, channels
/// around a workgroup, and more groups than one.
const SHAPES: [[u32; 4]; 7] =
    [[1, 1, 1, 1], [3, 2, 2, 1], [2, 6, 3, 35], [5, 4, 1, 64], [3, 5, 5, 65], [7, 12, 4, 9], [33, 2, 2, 131]];

pub(super) fn cases(random: &mut Random, cases: &mut Vec<Case>) {
    for shape in SHAPES {
        let problem = Problem::new(random, shape);
        problem.forward(cases);
        problem.backward(random, cases);
    }
}

/// A layer with inputs, parameters and output gradients.
struct Problem {
    norm: GroupNorm,
    x: Vec<f32>,
    errors: Vec<f32>,
    parameters: Vec<f32>,
}

/// μ and 1/√(σ² + ε) of a group as a kernel takes them.
type Moments = [f32; 2];

impl Problem {
    fn new(random: &mut Random, [samples, channels, groups, plane]: [u32; 4]) -> Self {
        let norm = GroupNorm { samples, channels, groups, plane, parameter_offset: OFFSET };
        let [x, errors] = [(); 2].map(|()| random.values(samples * channels * plane));
        // Means far from 0, as they are behind a convolution.
        let x = x.iter().map(|x| x + 2.0).collect();
        Self { norm, x, errors, parameters: random.values(OFFSET + 2 * channels) }
    }

    fn shape(&self, what: &str) -> String {
        let GroupNorm { samples, channels, groups, plane, .. } = self.norm;
        format!("{samples} samples of {channels} channels of {plane} values in {groups} groups{what}")
    }

    /// Values of a group.
    fn group_len(&self) -> usize {
        (self.norm.channels / self.norm.groups * self.norm.plane) as usize
    }

    fn channel(&self, index: usize) -> usize {
        index / self.norm.plane as usize % self.norm.channels as usize
    }

    fn weight(&self, channel: usize) -> Approx {
        Approx::of(self.parameters[OFFSET as usize + channel])
    }

    fn bias(&self, channel: usize) -> Approx {
        Approx::of(self.parameters[(OFFSET + self.norm.channels) as usize + channel])
    }

    fn moments_of(&self, group: &[f32]) -> [Approx; 2] {
        let values = || group.iter().map(|&x| Approx::of(x));
        let len = Approx::exact(word(self.group_len()).into());
        let mean = Approx::sum(values()) / len;
        let differences = values().map(|x| x - mean);
        let variance = Approx::dot(differences.map(|difference| (difference, difference))) / len;
        [mean, (variance + Approx::rounded_once(EPSILON)).inverse_root()]
    }

    /// Rounded, for the kernels that read them.
    fn moments(&self) -> Vec<Moments> {
        let groups = self.x.chunks_exact(self.group_len());
        groups.map(|group| self.moments_of(group).map(Approx::narrow)).collect()
    }

    fn normal(&self, index: usize, moments: &[Moments]) -> Approx {
        let [mean, inverse] = moments[index / self.group_len()].map(Approx::of);
        (Approx::of(self.x[index]) - mean) * inverse
    }

    fn forward(&self, cases: &mut Vec<Case>) {
        let zeros = [Approx::exact(0.0); 2];
        let moments = self.x.chunks_exact(self.group_len());
        let moments: Vec<_> = moments.flat_map(|group| [self.moments_of(group), zeros].concat()).collect();
        for variant in BY {
            let launch = variants::group_norm_sums(variant, false, &self.norm);
            let case = Case::new(Some(variant), self.shape(""), launch, &self.norm);
            cases.push(case.reads(1, &self.x).writes(4, moments.clone()));
        }
        let moments = self.moments();
        let before: Vec<f32> =
            moments.iter().flat_map(|&[mean, inverse]| [mean, inverse, 0.0, 0.0]).collect();
        let value = |index| {
            let channel = self.channel(index);
            self.weight(channel) * self.normal(index, &moments) + self.bias(channel)
        };
        for relu in [false, true] {
            let y = (0..self.x.len()).map(value).map(|y| if relu { y.relu() } else { y }).collect();
            let shape = self.shape(if relu { ", ReLU" } else { "" });
            let launch =
                Launch::flat(Shader::GroupNorm, "group_norm_forward", &[("RELU", relu)], word(self.x.len()));
            cases.push(
                Case::new(None, shape, launch, &self.norm)
                    .reads(1, &self.x)
                    .reads(3, &self.parameters)
                    .reads(4, &before)
                    .writes(5, y),
            );
        }
    }

    fn backward(&self, random: &mut Random, cases: &mut Vec<Case>) {
        let moments = self.moments();
        let gradients = self.gradients(&moments);
        let means = self.means(&gradients);
        // What the forward pass leaves beside the moments is nothing's concern.
        let before: Vec<f32> =
            moments.iter().flat_map(|&[mean, inverse]| [mean, inverse, 5.0, 7.0]).collect();
        let after: Vec<Approx> = moments
            .iter()
            .zip(&means)
            .flat_map(|(moments, &means)| [moments.map(Approx::of), means].concat())
            .collect();
        for variant in BY {
            let launch = variants::group_norm_sums(variant, true, &self.norm);
            cases.push(
                Case::new(Some(variant), self.shape(""), launch, &self.norm)
                    .reads(1, &self.x)
                    .reads(2, &self.errors)
                    .reads(3, &self.parameters)
                    .changes(4, &before, after.clone())
                    .writes(5, gradients.concat()),
            );
        }
        let rounded: Vec<[f32; 2]> = means.iter().map(|means| means.map(Approx::narrow)).collect();
        let kept: Vec<f32> =
            moments.iter().zip(&rounded).flat_map(|(&moments, &means)| [moments, means].concat()).collect();
        let gradient = |index| {
            let weighted = self.weight(self.channel(index)) * Approx::of(self.errors[index]);
            let group = index / self.group_len();
            let [mean, along] = rounded[group].map(Approx::of);
            let inverse = Approx::of(moments[group][1]);
            (weighted - mean - self.normal(index, &moments) * along) * inverse
        };
        let dx: Vec<Approx> = (0..self.x.len()).map(gradient).collect();
        for adds in [false, true] {
            let (entry, constants) = ("group_norm_input_gradient", [("ADD", adds)]);
            let launch = Launch::flat(Shader::GroupNorm, entry, &constants, word(self.x.len()));
            cases.push(
                Case::new(None, self.shape(added(adds)), launch, &self.norm)
                    .reads(1, &self.x)
                    .reads(2, &self.errors)
                    .reads(3, &self.parameters)
                    .reads(4, &kept)
                    .leaves(5, adds, random, dx.clone()),
            );
        }
    }

    /// Each sample's gradient: γ's, then β's.
    fn gradients(&self, moments: &[Moments]) -> Vec<Vec<Approx>> {
        let [plane, channels] = [self.norm.plane, self.norm.channels].map(|size| size as usize);
        let places = |sample: usize, channel: usize| (sample * channels + channel) * plane..;
        let error = |index: usize| Approx::of(self.errors[index]);
        let of_sample = |sample| {
            let weight = |channel| {
                let places = places(sample, channel).take(plane);
                Approx::dot(places.map(|index| (error(index), self.normal(index, moments))))
            };
            let bias = |channel| Approx::sum(places(sample, channel).take(plane).map(error));
            (0..channels).map(weight).chain((0..channels).map(bias)).collect()
        };
        (0..self.norm.samples as usize).map(of_sample).collect()
    }

    /// Of each group the means of w and of w x̂.
    fn means(&self, gradients: &[Vec<Approx>]) -> Vec<[Approx; 2]> {
        let [channels, groups] = [self.norm.channels, self.norm.groups].map(|size| size as usize);
        let len = Approx::exact(word(self.group_len()).into());
        let of_group = |(sample, group): (&Vec<Approx>, usize)| {
            let of_group = || (group * channels / groups..).take(channels / groups);
            let mean = |first: usize| {
                let terms = of_group().map(|channel| (self.weight(channel), sample[first + channel]));
                Approx::dot(terms) / len
            };
            [mean(channels), mean(0)]
        };
        gradients
            .iter()
            .flat_map(|sample| (0..groups).map(move |group| (sample, group)))
            .map(of_group)
            .collect()
    }
}
