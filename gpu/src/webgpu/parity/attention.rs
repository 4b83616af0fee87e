//! The cases of self-attention.

use super::super::kernel::{Launch, Shader};
use super::super::uniforms::Attention;
use super::case::{Random, added, word};
use super::{Approx, Case};

/// Samples, width, heads, positions: one position, as many heads as channels, and sizes around a workgroup.
const SHAPES: [[u32; 4]; 6] =
    [[1, 1, 1, 1], [2, 6, 2, 5], [3, 4, 4, 9], [66, 2, 2, 1], [1, 5, 1, 64], [2, 6, 2, 67]];

pub(super) fn cases(random: &mut Random, cases: &mut Vec<Case>) {
    for [samples, width, heads, positions] in SHAPES {
        let block = Attention { samples, width, heads, positions };
        let x = random.values(3 * samples * width * positions);
        let errors = random.values(samples * width * positions);
        Problem { block, x, errors }.cases(random, cases);
    }
}

struct Problem {
    block: Attention,
    x: Vec<f32>,
    errors: Vec<f32>,
}

/// A sample's head.
#[derive(Clone, Copy)]
struct Head {
    sample: usize,
    head: usize,
}

impl Problem {
    fn size(&self) -> [usize; 4] {
        let Attention { samples, width, heads, positions } = self.block;
        [samples, width, heads, positions].map(|size| size as usize)
    }

    fn case(&self, entry: &'static str, what: &str, adds: bool, count: usize) -> Case {
        let Attention { samples, width, heads, positions } = self.block;
        let shape = format!("{samples} samples of width {width}, {heads} heads, {positions} positions{what}");
        let launch = Launch::flat(Shader::Attention, entry, &[("ADD", adds)], word(count));
        Case::new(None, shape, launch, &self.block)
    }

    /// Of query (0), key (1) or value (2).
    fn third(&self, which: usize, sample: usize, channel: usize, position: usize) -> Approx {
        let [_, width, _, positions] = self.size();
        Approx::of(self.x[((sample * 3 + which) * width + channel) * positions + position])
    }

    fn error(&self, sample: usize, channel: usize, position: usize) -> Approx {
        let [_, width, _, positions] = self.size();
        Approx::of(self.errors[(sample * width + channel) * positions + position])
    }

    fn channels(&self, head: usize) -> std::ops::Range<usize> {
        let [_, width, heads, _] = self.size();
        head * width / heads..(head + 1) * width / heads
    }

    fn scale(&self) -> Approx {
        Approx::exact(self.channels(0).len() as f64).inverse_root()
    }

    /// All rows, of which each is given as far as the diagonal; what is behind that is not written.
    fn rows(&self, row: impl Fn(Head, usize) -> Vec<Approx>) -> Vec<Approx> {
        let [samples, _, heads, positions] = self.size();
        let mut values = Vec::new();
        for (sample, head) in (0..samples).flat_map(|sample| (0..heads).map(move |head| (sample, head))) {
            for t in 0..positions {
                let row = row(Head { sample, head }, t);
                values.extend(row);
                values.resize(values.len() + positions - 1 - t, Approx::UNTOUCHED);
            }
        }
        values
    }

    /// Where a pair lies in all rows.
    fn pair(&self, of: Head, t: usize, u: usize) -> usize {
        let [_, _, heads, positions] = self.size();
        ((of.sample * heads + of.head) * positions + t) * positions + u
    }

    fn weights(&self) -> Vec<Approx> {
        self.rows(|Head { sample, head }, t| {
            let score = |u: usize| {
                let products =
                    self.channels(head).map(|c| (self.third(0, sample, c, t), self.third(1, sample, c, u)));
                Approx::dot(products) * self.scale()
            };
            let scores: Vec<Approx> = (0..=t).map(score).collect();
            // The largest as the kernel may see it: none of those that are within their errors of it is far.
            let largest = scores.iter().map(|score| score.narrow()).fold(f32::NEG_INFINITY, f32::max);
            let powers: Vec<_> = scores.iter().map(|&score| (score - Approx::of(largest)).exp()).collect();
            let sum = Approx::sum(powers.iter().copied());
            // Another largest scales all powers, and their sum, by one factor.
            powers.into_iter().map(|power| power / sum).collect()
        })
    }

    fn cases(&self, random: &mut Random, cases: &mut Vec<Case>) {
        let [samples, width, heads, positions] = self.size();
        let (rows, squares) = (samples * heads * positions, samples * heads * positions * positions);
        let weights = self.weights();
        cases.push(
            self.case("attention_weights", "", false, rows).reads(1, &self.x).writes(4, weights.clone()),
        );
        // Beyond the diagonal there is what another micro-batch left: nobody reads it.
        let kept = |values: &[Approx]| -> Vec<f32> { values.iter().map(|value| value.narrow()).collect() };
        let weights = kept(&weights);
        let weight = |of: Head, t: usize, u: usize| Approx::of(weights[self.pair(of, t, u)]);
        let head_of = |channel: usize| channel * heads / width;
        let y = (0..samples * width * positions).map(|index| {
            let (sample, channel, t) =
                (index / positions / width, index / positions % width, index % positions);
            let of = Head { sample, head: head_of(channel) };
            Approx::dot((0..=t).map(|u| (weight(of, t, u), self.third(2, sample, channel, u))))
        });
        cases.push(
            self.case("attention_forward", "", false, samples * width * positions)
                .reads(1, &self.x)
                .reads(4, &weights)
                .writes(5, y.collect()),
        );
        let scores = self.rows(|of, t| {
            let by_weight = |u: usize| {
                let channels = self.channels(of.head);
                let products =
                    channels.map(|c| (self.error(of.sample, c, t), self.third(2, of.sample, c, u)));
                Approx::dot(products)
            };
            let gradients: Vec<Approx> = (0..=t).map(by_weight).collect();
            let mean = Approx::dot((0..=t).map(|u| (weight(of, t, u), gradients[u])));
            let gradient =
                |(u, &gradient): (usize, &Approx)| weight(of, t, u) * (gradient - mean) * self.scale();
            gradients.iter().enumerate().map(gradient).collect()
        });
        cases.push(
            self.case("attention_score_gradients", "", false, rows)
                .reads(1, &self.x)
                .reads(2, &self.errors)
                .writes(3, scores.clone())
                .reads(4, &weights),
        );
        assert_eq!(scores.len(), squares);
        let scores = kept(&scores);
        let score = |of: Head, t: usize, u: usize| Approx::of(scores[self.pair(of, t, u)]);
        let gradient = |index: usize| {
            let (sample, which) = (index / positions / width / 3, index / positions / width % 3);
            let (channel, at) = (index / positions % width, index % positions);
            let of = Head { sample, head: head_of(channel) };
            match which {
                0 => Approx::dot((0..=at).map(|u| (score(of, at, u), self.third(1, sample, channel, u)))),
                1 => Approx::dot(
                    (at..positions).map(|t| (score(of, t, at), self.third(0, sample, channel, t))),
                ),
                _ => {
                    Approx::dot((at..positions).map(|t| (weight(of, t, at), self.error(sample, channel, t))))
                }
            }
        };
        let dx: Vec<Approx> = (0..self.x.len()).map(gradient).collect();
        for adds in [false, true] {
            cases.push(
                self.case("attention_input_gradient", added(adds), adds, self.x.len())
                    .reads(1, &self.x)
                    .reads(2, &self.errors)
                    .reads(3, &scores)
                    .reads(4, &weights)
                    .leaves(5, adds, random, dx.clone()),
            );
        }
    }
}
