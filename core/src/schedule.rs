//! Learning rate as a function of samples seen. Samples, not steps: when batches grow, the number of
//! steps does not measure progress.

use crate::real::{Real, count};
use crate::settings::{Field, Range};

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
crate::fields::readable!(Schedule { warm_up_samples, decay });

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

crate::settings::named_variants!(Decay {
    "constant" => Constant { title: "no decay", doc: "The learning rate stays constant.", fields: {} },
    "cosine" => Cosine {
        title: "cosine",
        doc: "Half a cosine wave, down to the final fraction of the rate at the end of the sample budget.",
        fields: {
            final_fraction: f64 = Self::FINAL_FRACTION => Field::new(
                "final fraction of the learning rate",
                "The fraction of the learning rate that is left at the end of the sample budget.",
            )
            .range(Range::Closed(0.0, 1.0))
            .placeholder("SHARE"),
        },
    },
    "step" => Step {
        title: "step",
        doc: "The learning rate is multiplied by the decay factor at equal intervals.",
        fields: {
            every_samples: u64 = Self::EVERY_SAMPLES => Field::new(
                "samples between decays",
                "After each interval of this length, the learning rate is multiplied by the decay factor.",
            )
            .range(Range::at_least(1))
            .flag("decay-every-samples")
            .placeholder("SAMPLES"),
            factor: f64 = Self::FACTOR => Field::new("decay factor", "The factor of each decay.")
                .range(Range::SHARE)
                .flag("decay-factor")
                .placeholder("FACTOR"),
        },
    },
});

crate::settings::table!(Schedule {
    title: "schedule",
    doc: "How the learning rate changes with the number of samples seen.",
    source: "",
    fields: {
        warm_up_samples: u64 = 0 => Field::new(
            "warm-up samples",
            "The learning rate rises linearly from 0 over this number of samples; 0 for no warm-up.",
        )
        .range(Range::at_least(0))
        .retunable()
        .placeholder("SAMPLES"),
    }
});

impl Decay {
    const FINAL_FRACTION: f64 = 0.0;
    const EVERY_SAMPLES: u64 = 60_000;
    const FACTOR: f64 = 0.5;

    /// [`Self::Cosine`] with its default.
    #[must_use]
    pub const fn cosine() -> Self {
        Self::Cosine { final_fraction: Self::FINAL_FRACTION }
    }

    /// [`Self::Step`] with its defaults.
    #[must_use]
    pub const fn step() -> Self {
        Self::Step { every_samples: Self::EVERY_SAMPLES, factor: Self::FACTOR }
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
