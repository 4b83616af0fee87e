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
    return dispatch(OnVectors(work));
    #[cfg(not(feature = "std"))]
    work.run()
}

/// Does what [`pulp::Arch::dispatch`] does. In WebAssembly, support for vectors is known at compile time, but pulp checks it at
/// run time, so that each loop would be compiled a second time, for machines that cannot load the module anyway.
#[cfg(feature = "std")]
#[inline(always)]
pub(crate) fn dispatch<Op: pulp::WithSimd>(operation: Op) -> Op::Output {
    #[cfg(all(target_family = "wasm", target_feature = "simd128"))]
    return match pulp::wasm::Simd128::try_new() {
        Some(simd) => pulp::Simd::vectorize(simd, operation),
        None => unreachable!("the module runs, so there are vectors"),
    };
    #[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
    pulp::Arch::new().dispatch(operation)
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
