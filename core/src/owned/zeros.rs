//! Memory that may not be there.

use std::vec::Vec;

use super::error::RunError;

/// `len` zeros, or how many bytes could not be allocated.
pub(super) fn zeros<T: Clone + Default>(len: usize) -> Result<Vec<T>, RunError> {
    let mut values = Vec::new();
    let bytes = len.saturating_mul(size_of::<T>());
    values.try_reserve_exact(len).map_err(|_| RunError::OutOfMemory { bytes })?;
    values.resize(len, T::default());
    Ok(values)
}
