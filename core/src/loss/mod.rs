//! What a network's outputs cost: the loss of one sample, and its gradient with respect to the outputs.
//!
//! A data set says what its targets are, and with [`Dataset::loss`](crate::dataset::Dataset::loss) what compares outputs
//! with them. Every engine on processors has all losses; WebGPU has softmax cross-entropy. Statistics of a batch are exact
//! with each of them: a layer sees of a loss nothing but ∂ℓᵢ/∂z.
//!
//! To add one: its file, and its name in [`Loss`].

mod binary_cross_entropy;
mod cross_entropy;
mod own;
mod squared_error;

pub use own::{OwnLoss, SampleLoss, Target};

pub(crate) use cross_entropy::{softmax, softmax_of_positions};

use core::fmt;

use crate::length::{LengthMismatch, check_least, check_length};
use crate::real::Real;
use crate::shape::Shape;

/// The loss of one sample with outputs z and targets t, K values each unless it is a custom loss.
#[derive(Clone, Copy, Debug, Default)]
pub enum Loss<'a, F: Real> {
    /// ln Σⱼ exp zⱼ − z_label in nats, for a label below K ≥ 2. An answer is correct if the first largest output is the
    /// label's.
    ///
    /// Of a sequence with outputs \[K, T\] and a label for each of its T positions it is the mean over the positions, so that
    /// a sample is a sequence, and T answers.
    #[default]
    SoftmaxCrossEntropy,
    /// (1/K) Σₖ (zₖ − tₖ)²: the mean over outputs, without a factor ½, as PyTorch's `MSELoss` has it. No answer is counted
    /// as correct.
    SquaredError,
    /// (1/K) Σₖ ln(1 + exp zₖ) − tₖ zₖ in nats: the mean over outputs of the binary cross-entropy of σ(zₖ) with targets
    /// 0 ≤ tₖ ≤ 1, as PyTorch's `BCEWithLogitsLoss` has it. An answer is correct if every output is on its target's side:
    /// zₖ > 0 exactly where tₖ > ½.
    BinaryCrossEntropy,
    /// The user's own.
    Own(&'a dyn OwnLoss<F>),
}

impl<F: Real> Loss<'_, F> {
    /// Whether it takes labels, and no other targets.
    #[must_use]
    pub const fn takes_labels(&self) -> bool {
        matches!(self, Self::SoftmaxCrossEntropy)
    }

    /// Whether it can compare a network's outputs with `labels` labels and `values` numbers per sample.
    pub(crate) fn check(&self, outputs: Shape, labels: u32, values: usize) -> Result<(), LengthMismatch> {
        match self {
            Self::SoftmaxCrossEntropy => {
                check_least("the outputs that softmax takes", 2, outputs.channels as usize)?;
                // A data set that declares no labels is refused at the first label that it does not write.
                check_length("the labels of a sample", outputs.plane(), labels.max(1) as usize)
            }
            Self::SquaredError | Self::BinaryCrossEntropy => {
                check_length("the targets of a sample", outputs.len(), values)
            }
            Self::Own(_) => Ok(()),
        }
    }

    /// Whether a sample's targets are such as the loss takes, for `classes` classes.
    pub(crate) fn takes(&self, target: Target<'_, F>, classes: u32) -> bool {
        match self {
            Self::SoftmaxCrossEntropy => target.labels.iter().all(|&label| label < classes),
            Self::BinaryCrossEntropy => target.values.iter().all(|t| (F::zero()..=F::one()).contains(t)),
            Self::SquaredError | Self::Own(_) => true,
        }
    }

    /// The loss of outputs that fit it, and its gradient with respect to them, which replaces what `gradient` held.
    pub(crate) fn of_sample(
        &self,
        outputs: &[F],
        target: Target<'_, F>,
        gradient: &mut [F],
    ) -> SampleLoss<F> {
        match self {
            Self::SoftmaxCrossEntropy => {
                cross_entropy::softmax_cross_entropy(outputs, target.labels, gradient).unwrap_or_default()
            }
            Self::SquaredError => squared_error::squared_error(outputs, target.values, gradient),
            Self::BinaryCrossEntropy => {
                binary_cross_entropy::binary_cross_entropy(outputs, target.values, gradient)
            }
            Self::Own(loss) => {
                gradient.fill(F::zero());
                loss.of_sample(outputs, target, gradient)
            }
        }
    }
}

/// What messages call it.
impl<F: Real> fmt::Display for Loss<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SoftmaxCrossEntropy => "softmax cross-entropy",
            Self::SquaredError => "the squared error",
            Self::BinaryCrossEntropy => "binary cross-entropy",
            Self::Own(_) => "a custom loss",
        })
    }
}
