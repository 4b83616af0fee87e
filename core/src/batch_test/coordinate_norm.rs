use super::rows::ETA;
use super::{BatchTest, Required, ratio};
use crate::real::Real;
use crate::settings::{Field, Range};
use crate::statistics::{Evidence, Needs, Reason};

/// The coordinate-wise norm test: the inequality Varⱼ/b ≤ η² ḡⱼ² for every coordinate j, so
/// T = maxⱼ Varⱼ/(η² ḡⱼ²); with q < 1, for a fraction q of the coordinates, and T is the nearest-rank quantile.
///
/// AdAdaGrad, arXiv 2402.11215 (the theory for AdaGrad). Coordinates with ḡⱼ = 0 are left out: no
/// batch size would pass for them. Even so, the maximum drives the batch to its limit as soon as one coordinate's
/// mean is nearly 0; the quantile avoids this.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CoordinateNormTest {
    /// η > 0, one for all coordinates.
    pub eta: f64,
    /// 0 < q ≤ 1; 1 is the paper's maximum.
    pub quantile: f64,
}

crate::settings::settings!(CoordinateNormTest {
    title: "coordinate-wise norm test",
    doc: "The norm test in every coordinate, or in a fraction of them.",
    source: "AdAdaGrad, arXiv 2402.11215",
    fields: {
        eta: f64 = 0.1 => ETA,
        quantile: f64 = 1.0 => Field::new(
            "fraction of coordinates",
            "The fraction of the coordinates that must pass; 1 tests every coordinate, as in the paper.",
        )
        .range(Range::SHARE),
    },
});

impl<S: Real> BatchTest<S> for CoordinateNormTest {
    fn needs(&self) -> Needs {
        Needs { norms: true, coordinate_quantile: Some(self.quantile), ..Needs::NONE }
    }

    fn required(&self, evidence: &Evidence<S>) -> Required<S> {
        let size = || {
            evidence.variance()?;
            evidence.nonzero_norm()?;
            let variance_ratio = evidence.coordinate_ratio.ok_or(Reason::MissingEvidence)?;
            Ok(ratio(variance_ratio, S::of(self.eta), S::one()))
        };
        size().into()
    }

    fn reference_threshold(&self) -> S {
        S::of(self.eta)
    }
}
