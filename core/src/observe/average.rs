use super::{MOST_OBSERVED, Measure, Observation, Observations};
use crate::batch_test::BatchTest;
use crate::config::RunConfig;
use crate::controller::{AnyState, Controller, Situation};
use crate::moving_average::moving_average;
use crate::noise_scale::Sensor;
use crate::real::Real;
use crate::statistics::Reason;

/// What the running averages of observed quantities keep of themselves at each step.
pub const EMA: f64 = 0.95;

/// What a run remembers of an observed quantity. Both averages start at 0; a correction for that would cancel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Watch<S: Real> {
    /// The running average of the numerator.
    pub numerator: S,
    /// The running average of the denominator.
    pub denominator: S,
    /// What the rule remembers, where it is one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "AnyState::is_none"))]
    pub rule: AnyState<S>,
}

/// What a run remembers of all of them, in the order of its [`Observe`](super::Observe).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Watches<S: Real>([Watch<S>; MOST_OBSERVED]);

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
    /// Whether nothing was averaged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// One after the other; those that nothing observes are as at the start.
    #[must_use]
    pub const fn all(&self) -> &[Watch<S>; MOST_OBSERVED] {
        &self.0
    }
}

impl<S: Real> Watch<S> {
    /// Whether a run can have come to it: no numerator is negative.
    #[cfg(feature = "checkpoint")]
    pub(crate) fn is_possible(&self) -> bool {
        self.numerator >= S::zero() && self.numerator.is_finite() && self.denominator.is_finite()
    }

    /// With another fraction. What is not finite is left out.
    fn with(self, [numerator, denominator]: [S; 2]) -> Self {
        let next = Self {
            numerator: moving_average(self.numerator, numerator, EMA),
            denominator: moving_average(self.denominator, denominator, EMA),
            ..self
        };
        if next.numerator.is_finite() && next.denominator.is_finite() { next } else { self }
    }

    fn smoothed(&self) -> Option<S> {
        let ratio = self.numerator / self.denominator;
        (self.denominator > S::zero() && ratio.is_finite()).then_some(ratio)
    }
}

/// What a batch says of the run's observed quantities, and what is to be remembered.
pub(crate) fn observe<S: Real>(
    config: &RunConfig,
    watches: &Watches<S>,
    now: &Situation<'_, S>,
) -> (Observations, Watches<S>) {
    let (mut observations, mut next) = (Observations::default(), *watches);
    for (&quantity, watch) in config.observe.quantities().iter().zip(&mut next.0) {
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
            *watch = watch.with(fraction);
        }
        let smoothed = watch.smoothed();
        let why_not_smoothed = match smoothed {
            None if watch.denominator < S::zero() => Some(Reason::NonPositiveDebiasedNorm),
            None if watch.denominator > S::zero() => Some(Reason::Unbounded),
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
        // Without those at the end that nothing was averaged of.
        let len = self.0.iter().rposition(|watch| *watch != Watch::default()).map_or(0, |last| last + 1);
        serializer.collect_seq(&self.0[..len])
    }
}

#[cfg(feature = "serde")]
impl crate::fields::Setting for Watch<f64> {
    fn of(value: crate::fields::Value) -> Result<Self, crate::fields::Fault> {
        let mut fields = value.into_fields()?;
        let [numerator, denominator] = [fields.required("numerator")?, fields.required("denominator")?];
        let mut watch = Self { numerator, denominator, rule: AnyState::None };
        fields.take("rule", &mut watch.rule)?;
        fields.finish(&["numerator", "denominator", "rule"])?;
        Ok(watch)
    }
}

#[cfg(feature = "serde")]
impl crate::fields::Setting for Watches<f64> {
    fn of(value: crate::fields::Value) -> Result<Self, crate::fields::Fault> {
        use crate::fields::{Fault, Value};
        const EXPECTED: &str = "a list of no more observed quantities than a run can have";
        let Value::List(list) = value else { return Err(Fault::Type(value, EXPECTED)) };
        let mut watches = Self::default();
        if list.len() > watches.0.len() {
            return Err(Fault::Range(Value::List(list), EXPECTED));
        }
        for (watch, value) in watches.0.iter_mut().zip(list) {
            *watch = Watch::of(value)?;
        }
        Ok(watches)
    }
}
