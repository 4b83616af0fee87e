//! From flags to a run description.
//!
//! Which settings an optimizer, a test or a controller takes is read off its serialised form, so that a new
//! one needs no line here but its name.

use std::error::Error;

use adadagrad_core::augmentation::Augmentation;
use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::{ConfigError, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController, Constant};
use adadagrad_core::model::Model;
use adadagrad_core::normalisation::Normalisation;
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, AdaGradNormDelayed, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd,
};
use adadagrad_core::schedule::Decay;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::setting_arguments::{ControllerName, DecayName, OptimizerName, SettingArguments};
use crate::{config_file, files};

/// A flag, the field of the settings that it sets, and the value, where it is given.
type Flag = (&'static str, &'static str, Option<Value>);

impl SettingArguments {
    /// The run description: flags, else the file's settings, else the default. Ranges are not checked here: that is
    /// [`RunConfig::validate`]'s.
    /// `own`: the model of the file given with --network.
    pub(crate) fn resolve(
        &self,
        default: RunConfig,
        own: Option<Model>,
    ) -> Result<RunConfig, Box<dyn Error>> {
        let base = match &self.config {
            Some(file) => config_file::read(&files::read_text(file)?, default)
                .map_err(|error| files::about(file, error))?,
            None => default,
        };
        let test = self.test(base.test)?;
        Ok(RunConfig {
            model: self.model.or(own).unwrap_or(base.model),
            normalisation: self.normalise.map_or(base.normalisation, |is_on| {
                if is_on { Normalisation::Training } else { Normalisation::None }
            }),
            augmentation: Augmentation {
                padding: self.crop_padding.unwrap_or(base.augmentation.padding),
                flip: self.flip.unwrap_or(base.augmentation.flip),
            },
            optimizer: self.optimizer(base.optimizer)?,
            learning_rate: self.learning_rate.unwrap_or(base.learning_rate),
            schedule: adadagrad_core::schedule::Schedule {
                warm_up_samples: self.warm_up_samples.unwrap_or(base.schedule.warm_up_samples),
                decay: self.decay(base.schedule.decay)?,
            },
            test,
            controller: self.controller(base.controller, base.test.is_some(), test.is_some())?,
            initial_batch: self.initial_batch.unwrap_or(base.initial_batch),
            min_batch: self.min_batch.unwrap_or(base.min_batch),
            max_batch: self.max_batch.unwrap_or(base.max_batch),
            sample_budget: self.sample_budget.unwrap_or(base.sample_budget),
            seed: self.seed.unwrap_or(base.seed),
            evaluate_every: self.evaluate_every.unwrap_or(base.evaluate_every),
            ..base
        })
    }

    /// Whether a flag is given that a resumed run may not change.
    pub(crate) fn changes_the_run(&self) -> bool {
        let Self { preset, config, model, seed, learning_rate, warm_up_samples, .. } = self;
        let Self { test, controller, initial_batch, min_batch, max_batch, optimizer, decay, .. } = self;
        let fields = [self.optimizer_flags(), self.test_flags(), self.decay_flags()];
        let whole = [
            preset.is_some(),
            config.is_some(),
            model.is_some(),
            self.crop_padding.is_some(),
            self.flip.is_some(),
            self.normalise.is_some(),
            seed.is_some(),
            learning_rate.is_some(),
            warm_up_samples.is_some(),
            test.is_some(),
            controller.is_some(),
            self.growth_cap.is_some(),
            initial_batch.is_some(),
            min_batch.is_some(),
            max_batch.is_some(),
            optimizer.is_some(),
            decay.is_some(),
        ];
        whole.contains(&true) || fields.iter().flatten().any(|(_, _, value)| value.is_some())
    }

    fn optimizer(&self, base: AnyOptimizer) -> Result<AnyOptimizer, Box<dyn Error>> {
        let default = self.optimizer.map(|name| match name {
            OptimizerName::Sgd => AnyOptimizer::Sgd(Sgd::default()),
            OptimizerName::Momentum => AnyOptimizer::Momentum(Momentum::default()),
            OptimizerName::Nesterov => AnyOptimizer::Nesterov(Nesterov::default()),
            OptimizerName::Adagrad => AnyOptimizer::AdaGrad(AdaGrad::default()),
            OptimizerName::AdagradNorm => AnyOptimizer::AdaGradNorm(AdaGradNorm::default()),
            OptimizerName::AdagradNormDelayed => {
                AnyOptimizer::AdaGradNormDelayed(AdaGradNormDelayed::default())
            }
            OptimizerName::Rmsprop => AnyOptimizer::RmsProp(RmsProp::default()),
            OptimizerName::Adam => AnyOptimizer::Adam(Adam::default()),
            OptimizerName::Adamw => AnyOptimizer::AdamW(AdamW::default()),
        });
        set("--optimizer", choose(base, default), self.optimizer_flags())
    }

