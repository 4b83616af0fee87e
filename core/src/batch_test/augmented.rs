use super::rows::{LEAVE_ONE_OUT, NU, THETA};
use super::{BatchTest, InnerProductTest, OrthogonalityTest, Required};
use crate::real::Real;
use crate::statistics::{Evidence, Needs};

/// The augmented inner product test: passes when the inner product test and the orthogonality test both
/// pass, so T is the larger of the two.
///
/// Bollapragada, Byrd, Nocedal 2018, section 3, arXiv 1710.11258. Its just-passing threshold is ϑ with ν
/// scaled in the same proportion.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AugmentedTest {
    /// ϑ > 0 of the inner product test.
    pub theta: f64,
    /// ν > 0 of the orthogonality test.
    pub nu: f64,
    /// As in [`InnerProductTest`].
    pub leave_one_out: bool,
}

crate::settings::settings!(AugmentedTest {
    title: "augmented inner product test",
    doc: "Inner product and orthogonality.",
    source: "Bollapragada, Byrd, Nocedal 2018, arXiv 1710.11258",
    fields: {
        theta: f64 = 0.9 => THETA,
        nu: f64 = 5.84 => NU,
        leave_one_out: bool = false => LEAVE_ONE_OUT,
    },
});

impl<S: Real> BatchTest<S> for AugmentedTest {
    fn needs(&self) -> Needs {
        BatchTest::<S>::needs(&OrthogonalityTest { nu: self.nu })
    }

    fn required(&self, evidence: &Evidence<S>) -> Required<S> {
        let along = InnerProductTest { theta: self.theta, leave_one_out: self.leave_one_out };
        let across = OrthogonalityTest { nu: self.nu };
        along.required(evidence).max(across.required(evidence))
    }

    fn reference_threshold(&self) -> S {
        S::of(self.theta)
    }
}
