//! Signatures of runs that do not progress: what their telemetry shows, by a rule with a stated threshold, and the way out.
//!
//! A [`Watch`] is given each step. It looks at windows of [`WINDOW`] steps, because a single batch is noise, and tells of each
//! signature when it is first seen and again after it was gone.

use crate::batch_test::AnyTest;
use crate::config::RunConfig;
use crate::controller::{AnyController, StepTime, TimeFit};
use crate::training::Telemetry;

/// Steps of a window.
pub const WINDOW: u32 = 50;
/// Windows over which a plateau is looked for.
const PLATEAU_WINDOWS: usize = 4;
/// A loss has stalled if it is above this share of what it was.
const STALLED: f64 = 0.99;
/// A loss diverges if it is above this multiple of the lowest, and this many nats above it.
const DIVERGED: (f64, f64) = (1.5, 0.1);

/// Whether a mean loss is so far above an earlier one that it is no fluctuation: at least 1.5 times as high, and 0.1 nats higher.
pub(crate) fn is_far_above(loss: f64, earlier: f64) -> bool {
    let (factor, nats) = DIVERGED;
    loss >= factor * earlier && loss >= earlier + nats
}

/// The share of ‖ḡ‖² that is noise, from which on noise dominates.
const NOISE: f64 = 0.9;
/// A limit is in the way if the test requires this multiple of it.
const BEYOND: f64 = 2.0;
/// A batch is small for a device if this share of its step's time does not depend on it.
const FIXED_TIME: f64 = 2.0 / 3.0;

/// What is wrong with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The mean loss of a window is at least 99 % of what it was four windows ago, and the batch, which a rule may let grow, has not grown
    /// meanwhile.
    Plateau,
    /// The mean loss of a window is at least 1.5 times the lowest of an earlier one, and 0.1 nats above it, is higher than that of the
    /// window before, and the test, if there is one, failed in most of the steps.
    Divergence,
    /// Σ v/b over a window is at least 0.9 Σ‖ḡ‖²: at most a tenth of ‖ḡ‖² is gradient. The norm test then requires about b/η², whatever the
    /// gradient is (unless it is debiased).
    NoiseDominated,
    /// The largest batch that is allowed was used in a whole window, and the test required at least twice as much on average.
    LargestBatch,
    /// At least two thirds of the time t₀ + t₁b of a step do not depend on its batch.
    SmallBatch,
}

impl Signature {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Plateau, Self::Divergence, Self::NoiseDominated, Self::LargestBatch, Self::SmallBatch];

    /// What is seen, and the way out: two sentences.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Plateau => {
                "The loss has fallen by less than 1 % in the last 200 steps, and the batch has not grown. A lower learning \
                 rate reduces the noise at once; a larger batch does, too."
            }
            Self::Divergence => {
                "The loss is rising and at least 1.5 times as high as its lowest mean over 50 steps. Lower the learning rate."
            }
            Self::NoiseDominated => {
                "At least 90 % of the squared norm of the mean gradient is noise, so the norm test requires about \
                 b/η², whatever the gradient is. Choose the debiased norm test, or a larger batch."
            }
            Self::LargestBatch => {
                "The batch has its largest size, and the test requires at least twice as much. Allow larger batches, \
                 or raise the threshold."
            }
            Self::SmallBatch => {
                "At least two thirds of the time of a step do not depend on the size of its batch. Larger batches cost \
                 little here; allow no smaller ones."
            }
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Sums over the steps of a window.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    steps: u32,
    samples: f64,
    /// Weighted by samples.
    loss: f64,
    noise: f64,
    norms: f64,
    required: f64,
    failed: u32,
    tested: u32,
    limited: u32,
}

/// Watches a run for its signatures; a fixed amount of memory.
#[derive(Clone, Debug)]
pub struct Watch {
    largest: u32,
    may_grow: bool,
    /// The norm test with the biased ‖ḡ‖².
    is_biased: bool,
    window: Window,
    /// Mean losses of the last windows, the latest last; NaN before there are so many.
    losses: [f64; PLATEAU_WINDOWS + 1],
    lowest: f64,
    windows_since_growth: usize,
    time: TimeFit,
    batch: u32,
    shown: u8,
}

