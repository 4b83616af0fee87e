use super::rows::NU;
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

crate::settings::settings!(OrthogonalityTest {
    title: "orthogonality test",
    doc: "Bounds the variance orthogonal to the mean gradient: v_orth/b ≤ ν² ‖ḡ‖². Costs a second sweep.",
    source: "Bollapragada, Byrd, Nocedal 2018, arXiv 1710.11258",
    fields: {
        nu: f64 = 5.84 => NU,
    },
});

impl<S: Real> BatchTest<S> for OrthogonalityTest {
    fn needs(&self) -> Needs {
        Needs { norms: true, inner: true, ..Needs::NONE }
    }

    fn required(&self, evidence: &Evidence<S>) -> Required<S> {
        let size = || Ok(ratio(evidence.variance_orthogonal()?, S::of(self.nu), evidence.nonzero_norm()?));
        size().into()
    }

    fn reference_threshold(&self) -> S {
        S::of(self.nu)
    }
}
