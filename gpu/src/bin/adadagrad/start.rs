//! Where a run of `train` begins: its settings, and its parameters.

use std::error::Error;
use std::path::Path;

use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::dataset::Encoding;
use adadagrad_core::model::Model;
use adadagrad_core::normalisation::Normalisation;
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::owned::checkpoint::Checkpoint;
use adadagrad_core::settings::{Field, Settings};
use adadagrad_core::training::{Progress, Trainer};
use adadagrad_gpu::data::Splits;
use adadagrad_gpu::engine::Engine;
use adadagrad_gpu::run::Run;
use adadagrad_gpu::webgpu::Profile;

use crate::arguments::TrainArguments;
use crate::demand::Demand;
use crate::numbers::grouped;
use crate::origin::Loaded;
use crate::output;
use crate::settings::explain;
use crate::usage::Usage;
use crate::{files, origin};

/// The file that a run begins from, read once: it may be a pipe, and may be written to meanwhile.
pub(crate) struct Read<'a> {
    arguments: &'a TrainArguments,
    checkpoint: Option<(&'a Path, Checkpoint)>,
}

/// Where a run begins.
#[derive(Clone, Copy)]
pub(crate) enum Start<'c> {
    /// With random parameters.
    New,
    /// With the parameters of a file.
    From(Loaded<'c>),
    /// Where an earlier run stopped.
    Resumed(Loaded<'c>),
}

impl<'a> Read<'a> {
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn new(arguments: &'a TrainArguments) -> Result<Self, String> {
        let file = arguments.resume.as_deref().or(arguments.load.as_deref());
        let checkpoint = file.map(|file| files::load_checkpoint(file).map(|checkpoint| (file, checkpoint)));
        Ok(Self { arguments, checkpoint: checkpoint.transpose()? })
    }

    pub(crate) fn start(&self) -> Start<'_> {
        match &self.checkpoint {
            None => Start::New,
            Some((file, checkpoint)) if self.arguments.resume.is_some() => Start::Resumed((file, checkpoint)),
            Some((file, checkpoint)) => Start::From((file, checkpoint)),
        }
    }
}

impl Start<'_> {
    /// The file that it begins from.
    pub(crate) fn loaded(&self) -> Option<Loaded<'_>> {
        match *self {
            Self::New => None,
            Self::From(loaded) | Self::Resumed(loaded) => Some(loaded),
        }
    }

    /// How the resumed run's data were encoded.
    pub(crate) fn encoding(&self) -> Option<Encoding> {
        match self {
            Self::Resumed((_, checkpoint)) => checkpoint.state.as_ref()?.encoding,
            _ => None,
        }
    }

    /// Where the resumed run stood.
    pub(crate) fn progress(&self) -> Option<&Progress<f64>> {
        match self {
            Self::Resumed((_, checkpoint)) => checkpoint.state.as_ref().map(|state| &state.progress),
            _ => None,
        }
    }
}

/// Refuses settings that cannot run on this many samples from here on.
pub(crate) fn validate(config: &RunConfig, start: Start<'_>, samples: u32) -> Result<(), Box<dyn Error>> {
    if samples == 1 && config.test.is_some() {
        return Err(Usage::from("the only training sample has no variance to test: give --test none").into());
    }
    let valid = match start.progress() {
        // The first batch is past, and limits may have been changed since.
        Some(progress) if progress.steps > 0 => config.validate_under_way(samples),
        _ => config.validate(samples),
    };
    valid.map_err(|error| match start {
        // Flags cannot change the others.
        Start::Resumed((file, _)) if !resumable().any(|field| field.name == error.field) => {
            files::about(file, format_args!("its run's settings are not valid: {error}")).into()
        }
        _ => explain(&error).into(),
    })
}

/// The settings that a resumed run may be given.
fn resumable() -> impl Iterator<Item = &'static Field> {
    RunConfig::ABOUT.fields.iter().filter(|field| field.resumable)
}

/// The settings: the checkpoint's for a resumed run, else the flags'.
/// `own`: the model of the file given with --network.
pub(crate) fn config(
    arguments: &TrainArguments,
    start: Start<'_>,
    own: Option<Model>,
) -> Result<RunConfig, Box<dyn Error>> {
    let settings = &arguments.settings;
    let (file, checkpoint) = match start {
        Start::New => return new_config(arguments, None, own),
        Start::From(loaded) => return new_config(arguments, Some(loaded), own),
        Start::Resumed(loaded) => loaded,
    };
    if settings.changes_the_run() {
        let flags: Vec<_> = resumable().map(|field| format!("--{}", field.name.replace('_', "-"))).collect();
        let flags = flags.join(" and ");
        return Err(Usage(format!(
            "a resumed run keeps the settings of its checkpoint: with --resume only {flags} can be changed (to start a new \
             run from its parameters, use --load)",
        ))
        .into());
    }
    origin::data_of(&arguments.place, Some((file, checkpoint)))?;
    let config =
        checkpoint.state().map_err(|error| format!("{} (--load)", files::about(file, error)))?.config;
    if let Some(own) = own {
        origin::check_model(own, (file, config.model))?;
    }
    Ok(RunConfig {
        sample_budget: settings.sample_budget.unwrap_or(config.sample_budget),
        evaluate_every: settings.evaluate_every.unwrap_or(config.evaluate_every),
        ..config
    })
}