impl Watch {
    /// Of a run with these settings.
    #[must_use]
    pub fn new(config: &RunConfig) -> Self {
        Self {
            largest: config.max_batch,
            may_grow: !matches!(config.controller, AnyController::Constant(_)),
            is_biased: matches!(config.test, Some(AnyTest::Norm(test)) if !test.debiased),
            window: Window::default(),
            losses: [f64::NAN; PLATEAU_WINDOWS + 1],
            lowest: f64::INFINITY,
            windows_since_growth: 0,
            time: TimeFit::default(),
            batch: 0,
            shown: 0,
        }
    }

    /// Takes a step, with the seconds that it took where they are known, and gives what was not seen before it.
    pub fn step(
        &mut self,
        step: &Telemetry,
        seconds: Option<f64>,
    ) -> impl Iterator<Item = Signature> + use<> {
        if let Some(seconds) = seconds {
            self.time = self.time.with(StepTime { samples: step.samples, seconds });
        }
        self.window.add(step, self.largest);
        if step.next_batch > step.samples {
            self.windows_since_growth = 0;
        }
        self.batch = step.samples;
        let seen = if self.window.steps == WINDOW { self.close() } else { self.shown };
        let new = seen & !self.shown;
        self.shown = seen;
        Signature::ALL.into_iter().filter(move |signature| new & signature.bit() != 0)
    }

    /// Closes a window; gives the signatures that it shows, as bits.
    fn close(&mut self) -> u8 {
        let window = core::mem::take(&mut self.window);
        let loss = window.loss / window.samples;
        self.losses.rotate_left(1);
        self.losses[PLATEAU_WINDOWS] = loss;
        self.windows_since_growth += 1;
        let shows = |signature: Signature, is_shown: bool| if is_shown { signature.bit() } else { 0 };
        let seen = shows(Signature::Plateau, self.is_plateau())
            | shows(Signature::Divergence, self.diverges(&window))
            | shows(Signature::NoiseDominated, self.is_biased && window.is_noise())
            | shows(Signature::LargestBatch, window.is_limited(self.largest))
            | shows(Signature::SmallBatch, self.is_small());
        self.lowest = self.lowest.min(loss);
        seen
    }

    fn is_plateau(&self) -> bool {
        let [then, .., now] = self.losses;
        let has_not_grown = self.windows_since_growth > PLATEAU_WINDOWS;
        self.may_grow && self.batch < self.largest && has_not_grown && now >= STALLED * then
    }

    fn diverges(&self, window: &Window) -> bool {
        let [.., before, now] = self.losses;
        is_far_above(now, self.lowest) && now > before && 2 * window.failed >= window.tested
    }

    fn is_small(&self) -> bool {
        self.batch < self.largest
            && self.time.times().is_some_and(|[fixed, per_sample]| {
                fixed >= FIXED_TIME * (fixed + per_sample * f64::from(self.batch))
            })
    }
}

impl Window {
    fn add(&mut self, step: &Telemetry, largest: u32) {
        let samples = f64::from(step.samples);
        self.steps += 1;
        self.samples += samples;
        self.loss += samples * step.loss;
        if let Some(variance) = step.variance {
            self.noise += variance / samples;
            self.norms += step.mean_norm_sq;
        }
        if let Some(required) = step.required {
            self.required += required;
            self.tested += 1;
            self.failed += u32::from(required > samples);
        }
        self.limited += u32::from(step.samples == largest);
    }

    fn is_noise(&self) -> bool {
        self.norms > 0.0 && self.noise >= NOISE * self.norms
    }

    fn is_limited(&self, largest: u32) -> bool {
        let tested = f64::from(self.tested);
        self.limited == WINDOW && self.tested > 0 && self.required >= BEYOND * f64::from(largest) * tested
    }
}
