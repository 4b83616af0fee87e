//! A keyed permutation of 0..N computed on the fly: no index buffer, 32-bit arithmetic only.

use crate::dataset::Visit;
use crate::random::Key;

/// Rounds of the Feistel network. Four already make a pseudo-random permutation in theory; six cost little
/// beside one sample's gradient.
const ROUNDS: u32 = 6;

/// The order in which one pass over N samples visits them.
///
/// A Feistel network permutes the 2ᵏ ≥ N numbers of k bits; a result ≥ N is sent through it again until it
/// falls below N (cycle walking, fewer than two rounds on average), which leaves a permutation of 0..N.
///
/// ```
/// use adadagrad_core::shuffle::Shuffle;
///
/// let shuffle = Shuffle::new(10, 7, 0);
/// let mut seen = [false; 10];
/// for position in 0..10 {
///     seen[shuffle.index(position) as usize] = true;
/// }
/// assert_eq!(seen, [true; 10]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shuffle {
    len: u32,
    key: Key,
    low_bits: u32,
    high_bits: u32,
}

impl Shuffle {
    /// The permutation of 0..`len` for this seed and pass.
    #[must_use]
    pub fn new(len: u32, seed: u64, pass: u64) -> Self {
        // At least one bit for each half.
        let bits = (32 - len.saturating_sub(1).leading_zeros()).max(2);
        let low_bits = bits / 2;
        Self { len, key: Key::new(seed, pass), low_bits, high_bits: bits - low_bits }
    }

    /// The key, and the widths of the low and the high half, for a shader that computes the same permutation.
    #[must_use]
    pub const fn ingredients(&self) -> (Key, u32, u32) {
        (self.key, self.low_bits, self.high_bits)
    }

    /// The sample at this position of the pass. Positions from N on wrap around. Where there is no sample, it is 0 for
    /// every position: a number that belongs to no sample, and that a [`Sweep`](crate::network::Sweep) refuses.
    #[must_use]
    pub fn index(&self, position: u32) -> u32 {
        if self.len < 2 {
            return 0;
        }
        let mut index = position % self.len;
        loop {
            index = self.permute(index);
            if index < self.len {
                return index;
            }
        }
    }

    /// A permutation of the numbers of `low_bits + high_bits` bits. The halves may differ in width by one
    /// bit, so they swap widths from round to round; the number of rounds is even and they end as they began.
    fn permute(&self, index: u32) -> u32 {
        let (mut low_bits, mut high_bits) = (self.low_bits, self.high_bits);
        let (mut low, mut high) = (index & ones(low_bits), index >> low_bits);
        for round in 0..ROUNDS {
            let word = self.key.bits(low ^ round.wrapping_mul(0x9e37_79b9)) & ones(high_bits);
            (low, high) = (high ^ word, low);
            (low_bits, high_bits) = (high_bits, low_bits);
        }
        high << low_bits | low
    }
}

fn ones(bits: u32) -> u32 {
    (1 << bits) - 1
}

/// The samples of a run, one shuffled pass after another: a batch that reaches the end of a pass continues in
/// the next pass's permutation.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    len: u32,
    seed: u64,
    pass: u64,
    shuffle: Shuffle,
}

impl Order {
    /// The order of `len` samples for this seed.
    #[must_use]
    pub fn new(len: u32, seed: u64) -> Self {
        Self { len, seed, pass: 0, shuffle: Shuffle::new(len, seed, 0) }
    }

    /// The seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The visit at `position`, counted from the start of the run. Without samples, it is of sample 0, as [`Shuffle::index`] says.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn visit(&mut self, position: u64) -> Visit {
        let len = u64::from(self.len.max(1));
        let pass = position / len;
        if pass != self.pass {
            self.pass = pass;
            self.shuffle = Shuffle::new(self.len, self.seed, pass);
        }
        Visit { sample: self.shuffle.index((position % len) as u32), pass }
    }
}
