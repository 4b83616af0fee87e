//! What a checkpoint says about its run.

use std::fmt;
use std::format;
use std::string::{String, ToString};

use serde::Serialize;

use super::error::CheckpointError;
use super::names::STATE_VERSION;
use super::network::{OwnNetwork, SampleSize, network_of};
use crate::config::RunConfig;
use crate::controller::is_factor;
use crate::dataset::{Encoding, SampleShape};
use crate::digest::Digest;
use crate::fields::{Setting, Value, required_settings};
use crate::json;
use crate::model::Model;
use crate::observe::Watch;
use crate::optimizer::Betas;
use crate::owned::text::Vocabulary;
use crate::owned::{OwnedNetwork, RunError};
use crate::training::Progress;

/// What a checkpoint says about its run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// [`STATE_VERSION`], or an older one.
    pub version: u32,
    /// The run's settings.
    pub config: RunConfig,
    /// Its progress.
    pub progress: Progress<f64>,
    /// Number of training samples, N: the order of samples depends on it.
    pub training_samples: u32,
    /// The digest of the training data. Unknown in files of version 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_data: Option<Digest>,
    /// What one sample is, unless it is like MNIST's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleSize>,
    /// The layers of a custom network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<OwnNetwork>,
    /// How the values of the training data were encoded, if they were normalised, or were tokens: later inputs of the
    /// network must be encoded in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What the tokens of a text stand for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<Vocabulary>,
}

required_settings!(State {
    version,
    config,
    progress,
    training_samples,
    training_data,
    sample,
    network,
    encoding,
    vocabulary
});

impl State {
    /// Whether it has this version and is consistent.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), CheckpointError> {
        check_version(self.version)?;
        let Progress { steps, samples_seen, next_batch, shared, learning_rate_scale, ref observed, .. } =
            self.progress;
        let quantities = self.config.observe.quantities();
        let checks = [
            (steps == shared.steps, "the optimizer and the run have different numbers of steps"),
            (steps <= samples_seen, "it has more steps than samples"),
            (samples_seen < 1 << 54, "its number of samples is too large"),
            (next_batch > 0, "the next batch is empty"),
            (
                shared.sum_norm_sq >= 0.0 && shared.sum_norm_sq.is_finite(),
                "a sum of squares is negative or infinite",
            ),
            (self.has_its_betas(), "the optimizer's β are not those of its settings or of a coupling"),
            (
                self.progress.controller.is_of(&self.config.controller),
                "progress.controller does not belong to the rule in config.controller",
            ),
            (
                steps == 0 || observed.all().len() == quantities.len(),
                "progress.observed and config.observe have different numbers of entries",
            ),
            (
                quantities
                    .iter()
                    .zip(observed.all())
                    .all(|(quantity, watch)| quantity.remembers(&self.config, &watch.rule)),
                "an entry of progress.observed does not belong to the rule in config.observe",
            ),
            (
                observed.all().iter().all(Watch::is_possible),
                "an average in progress.observed is negative or infinite",
            ),
            (is_factor(learning_rate_scale), "the learning rate's factor is not a positive number"),
            (self.has_its_network(), "the layers of the network do not have the SHA-256 in the settings"),
            (self.encoding.is_none_or(is_sound), "a mean or a deviation of its data is not a valid number"),
            (self.has_its_vocabulary(), "the vocabulary does not fit the samples"),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, what)) => Err(CheckpointError::Progress(what)),
        }
    }

    /// What one sample of the run's data is.
    #[must_use]
    pub fn sample_shape(&self) -> SampleShape {
        match (self.sample, self.encoding) {
            (Some(SampleSize { width, classes, .. }), Some(Encoding::Tokens { .. })) => {
                SampleShape::tokens(width, classes)
            }
            (sample, _) => sample.map_or(SampleShape::MNIST, SampleSize::shape),
        }
    }

    /// The run's network.
    ///
    /// # Errors
    /// When its layers do not fit the samples, or are not known.
    pub fn network(&self) -> Result<OwnedNetwork, RunError> {
        network_of(self.config.model, self.network.as_ref(), self.sample_shape())
    }

    /// Whether β are changed only where the optimizer has them, and to what they can be.
    fn has_its_betas(&self) -> bool {
        let Some(Betas { beta1, beta2, product1, product2, since }) = self.progress.shared.betas else {
            return true;
        };
        self.config.optimizer.as_optimizer::<f32>().betas().is_some()
            && [beta1, beta2].iter().all(|beta| (0.0..1.0).contains(beta))
            && [product1, product2].iter().all(|product| (0.0..=1.0).contains(product))
            && since <= self.progress.steps
    }

    /// Whether the samples are sequences of tokens where it says so, and its vocabulary has all of them.
    fn has_its_vocabulary(&self) -> bool {
        match (self.encoding, self.sample, &self.vocabulary) {
            (Some(Encoding::Tokens { vocabulary }), Some(sample), own) => {
                (sample.channels, sample.height, sample.classes) == (1, 1, vocabulary)
                    && own.as_ref().is_none_or(|own| own.len() == vocabulary)
            }
            (encoding, _, own) => own.is_none() && !matches!(encoding, Some(Encoding::Tokens { .. })),
        }
    }

    /// Whether the layers are those that the settings name.
    fn has_its_network(&self) -> bool {
        match (self.config.model, &self.network) {
            (model @ Model::Own { .. }, Some(own)) => own.model() == model,
            (Model::Own { .. }, None) => false,
            (_, own) => own.is_none(),
        }
    }
}

