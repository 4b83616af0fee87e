//! How learning rate and momenta follow the batch size.

use core::fmt;

use crate::real::Real;

/// How learning rate and Adam's β follow when a batch of b samples becomes one of δ·b.
///
/// | coupling | α | β₁, β₂ | source |
/// |---|---|---|---|
/// | none | α | unchanged | AdAdaGrad |
/// | linear | δ α | unchanged | Goyal et al. 2017 |
/// | square root | √δ α | unchanged | OLMo-core, SimiGrad |
/// | SDE | √δ α | 1 − δ (1 − β), both | arXiv 2205.10287 |
/// | half-life | α | β₁ unchanged, β₂ to the power of δ | arXiv 2507.07101 |
///
/// ```
/// use adadagrad_core::coupling::{Coupled, Coupling};
///
/// let before = Coupled { learning_rate: 0.001, beta1: 0.9, beta2: 0.999 };
/// let after = Coupling::Sde.follow(before, 64, 256)?;
/// assert_eq!(after.learning_rate, 0.002);
/// assert!((after.beta1 - 0.6_f64).abs() < 1e-12);
/// let refused = Coupling::Sde.follow(before, 64, 640).unwrap_err();
/// assert!(refused.to_string().contains("leaves no β₁"));
/// # Ok::<(), adadagrad_core::coupling::CouplingError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Coupling {
    /// They do not change.
    #[default]
    None,
    /// α is proportional to the batch size.
    Linear,
    /// α is proportional to the square root of the batch size.
    #[cfg_attr(feature = "serde", serde(rename = "sqrt"))]
    SquareRoot,
    /// The scaling rule of the stochastic differential equation that Adam follows.
    Sde,
    /// β₂ keeps its half-life in samples.
    HalfLife,
}

#[cfg(feature = "serde")]
crate::fields::name_setting!(Coupling { None, Linear, SquareRoot, Sde, HalfLife });

/// What a coupling changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coupled<S> {
    /// α.
    pub learning_rate: S,
    /// β₁; unused by optimizers that have none.
    pub beta1: S,
    /// β₂; unused by optimizers that have none.
    pub beta2: S,
}

/// Why a coupling cannot follow a change: a batch grew so much that δ (1 − β) ≥ 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouplingError {
    /// 1 for β₁, 2 for β₂.
    pub beta: u8,
    /// The batch before.
    pub batch: u32,
    /// The batch after.
    pub next: u32,
}

impl fmt::Display for CouplingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let beta = if self.beta == 1 { "β₁" } else { "β₂" };
        write!(
            f,
            "the batch grows from {} to {} samples, for which the SDE coupling leaves no {beta}: let it grow in \
             smaller steps, or choose another coupling",
            self.batch, self.next
        )
    }
}

impl core::error::Error for CouplingError {}

impl Coupling {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::None, Self::Linear, Self::SquareRoot, Self::Sde, Self::HalfLife];

    /// Their names in settings.
    pub const NAMES: &'static [&'static str] = &[
        Self::None.name(),
        Self::Linear.name(),
        Self::SquareRoot.name(),
        Self::Sde.name(),
        Self::HalfLife.name(),
    ];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Linear => "linear",
            Self::SquareRoot => "sqrt",
            Self::Sde => "sde",
            Self::HalfLife => "half_life",
        }
    }

    /// Whether it changes Adam's β, which other optimizers do not have.
    #[must_use]
    pub const fn changes_betas(self) -> bool {
        matches!(self, Self::Sde | Self::HalfLife)
    }

    /// What follows when a batch of `batch` samples becomes one of `next`.
    ///
    /// # Errors
    /// When a β would not be positive.
    pub fn follow<S: Real>(
        self,
        before: Coupled<S>,
        batch: u32,
        next: u32,
    ) -> Result<Coupled<S>, CouplingError> {
        if next == batch {
            return Ok(before);
        }
        let delta = S::of(next.into()) / S::of(batch.max(1).into());
        let Coupled { learning_rate, beta1, beta2 } = before;
        match self {
            Self::None => Ok(before),
            Self::Linear => Ok(Coupled { learning_rate: delta * learning_rate, ..before }),
            Self::SquareRoot => Ok(Coupled { learning_rate: delta.root() * learning_rate, ..before }),
            Self::Sde => {
                let scaled = |which, beta: S| {
                    // The product is compared with 1 before it is rounded away from it.
                    let complement = S::one() - beta;
                    let is_left =
                        complement * S::of(next.into()) < S::of(batch.into()) * (S::one() - S::epsilon());
                    let error = CouplingError { beta: which, batch, next };
                    if is_left { Ok(S::one() - delta * complement) } else { Err(error) }
                };
                Ok(Coupled {
                    learning_rate: delta.root() * learning_rate,
                    beta1: scaled(1, beta1)?,
                    beta2: scaled(2, beta2)?,
                })
            }
            Self::HalfLife => {
                // β^δ; 0 stays 0.
                let beta2 = if beta2 > S::zero() { (delta * beta2.logarithm()).exponential() } else { beta2 };
                Ok(Coupled { beta2, ..before })
            }
        }
    }
}
