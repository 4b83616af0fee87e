//! The cases of embeddings, of tokens and of positions.

use super::super::kernel::{Launch, Shader};
use super::super::uniforms::{Embedding, PositionEmbedding};
use super::case::{Random, exactly, word};
use super::{Approx, Case};

/// Where W begins.
const OFFSET: u32 = 3;

/// Samples, positions, vocabulary, width: one token, tokens that fill a sample, more parameters than a workgroup.
const TOKENS: [[u32; 4]; 6] =
    [[1, 1, 1, 1], [2, 5, 1, 3], [3, 9, 4, 7], [65, 3, 6, 2], [2, 66, 65, 5], [5, 64, 300, 1]];

pub(super) fn token_cases(random: &mut Random, cases: &mut Vec<Case>) {
    for [samples, positions, vocabulary, width] in TOKENS {
        let capacity = samples + 2;
        let block = Embedding { samples, positions, vocabulary, width, parameter_offset: OFFSET, capacity };
        let tokens: Vec<u32> = (0..samples * positions).map(|_| random.next() % vocabulary).collect();
        let problem = Tokens {
            block,
            floats: tokens.iter().map(|&token| token as f32).collect(),
            tokens,
            errors: random.values(samples * width * positions),
            parameters: random.values(OFFSET + vocabulary * width),
        };
        problem.forward(cases);
        problem.backward(random, cases);
    }
}

struct Tokens {
    block: Embedding,
    tokens: Vec<u32>,
    floats: Vec<f32>,
    errors: Vec<f32>,
    parameters: Vec<f32>,
}

impl Tokens {
    fn shape(&self) -> String {
        let Embedding { samples, positions, vocabulary, width, .. } = self.block;
        format!("{samples} samples of {positions} of {vocabulary} tokens to {width} channels")
    }

    fn launch(entry: &'static str, constants: &[(&'static str, bool)], count: u32) -> Launch {
        Launch::flat(Shader::Embedding, entry, constants, count)
    }

    /// Sample, channel and position of a value.
    const fn place(&self, index: usize) -> [usize; 3] {
        let (positions, width) = (self.block.positions as usize, self.block.width as usize);
        [index / positions / width, index / positions % width, index % positions]
    }

    fn token(&self, sample: usize, position: usize) -> u32 {
        self.tokens[sample * self.block.positions as usize + position]
    }

    /// The parameter behind a value.
    fn parameter(&self, index: usize) -> usize {
        let [sample, channel, position] = self.place(index);
        (OFFSET + self.token(sample, position) * self.block.width) as usize + channel
    }

    fn forward(&self, cases: &mut Vec<Case>) {
        let y = (0..self.errors.len()).map(|index| self.parameters[self.parameter(index)]);
        let launch = Self::launch("embedding_forward", &[], word(self.errors.len()));
        cases.push(
            Case::new(None, self.shape(), launch, &self.block)
                .reads(1, &self.floats)
                .reads(2, &self.parameters)
                .writes(3, exactly(y)),
        );
    }

    /// At a token's first position in its sample the sum over all of them.
    fn rows(&self) -> Vec<Approx> {
        let row = |index: usize| {
            let [sample, _, position] = self.place(index);
            let token = self.token(sample, position);
            let of_token = |other: &usize| self.token(sample, *other) == token;
            if (0..position).any(|other| of_token(&other)) {
                return Approx::exact(0.0);
            }
            let others = (position..self.block.positions as usize).filter(of_token);
            Approx::sum(others.map(|other| Approx::of(self.errors[index - position + other])))
        };
        (0..self.errors.len()).map(row).collect()
    }

    fn backward(&self, random: &mut Random, cases: &mut Vec<Case>) {
        let rows = self.rows();
        let launch = Self::launch("embedding_rows", &[], word(self.errors.len()));
        let case = |launch, what: &str| Case::new(None, self.shape() + what, launch, &self.block);
        cases.push(case(launch, "").reads(1, &self.floats).reads(2, &self.errors).writes(3, rows.clone()));
        let rows: Vec<f32> = rows.into_iter().map(Approx::narrow).collect();
        let len = (self.block.width * self.block.positions) as usize;
        let before = random.values(4 * self.block.capacity);
        let mut after = exactly(before.iter().copied());
        for sample in 0..self.block.samples as usize {
            let at = 3 * self.block.capacity as usize + sample;
            let terms = (sample * len..(sample + 1) * len)
                .map(|k| (Approx::of(rows[k]), Approx::of(self.parameters[self.parameter(k)])));
            after[at] = after[at] + Approx::dot(terms);
        }
        let launch = Self::launch("embedding_inner_products", &[], self.block.samples);
        cases.push(
            case(launch, "")
                .reads(1, &self.floats)
                .reads(2, &rows)
                .changes(3, &before, after)
                .reads(4, &self.parameters),
        );
        for squared in [false, true] {
            let before = random.values(word(self.parameters.len()));
            let mut terms = vec![Vec::new(); before.len()];
            for (index, &row) in rows.iter().enumerate() {
                let row = Approx::of(row);
                terms[self.parameter(index)].push(if squared { row * row } else { row });
            }
            let sums = before.iter().zip(terms).enumerate().map(|(k, (&before, terms))| {
                let before = Approx::of(before);
                if k < OFFSET as usize { before } else { before + Approx::sum(terms) }
            });
            let after = sums.collect();
            let count = self.block.vocabulary * self.block.width;
            let launch = Self::launch("embedding_sums", &[("SQUARED", squared)], count);
            let what = if squared { ", squares" } else { "" };
            cases.push(case(launch, what).reads(1, &self.floats).reads(2, &rows).changes(3, &before, after));
        }
    }
}

/// Samples, channels, positions of the sequence and of W.
const POSITIONS: [[u32; 4]; 5] = [[1, 1, 1, 1], [3, 2, 4, 7], [2, 65, 3, 3], [5, 3, 64, 65], [66, 1, 2, 9]];

pub(super) fn position_cases(random: &mut Random, cases: &mut Vec<Case>) {
    for [samples, channels, positions, rows] in POSITIONS {
        let block = PositionEmbedding { samples, channels, positions, rows, parameter_offset: OFFSET };
        let x = random.values(samples * channels * positions);
        let parameters = random.values(OFFSET + rows * channels);
        let shape = format!("{samples} samples of {channels} channels at {positions} of {rows} positions");
        let place = |index: usize| {
            let index = word(index);
            [index / positions / channels, index / positions % channels, index % positions]
        };
        let y = x.iter().enumerate().map(|(index, &x)| {
            let [_, channel, position] = place(index);
            Approx::of(x) + Approx::of(parameters[(OFFSET + position * channels + channel) as usize])
        });
        let entry = "position_embedding_forward";
        cases.push(
            Case::of(Shader::PositionEmbedding, entry, shape.clone(), &block, word(x.len()))
                .reads(1, &x)
                .reads(2, &parameters)
                .writes(3, y.collect()),
        );
        let mut gradients = vec![0.0; (samples * rows * channels) as usize];
        for (index, &e) in x.iter().enumerate() {
            let [sample, channel, position] = place(index);
            gradients[((sample * rows + position) * channels + channel) as usize] = e;
        }
        let (entry, count) = ("position_embedding_gradients", word(gradients.len()));
        cases.push(
            Case::of(Shader::PositionEmbedding, entry, shape, &block, count)
                .reads(1, &x)
                .writes(3, exactly(gradients)),
        );
    }
}
