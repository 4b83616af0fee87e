//! `adadagrad train`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adadagrad_core::config::RunConfig;
use adadagrad_core::local::OwnedNetwork;
use adadagrad_core::trainer::Trainer;
use adadagrad_gpu::checkpoint::{self, Checkpoint, STATE_VERSION, State};
use adadagrad_gpu::data::Splits;
use adadagrad_gpu::engine::{Engine, EngineError, Snapshot};
use adadagrad_gpu::run::Run;
use adadagrad_gpu::telemetry::{Line, TelemetryFile};
use adadagrad_gpu::webgpu::Profile;

use crate::Outcome;
use crate::arguments::{Device, TrainArguments};
use crate::interrupt::{self, INTERRUPTED};
use crate::numbers::{duration, grouped, percent, rounded};
use crate::profile::kernel_table;
use crate::progress::Display;
use crate::settings::explain;
use crate::table::table;
use crate::utilisation::Utilisation;
use crate::{files, origin};

/// Where an interrupted run is saved that was to be saved nowhere.
const RESCUE: &str = "adadagrad-interrupted.safetensors";

pub(crate) fn run(arguments: &TrainArguments) -> Outcome {
    arguments.place.check()?;
    if arguments.profile && arguments.place.device == Device::Cpu {
        return Err("--profile times the kernels of a GPU: it goes with --device gpu or --device auto".into());
    }
    let checkpoint = match &arguments.resume {
        Some(file) => Some((file.as_path(), files::load_checkpoint(file)?)),
        None => None,
    };
    let checkpoint = checkpoint.as_ref().map(|(file, checkpoint)| (*file, checkpoint));
    let config = config(arguments, checkpoint)?;
    if arguments.print_config {
        config.validate(u32::MAX).map_err(|error| explain(&error))?;
        println!("{}", serde_json::to_string_pretty(&config)?);
        return Ok(ExitCode::SUCCESS);
    }
    for file in arguments.save.iter().chain(&arguments.telemetry) {
        files::check_writable(file)?;
    }
    let data = arguments.place.load_data(config.dataset)?;
    let config = fitted(arguments, config, &data);
    let profile = arguments.profile.then(Profile::default);
    let run = begin(arguments, config, checkpoint, &data, profile.clone())?;
    let telemetry = telemetry(arguments, &run)?;
    interrupt::listen(Arc::clone(run.engine().control()))?;
    let mut session = Session::new(run, telemetry, profile.map(Utilisation::new));
    let outcome = session.train(arguments, &data)?;
    if let Some(utilisation) = &session.utilisation {
        print!("\n{}\n{}", kernel_table(&utilisation.kernels()), utilisation.table());
    }
    Ok(outcome)
}

/// The settings: the checkpoint's for a resumed run, else the flags'.
fn config(
    arguments: &TrainArguments,
    checkpoint: Option<(&Path, &Checkpoint)>,
) -> Result<RunConfig, Box<dyn Error>> {
    let settings = &arguments.settings;
    let Some((file, checkpoint)) = checkpoint else {
        return new_config(arguments);
    };
    if settings.changes_the_run() {
        return Err("a resumed run keeps the settings of its checkpoint: with --resume only --sample-budget \
                    and --evaluate-every can be given anew (to start a new run from its parameters, use --load)"
            .into());
    }
    origin::dataset_of(arguments.place.dataset, Some((file, checkpoint)))?;
    let config =
        checkpoint.state().map_err(|error| format!("{} (--load)", files::about(file, error)))?.config;
    Ok(RunConfig {
        sample_budget: settings.sample_budget.unwrap_or(config.sample_budget),
        evaluate_every: settings.evaluate_every.unwrap_or(config.evaluate_every),
        ..config
    })
}

/// The settings of a new run. Of a checkpoint that it begins from come, where nothing else says them, the model and the
/// data set.
fn new_config(arguments: &TrainArguments) -> Result<RunConfig, Box<dyn Error>> {
    let TrainArguments { settings, place, load, .. } = arguments;
    let mut config = settings.resolve()?;
    if let Some(file) = load {
        let checkpoint = files::load_checkpoint(file)?;
        let own = origin::named_model(&checkpoint).or_else(|| checkpoint.model());
        let is_unnamed = settings.preset.is_none() && settings.config.is_none();
        if let Some(own) = own {
            if is_unnamed && settings.model.is_none() {
                config.model = own;
            }
            origin::check_model(config.model, (file, own))?;
        }
        if let Some(state) = checkpoint.state.filter(|_| settings.config.is_none()) {
            config.dataset = state.config.dataset;
        }
    }
    Ok(RunConfig { dataset: place.dataset.map_or(config.dataset, Into::into), ..config })
}

