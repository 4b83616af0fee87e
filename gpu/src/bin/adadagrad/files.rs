//! What commands share about files, data and engines.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Read};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use adadagrad_core::config::{DatasetName, Preset, RunConfig};
use adadagrad_core::model::Model;
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::owned::checkpoint::{self, Checkpoint};
use adadagrad_core::owned::threads::{Processors, ThreadsEngine, available_threads};
use adadagrad_core::text::TextSettings;
use adadagrad_gpu::data::{self, Kind, Splits};
use adadagrad_gpu::engine::Engine;
use adadagrad_gpu::fallback::FallbackEngine;
use adadagrad_gpu::gpu_parts::GpuParts;
use adadagrad_gpu::input_file::InputFile;
use adadagrad_gpu::remembered::{AdapterWish, Remembered, opening};
use adadagrad_gpu::text;
use adadagrad_gpu::webgpu::{Gpu, Options, Profile, is_software};

use crate::arguments::{Device, LabelName, PlaceArguments, ReadingArguments};
use crate::demand::Demand;
use crate::origin::Loaded;
use crate::usage::Usage;
use crate::{job, output};

/// Each thread takes memory of its own.
const MOST_THREADS: NonZero<usize> = NonZero::new(1024).expect("not zero");
/// Larger files hold no settings.
const LARGEST_TEXT: u64 = 1 << 24;

/// An error with the file it is about.
pub(crate) fn about(file: &Path, error: impl Display) -> String {
    format!("{}: {error}", file.display())
}

/// A file to read. Where it is a pipe whose writer is silent, that is said.
fn open(file: &Path) -> io::Result<InputFile<impl FnMut()>> {
    InputFile::open(file, || {
        output::message(format_args!("Waiting for {}: nothing has been written to it yet.", file.display()))
    })
}

/// A whole text file.
pub(crate) fn read_text(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    // A device may never end.
    let read = open(file).and_then(|file| file.take(LARGEST_TEXT + 1).read_to_end(&mut bytes));
    read.map_err(|error| about(file, error))?;
    if bytes.len() as u64 > LARGEST_TEXT {
        return Err(about(file, format!("larger than {} MiB, the limit for such files", LARGEST_TEXT >> 20)));
    }
    text::decode(&bytes).map(str::to_owned).map_err(|error| about(file, error))
}

/// A checkpoint.
pub(crate) fn load_checkpoint(file: &Path) -> Result<Checkpoint, String> {
    let read = open(file).and_then(|file| checkpoint::load_from(file.is_regular(), file));
    read.map_err(|error| about(file, error))
}

impl ReadingArguments {
    /// How a text is read: by the flags, else as in these settings.
    pub(crate) fn text_over(&self, base: TextSettings) -> TextSettings {
        TextSettings {
            tokens: self.tokens.unwrap_or(base.tokens),
            context: self.context.map_or(base.context, NonZero::get),
        }
    }

    /// Reads a data set; a text as these settings say.
    pub(crate) fn load(
        &self,
        name: DatasetName,
        folder: Option<&Path>,
        text: TextSettings,
    ) -> Result<Splits, Box<dyn Error>> {
        let coarse_labels = self.labels == Some(LabelName::Coarse);
        let options =
            data::Options { coarse_labels, resize: self.resize, test_fraction: self.test_fraction, text };
        let splits = data::load_with(name, folder, options)?;
        let misplaced = if self.labels.is_some() && splits.kind != Kind::Cifar100 {
            Some("--labels is only for CIFAR-100")
        } else if self.resize.is_some() && splits.kind != Kind::ImageFolder {
            Some("--resize is only for folders of images")
        } else if self.tokens.is_some() && splits.kind != Kind::Text {
            Some("--tokens is only for texts")
        } else if self.context.is_some() && splits.kind != Kind::Text {
            Some("--context is only for texts")
        } else {
            None
        };
        match misplaced {
            None => Ok(splits),
            Some(text) => {
                Err(format!("{text}, but {} contains {}", splits.folder.display(), splits.kind).into())
            }
        }
    }
}

impl PlaceArguments {
    /// The data set. What the user should know about how it was read is said.
    pub(crate) fn load_data(&self, name: DatasetName, text: TextSettings) -> Result<Splits, Box<dyn Error>> {
        let splits = self.reading.load(name, self.data.as_deref(), text)?;
        splits.notes.iter().for_each(output::message);
        Ok(splits)
    }

    /// The data set's name: as asked for, else what the folder holds by the names in it, else this one.
    ///
    /// # Errors
    /// When the folder holds several.
    pub(crate) fn dataset_or(&self, otherwise: DatasetName) -> Result<DatasetName, String> {
        if let Some(dataset) = self.dataset {
            return Ok(dataset.into());
        }
        let Some(folder) = &self.data else { return Ok(otherwise) };
        match data::kind_in(otherwise, folder).map_err(|error| error.to_string())? {
            None | Some(Kind::Idx) => Ok(otherwise),
            Some(kind) => Ok(data::name_of(kind)),
        }
    }

    /// Whether the data are a text, as their name or that of their file says.
    pub(crate) fn is_text(&self, dataset: DatasetName) -> bool {
        let is_file = |data: &Path| matches!(data::kind_in(dataset, data), Ok(Some(Kind::Text)));
        dataset == DatasetName::Shakespeare || self.data.as_deref().is_some_and(is_file)
    }

