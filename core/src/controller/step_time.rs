//! How long steps take.

use num_traits::float::FloatCore;

/// The measured time of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepTime {
    /// Samples in its batch.
    pub samples: u32,
    /// How long it took.
    pub seconds: f64,
}

/// What a measurement keeps of its weight with each one that follows: a machine that gets slower is noticed.
const FADING: f64 = 0.99;

/// The time of a step as t₀ + t₁·b, fitted to measurements by least squares as they come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TimeFit {
    /// Measurements taken.
    pub count: u32,
    /// Their weights.
    pub weight: f64,
    /// The weighted mean of b.
    pub mean_samples: f64,
    /// The weighted mean of the seconds.
    pub mean_seconds: f64,
    /// The weighted sum of squared deviations of b.
    pub spread: f64,
    /// The weighted sum of products of the deviations.
    pub product: f64,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(TimeFit { count, weight, mean_samples, mean_seconds, spread, product });

impl TimeFit {
    /// The fit with another measurement. One that is not a positive number of seconds is left out.
    #[must_use]
    pub fn with(self, step: StepTime) -> Self {
        if !FloatCore::is_finite(step.seconds) || step.seconds <= 0.0 {
            return self;
        }
        let weight = self.weight * FADING + 1.0;
        let samples = f64::from(step.samples) - self.mean_samples;
        let seconds = step.seconds - self.mean_seconds;
        let mean_samples = self.mean_samples + samples / weight;
        let mean_seconds = self.mean_seconds + seconds / weight;
        Self {
            count: self.count.saturating_add(1),
            weight,
            mean_samples,
            mean_seconds,
            spread: self.spread * FADING + samples * (f64::from(step.samples) - mean_samples),
            product: self.product * FADING + samples * (step.seconds - mean_seconds),
        }
    }

    /// t₀ and t₁, neither below 0; `None` if all steps had the same size.
    #[must_use]
    pub fn times(&self) -> Option<[f64; 2]> {
        // Rounding may leave a little where there is no spread.
        let is_spread = self.spread > 1e-9 * self.weight * self.mean_samples * self.mean_samples;
        is_spread.then(|| {
            let slope = self.product / self.spread;
            // A line with a negative end is none that a machine has: through the mean without that part.
            let base = self.mean_seconds - slope * self.mean_samples;
            if slope < 0.0 {
                [self.mean_seconds, 0.0]
            } else if base < 0.0 {
                [0.0, self.mean_seconds / self.mean_samples]
            } else {
                [base, slope]
            }
        })
    }
}
