//! Any of the rules, by name.

use super::{
    Accordion, AdAdaGrad, AdaBatch, AdaBatchGrad, BigBatch, Cabs, Constant, Controller, CostAware, Decision,
    DiveBatch, GradientNoiseScale, Limits, Linear, Seesaw, SimiGrad, Situation, Smith, Stages,
};
use super::{AccordionState, CabsState, CostAwareState, DiveBatchState, NoiseAverage, Window};
use crate::real::Real;
use crate::statistics::Needs;

/// The one table of rules: a new one is a row here, and a file.
macro_rules! rules {
    (
        with_state { $($name:literal => $rule:ident, $state:ty),* $(,)? }
        without_state { $($plain_name:literal => $plain:ident),* $(,)? }
    ) => {
        /// Any of the rules, by name, as settings contain them.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "name"))]
        pub enum AnyController {
            $(
                #[doc = concat!("[`", stringify!($rule), "`].")]
                #[cfg_attr(feature = "serde", serde(rename = $name))]
                $rule($rule),
            )*
            $(
                #[doc = concat!("[`", stringify!($plain), "`].")]
                #[cfg_attr(feature = "serde", serde(rename = $plain_name))]
                $plain($plain),
            )*
        }

        crate::settings::named_settings!(AnyController { $($name => $rule,)* $($plain_name => $plain,)* });

        /// The state of any of the rules.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub enum AnyState<S: Real> {
            /// That of a rule without state, and of any other at the start.
            #[default]
            #[cfg_attr(feature = "serde", serde(rename = "none"))]
            None,
            $(
                #[doc = concat!("Of [`", stringify!($rule), "`].")]
                #[cfg_attr(feature = "serde", serde(rename = $name))]
                $rule($state),
            )*
        }

        #[cfg(feature = "serde")]
        impl crate::fields::Setting for AnyState<f64> {
            fn of(value: crate::fields::Value) -> Result<Self, crate::fields::Fault> {
                use crate::fields::{Fault, Setting};
                // What the table calls the float type.
                type S = f64;
                const NAMES: &[&str] = &[$($name),*];
                let mut fields = value.into_fields()?;
                if fields.0.is_empty() {
                    return Ok(Self::None);
                }
                let (name, state) = fields.0.remove(0);
                fields.finish(NAMES)?;
                match &*name {
                    $($name => <$state as Setting>::of(state).map(Self::$rule),)*
                    unknown => Err(Fault::variant(unknown, NAMES)),
                }
            }
        }

        impl AnyController {
            /// What an engine must compute for it.
            #[must_use]
            pub fn needs(&self) -> Needs {
                match self {
                    $(Self::$plain(rule) => Controller::<f64>::needs(rule),)*
                    $(Self::$rule(rule) => Controller::<f64>::needs(rule),)*
                }
            }
        }

        impl<S: Real> Controller<S> for AnyController {
            type State = AnyState<S>;

            fn needs(&self) -> Needs {
                self.needs()
            }

            fn decide(&self, state: AnyState<S>, now: &Situation<'_, S>) -> (Decision, AnyState<S>) {
                match self {
                    $(Self::$plain(rule) => (rule.decide((), now).0, AnyState::None),)*
                    $(Self::$rule(rule) => {
                        // The state of another rule is none of this one's.
                        let own = if let AnyState::$rule(own) = state { own } else { Default::default() };
                        let (decision, own) = rule.decide(own, now);
                        let is_fresh = own == <$state>::default();
                        (decision, if is_fresh { AnyState::None } else { AnyState::$rule(own) })
                    })*
                }
            }

            fn is_settled(&self, batch: u32, limits: Limits) -> bool {
                match self {
                    $(Self::$plain(rule) => Controller::<S>::is_settled(rule, batch, limits),)*
                    $(Self::$rule(rule) => Controller::<S>::is_settled(rule, batch, limits),)*
                }
            }

            fn first_batch(&self, initial: u32) -> u32 {
                match self {
                    $(Self::$plain(rule) => Controller::<S>::first_batch(rule, initial),)*
                    $(Self::$rule(rule) => Controller::<S>::first_batch(rule, initial),)*
                }
            }
        }
        impl<S: Real> AnyState<S> {
            /// Whether it may be a state of this rule: its own, or none.
            #[must_use]
            pub const fn is_of(&self, rule: &AnyController) -> bool {
                match self {
                    Self::None => true,
                    $(Self::$rule(_) => matches!(rule, AnyController::$rule(_)),)*
                }
            }
        }
    };
}

rules! {
    with_state {
        "adadagrad" => AdAdaGrad, Window,
        "cabs" => Cabs, CabsState<S>,
        "dive_batch" => DiveBatch, DiveBatchState<S>,
        "gradient_noise_scale" => GradientNoiseScale, NoiseAverage<S>,
        "ada_batch_grad" => AdaBatchGrad, Window,
        "accordion" => Accordion, AccordionState<S>,
        "cost_aware" => CostAware, CostAwareState<S>,
    }
    without_state {
        "constant" => Constant,
        "stages" => Stages,
        "linear" => Linear,
        "geometric" => AdaBatch,
        "smith" => Smith,
        "seesaw" => Seesaw,
        "big_batch" => BigBatch,
        "simi_grad" => SimiGrad,
    }
}

impl AnyController {
    /// Whether it decides by what the batch-size test requires.
    #[must_use]
    pub const fn uses_test(&self) -> bool {
        matches!(self, Self::AdAdaGrad(_))
    }

    /// Whether it decides by the loss, with the learning rate.
    #[must_use]
    pub const fn uses_loss(&self) -> bool {
        matches!(self, Self::Cabs(_))
    }

    /// Whether it changes the learning rate.
    #[must_use]
    pub const fn changes_learning_rate(&self) -> bool {
        match self {
            Self::AdaBatch(_) | Self::Smith(_) | Self::Seesaw(_) => true,
            Self::DiveBatch(rule) => rule.scale_learning_rate,
            _ => false,
        }
    }

    /// Whether it decides by the number of training samples: it counts epochs, or takes a part of them as its limit.
    #[must_use]
    pub const fn uses_training_samples(&self) -> bool {
        matches!(self, Self::AdaBatch(_) | Self::Smith(_) | Self::DiveBatch(_) | Self::Accordion(_))
    }
}

impl<S: Real> AnyState<S> {
    /// Whether there is nothing to remember.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}
