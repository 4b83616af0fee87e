use core::fmt;

/// Why a quantity has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Reason {
    /// A gradient holds a NaN or an infinity, or a sum has left the range of its type.
    NonFinite,
    /// A single sample has no sample variance.
    SingleSample,
    /// ḡ = 0, and the quantity divides by its norm.
    ZeroMeanGradient,
    /// n − v/b ≤ 0: the noise dominates.
    NonPositiveDebiasedNorm,
    /// A single worker (or part) has no variance between workers.
    SingleWorker,
    /// The engine did not compute the statistics that this needs.
    MissingEvidence,
    /// No batch size is large enough.
    Unbounded,
    /// The loss is not positive, and the quantity divides by it.
    NonPositiveLoss,
    /// Too few steps were timed.
    NoStepTimes,
    /// The rule decides at other steps.
    OtherSteps,
    /// The run's coupling leaves no β for a batch of the size that the rule chose.
    NoBetaLeft,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonFinite => "a gradient is not finite",
            Self::SingleSample => "a single sample has no variance",
            Self::ZeroMeanGradient => "the mean gradient is zero",
            Self::NonPositiveDebiasedNorm => "the gradient noise exceeds the gradient",
            Self::SingleWorker => "a single worker has no variance between workers",
            Self::MissingEvidence => "the required statistics were not computed",
            Self::Unbounded => "no batch size is large enough",
            Self::NonPositiveLoss => "the loss is not positive",
            Self::NoStepTimes => "too few steps were timed",
            Self::OtherSteps => "the rule decides at other steps",
            Self::NoBetaLeft => "the coupling leaves no β for a batch of that size",
        })
    }
}
