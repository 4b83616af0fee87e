use super::{MOST_OBSERVED, Measure, Observation, Observations};
use crate::batch_test::BatchTest;
use crate::config::RunConfig;
use crate::controller::{AnyState, Controller, Situation};
use crate::noise_scale::Sensor;
use crate::ratio_average::RatioAverage;
use crate::real::Real;
use crate::statistics::Reason;

/// Decay factor per step of the running averages of observed quantities.
pub const EMA: f64 = 0.95;

/// The state of an observed quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Watch<S: Real> {
    /// Its size as a ratio of averages.
    pub average: RatioAverage<S>,
    /// The state of the rule, if it is a rule.
    pub rule: AnyState<S>,
}

/// The states of all observed quantities, in the order of the run's [`Observe`](super::Observe). Empty before the first
/// step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Watches<S: Real> {
    watches: [Watch<S>; MOST_OBSERVED],
    len: usize,
}

/// A size as a fraction, or why there is none.
struct Found<S> {
    size: Result<S, Reason>,
    fraction: Option<[S; 2]>,
}

impl<S: Real> Found<S> {
    /// A size, weighted by n.
    fn weighted(size: Result<S, Reason>, now: &Situation<'_, S>) -> Self {
        let n = now.evidence.mean_norm_sq;
        let size = size.and_then(|size| if size.is_finite() { Ok(size) } else { Err(Reason::NonFinite) });
        Self { size, fraction: size.ok().map(|size| [size * n, n]) }
    }
}

impl<S: Real> Watches<S> {
    /// One after the other.
    #[must_use]
    pub fn all(&self) -> &[Watch<S>] {
        &self.watches[..self.len]
    }
}

impl<S: Real> Watch<S> {
    /// Whether a run can have come to it: no numerator is negative.
    #[cfg(feature = "checkpoint")]
    pub(crate) fn is_possible(&self) -> bool {
        let RatioAverage { numerator, denominator } = self.average;
        numerator >= S::zero() && numerator.is_finite() && denominator.is_finite()
    }
}

/// What a batch says of the run's observed quantities, and what is to be remembered.
pub(crate) fn observe<S: Real>(
    config: &RunConfig,
    watches: &Watches<S>,
    now: &Situation<'_, S>,
) -> (Observations, Watches<S>) {
    let (mut observations, mut next) = (Observations::default(), *watches);
    let quantities = config.observe.quantities();
    next.len = quantities.len();
    for (&quantity, watch) in quantities.iter().zip(&mut next.watches) {
        let found = match quantity.in_run(config) {
            Measure::Test(test) => {
                let required = BatchTest::<S>::required(&test, now.evidence);
                let size = required.size().ok_or_else(|| required.reason().unwrap_or(Reason::NonFinite));
                Found::weighted(size, now)
            }
            Measure::Noise(sensor) => match now.evidence.noise(sensor) {
                Ok(noise) => {
                    let size = if sensor == Sensor::Sign { noise.sign_scale() } else { noise.scale() };
                    Found { size, fraction: Some([noise.noise, noise.signal]) }
                }
                Err(reason) => Found { size: Err(reason), fraction: None },
            },
            Measure::Rule(rule) => {
                let (decision, state) = rule.decide(watch.rule, now);
                watch.rule = state;
                let why = || {
                    let of_gradient = || now.evidence.nonzero_norm().err();
                    let of_test = || now.required.reason().filter(|_| rule.uses_test());
                    decision.held().or_else(of_test).or_else(of_gradient).unwrap_or(Reason::OtherSteps)
                };
                Found::weighted(decision.wanted().map(S::of).ok_or_else(why), now)
            }
        };
        if let Some(fraction) = found.fraction {
            // What is not finite is left out.
            watch.average = watch.average.with(fraction, EMA).unwrap_or(watch.average);
        }
        let ratio = watch.average.ratio();
        let smoothed = ratio.ok().filter(|ratio| ratio.is_finite());
        let why_not_smoothed = match ratio {
            Err(reason) if watch.average.denominator < S::zero() => Some(reason),
            Ok(ratio) if !ratio.is_finite() => Some(Reason::Unbounded),
            _ => None,
        };
        observations.push(Observation {
            quantity,
            size: found.size.ok().map(Real::as_f64).filter(|size| size.is_finite()),
            smoothed: smoothed.map(Real::as_f64),
            reason: found.size.err().or(why_not_smoothed),
        });
    }
    (observations, next)
}

#[cfg(feature = "serde")]
impl<S: Real + serde::Serialize> serde::Serialize for Watches<S> {
    fn serialize<R: serde::Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
        serializer.collect_seq(self.all())
    }
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(Watch<f64> { average, rule });

#[cfg(feature = "serde")]
impl crate::fields::Setting for Watches<f64> {
    fn of(value: crate::fields::Value) -> Result<Self, crate::fields::Fault> {
        use crate::fields::{Fault, Setting};
        let list: alloc::vec::Vec<Watch<f64>> = Setting::of(value)?;
        let mut watches = Self { len: list.len(), ..Self::default() };
        let places = watches.watches.get_mut(..list.len()).ok_or_else(|| {
            let len = list.len();
            Fault::words(format_args!(
                "it has {len} observed quantities, but a run has at most {MOST_OBSERVED}"
            ))
        })?;
        places.copy_from_slice(&list);
        Ok(watches)
    }
}
