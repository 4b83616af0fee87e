use super::rounding::nearest;
use super::rows::{EMA, SCALE, SENSOR};
use super::{Controller, Decision, RatioAverage, Situation, Words};
use crate::noise_scale::Sensor;
use crate::real::Real;
use crate::statistics::Needs;

/// The batch follows the gradient noise scale: b′ = clip(round(c·B)), B = v̄/(mean of n − v/b), a ratio of running
/// averages. If the denominator is not positive, the size is kept. The batch may shrink. `wanted` is c·B.
///
/// McCandlish, Kaplan, Amodei et al. 2018, arXiv 1812.06162. Known to underestimate the critical batch by orders of
/// magnitude under Adam (arXiv 2505.23971).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GradientNoiseScale {
    /// How the noise scale is measured. Plain by default.
    pub sensor: Sensor,
    /// c > 0. 1 by default.
    pub scale: f64,
    /// Decay factor of the averages per step, at least 0 and below 1. 0.95 by default.
    pub ema: f64,
}

crate::settings::settings!(GradientNoiseScale {
    title: "gradient noise scale",
    doc: "The batch is a multiple of the smoothed gradient noise scale; it may shrink.",
    source: "McCandlish, Kaplan, Amodei et al. 2018, arXiv 1812.06162",
    fields: {
        sensor: Sensor = Sensor::Plain => SENSOR,
        scale: f64 = 1.0 => SCALE,
        ema: f64 = 0.95 => EMA,
    },
});

impl GradientNoiseScale {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "{scale:times}{sensor:noise} is above the batch size",
        shrank: "{scale:times}{sensor:noise} is below the batch size",
        kept: "{scale:times}{sensor:noise} requires no other size",
        against: "The noise scale can underestimate the critical batch by orders of magnitude under Adam (arXiv 2505.23971).",
    };
}

impl<S: Real> Controller<S> for GradientNoiseScale {
    type State = RatioAverage<S>;

    fn needs(&self) -> Needs {
        self.sensor.needs()
    }

    fn decide(&self, state: RatioAverage<S>, now: &Situation<'_, S>) -> (Decision, RatioAverage<S>) {
        let kept = now.limits.clip(now.batch);
        let state = match state.with_noise(now.evidence, self.sensor, self.ema) {
            Ok(state) => state,
            Err(reason) => return (Decision::hold(kept, reason), state),
        };
        let decision = match state.ratio() {
            Ok(scale) => {
                let raw = S::of(self.scale) * scale;
                Decision::next(now.limits.clip(nearest(raw))).wanting(raw)
            }
            Err(reason) => Decision::hold(kept, reason),
        };
        (decision, state)
    }
}
