//! A run between two steps: all that any engine needs to go on with it, and what a checkpoint holds.

use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::network::initialise;
use adadagrad_core::normalisation::Normalisation;
use adadagrad_core::owned::checkpoint::{STATE_VERSION, SampleSize, State};
use adadagrad_core::owned::{OwnedNetwork, RunError};
use adadagrad_core::training::Trainer;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::answers::{number, object};
use crate::data::Data;
use crate::safetensors;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunState {
    pub(crate) trainer: Trainer<f32>,
    /// D values.
    pub(crate) parameters: Vec<f32>,
    /// Slots · D values.
    pub(crate) memory: Vec<f32>,
    /// The last step made a measurement due that was not made.
    pub(crate) measures: bool,
}

impl RunState {
    /// The start of a run, from the parameters in a safetensors file where there is one.
    pub(crate) fn begin(config: RunConfig, data: &Data, file: Option<&[u8]>) -> Result<Self, JsError> {
        let trainer = Trainer::new(config, data.training_samples())?;
        let network = OwnedNetwork::of_model(config.model, data.shape())?;
        let grain = network.grain();
        let network = network.view();
        let trainer = trainer.with_grain(grain).with_positions(network.positions());
        let mut memory = vec![0.0; config.slots() * network.parameters()];
        config.start(network.parameters(), &mut memory);
        let parameters = match file {
            Some(file) => safetensors::read(file)?.parameters(network)?,
            None => {
                let mut parameters = vec![0.0; network.parameters()];
                initialise(network, config.seed, &mut parameters)?;
                parameters
            }
        };
        Ok(Self { trainer, parameters, memory, measures: false })
    }

    /// Where a checkpoint stands that was made with the same data. `measures`: what was told beside its bytes.
    pub(crate) fn read(
        file: &[u8],
        measures: bool,
        dataset: DatasetName,
        data: &Data,
    ) -> Result<Self, JsError> {
        let file = safetensors::read(file)?;
        let &State { config, progress, training_samples, training_data, .. } = file.state()?;
        if config.dataset != dataset {
            let text =
                format!("its run was trained on {}, but {} is loaded", config.dataset.name(), dataset.name());
            return Err(JsError::new(&text));
        }
        let data = &data.cut(config.text)?;
        let samples = data.training_samples();
        if training_samples != samples {
            let text = format!(
                "its run was trained on {training_samples} samples, but the loaded data set has {samples}"
            );
            return Err(JsError::new(&text));
        }
        if training_data.is_some_and(|digest| digest != data.digest()) {
            return Err(JsError::new("its run was trained on other data than the data set that is loaded"));
        }
        let network = OwnedNetwork::of_model(config.model, data.shape())?;
        let grain = network.grain();
        let network = network.view();
        let trainer = Trainer::resume(config, samples, progress)?;
        let trainer = trainer.with_grain(grain).with_positions(network.positions());
        let slots = config.slots();
        let (parameters, memory) = (file.parameters(network)?, file.memory(network, slots)?);
        Ok(Self { trainer, parameters, memory, measures })
    }

    /// Its network, for its data.
    pub(crate) fn network(&self, data: &Data) -> Result<OwnedNetwork, RunError> {
        OwnedNetwork::of_model(self.trainer.config().model, data.shape())
    }

    /// The bytes of a checkpoint.
    fn write(&self, data: &Data) -> Result<Vec<u8>, JsError> {
        let config = *self.trainer.config();
        let state = State {
            version: STATE_VERSION,
            config,
            progress: *self.trainer.progress(),
            training_samples: self.trainer.samples(),
            training_data: Some(data.digest()),
            sample: SampleSize::of(data.shape()),
            network: None,
            encoding: (data.vocabulary().is_some() || config.normalisation != Normalisation::None)
                .then_some(data.shape().encoding),
            vocabulary: data.vocabulary().cloned(),
        };
        safetensors::write(self.network(data)?.view(), &self.parameters, &self.memory, &state)
    }

    /// What the page gets as a checkpoint of a run that learns from `data`.
    pub(crate) fn checkpoint(&self, data: &Data) -> Result<JsValue, JsError> {
        let progress = self.trainer.progress();
        object(&[
            ("step", number(progress.steps)),
            ("samples_seen", number(progress.samples_seen)),
            ("measures", self.measures.into()),
            ("bytes", Uint8Array::from(self.write(data)?.as_slice()).into()),
        ])
    }
}
