//! How cases are written down.

use super::super::kernel::{Launch, Shader};
use super::super::uniforms::Uniform;
use super::super::variants::Variant;
use super::{Approx, Case, Expected, GUARD, POISON, Slot};

/// Sizes around a workgroup's or tile's.
pub(super) fn around(width: u32) -> [u32; 5] {
    [1, width - 1, width, width + 1, 2 * width + 3]
}

/// The same numbers each time: multiples of 2⁻¹⁰ between −1 and 1.
pub(super) struct Random(pub(super) u32);

impl Random {
    pub(super) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    pub(super) fn value(&mut self) -> f32 {
        (self.next() % 2049) as f32 / 1024.0 - 1.0
    }

    pub(super) fn values(&mut self, len: u32) -> Vec<f32> {
        (0..len).map(|_| self.value()).collect()
    }
}

impl Case {
    pub(super) fn new(
        variant: Option<Variant>,
        shape: String,
        launch: Launch,
        uniform: &impl Uniform,
    ) -> Self {
        let words = uniform.bytes().as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
        let kernel = launch.entry;
        Self { kernel, variant, shape, uniform: words, slots: Vec::new(), launch, expected: Vec::new() }
    }

    pub(super) fn of(
        shader: Shader,
        entry: &'static str,
        shape: String,
        uniform: &impl Uniform,
        invocations: u32,
    ) -> Self {
        Self::new(None, shape, Launch::flat(shader, entry, &[], invocations), uniform)
    }

    pub(super) fn reads(self, binding: u32, values: &[f32]) -> Self {
        self.reads_words(binding, values.iter().map(|value| value.to_bits()).collect())
    }

    pub(super) fn reads_words(mut self, binding: u32, words: Vec<u32>) -> Self {
        self.slots.push(Slot { binding, words });
        self
    }

    /// A buffer that starts poisoned; behind `values` nothing may be written.
    pub(super) fn writes(self, binding: u32, values: Vec<Approx>) -> Self {
        let before = vec![f32::from_bits(POISON); values.len()];
        self.changes(binding, &before, values)
    }

    /// A buffer that starts with `before`; behind it nothing may be written.
    pub(super) fn changes(mut self, binding: u32, before: &[f32], mut values: Vec<Approx>) -> Self {
        let mut words: Vec<u32> = before.iter().map(|value| value.to_bits()).collect();
        words.extend([POISON; GUARD]);
        values.extend([Approx::UNTOUCHED; GUARD]);
        self.expected.push((self.slots.len(), Expected::Floats(values)));
        self.reads_words(binding, words)
    }

    /// A gradient that is written, or added to what another reader of the same values has left.
    pub(super) fn leaves(self, binding: u32, adds: bool, random: &mut Random, gradient: Vec<Approx>) -> Self {
        if !adds {
            return self.writes(binding, gradient);
        }
        let before = random.values(word(gradient.len()));
        let sums = before.iter().zip(gradient).map(|(&before, gradient)| Approx::of(before) + gradient);
        let after = sums.collect();
        self.changes(binding, &before, after)
    }

    pub(super) fn writes_words(mut self, binding: u32, before: Vec<u32>, values: Vec<u32>) -> Self {
        self.expected.push((self.slots.len(), Expected::Words(values)));
        self.reads_words(binding, before)
    }
}

/// Floats as they are, exactly.
pub(super) fn exactly(values: impl IntoIterator<Item = f32>) -> Vec<Approx> {
    values.into_iter().map(Approx::of).collect()
}

pub(super) fn word(len: usize) -> u32 {
    super::super::buffers::word(len)
}

/// The end of a shape where a gradient is added.
pub(super) const fn added(adds: bool) -> &'static str {
    if adds { ", added" } else { "" }
}
