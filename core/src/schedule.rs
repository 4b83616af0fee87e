//! Learning rate as a function of samples seen. Samples, not steps: when batches grow, the number of
//! steps does not measure progress.

use crate::real::{Real, count};

/// A schedule: a linear warm-up, then a decay.
///
/// ```
/// use adadagrad_core::schedule::{Decay, Schedule};
///
/// let schedule = Schedule { warm_up_samples: 100, decay: Decay::Cosine { final_fraction: 0.1 } };
/// assert_eq!(schedule.learning_rate(0.05, 50, 1100), 0.025);
/// assert_eq!(schedule.learning_rate(0.05, 100, 1100), 0.05);
/// assert!((schedule.learning_rate(0.05, 1100, 1100) - 0.005_f64).abs() < 1e-17);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Schedule {
    /// The rate climbs linearly from 0 over this many samples; 0 for none.
    pub warm_up_samples: u64,
    /// What follows.
    pub decay: Decay,
}

#[cfg(feature = "serde")]
crate::fields::settings!(Schedule { warm_up_samples, decay });

/// How the learning rate falls after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "name", rename_all = "snake_case"))]
pub enum Decay {
    /// Not at all. With braces, so that other decays' fields are refused.
    Constant {},
    /// Half a cosine wave from 1 to `final_fraction` of the rate, ending with the sample budget:
    /// f + (1 − f)·(1 + cos(π t))/2 with t from 0 to 1.
    Cosine {
        /// f, between 0 and 1. 0 by default.
        final_fraction: f64,
    },
    /// Multiplied by `factor` after every `every_samples` samples.
    Step {
        /// Samples between two decays, at least 1. 60,000 by default.
        every_samples: u64,
        /// Between 0 and 1. 0.5 by default.
        factor: f64,
    },
}

#[cfg(feature = "serde")]
impl crate::fields::Setting for Decay {
    fn of(value: crate::fields::Value) -> Result<Self, crate::fields::Fault> {
        let mut fields = value.into_fields()?;
        let name = fields.take_name()?;
        let (mut decay, known): (_, &'static [&'static str]) = match &*name {
            "constant" => (Self::Constant {}, &[]),
            "cosine" => (Self::cosine(), &["final_fraction"]),
            "step" => (Self::step(), &["every_samples", "factor"]),
            unknown => return Err(crate::fields::Fault::variant(unknown, &["constant", "cosine", "step"])),
        };
        match &mut decay {
            Self::Constant {} => {}
            Self::Cosine { final_fraction } => fields.take("final_fraction", final_fraction)?,
            Self::Step { every_samples, factor } => {
                fields.take("every_samples", every_samples)?;
                fields.take("factor", factor)?;
            }
        }
        fields.finish(known)?;
        Ok(decay)
    }
}

#[cfg(feature = "serde")]
crate::fields::deserialize_setting!(Decay);

impl Decay {
    /// One of each, with its default settings.
    #[must_use]
    pub const fn all() -> [Self; 3] {
        [Self::Constant {}, Self::cosine(), Self::step()]
    }

    /// [`Self::Cosine`] with its default.
    #[must_use]
    pub const fn cosine() -> Self {
        Self::Cosine { final_fraction: Self::default_final_fraction() }
    }

    /// [`Self::Step`] with its defaults.
    #[must_use]
    pub const fn step() -> Self {
        Self::Step { every_samples: Self::default_every_samples(), factor: Self::default_factor() }
    }

    const fn default_final_fraction() -> f64 {
        0.0
    }

    const fn default_every_samples() -> u64 {
        60_000
    }

    const fn default_factor() -> f64 {
        0.5
    }
}

impl Default for Decay {
    fn default() -> Self {
        Self::Constant {}
    }
}

impl Schedule {
    /// The learning rate for the batch that starts after `samples_seen` of `sample_budget` samples.
    #[must_use]
    pub fn learning_rate<S: Real>(&self, base: S, samples_seen: u64, sample_budget: u64) -> S {
        if samples_seen < self.warm_up_samples {
            return base * count::<S>(samples_seen) / count(self.warm_up_samples);
        }
        let since = samples_seen - self.warm_up_samples;
        match self.decay {
            Decay::Constant {} => base,
            Decay::Cosine { final_fraction } => {
                let length = sample_budget.saturating_sub(self.warm_up_samples).max(1);
                let progress = count::<S>(since.min(length)) / count(length);
                let wave = (S::one() + (progress * S::of(core::f64::consts::PI)).cosine()) / S::of(2.0);
                base * (S::of(final_fraction) + S::of(1.0 - final_fraction) * wave)
            }
            Decay::Step { every_samples, factor } => base * S::of(factor).power(since / every_samples.max(1)),
        }
    }
}
