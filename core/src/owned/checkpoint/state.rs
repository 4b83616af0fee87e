//! What a checkpoint says about its run.

use std::fmt;
use std::format;
use std::string::{String, ToString};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::CheckpointError;
use super::names::STATE_VERSION;
use super::network::{OwnNetwork, SampleSize, network_of};
use crate::config::RunConfig;
use crate::controller::is_factor;
use crate::dataset::{Encoding, SampleShape};
use crate::digest::Digest;
use crate::fields::required_settings;
use crate::model::Model;
use crate::observe::Watch;
use crate::optimizer::Betas;
use crate::owned::{OwnedNetwork, RunError};
use crate::training::Progress;

/// What a checkpoint says about its run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// [`STATE_VERSION`], or an older one.
    pub version: u32,
    /// The run's settings.
    pub config: RunConfig,
    /// Where it stood.
    pub progress: Progress<f64>,
    /// Number of training samples, N: the order of samples depends on it.
    pub training_samples: u32,
    /// The digest of the training data. Unknown in files of version 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_data: Option<Digest>,
    /// What one sample is, unless it is like MNIST's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleSize>,
    /// The layers of a network of the user's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<OwnNetwork>,
    /// How the values of the training data were encoded, where they were normalised: whatever is given to the network
    /// later is to be encoded in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
}

required_settings!(State {
    version,
    config,
    progress,
    training_samples,
    training_data,
    sample,
    network,
    encoding
});

impl State {
    /// Whether it is of this version and does not contradict itself.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), CheckpointError> {
        check_version(self.version)?;
        let Progress { steps, samples_seen, next_batch, shared, learning_rate_scale, .. } = self.progress;
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
            (self.has_its_rules(), "the state of a rule for batch sizes is not that of the run's rule"),
            (
                self.progress.observed.all().iter().all(Watch::is_possible),
                "an average of an observed quantity is negative or infinite",
            ),
            (is_factor(learning_rate_scale), "the learning rate's factor is not a positive number"),
            (self.has_its_network(), "the layers of its network are not those that its settings name"),
            (self.encoding.is_none_or(is_sound), "a mean or a deviation of its data is not a valid number"),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, what)) => Err(CheckpointError::Progress(what)),
        }
    }

    /// What one sample of the run's data is.
    #[must_use]
    pub fn sample_shape(&self) -> SampleShape {
        self.sample.map_or(SampleShape::MNIST, SampleSize::shape)
    }

    /// The run's network.
    ///
    /// # Errors
    /// When its layers do not fit the samples, or are not known.
    pub fn network(&self) -> Result<OwnedNetwork, RunError> {
        network_of(self.config.model, self.network.as_ref(), self.sample_shape())
    }

    /// Whether what rules remember is of the rules that the settings name.
    fn has_its_rules(&self) -> bool {
        let Progress { controller, observed, .. } = &self.progress;
        let quantities = self.config.observe.quantities();
        let fits = |(index, watch): (usize, &Watch<f64>)| match quantities.get(index) {
            None => *watch == Watch::default(),
            Some(quantity) => quantity.remembers(&self.config, &watch.rule),
        };
        controller.is_of(&self.config.controller) && observed.all().iter().enumerate().all(fits)
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
    /// Read first: a file of another version may have other fields.
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_str(text).map_err(not_valid)?;
    check_version(version)?;
    // Which field has a number that JSON cannot hold is known nowhere else.
    let state: State =
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(not_valid)?;
    state.check()?;
    if version == STATE_VERSION {
        check_settings(text, &state.config)?;
    }
    Ok(state)
}

/// Whether no value becomes NaN or infinite.
fn is_sound(encoding: Encoding) -> bool {
    match encoding {
        Encoding::Floats => true,
        Encoding::Bytes { mean, deviation } => {
            mean.iter().all(|mean| mean.is_finite())
                && deviation.iter().all(|deviation| deviation.is_normal() && *deviation > 0.0)
        }
    }
}

pub(super) fn not_valid(problem: impl fmt::Display) -> CheckpointError {
    CheckpointError::State(problem.to_string())
}

/// Refuses a state without one of its run's settings. In other files what is left out has a default; a run that goes
/// on with a default would be another one.
fn check_settings(text: &str, config: &RunConfig) -> Result<(), CheckpointError> {
    let state: Value = serde_json::from_str(text).map_err(not_valid)?;
    let mut whole = serde_json::to_value(config).map_err(not_valid)?;
    if let Some(fields) = whole.as_object_mut() {
        let given = state.get("config");
        fields.retain(|name, _| {
            !LATER_SETTINGS.contains(&name.as_str()) || given.is_some_and(|given| given.get(name).is_some())
        });
    }
    match missing_field(&whole, state.get("config")) {
        None => Ok(()),
        Some(name) => Err(not_valid(format_args!("missing field `config.{name}`"))),
    }
}

/// Settings that files of this version had not from the beginning. Runs of those that lack them had none.
const LATER_SETTINGS: [&str; 4] = ["normalisation", "augmentation", "observe", "coupling"];

/// The first field of `whole` that is not in `given`, as a path.
fn missing_field(whole: &Value, given: Option<&Value>) -> Option<String> {
    whole.as_object()?.iter().find_map(|(name, value)| match given.and_then(|given| given.get(name)) {
        None => Some(name.clone()),
        given => missing_field(value, given).map(|field| format!("{name}.{field}")),
    })
}
