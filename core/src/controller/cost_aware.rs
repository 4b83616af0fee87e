use super::rows::{EMA, SENSOR};
use super::{Controller, Decision, RatioAverage, Situation, TimeFit, Words};
use crate::noise_scale::Sensor;
use crate::real::Real;
use crate::settings::{Field, Range};
use crate::statistics::{Needs, Reason};

/// The batch that makes the most progress per second. With the noise scale B and a step that takes t₀ + t₁·b, a batch
/// makes progress e(b) = b/((b + B)(t₀ + t₁·b)) per second, which is best at b* = √(B·t₀/t₁). The batch is doubled or
/// halved toward it where that gains enough: e(b*)/e(b) − 1 above `gain`. `wanted` is b*, also while the rule waits,
/// and `None` as long as the times are unknown.
///
/// snr-grad (github.com/mattsq/snr-grad, 2026). Step times are measured by the caller, who passes them to
/// [`Trainer::measured`](crate::training::Trainer::measured). If all steps so far had the same size, a neighbouring
/// size is tried, because t₀ and t₁ cannot be determined from one size.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CostAware {
    /// How the noise scale is measured. Plain by default.
    pub sensor: Sensor,
    /// Decay factor of the averages per step, at least 0 and below 1. 0.95 by default.
    pub ema: f64,
    /// The gain that is worth a change, at least 0. 0.05 by default.
    pub gain: f64,
    /// Steps before the first change. 5 by default.
    pub warm_up: u32,
    /// Smallest number of steps between two changes. 5 by default.
    pub dwell: u32,
    /// t₀ in seconds, if it is known; with t₁ it replaces the measurements.
    pub fixed_time: Option<f64>,
    /// t₁ in seconds, if it is known.
    pub time_per_sample: Option<f64>,
}

crate::settings::settings!(CostAware {
    title: "cost-aware",
    doc: "Doubles or halves toward the batch that makes the most progress per second, according to measured step \
          times.",
    source: "github.com/mattsq/snr-grad, 2026",
    fields: {
        sensor: Sensor = Sensor::Plain => SENSOR,
        ema: f64 = 0.95 => EMA,
        gain: f64 = 0.05 => Field::new("smallest gain", "The relative gain in speed that is worth a change.")
            .range(Range::NOT_NEGATIVE)
            .retunable(),
        warm_up: u32 = 5 => Field::new("warm-up steps", "The number of steps before the first change.")
            .range(Range::whole(0, u32::MAX as u64))
            .retunable()
            .placeholder("STEPS"),
        dwell: u32 = 5 => Field::new(
            "steps between changes",
            "The smallest number of steps between two changes.",
        )
        .range(Range::whole(0, u32::MAX as u64))
        .retunable()
        .placeholder("STEPS"),
        fixed_time: Option<f64> = None => Field::new(
            "time per step",
            "Seconds per step that do not depend on the batch size; measured by default.",
        )
        .symbol("t₀")
        .range(Range::NOT_NEGATIVE)
        .placeholder("SECONDS"),
        time_per_sample: Option<f64> = None => Field::new(
            "time per sample",
            "Seconds per sample; measured by default.",
        )
        .symbol("t₁")
        .range(Range::NOT_NEGATIVE)
        .placeholder("SECONDS"),
    },
});

/// What [`CostAware`] has averaged and measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CostAwareState<S> {
    /// Noise and signal.
    pub noise: RatioAverage<S>,
    /// The time of a step.
    pub time: TimeFit,
    /// Steps that count for the warm-up.
    pub steps: u32,
    /// Steps since the last change.
    pub since_change: u32,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(CostAwareState<f64> { noise, time, steps, since_change });

