//! The bits of many floats as one number.

/// FNV-1a over the floats' bytes in little-endian order: two runs that differ in a single bit differ here.
pub(crate) fn fingerprint(values: &[f32]) -> u64 {
    values.iter().flat_map(|value| value.to_bits().to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
