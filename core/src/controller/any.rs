//! Any of the rules, by name.

use super::{AnyController, AnyState, Controller};
use crate::real::Real;
use crate::statistics::Needs;

/// Makes [`AnyController`](super::AnyController) and [`AnyState`](super::AnyState) of the table of rules.
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
                if matches!(&value, crate::fields::Value::Text(none) if none == "none") {
                    return Ok(Self::None);
                }
                let mut fields = value.into_fields()?;
                if fields.entries.is_empty() {
                    return Ok(Self::None);
                }
                let (name, state) = fields.entries.remove(0);
                fields.finish(NAMES)?;
                let read = match &*name {
                    $($name => <$state as Setting>::of(state).map(Self::$rule),)*
                    unknown => return Err(Fault::name(unknown, NAMES)),
                };
                read.map_err(|fault| fault.within(&name))
            }
        }

        impl AnyController {
            /// The rule itself, as far as its answers do not depend on a float type.
            fn answers(&self) -> &dyn Answers {
                match self {
                    $(Self::$plain(rule) => rule,)*
                    $(Self::$rule(rule) => rule,)*
                }
            }

            /// What it does, in words.
            #[must_use]
            pub const fn words(&self) -> &'static Words {
                match self {
                    $(Self::$plain(_) => &$plain::WORDS,)*
                    $(Self::$rule(_) => &$rule::WORDS,)*
                }
            }
        }

        impl<S: Real> Controller<S> for AnyController {
            type State = AnyState<S>;

            fn needs(&self) -> Needs {
                self.needs()
            }

            fn uses_test(&self) -> bool {
                self.uses_test()
            }

            fn uses_loss(&self) -> bool {
                self.uses_loss()
            }

            fn changes_learning_rate(&self) -> bool {
                self.changes_learning_rate()
            }

            fn uses_training_samples(&self) -> bool {
                self.uses_training_samples()
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

pub(super) use rules;

/// What a rule answers without a float type.
pub(super) trait Answers {
    fn needs(&self) -> Needs;
    fn uses_test(&self) -> bool;
    fn uses_loss(&self) -> bool;
    fn changes_learning_rate(&self) -> bool;
    fn uses_training_samples(&self) -> bool;
}

impl<T: Controller<f64>> Answers for T {
    fn needs(&self) -> Needs {
        Controller::needs(self)
    }

    fn uses_test(&self) -> bool {
        Controller::uses_test(self)
    }

    fn uses_loss(&self) -> bool {
        Controller::uses_loss(self)
    }

    fn changes_learning_rate(&self) -> bool {
        Controller::changes_learning_rate(self)
    }

    fn uses_training_samples(&self) -> bool {
        Controller::uses_training_samples(self)
    }
}

/// The same as methods of its own, because `AnyController` does not tell the float type.
impl AnyController {
    /// What an engine must compute for it.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.answers().needs()
    }

    /// Whether it decides by what the batch-size test requires.
    #[must_use]
    pub fn uses_test(&self) -> bool {
        self.answers().uses_test()
    }

    /// Whether it decides by the loss, with the learning rate.
    #[must_use]
    pub fn uses_loss(&self) -> bool {
        self.answers().uses_loss()
    }

    /// Whether it changes the learning rate.
    #[must_use]
    pub fn changes_learning_rate(&self) -> bool {
        self.answers().changes_learning_rate()
    }

    /// Whether it decides by the number of training samples: it counts epochs, or its limit is a fraction of that
    /// number.
    #[must_use]
    pub fn uses_training_samples(&self) -> bool {
        self.answers().uses_training_samples()
    }
}

impl<S: Real> AnyState<S> {
    /// Whether there is nothing to remember.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}