impl CostAware {
    /// t₀ and t₁.
    fn times<S>(&self, state: &CostAwareState<S>) -> Option<[f64; 2]> {
        match (self.fixed_time, self.time_per_sample) {
            (Some(fixed), Some(per_sample)) => Some([fixed, per_sample]),
            (fixed, per_sample) => {
                let [measured, measured_per_sample] = state.time.times()?;
                Some([fixed.unwrap_or(measured), per_sample.unwrap_or(measured_per_sample)])
            }
        }
    }

    /// A size next to this one, to learn how the time depends on it.
    fn trial<S>(&self, now: &Situation<'_, S>) -> u32 {
        let doubled = now.limits.clip(now.batch.saturating_mul(2));
        if doubled == now.batch { now.limits.clip(now.batch / 2) } else { doubled }
    }
}

/// b* = √(B·t₀/t₁), without limits.
fn best<S: Real>(scale: S, [fixed, per_sample]: [S; 2]) -> S {
    if per_sample > S::zero() { (scale * fixed / per_sample).root() } else { S::infinity() }
}

/// The best batch within the limits as a real number, and how much it gains over `batch`.
fn best_and_gain<S: Real>(scale: S, [fixed, per_sample]: [S; 2], now: &Situation<'_, S>) -> Option<[S; 2]> {
    let size = |size: u32| S::of(size.into());
    let progress = |b: S| b / ((b + scale) * (fixed + per_sample * b));
    let best = best(scale, [fixed, per_sample]).max(size(now.limits.min)).min(size(now.limits.max));
    let gain = progress(best) / progress(size(now.batch)) - S::one();
    gain.is_finite().then_some([best, gain])
}

impl CostAware {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "a larger batch promised more progress per second, or had to be timed first",
        shrank: "a smaller batch promised more progress per second, or had to be timed first",
        kept: "no other size promised at least {gain:percent} more progress per second, or the size had changed within the last {dwell} steps",
        against: "Its choice depends on this machine’s speed, so a run does not repeat exactly. The noise scale can underestimate the critical batch by orders of magnitude under Adam (arXiv 2505.23971).",
    };
}

impl<S: Real> Controller<S> for CostAware {
    type State = CostAwareState<S>;

    fn needs(&self) -> Needs {
        let is_known = self.fixed_time.is_some() && self.time_per_sample.is_some();
        Needs { step_time: !is_known, ..self.sensor.needs() }
    }

    fn decide(&self, state: CostAwareState<S>, now: &Situation<'_, S>) -> (Decision, CostAwareState<S>) {
        let kept = now.limits.clip(now.batch);
        let mut next = CostAwareState {
            time: now.step_time.map_or(state.time, |step| state.time.with(step)),
            steps: state.steps.saturating_add(1),
            since_change: state.since_change.saturating_add(1),
            ..state
        };
        next.noise = match state.noise.with_noise(now.evidence, self.sensor, self.ema) {
            Ok(noise) => noise,
            Err(reason) => return (Decision::hold(kept, reason), next),
        };
        let scale = match next.noise.ratio() {
            Ok(scale) => scale,
            Err(reason) => return (Decision::hold(kept, reason), next),
        };
        let times = self.times(&next);
        let wanted = times.map_or_else(S::nan, |times| best(scale, times.map(S::of)));
        if next.steps <= self.warm_up || next.since_change <= self.dwell {
            return (Decision::next(kept).wanting(wanted), next);
        }
        let size = match times {
            None if next.time.count <= self.warm_up => {
                return (Decision::hold(kept, Reason::NoStepTimes), next);
            }
            None => self.trial(now),
            Some(times) => match best_and_gain(scale, times.map(S::of), now) {
                None => return (Decision::hold(kept, Reason::NonFinite), next),
                Some([_, gain]) if gain <= S::of(self.gain) => kept,
                Some([best, _]) if best > now.evidence.batch() => now.batch.saturating_mul(2),
                Some(_) => now.batch / 2,
            },
        };
        let size = now.limits.clip(size);
        if size != now.batch {
            next.since_change = 0;
        }
        (Decision::next(size).wanting(wanted), next)
    }
}
