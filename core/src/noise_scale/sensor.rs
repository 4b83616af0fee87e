use super::Noise;
use crate::real::{Real, count};
use crate::reason::Reason;

/// How a noise scale is measured. See the [module](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Sensor {
    /// In the Euclidean geometry of SGD.
    #[default]
    Plain,
    /// With gradients divided by the root of the optimizer's second moments.
    Preconditioned,
    /// In the geometry of signs.
    Sign,
}

#[cfg(feature = "serde")]
crate::fields::name_setting!(Sensor { Plain, Preconditioned, Sign });

impl Sensor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Preconditioned, Self::Sign];

    /// Their names in settings.
    pub const NAMES: &'static [&'static str] =
        &[Self::Plain.name(), Self::Preconditioned.name(), Self::Sign.name()];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Preconditioned => "preconditioned",
            Self::Sign => "sign",
        }
    }

    /// Noise and signal of a batch of `samples` samples from two sums over its coordinates: Σ Varⱼ/dⱼ² and Σ ḡⱼ²/dⱼ²,
    /// with dⱼ = 1 for the plain one; for signs Σ √Varⱼ and Σ |ḡⱼ|.
    ///
    /// # Errors
    /// [`Reason::SingleSample`], or [`Reason::NonFinite`] where a result is not finite.
    pub fn noise<S: Real>(self, samples: u32, [noise, square]: [S; 2]) -> Result<Noise<S>, Reason> {
        let b: S = count(samples.into());
        let noise = match self {
            _ if samples < 2 => return Err(Reason::SingleSample),
            Self::Plain | Self::Preconditioned => Noise { noise, signal: square - noise / b },
            Self::Sign => Noise { noise: noise.squared(), signal: square.squared() },
        };
        if noise.noise.is_finite() && noise.signal.is_finite() { Ok(noise) } else { Err(Reason::NonFinite) }
    }
}