/// Refuses settings of images for a text.
pub(crate) fn check_kind(config: &RunConfig, data: &Splits) -> Result<(), Usage> {
    if data.vocabulary().is_none() {
        return Ok(());
    }
    let flags = [
        ("--flip", config.augmentation.flip),
        ("--crop-padding", config.augmentation.padding > 0),
        ("--normalise", config.normalisation != Normalisation::None),
    ];
    match flags.iter().find(|(_, is_on)| *is_on) {
        None => Ok(()),
        Some((flag, _)) => {
            Err(format!("{flag} is only for images, but {} is a text", data.folder.display()).into())
        }
    }
}

/// The settings of a new run. Of a checkpoint that it begins from come, where nothing else says them, the model, the
/// data set and its normalisation.
fn new_config(
    arguments: &TrainArguments,
    loaded: Option<Loaded<'_>>,
    own_layers: Option<Model>,
) -> Result<RunConfig, Box<dyn Error>> {
    let TrainArguments { settings, place, .. } = arguments;
    let own = loaded.and_then(|(file, checkpoint)| {
        Some((file, origin::named_model(checkpoint).or_else(|| origin::shown_model(checkpoint))?))
    });
    let mut default = settings.preset.map_or(Preset::PaperCnn, Preset::from).config();
    if let Some((_, model)) = own
        && settings.preset.is_none()
    {
        default.model = model;
    }
    if let Some(state) = loaded.and_then(|(_, checkpoint)| checkpoint.state.as_ref()) {
        default.dataset = state.config.dataset;
        default.normalisation = state.config.normalisation;
        default.text = state.config.text;
    }
    let mut config = settings.resolve(default, own_layers)?;
    if let Some(own) = own {
        origin::check_model(config.model, own)?;
    } else if settings.preset.is_none() && place.is_text(place.dataset_or(config.dataset)?) {
        // No network for images could read it.
        config = settings.resolve(RunConfig { model: Model::TRANSFORMER, ..default }, own_layers)?;
    }
    let text = place.reading.text_over(config.text);
    Ok(RunConfig { dataset: place.dataset_or(config.dataset)?, text, ..config })
}

/// Batches that fit the data, where no flag says the largest.
pub(crate) fn fitted(arguments: &TrainArguments, config: RunConfig, data: &Splits) -> RunConfig {
    let given = &arguments.settings.batch;
    let samples = data.training.len();
    let fitted = config.fitted(samples).filter(|_| arguments.resume.is_none() && given.max_batch.is_none());
    let Some(fitted) = fitted else { return config };
    let fitted = RunConfig {
        min_batch: given.min_batch.unwrap_or(fitted.min_batch),
        initial_batch: given.initial_batch.unwrap_or(fitted.initial_batch),
        ..fitted
    };
    let sizes = [
        ("largest", config.max_batch, fitted.max_batch),
        ("smallest", config.min_batch, fitted.min_batch),
        ("first", config.initial_batch, fitted.initial_batch),
    ];
    let changed = sizes.into_iter().filter(|(_, old, new)| old != new).map(|(name, old, new)| {
        let [old, new] = [old, new].map(|size| grouped(size.into()));
        format!("the {name} batch is {new}, not {old}, ")
    });
    let (changed, samples) = (changed.collect::<String>(), grouped(samples.into()));
    let changed = changed.replacen("the", "The", 1);
    output::message(format_args!("{changed}because the data set has {samples} training samples."));
    fitted
}

/// The run at its beginning, or where the checkpoint left it.
pub(crate) fn begin(
    arguments: &TrainArguments,
    config: RunConfig,
    network: &OwnedNetwork,
    start: Start<'_>,
    data: &Splits,
    profile: Option<Profile>,
) -> Result<Run<Box<dyn Engine>>, Box<dyn Error>> {
    let samples = data.training.len();
    // Other data first: their number decides which settings can run.
    if let Start::Resumed(loaded) = start
        && let Some(note) = origin::check_data(loaded, data)?
    {
        output::message(note);
    }
    validate(&config, start, samples)?;
    let demand = Demand::of_run(&config, network, samples, arguments.reduce.into());
    let mut engine = arguments.place.profiled_engine(&config, network.clone(), data, demand, profile)?;
    let trainer = match start {
        Start::New => Trainer::new(config, samples),
        Start::From((file, checkpoint)) => {
            let parameters =
                checkpoint.parameters(network.view()).map_err(|error| files::about(file, error))?;
            engine.restore(&parameters, None)?;
            Trainer::new(config, samples)
        }
        Start::Resumed((file, checkpoint)) => {
            let about = |error| files::about(file, error);
            let state = checkpoint.state().map_err(about)?;
            let slots = config.slots();
            let parameters = checkpoint.parameters(network.view()).map_err(about)?;
            let memory = checkpoint.memory(network.view(), slots).map_err(about)?;
            engine.restore(&parameters, Some(&memory))?;
            Trainer::resume(config, samples, state.progress)
        }
    };
    Ok(Run::new(trainer.map_err(|error| explain(&error))?, engine))
}
