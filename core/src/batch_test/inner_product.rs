use super::norm::positive;
use super::rows::{LEAVE_ONE_OUT, THETA};
use super::{BatchTest, Required, ratio};
use crate::real::Real;
use crate::statistics::{Evidence, Needs};

/// The inner product test: passes when v_along/b ≤ ϑ² n², so T = v_along/(ϑ² n²). Most samples' gradients
/// must point in the direction of the mean; the noise across it does not matter.
///
/// Bollapragada, Byrd, Nocedal 2018, equation 2.6, arXiv 1710.11258. The sums run over the whole parameter
/// vector; code released with arXiv 2402.11215 takes them per parameter tensor, which drops the covariances
/// between tensors and gives other sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct InnerProductTest {
    /// ϑ > 0.
    pub theta: f64,
    /// Use ⟨gᵢ, mean of the *other* samples⟩ and n − v/b: otherwise a sample's own gradient is part of the
    /// mean that it is compared with, and the test rarely requires more samples.
    pub leave_one_out: bool,
}

crate::settings::settings!(InnerProductTest {
    title: "inner product test",
    doc: "Bounds the variance along the mean gradient: v_along/b ≤ ϑ² ‖ḡ‖⁴. Costs a second sweep.",
    source: "Bollapragada, Byrd, Nocedal 2018, arXiv 1710.11258",
    fields: {
        theta: f64 = 0.9 => THETA,
        leave_one_out: bool = false => LEAVE_ONE_OUT,
    },
});

impl<S: Real> BatchTest<S> for InnerProductTest {
    fn needs(&self) -> Needs {
        Needs { norms: self.leave_one_out, inner: true, ..Needs::NONE }
    }

    fn required(&self, evidence: &Evidence<S>) -> Required<S> {
        let size = || {
            let (variance, norm) = if self.leave_one_out {
                (evidence.variance_leave_one_out()?, positive(evidence.debiased_norm_sq()?)?)
            } else {
                (evidence.variance_along()?, evidence.nonzero_norm()?)
            };
            Ok(ratio(variance / norm, S::of(self.theta), norm))
        };
        size().into()
    }

    fn reference_threshold(&self) -> S {
        S::of(self.theta)
    }
}
