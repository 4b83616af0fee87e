//! Loops over values, with the longest vectors of the machine.

/// A loop to run: a closure, or a value of its own where a closure would be so large that it became a function apart, which
/// knows nothing of the machine's vectors.
pub(crate) trait Work {
    /// What it gives.
    type Output;

    /// Runs it. To be inlined always.
    fn run(self) -> Self::Output;
}

impl<T, W: FnOnce() -> T> Work for W {
    type Output = T;

    #[inline(always)]
    fn run(self) -> T {
        self()
    }
}

/// Runs a loop where the compiler may use them. Element by element the operations are the same (none is fused,
/// and square roots and quotients are rounded correctly), so that the bits are the same with any vectors and
/// with none.
#[inline(always)]
pub(crate) fn on_vectors<W: Work>(work: W) -> W::Output {
    #[cfg(feature = "std")]
    return pulp::Arch::new().dispatch(OnVectors(work));
    #[cfg(not(feature = "std"))]
    work.run()
}

#[cfg(feature = "std")]
struct OnVectors<W>(W);

#[cfg(feature = "std")]
impl<W: Work> pulp::WithSimd for OnVectors<W> {
    type Output = W::Output;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> W::Output {
        self.0.run()
    }
}
