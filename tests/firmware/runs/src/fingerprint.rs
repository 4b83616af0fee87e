//! The bits of many floats as one number.

use adadagrad_core::real::Real;

/// FNV-1a over the floats' bytes in little-endian order: two runs that differ in a single bit differ here.
#[allow(clippy::cast_possible_truncation, reason = "all floats of these runs are as wide as `f32`")]
pub(crate) fn fingerprint<F: Real>(values: &[F]) -> u64 {
    let bytes = |value: &F| (value.as_f64() as f32).to_bits().to_le_bytes();
    values.iter().flat_map(bytes).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