/// Batches that fit the data, where no flag says the largest.
fn fitted(arguments: &TrainArguments, config: RunConfig, data: &Splits) -> RunConfig {
    let settings = &arguments.settings;
    let samples = data.training.len();
    let fitted =
        config.fitted(samples).filter(|_| arguments.resume.is_none() && settings.max_batch.is_none());
    let Some(fitted) = fitted else { return config };
    let [least, most] = [config.max_batch, samples].map(|size| grouped(size.into()));
    eprintln!("The largest batch is {most}, not {least}: there are no more training samples.");
    RunConfig {
        min_batch: settings.min_batch.unwrap_or(fitted.min_batch),
        initial_batch: settings.initial_batch.unwrap_or(fitted.initial_batch),
        ..fitted
    }
}

/// The run at its beginning, or where the checkpoint left it.
fn begin(
    arguments: &TrainArguments,
    config: RunConfig,
    checkpoint: Option<(&Path, &Checkpoint)>,
    data: &Splits,
    profile: Option<Profile>,
) -> Result<Run<Box<dyn Engine>>, Box<dyn Error>> {
    let samples = data.training.len();
    config.validate(samples).map_err(|error| explain(&error))?;
    let network = OwnedNetwork::of_model(config.model)?;
    let mut engine = arguments.place.profiled_engine(&config, data, profile)?;
    let trainer = match checkpoint {
        Some((file, checkpoint)) => {
            let about = |error| files::about(file, error);
            let state = checkpoint.state().map_err(about)?;
            if let Some(note) = origin::check_data((file, checkpoint), data)? {
                eprintln!("{note}");
            }
            let slots = config.optimizer.as_optimizer::<f32>().slots();
            let parameters = checkpoint.parameters(network.view()).map_err(about)?;
            let memory = checkpoint.memory(network.view(), slots).map_err(about)?;
            engine.restore(&parameters, Some(&memory))?;
            Trainer::resume(config, samples, state.progress)
        }
        None => Trainer::new(config, samples),
    };
    if let Some(file) = &arguments.load {
        let loaded = files::load_checkpoint(file)?;
        let parameters = loaded.parameters(network.view()).map_err(|error| files::about(file, error))?;
        engine.restore(&parameters, None)?;
    }
    Ok(Run::new(trainer.map_err(|error| explain(&error))?, engine))
}

fn telemetry(
    arguments: &TrainArguments,
    run: &Run<Box<dyn Engine>>,
) -> Result<Option<(PathBuf, TelemetryFile)>, Box<dyn Error>> {
    let Some(file) = &arguments.telemetry else { return Ok(None) };
    let open = match arguments.resume {
        Some(_) => TelemetryFile::resume(file, run.progress().steps),
        None => TelemetryFile::create(file),
    };
    Ok(Some((file.clone(), open.map_err(|error| files::about(file, error))?)))
}

/// How a session ends.
enum End {
    Finished,
    Interrupted,
    Failed(Box<dyn Error>),
}

/// A run with what was seen of it since the program started.
struct Session {
    run: Run<Box<dyn Engine>>,
    telemetry: Option<(PathBuf, TelemetryFile)>,
    utilisation: Option<Utilisation>,
    begin: Instant,
    /// Samples seen and seconds spent in steps.
    samples: u64,
    seconds: f64,
    last: Option<Line>,
}

impl Session {
    fn new(
        run: Run<Box<dyn Engine>>,
        telemetry: Option<(PathBuf, TelemetryFile)>,
        utilisation: Option<Utilisation>,
    ) -> Self {
        Self { run, telemetry, utilisation, begin: Instant::now(), samples: 0, seconds: 0.0, last: None }
    }