    /// The engine for a run.
    pub(crate) fn engine(
        &self,
        config: &RunConfig,
        network: OwnedNetwork,
        data: &Splits,
        demand: Demand,
    ) -> Result<Box<dyn Engine>, Box<dyn Error>> {
        self.profiled_engine(config, network, data, demand, None)
    }

    /// The engine for a run, whose kernels are timed on a GPU where a profile is given.
    pub(crate) fn profiled_engine(
        &self,
        config: &RunConfig,
        network: OwnedNetwork,
        data: &Splits,
        demand: Demand,
        profile: Option<Profile>,
    ) -> Result<Box<dyn Engine>, Box<dyn Error>> {
        let training = Arc::clone(&data.training);
        if job::ranks() > 1 && self.device == Device::Auto {
            let error = "several ranks must all compute on the same kind of device: give --device cpu or --device gpu";
            return Err(Usage(error.to_owned()).into());
        }
        let (device, threads) = (self.chosen_device(), self.threads());
        demand.check(device, threads, config, &network)?;
        let memory_budget = self.gpu_memory.map(|mebibytes| u64::from(mebibytes.get()) << 20);
        let wish = AdapterWish { name: self.adapter.clone(), local_rank: job::local_rank() };
        let control = Arc::default();
        if let Some(collective) = job::collective(&control) {
            if profile.is_some() {
                return Err(
                    Usage("--profile times the kernels of one process, not of several ranks".into()).into()
                );
            }
            let processors = if device == Device::Gpu {
                let open = Box::new(opening(Remembered::in_cache(), wish, None));
                let (network, training) = (network.clone(), Arc::clone(&training));
                let notice = |text: &str| output::message(text);
                Processors::Device(Box::new(GpuParts::new(
                    config,
                    network,
                    training,
                    open,
                    memory_budget,
                    notice,
                )?))
            } else {
                threads.into()
            };
            let peers = (collective, demand.reduction);
            let engine = ThreadsEngine::of_cluster(config, network, training, processors, control, peers)?;
            return Ok(Box::new(engine));
        }
        if device == Device::Gpu {
            let notice = |text: &str| output::message(text);
            let open = Box::new(opening(Remembered::in_cache(), wish, profile));
            let options = Options { open, memory_budget, notice: Box::new(notice) };
            return Ok(Box::new(FallbackEngine::new(config, network, training, options, threads, notice)?));
        }
        Ok(Box::new(ThreadsEngine::of_network(config, network, training, threads, control)?))
    }

    /// Refuses what this machine's memory cannot hold, whichever device is chosen.
    pub(crate) fn check_memory(
        &self,
        config: &RunConfig,
        network: &OwnedNetwork,
        demand: Demand,
    ) -> Result<(), String> {
        demand.check(self.device, self.threads(), config, network)
    }

    fn threads(&self) -> NonZero<usize> {
        self.threads.or_else(job::threads).unwrap_or_else(available_threads)
    }

    /// The device, with `auto` decided and said.
    fn chosen_device(&self) -> Device {
        if self.device != Device::Auto {
            return self.device;
        }
        match pollster::block_on(Gpu::open(self.adapter.as_deref())) {
            Ok(gpu) if !is_software(gpu.info()) => {
                output::message(format_args!("Computing on the GPU {}.", gpu.info().name));
                Device::Gpu
            }
            Ok(gpu) => {
                let name = &gpu.info().name;
                output::message(format_args!(
                    "Computing on the CPU: the only GPU adapter, {name}, is a software adapter, which is slower."
                ));
                Device::Cpu
            }
            Err(error) => {
                output::message(format_args!("Computing on the CPU: {error}."));
                Device::Cpu
            }
        }
    }

    /// Refuses what does not go together, and what no machine has.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        check_threads(self.threads, self.device)?;
        match self.device {
            Device::Cpu if self.adapter.is_some() => {
                Err("--adapter names a GPU, so it needs --device gpu or --device auto".into())
            }
            Device::Cpu if self.gpu_memory.is_some() => {
                Err("--gpu-memory limits a GPU, so it needs --device gpu or --device auto".into())
            }
            _ => Ok(()),
        }
    }
}

/// Refuses threads that no machine has, or that a GPU has no use for.
pub(crate) fn check_threads(threads: Option<NonZero<usize>>, device: Device) -> Result<(), Usage> {
    match threads {
        Some(threads) if threads > MOST_THREADS => {
            Err(format!("--threads is {threads}, but must be from 1 to {MOST_THREADS}").into())
        }
        Some(_) if device == Device::Gpu => {
            Err("--threads sets the number of CPU threads, so it cannot be combined with --device gpu".into())
        }
        _ => Ok(()),
    }
}

/// An engine for a network alone, with a checkpoint's parameters where there is one.
pub(crate) fn engine_of(
    place: &PlaceArguments,
    model: Model,
    network: &OwnedNetwork,
    seed: u64,
    loaded: Option<Loaded<'_>>,
    data: &Splits,
    demand: Demand,
) -> Result<Box<dyn Engine>, Box<dyn Error>> {
    let config = RunConfig { model, seed, ..Preset::PaperCnn.config() };
    let mut engine = place.engine(&config, network.clone(), data, demand)?;
    if let Some((file, checkpoint)) = loaded {
        let parameters = checkpoint.parameters(network.view()).map_err(|error| about(file, error))?;
        engine.restore(&parameters, None)?;
    }
    Ok(engine)
}
