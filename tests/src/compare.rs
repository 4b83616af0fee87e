//! Comparisons that report what differs. All of them ask for `difference <= bound`, which a NaN fails.

use adadagrad_core::real::Real;

/// What a check finds: nothing, or what is wrong.
pub type Check = Result<(), String>;

/// `Ok` when the two differ by at most `bound`. Two infinities, or anything with a NaN, fail.
///
/// # Errors
/// What differs, and by how much.
pub fn close(what: &str, found: f64, expected: f64, bound: f64) -> Check {
    let difference = (found - expected).abs();
    if difference <= bound {
        Ok(())
    } else {
        Err(format!("{what} is {found:e}, expected {expected:e} (off by {difference:e}, allowed {bound:e})"))
    }
}

/// `Ok` when the slices are equally long and each pair differs by at most `bound`.
///
/// # Errors
/// The first pair that differs.
pub fn all_close<F: Real>(what: &str, found: &[F], expected: &[f64], bound: f64) -> Check {
    equal(&format!("length of {what}"), &found.len(), &expected.len())?;
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        close(&format!("{what}[{index}]"), found.as_f64(), *expected, bound)?;
    }
    Ok(())
}

/// As [`all_close`], with a bound relative to the largest expected value of the array.
///
/// # Errors
/// The first pair that differs.
pub fn all_close_to_largest<F: Real>(what: &str, found: &[F], expected: &[f64], relative: f64) -> Check {
    all_close(what, found, expected, relative * largest(expected))
}

/// The largest absolute value.
#[must_use]
pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

/// `Ok` when the two are equal.
///
/// # Errors
/// What differs.
pub fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Check {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found:?}, expected {expected:?}")) }
}

/// `Ok` when a condition holds.
///
/// # Errors
/// The message, when it does not.
pub fn holds(condition: bool, message: impl FnOnce() -> String) -> Check {
    if condition { Ok(()) } else { Err(message()) }
}

/// Numbers in another float type.
#[must_use]
pub fn narrowed<F: Real>(values: &[f64]) -> Vec<F> {
    values.iter().copied().map(F::of).collect()
}

/// The bits of some floats as one number (FNV-1a over their bytes in little-endian order): two runs that
/// differ in a single bit differ here.
#[must_use]
pub fn fingerprint(values: &[f32]) -> u64 {
    values.iter().flat_map(|value| value.to_bits().to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
