//! The exponential function in `f32`, of plain operations without branches, so that loops of it use vectors; the same bits on
//! every machine.

/// x that give the smallest normal number, about: e to anything less is 0 here, and never subnormal.
const LEAST: f32 = -87.3;
/// Adding it leaves the nearest whole number in the lowest bits.
const WHOLE: f32 = 12_582_912.0;
/// ln 2 = HIGH − LOW, of which HIGH times a whole number below 2¹⁵ is exact.
const HIGH: f32 = 355.0 / 512.0;
const LOW: f32 = 2.121_944_4e-4;

/// eˣ for x up to 88, within a relative error of 2⁻²²; 0 below −87.3. A NaN stays a NaN.
///
/// x = n ln 2 + r with a whole n and |r| ≤ ½ ln 2: eˣ = 2ⁿ eʳ, and eʳ = 1 + r + r² p(r) with a polynomial p of degree 5 (Moshier,
/// Cephes, `expf`), whose own error is below 2⁻²⁴. r has an error of at most 2⁻²⁵ from the two subtractions, and the sum of
/// three terms one of 2⁻²⁴ for its last addition and a third of that for what is added.
#[inline(always)]
pub(super) fn exponential(x: f32) -> f32 {
    // Not `max`, which would turn a NaN into a number.
    let inside = if x < LEAST { LEAST } else { x };
    let shifted = inside * core::f32::consts::LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let r = (inside - n * HIGH) + n * LOW;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let power = r * r * p + r + 1.0;
    // n in the place of the exponent.
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < LEAST { 0.0 } else { power * scale }
}

#[cfg(test)]
mod tests {
    use super::exponential;

    #[test]
    fn it_is_within_its_bound_and_keeps_what_is_special() {
        let mut worst = 0.0_f64;
        // Every 97th of the floats between, and the points where n changes.
        let between = |from: f32, to: f32| (from.to_bits()..to.to_bits()).step_by(97).map(f32::from_bits);
        let halves = (-125..=126).map(|n| (n as f32 + 0.5) * core::f32::consts::LN_2);
        let values = between(1e-8, 88.0).chain(between(1e-8, 87.3).map(|x| -x)).chain(halves);
        for x in values.chain([0.0, -0.0, 88.0, -87.3]) {
            let expected = f64::from(x).exp();
            worst = worst.max((f64::from(exponential(x)) / expected - 1.0).abs());
        }
        assert!(worst <= 2.0_f64.powi(-22), "{worst:e}");
        assert!(worst > 2.0_f64.powi(-26), "{worst:e} would be the nearest float everywhere");
        assert_eq!(exponential(0.0), 1.0);
        for x in [-87.4, -88.0, -104.0, -1e30, f32::MIN, f32::NEG_INFINITY] {
            assert_eq!(exponential(x).to_bits(), 0, "{x}");
        }
        for bits in [0x7fc0_0000, 0x7f80_0001, 0xffff_ffff, 0x7fc0_01ff] {
            assert!(exponential(f32::from_bits(bits)).is_nan());
        }
    }
}
