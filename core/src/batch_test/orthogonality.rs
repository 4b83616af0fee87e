use super::{BatchTest, Required, ratio};
use crate::real::Real;
use crate::statistics::{Evidence, Needs};

/// The orthogonality test: passes when v_orth/b ≤ ν² n, so T = v_orth/(ν² n). Bounds the noise across the
/// mean gradient.
///
/// Bollapragada, Byrd, Nocedal 2018, equation 3.3, arXiv 1710.11258.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct OrthogonalityTest {
    /// ν > 0.
    pub nu: f64,
}

#[cfg(feature = "serde")]
crate::fields::settings!(OrthogonalityTest { nu });

impl Default for OrthogonalityTest {
    fn default() -> Self {
        Self { nu: 5.84 }
    }
}

impl<S: Real> BatchTest<S> for OrthogonalityTest {
    fn needs(&self) -> Needs {
        Needs { norms: true, inner: true, ..Needs::default() }
    }

    fn required(&self, evidence: &Evidence<S>) -> Required<S> {
        let size = || Ok(ratio(evidence.variance_orthogonal()?, S::of(self.nu), evidence.nonzero_norm()?));
        size().into()
    }

    fn reference_threshold(&self) -> S {
        S::of(self.nu)
    }
}
