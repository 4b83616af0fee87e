//! Losses that users write.

use core::fmt;

use crate::real::Real;

/// What a sample's outputs are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a, F> {
    /// Its labels, one for each position of the outputs: a vector has one. `u32::MAX` where the data set wrote none.
    pub labels: &'a [u32],
    /// Its other targets, as many as the network was made for: [`Network::with_targets`](crate::network::Network::with_targets).
    pub values: &'a [F],
}

/// What a sample's outputs cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SampleLoss<F> {
    /// ℓᵢ.
    pub loss: F,
    /// How many of its answers count as correct: of one, or of one for each position of a sequence.
    pub correct: u32,
}

/// Your own loss. Closures are losses without correct answers: given outputs, targets and the gradient to write they
/// return ℓ.
///
/// ```
/// use adadagrad_core::loss::Loss;
///
/// // The absolute error, whose gradient is a sign.
/// let absolute = |z: &[f32], t: &[f32], gradient: &mut [f32]| {
///     gradient[0] = (z[0] - t[0]).signum();
///     (z[0] - t[0]).abs()
/// };
/// let loss = Loss::Own(&absolute);
/// # let _ = loss;
/// ```
pub trait OwnLoss<F: Real>: Sync {
    /// The *unscaled* loss ℓᵢ of one sample; writes ∂ℓᵢ/∂z into `gradient`, which is as long as `outputs`, and 0 before.
    fn of_sample(&self, outputs: &[F], target: Target<'_, F>, gradient: &mut [F]) -> SampleLoss<F>;
}

impl<F: Real, L: Fn(&[F], &[F], &mut [F]) -> F + Sync> OwnLoss<F> for L {
    fn of_sample(&self, outputs: &[F], target: Target<'_, F>, gradient: &mut [F]) -> SampleLoss<F> {
        SampleLoss { loss: self(outputs, target.values, gradient), correct: 0 }
    }
}

impl<F: Real> fmt::Debug for dyn OwnLoss<F> + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnLoss")
    }
}
