use super::rows::ETA;
use super::{BatchTest, Required, ratio};
use crate::real::Real;
use crate::settings::Field;
use crate::statistics::{Evidence, Needs, Reason};

/// The norm test: passes when v/b ≤ η² n, so T = v/(η² n). The standard error of the mean gradient may be at most
/// η times the gradient's norm.
///
/// Byrd, Chin, Nocedal, Wu 2012, equation 3.9; for AdaGrad: AdAdaGrad, arXiv 2402.11215.
///
/// ```
/// use adadagrad_core::batch_test::{BatchTest, NormTest, Required};
/// use adadagrad_core::statistics::Evidence;
///
/// let evidence = Evidence { samples: 4, mean_norm_sq: 2.0, sum_squared_norms: Some(14.0), ..Evidence::default() };
/// assert_eq!(evidence.variance(), Ok(2.0));
/// assert_eq!(NormTest { eta: 0.5, debiased: false }.required(&evidence), Required::Size(4.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NormTest {
    /// η > 0: 0.1 on MNIST, 0.5 on CIFAR-10 in the paper.
    pub eta: f64,
    /// Use n − v/b instead of n, which the noise itself inflates. If that is not positive, the required size is
    /// unbounded.
    pub debiased: bool,
}

crate::settings::settings!(NormTest {
    title: "norm test",
    doc: "Bounds the noise of the mean gradient by η times its norm: v/b ≤ η² ‖ḡ‖², with v the variance of the samples' gradients.",
    source: "Byrd, Chin, Nocedal, Wu 2012; AdAdaGrad, arXiv 2402.11215",
    fields: {
        eta: f64 = 0.1 => ETA,
        debiased: bool = false => Field::new(
            "debiased ‖ḡ‖²",
            "Takes the debiased ‖ḡ‖² − v/b instead of ‖ḡ‖², which noise increases by about v/b.",
        ),
    },
});

impl<S: Real> BatchTest<S> for NormTest {
    fn needs(&self) -> Needs {
        Needs { norms: true, ..Needs::NONE }
    }

    fn required(&self, evidence: &Evidence<S>) -> Required<S> {
        let size = || {
            let variance = evidence.variance()?;
            let norm = if self.debiased {
                positive(evidence.debiased_norm_sq()?)?
            } else {
                evidence.nonzero_norm()?
            };
            Ok(ratio(variance, S::of(self.eta), norm))
        };
        size().into()
    }

    fn reference_threshold(&self) -> S {
        S::of(self.eta)
    }
}

/// A debiased norm that can be divided by.
pub(super) fn positive<S: Real>(debiased_norm_sq: S) -> Result<S, Reason> {
    if debiased_norm_sq > S::zero() { Ok(debiased_norm_sq) } else { Err(Reason::NonPositiveDebiasedNorm) }
}
