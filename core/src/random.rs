//! Random numbers as a function of (seed, stream, index): no state, and only 32-bit arithmetic, so that a
//! shader can compute the same numbers.

use crate::real::Real;

/// A seed with a stream, ready for use: the same index in another stream gives another number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u32, u32);

impl Key {
    /// The key of one `stream` of a `seed`.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn new(seed: u64, stream: u64) -> Self {
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        let (stream_low, stream_high) = (stream as u32, (stream >> 32) as u32);
        let first = mix(mix(mix(low) ^ high) ^ stream_low);
        let second = mix(mix(mix(high ^ 0x9e37_79b9) ^ low ^ stream_high) ^ stream_low.rotate_left(16));
        Self(first, second)
    }

    /// The key's two words, for a shader that computes the same numbers.
    #[must_use]
    pub const fn words(self) -> [u32; 2] {
        [self.0, self.1]
    }

    /// 32 random bits for `index`.
    #[must_use]
    pub fn bits(self, index: u32) -> u32 {
        mix(mix(index ^ self.0).wrapping_add(self.1))
    }

    /// Uniform in [−bound, bound), in steps of bound/2²³: exact in `f32`, so that `f32` and `f64` runs start
    /// from the same point up to the rounding of the product.
    #[must_use]
    pub fn uniform<F: Real>(self, index: u32, bound: F) -> F {
        let centred = i64::from(self.bits(index) >> 8) - (1 << 23);
        #[allow(clippy::cast_precision_loss)]
        let fraction = F::of(centred as f64 / 8_388_608.0);
        bound * fraction
    }

    /// Normal with mean 0 and standard deviation σ, by Box and Muller's method from two uniform numbers u and w in (0, 1):
    /// σ √(−2 ln u) cos 2πw, at most 6.7 σ. Computed in `f64` with the functions of `libm`, which are the same on all
    /// targets, so that `f32` and `f64` runs start from the same point up to one rounding.
    #[must_use]
    pub fn normal<F: Real>(self, index: u32, deviation: f32) -> F {
        // Never 0, and both far from one another: indices stay below 2³¹.
        let uniform = |index| (f64::from(self.bits(index)) + 0.5) / 4_294_967_296.0;
        let [u, w] = [uniform(index), uniform(index ^ (1 << 31))];
        F::of(f64::from(deviation) * ((-2.0 * u.logarithm()).root() * (core::f64::consts::TAU * w).cosine()))
    }
}

/// A bijection of 32-bit words in which every input bit flips each output bit in about half the cases: the
/// finaliser of MurmurHash3.
#[must_use]
pub(crate) fn mix(mut word: u32) -> u32 {
    word ^= word >> 16;
    word = word.wrapping_mul(0x85eb_ca6b);
    word ^= word >> 13;
    word = word.wrapping_mul(0xc2b2_ae35);
    word ^ (word >> 16)
}
