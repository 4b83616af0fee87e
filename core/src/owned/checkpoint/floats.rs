//! The float types that tensors of a file may have.

use std::vec::Vec;

use half::{bf16, f16};

/// Bytes per value of a float type, by its name in the file: F16, BF16, F32, F64. `None` for other types.
#[must_use]
pub fn float_size(dtype: &str) -> Option<usize> {
    match dtype {
        "F16" | "BF16" => Some(2),
        "F32" => Some(4),
        "F64" => Some(8),
        _ => None,
    }
}

/// The values as `f32`, from little-endian bytes: F16 and BF16 exactly, F64 rounded to the nearest. A whole number of
/// values is read. `None` for other types.
pub(super) fn read_floats(dtype: &str, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match dtype {
        "F16" => each(bytes, |value| f16::from_le_bytes(value).to_f32()),
        "BF16" => each(bytes, |value| bf16::from_le_bytes(value).to_f32()),
        "F32" => each(bytes, f32::from_le_bytes),
        // Beyond the range of f32 it becomes infinite, which is refused.
        #[allow(clippy::cast_possible_truncation)]
        "F64" => each(bytes, |value| f64::from_le_bytes(value) as f32),
        _ => return None,
    })
}

fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&value| read(value)).collect()
}
