//! Loops over values, with the longest vectors of the machine at hand.

/// Runs a loop where the compiler may use them. Element by element the operations are the same (none is fused,
/// and square roots and quotients are rounded correctly), so that the bits are the same with any vectors and
/// with none.
#[inline(always)]
pub(crate) fn on_vectors<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(feature = "std")]
    return pulp::Arch::new().dispatch(work);
    #[cfg(not(feature = "std"))]
    work()
}
