//! From flags to a run description.
//!
//! What is chosen by name, and with which settings, is read off the core's table ([`crate::parts`]).

use std::error::Error;

use adadagrad_core::augmentation::Augmentation;
use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::{ConfigError, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController, Constant, Controller};
use adadagrad_core::model::Model;
use adadagrad_core::normalisation::Normalisation;
use adadagrad_core::schedule::Schedule;
use adadagrad_core::settings::{Choices, Settings};
use adadagrad_core::text::TextSettings;

use crate::parts::{Chosen, flag_of};
use crate::setting_arguments::{BatchArguments, SettingArguments};
use crate::usage::Usage;
use crate::{config_file, files};

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
                .map_err(|error| Usage(files::about(file, error)))?,
            None => default,
        };
        let base = self.batch.over(base)?;
        Ok(RunConfig {
            model: self.model.or(own).unwrap_or(base.model),
            normalisation: self.normalise.map_or(base.normalisation, |is_on| {
                if is_on { Normalisation::Training } else { Normalisation::None }
            }),
            augmentation: Augmentation {
                padding: self.crop_padding.unwrap_or(base.augmentation.padding),
                flip: self.flip.unwrap_or(base.augmentation.flip),
            },
            optimizer: self.optimizer.over_base(base.optimizer)?,
            decay_on: self.decay_on.unwrap_or(base.decay_on),
            clip_norm: self.clip_norm.unwrap_or(base.clip_norm),
            learning_rate: self.learning_rate.unwrap_or(base.learning_rate),
            parts: self.parts.unwrap_or(base.parts),
            observe: self.observe.unwrap_or(base.observe),
            coupling: self.coupling.unwrap_or(base.coupling),
            schedule: Schedule {
                warm_up_samples: self.warm_up_samples.unwrap_or(base.schedule.warm_up_samples),
                decay: self.decay.over_base(base.schedule.decay)?,
            },
            sample_budget: self.sample_budget.unwrap_or(base.sample_budget),
            seed: self.seed.unwrap_or(base.seed),
            evaluate_every: self.evaluate_every.unwrap_or(base.evaluate_every),
            ..base
        })
    }

    /// Whether a flag is given that a resumed run may not change.
    pub(crate) fn changes_the_run(&self) -> bool {
        let Self { preset, config, model, seed, learning_rate, warm_up_samples, .. } = self;
        let Self { crop_padding, flip, normalise, .. } = self;
        [
            preset.is_some(),
            config.is_some(),
            model.is_some(),
            crop_padding.is_some(),
            flip.is_some(),
            normalise.is_some(),
            seed.is_some(),
            learning_rate.is_some(),
            self.decay_on.is_some(),
            self.clip_norm.is_some(),
            self.coupling.is_some(),
            self.observe.is_some(),
            self.parts.is_some(),
            warm_up_samples.is_some(),
            self.batch.is_given(),
            self.optimizer.is_given(),
            self.decay.is_given(),
        ]
        .contains(&true)
    }
}

impl BatchArguments {
    /// These settings with what the flags say of batches.
    pub(crate) fn over(&self, base: RunConfig) -> Result<RunConfig, Box<dyn Error>> {
        let test = self.test(base.test)?;
        let controller = self.controller(base.controller, base.test.is_some(), test.is_some())?;
        if let Some(initial) = self.initial_batch {
            let first = |initial| Controller::<f64>::first_batch(&controller, initial);
            if first(initial) != initial && first(1) == first(2) {
                return Err(Usage(format!(
                    "--initial-batch is {initial}, but the first batch of --controller {} has {} samples by its own settings",
                    controller.name(),
                    first(initial)
                ))
                .into());
            }
        }
        Ok(RunConfig {
            test,
            controller,
            initial_batch: self.initial_batch.unwrap_or(base.initial_batch),
            min_batch: self.min_batch.unwrap_or(base.min_batch),
            max_batch: self.max_batch.unwrap_or(base.max_batch),
            ..base
        })
    }

    /// Whether anything was given.
    fn is_given(&self) -> bool {
        let sizes = [self.initial_batch, self.min_batch, self.max_batch];
        sizes.iter().any(Option::is_some) || self.test.is_given() || self.controller.is_given()
    }

    fn test(&self, base: Option<AnyTest>) -> Result<Option<AnyTest>, Box<dyn Error>> {
        let Some(default) = self.test.named().map_or(base, |Chosen(test)| test) else {
            return match self.test.first_flag() {
                None => Ok(None),
                Some(flag) => {
                    Err(Usage(format!("--{flag} is a setting of a test, but --test is none")).into())
                }
            };
        };
        let base = base.unwrap_or(default);
        self.test.over(base, Some(default.with_eta_of(&base))).map(Some)
    }

    fn controller(
        &self,
        base: AnyController,
        base_has_test: bool,
        has_test: bool,
    ) -> Result<AnyController, Box<dyn Error>> {
        // A flag has changed whether there is a test. What a file says about both is left as it is.
        // A rule that does without stays in any case.
        let implied = match (base_has_test, has_test, base) {
            (true, false, rule) if rule.uses_test() => Some(AnyController::Constant(Constant {})),
            (false, true, AnyController::Constant(_)) => Some(AnyController::AdAdaGrad(AdAdaGrad::default())),
            _ => None,
        };
        self.controller.over(base, self.controller.named().map_or(implied, |Chosen(rule)| rule))
    }
}

/// The range error with flags in place of field names.
pub(crate) fn explain(error: &ConfigError) -> Usage {
    Usage(in_flags(error))
}

fn in_flags(error: &ConfigError) -> String {
    let text = error.to_string();
    let flag = match error.field {
        "test" if text.contains("is missing") => {
            return "--controller adadagrad needs a test: give one with --test".to_owned();
        }
        "version" => return text,
        field => flag_of(error.part, field).map_or_else(|| own_flag(field), str::to_owned),
    };
    let rest = text.strip_prefix(error.field).unwrap_or(&text);
    let rest = rest.replace("min_batch", "--min-batch").replace("max_batch", "--max-batch");
    format!("--{flag}{rest}")
}

/// The flag of a setting of the run's own, or of a part that is not chosen by name.
fn own_flag(field: &str) -> String {
    let tables = [
        RunConfig::ABOUT.fields,
        Schedule::ABOUT.fields,
        Augmentation::ABOUT.fields,
        TextSettings::ABOUT.fields,
    ];
    let flag = tables.into_iter().flatten().find(|row| row.name == field).map_or("", |row| row.flag);
    if flag.is_empty() { field.replace('_', "-") } else { flag.to_owned() }
}