    fn optimizer_flags(&self) -> Vec<Flag> {
        vec![
            ("--momentum", "momentum", self.momentum.map(Value::from)),
            ("--beta1", "beta1", self.beta1.map(Value::from)),
            ("--beta2", "beta2", self.beta2.map(Value::from)),
            ("--alpha", "alpha", self.alpha.map(Value::from)),
            ("--epsilon", "epsilon", self.epsilon.map(Value::from)),
            ("--weight-decay", "weight_decay", self.weight_decay.map(Value::from)),
            ("--initial-accumulator", "initial_accumulator", self.initial_accumulator.map(Value::from)),
            ("--initial-norm", "initial_norm", self.initial_norm.map(Value::from)),
        ]
    }

    fn test(&self, base: Option<AnyTest>) -> Result<Option<AnyTest>, Box<dyn Error>> {
        let default = match self.test {
            None => base,
            Some(name) => name.test(),
        };
        let Some(default) = default else {
            let given = self.test_flags().into_iter().find(|(_, _, value)| value.is_some());
            return match given {
                None => Ok(None),
                Some((flag, ..)) => Err(format!("{flag} is a setting of a test, but --test is none").into()),
            };
        };
        let test = base.map_or(default, |base| choose(base, Some(default.with_eta_of(&base))));
        set("--test", test, self.test_flags()).map(Some)
    }

    fn test_flags(&self) -> Vec<Flag> {
        vec![
            ("--eta", "eta", self.eta.map(Value::from)),
            ("--theta", "theta", self.theta.map(Value::from)),
            ("--nu", "nu", self.nu.map(Value::from)),
            ("--quantile", "quantile", self.quantile.map(Value::from)),
            ("--workers", "workers", self.workers.map(Value::from)),
            ("--debiased", "debiased", self.debiased.map(Value::from)),
            ("--leave-one-out", "leave_one_out", self.leave_one_out.map(Value::from)),
        ]
    }

    fn controller(
        &self,
        base: AnyController,
        base_has_test: bool,
        has_test: bool,
    ) -> Result<AnyController, Box<dyn Error>> {
        let default = match self.controller {
            Some(ControllerName::Adadagrad) => Some(AnyController::AdAdaGrad(AdAdaGrad::default())),
            Some(ControllerName::Constant) => Some(AnyController::Constant(Constant {})),
            // A flag has changed whether there is a test. What a file says about both is left as it is.
            None => match (base_has_test, has_test) {
                (true, false) => Some(AnyController::Constant(Constant {})),
                (false, true) => Some(AnyController::AdAdaGrad(AdAdaGrad::default())),
                _ => None,
            },
        };
        let flags = vec![("--growth-cap", "growth_cap", self.growth_cap.map(Value::from))];
        set("--controller", choose(base, default), flags)
    }

    fn decay(&self, base: Decay) -> Result<Decay, Box<dyn Error>> {
        let default = self.decay.map(|name| match name {
            DecayName::Constant => Decay::Constant {},
            DecayName::Cosine => Decay::cosine(),
            DecayName::Step => Decay::step(),
        });
        set("--decay", choose(base, default), self.decay_flags())
    }

    fn decay_flags(&self) -> Vec<Flag> {
        vec![
            ("--final-fraction", "final_fraction", self.final_fraction.map(Value::from)),
            ("--decay-every-samples", "every_samples", self.decay_every_samples.map(Value::from)),
            ("--decay-factor", "factor", self.decay_factor.map(Value::from)),
        ]
    }
}

/// What was asked for by name; of the same kind as in the base, with the base's settings.
fn choose<T>(base: T, named: Option<T>) -> T {
    match named {
        Some(named) if std::mem::discriminant(&named) != std::mem::discriminant(&base) => named,
        _ => base,
    }
}

/// Sets the given fields; refuses those that the chosen kind does not have.
fn set<T: Serialize + DeserializeOwned>(
    choice: &str,
    part: T,
    flags: Vec<Flag>,
) -> Result<T, Box<dyn Error>> {
    let mut value = serde_json::to_value(&part)?;
    let Some(fields) = value.as_object_mut() else { return Ok(part) };
    let own: Vec<_> = flags.iter().filter(|flag| fields.contains_key(flag.1)).map(|flag| flag.0).collect();
    for (flag, field, setting) in flags {
        let Some(setting) = setting else { continue };
        match fields.get_mut(field) {
            Some(field) => *field = setting,
            None => {
                let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
                let takes = if own.is_empty() { "no settings".to_owned() } else { own.join(", ") };
                return Err(format!("{flag} does not belong to {choice} {name}, which takes {takes}").into());
            }
        }
    }
    Ok(serde_json::from_value(value)?)
}

/// The range error with flags in place of field names.
pub(crate) fn explain(error: &ConfigError) -> String {
    let text = error.to_string();
    let flag = match error.field {
        "test" => return "--controller adadagrad needs a test: give one with --test".to_owned(),
        "version" => return text,
        "every_samples" => "--decay-every-samples".to_owned(),
        "factor" => "--decay-factor".to_owned(),
        "padding" => "--crop-padding".to_owned(),
        field => format!("--{}", field.replace('_', "-")),
    };
    let rest = text.strip_prefix(error.field).unwrap_or(&text);
    let rest = rest.replace("min_batch", "--min-batch").replace("max_batch", "--max-batch");
    format!("{flag}{rest}")
}