    fn train(&mut self, arguments: &TrainArguments, data: &Splits) -> Outcome {
        let sweeps = 1 + u64::from(self.run.trainer().needs().inner);
        let control = self.run.engine().control();
        let display = Display::new(arguments.quiet, self.run.config(), self.run.progress(), sweeps, control);
        let end = self.steps(data, &display);
        drop(display);
        match end {
            End::Finished => {
                self.save(arguments.save.as_deref(), data)?;
                print!("{}", self.summary(data)?);
                Ok(ExitCode::SUCCESS)
            }
            End::Interrupted => {
                let file = arguments.save.as_deref().unwrap_or(Path::new(RESCUE));
                self.save(Some(file), data)?;
                eprintln!("Go on with: adadagrad train --resume {}", file.display());
                print!("{}", self.summary(data)?);
                Ok(ExitCode::from(INTERRUPTED))
            }
            End::Failed(error) => {
                self.save(arguments.save.as_deref(), data)?;
                Err(error)
            }
        }
    }

    fn steps(&mut self, data: &Splits, display: &Display) -> End {
        loop {
            let line = match self.run.step(&data.test) {
                Ok(Some(line)) => line,
                Ok(None) => return End::Finished,
                Err(EngineError::Cancelled) => return End::Interrupted,
                Err(error) => return End::Failed(error.into()),
            };
            self.samples += u64::from(line.telemetry.samples);
            self.seconds += line.seconds;
            self.last = Some(line);
            if let Some(utilisation) = &mut self.utilisation {
                utilisation.add(&line);
            }
            display.step(&line, self.run.progress());
            if let Some((path, file)) = &mut self.telemetry
                && let Err(error) = file.push(&line)
            {
                return End::Failed(files::about(path, error).into());
            }
        }
    }

    /// Saves the run as it stands between two steps.
    fn save(&mut self, file: Option<&Path>, data: &Splits) -> Result<(), Box<dyn Error>> {
        let Some(file) = file else { return Ok(()) };
        let state = State {
            version: STATE_VERSION,
            config: *self.run.config(),
            progress: *self.run.progress(),
            training_samples: data.training.len(),
            training_data: Some(data.digest),
        };
        let network = OwnedNetwork::of_model(state.config.model)?;
        let Snapshot { parameters, memory } = self.run.engine_mut().snapshot()?;
        let bytes = checkpoint::write(network.view(), parameters, memory, &state)?;
        checkpoint::save(file, &bytes).map_err(|error| files::about(file, error))?;
        eprintln!("Saved {} after step {}.", file.display(), grouped(state.progress.steps));
        if parameters.iter().chain(memory).any(|value| !value.is_finite()) {
            eprintln!("It holds values that are not finite: no run can go on from it.");
        }
        Ok(())
    }

    fn summary(&mut self, data: &Splits) -> Result<String, Box<dyn Error>> {
        let progress = *self.run.progress();
        let measured = self.last.and_then(|line| Some((line.accuracy?, line.test_loss)));
        let measured = match measured {
            None if self.run.is_finished() => {
                let evaluation = self.run.engine_mut().evaluate(&data.test)?.evaluation;
                Some((evaluation.accuracy, Some(evaluation.loss)))
            }
            measured => measured,
        };
        let unknown = || "not measured".to_owned();
        // Counts below 2^53.
        #[allow(clippy::cast_precision_loss)]
        let [steps, seen, samples] = [progress.steps, progress.samples_seen, self.samples].map(|n| n as f64);
        let rows = [
            ("steps", grouped(progress.steps)),
            ("average batch", if steps > 0.0 { rounded(seen / steps) } else { unknown() }),
            ("samples", grouped(progress.samples_seen)),
            ("next batch", grouped(progress.next_batch.into())),
            (
                "training loss",
                self.last
                    .map_or_else(unknown, |line| format!("{:.4} nats (last batch)", line.telemetry.loss)),
            ),
            ("test accuracy", measured.map_or_else(unknown, |(accuracy, _)| percent(accuracy))),
            (
                "test loss",
                measured.and_then(|(_, loss)| loss).map_or_else(unknown, |loss| format!("{loss:.4} nats")),
            ),
            ("time", duration(self.begin.elapsed())),
            ("time in steps", duration(Duration::try_from_secs_f64(self.seconds).unwrap_or_default())),
            ("images/s", if self.seconds > 0.0 { rounded(samples / self.seconds) } else { unknown() }),
            ("computed on", self.run.engine().description()),
        ];
        Ok(table(&rows.map(|(name, value)| vec![name.to_owned(), value])))
    }
}