fn check_version(version: u32) -> Result<(), CheckpointError> {
    if (1..=STATE_VERSION).contains(&version) { Ok(()) } else { Err(CheckpointError::Version(version)) }
}

pub(super) fn read_state(text: &str) -> Result<State, CheckpointError> {
    let given = json::parse(text).map_err(not_valid)?;
    // First: a file of another version may have other fields.
    let version = given.get("version").ok_or_else(|| not_valid("version is missing"))?;
    let version = u32::of(version.clone()).map_err(|fault| not_valid(fault.within("version")))?;
    check_version(version)?;
    let state = State::of(given.clone()).map_err(not_valid)?;
    if version >= 2 {
        check_fields(version, &given, &state.config)?;
    }
    state.check()?;
    Ok(state)
}

/// Whether no value becomes NaN or infinite.
fn is_sound(encoding: Encoding) -> bool {
    match encoding {
        Encoding::Floats => true,
        Encoding::Tokens { vocabulary } => vocabulary > 0,
        Encoding::Bytes { mean, deviation } => {
            mean.iter().all(|mean| mean.is_finite())
                && deviation.iter().all(|deviation| deviation.is_normal() && *deviation > 0.0)
        }
    }
}

pub(super) fn not_valid(problem: impl fmt::Display) -> CheckpointError {
    CheckpointError::State(problem.to_string())
}

/// Refuses a state without one of its run's settings, or without what the run remembers. In other files what is left out
/// has a default; a run that goes on with a default would be another one.
fn check_fields(version: u32, given: &Value, config: &RunConfig) -> Result<(), CheckpointError> {
    let mut whole = serde_json::to_value(config).map_err(not_valid)?;
    let settings = given.get("config");
    if let Some(fields) = whole.as_object_mut() {
        fields.retain(|name, _| {
            let is_given = settings.is_some_and(|settings| settings.get(name).is_some());
            let name = name.as_str();
            is_given || !(LATER_SETTINGS.contains(&name) || version == 2 && SETTINGS_SINCE_3.contains(&name))
        });
    }
    let missing = missing_field(&whole, settings).map(|name| format!("config.{name}"));
    let is_missing = |path: &&str| path.split('.').try_fold(given, |value, name| value.get(name)).is_none();
    let remembered: &[&str] = if version == 2 { &[] } else { &REMEMBERED_SINCE_3 };
    let missing =
        missing.or_else(|| remembered.iter().copied().find(|path| is_missing(path)).map(ToString::to_string));
    missing.map_or(Ok(()), |name| Err(not_valid(format_args!("{name} is missing"))))
}

/// Settings that files of version 2 may lack. Runs of those that do had none.
const SETTINGS_SINCE_3: [&str; 4] = ["normalisation", "augmentation", "observe", "coupling"];

/// Settings that are younger than version 3. Runs of files that lack them had their defaults.
const LATER_SETTINGS: [&str; 4] = ["parts", "text", "decay_on", "clip_norm"];

/// What a run remembers that files of version 2 have only where it is not as at the start.
const REMEMBERED_SINCE_3: [&str; 4] =
    ["progress.controller", "progress.learning_rate_scale", "progress.observed", "progress.shared.betas"];

/// The first field of `whole` that is not in `given`, as a path.
fn missing_field(whole: &serde_json::Value, given: Option<&Value>) -> Option<String> {
    whole.as_object()?.iter().find_map(|(name, value)| match given.and_then(|given| given.get(name)) {
        None => Some(name.clone()),
        given => missing_field(value, given).map(|field| format!("{name}.{field}")),
    })
}
