//! Why a batch has kept its size, for the summary: telemetry says it step by step.

use adadagrad_core::statistics::Reason;
use adadagrad_core::training::Telemetry;

use crate::numbers::grouped;

/// What the steps said of why the next batch is as large as this one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    steps: u64,
    has_changed: bool,
    /// Steps that kept the size for each reason.
    reasons: Vec<(Reason, u64)>,
}

impl Held {
    pub(crate) fn add(&mut self, step: &Telemetry) {
        self.steps += 1;
        if step.next_batch != step.samples {
            self.has_changed = true;
            return;
        }
        // A test that no size would pass does not hold a batch: it has its largest size.
        let reason =
            step.reasons.controller.or(step.reasons.required).filter(|&reason| reason != Reason::Unbounded);
        let Some(reason) = reason else { return };
        match self.reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => self.reasons.push((reason, 1)),
        }
    }

    /// One sentence where one reason has kept the size in most steps of a run that never changed it, or the coupling has
    /// refused a size that the rule decided.
    pub(crate) fn sentence(&self, batch: u32) -> Option<String> {
        let of = |wanted: Reason| self.reasons.iter().copied().find(|(reason, _)| *reason == wanted);
        let most = self.reasons.iter().copied().max_by_key(|(_, count)| *count);
        let most = most.filter(|(_, count)| !self.has_changed && 2 * count > self.steps);
        let (reason, count) = of(Reason::NoBetaLeft).or(most)?;
        let [steps, count, batch] = [self.steps, count, batch.into()].map(grouped);
        let what = match reason {
            Reason::NoBetaLeft => "the size that the rule chose was not possible",
            _ => "the rule could not decide",
        };
        let advice = match reason {
            Reason::NoBetaLeft => ". Let the batch grow in smaller steps, or choose another --coupling",
            _ => "",
        };
        Some(format!(
            "In {count} of {steps} steps {what}, and the batch kept its size (now {batch} samples): {reason}{advice}."
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

    use adadagrad_core::training::Reasons;

    use super::*;

    fn held(steps: &[(u32, u32, Option<Reason>)]) -> Option<String> {
        let mut held = Held::default();
        let line = serde_json::json!({
            "version": 1, "step": 1, "samples": 8, "samples_seen": 8, "loss": 1.0, "training_accuracy": 0.5,
            "learning_rate": 0.1, "mean_norm_sq": 1.0, "next_batch": 8, "reasons": {}
        });
        let step: Telemetry = serde_json::from_value(line).unwrap();
        for &(samples, next_batch, controller) in steps {
            let reasons = Reasons { controller, ..Reasons::default() };
            held.add(&Telemetry { samples, next_batch, reasons, ..step });
        }
        held.sentence(8)
    }

    #[test]
    fn one_sentence_says_why_a_batch_never_grew() {
        let zero = Some(Reason::ZeroMeanGradient);
        assert_eq!(held(&[]), None);
        assert_eq!(held(&[(8, 8, None), (8, 8, None)]), None);
        assert_eq!(held(&[(8, 8, zero), (8, 8, None)]), None);
        assert_eq!(held(&[(8, 16, None), (16, 16, zero), (16, 16, zero)]), None);
        assert_eq!(held(&[(8, 8, Some(Reason::Unbounded)); 3]), None);
        let said = held(&[(8, 8, zero), (8, 8, None), (8, 8, zero)]).unwrap();
        assert!(said.starts_with("In 2 of 3 steps the rule could not decide"), "{said}");
        assert!(said.ends_with("(now 8 samples): the mean gradient is zero."), "{said}");
        let said = held(&[(4, 8, None), (8, 8, Some(Reason::NoBetaLeft)), (8, 8, None)]).unwrap();
        assert!(said.starts_with("In 1 of 3 steps the size that the rule chose was not possible"), "{said}");
        assert!(said.ends_with("or choose another --coupling."), "{said}");
    }
}
