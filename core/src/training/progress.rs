//! The state of a run between two steps.

use super::plan::Plan;
use crate::controller::AnyState;
use crate::observe::Watches;
use crate::optimizer::Shared;
use crate::real::Real;

/// The state of a run between two steps: together with parameters and optimizer memory, all that a checkpoint contains.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(bound(serialize = "S: Real + serde::Serialize"))
)]
pub struct Progress<S: Real> {
    /// Steps made.
    pub steps: u64,
    /// Samples seen.
    pub samples_seen: u64,
    /// Size of the next batch.
    pub next_batch: u32,
    /// What the optimizer shares over all parameters.
    pub shared: Shared<S>,
    /// The state of the rule for batch sizes.
    pub controller: AnyState<S>,
    /// The factor of the rule, by which the schedule's learning rate is multiplied.
    pub learning_rate_scale: f64,
    /// The state of the observed quantities.
    pub observed: Watches<S>,
}

impl<S: Real> Progress<S> {
    /// The start of a run.
    #[must_use]
    pub fn start(first_batch: u32) -> Self {
        Self {
            steps: 0,
            samples_seen: 0,
            next_batch: first_batch,
            shared: Shared::default(),
            controller: AnyState::None,
            learning_rate_scale: 1.0,
            observed: Watches::default(),
        }
    }

    /// Where a run stands once a planned step is made.
    pub(super) fn after(self, plan: &Plan<S>, next_batch: u32, shared: Shared<S>) -> Self {
        Self { steps: plan.step, samples_seen: plan.seen_after(), next_batch, shared, ..self }
    }
}

#[cfg(feature = "serde")]
impl crate::fields::Setting for Progress<f64> {
    fn of(value: crate::fields::Value) -> Result<Self, crate::fields::Fault> {
        let mut fields = value.into_fields()?;
        let mut progress = Self {
            steps: fields.required("steps")?,
            samples_seen: fields.required("samples_seen")?,
            next_batch: fields.required("next_batch")?,
            shared: fields.required("shared")?,
            controller: AnyState::None,
            learning_rate_scale: 1.0,
            observed: Watches::default(),
        };
        // Files of version 2 left them out where they were as at the start; newer ones may not.
        fields.take("controller", &mut progress.controller)?;
        fields.take("learning_rate_scale", &mut progress.learning_rate_scale)?;
        fields.take("observed", &mut progress.observed)?;
        fields.finish(&[
            "steps",
            "samples_seen",
            "next_batch",
            "shared",
            "controller",
            "learning_rate_scale",
            "observed",
        ])?;
        Ok(progress)
    }
}

#[cfg(feature = "serde")]
crate::fields::deserialize_setting!(Progress<f64>);
