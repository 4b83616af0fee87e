//! `adadagrad train`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::RunConfig;
use adadagrad_core::network::Network;
use adadagrad_core::observe::{Observation, Observations};
use adadagrad_core::owned::checkpoint::{self, OwnNetwork, STATE_VERSION, SampleSize, State};
use adadagrad_core::owned::{Evaluated, OwnedNetwork};
use adadagrad_core::signature::{Signature, Watch};
use adadagrad_core::training::Progress;
use adadagrad_gpu::cluster::Common;
use adadagrad_gpu::data::Splits;
use adadagrad_gpu::engine::{Engine, EngineError, Snapshot};
use adadagrad_gpu::run::Run;
use adadagrad_gpu::telemetry::Line;
use adadagrad_gpu::telemetry_file::{Resumed, TelemetryFile};
use adadagrad_gpu::webgpu::Profile;
use clap::ArgMatches;

use crate::Outcome;
use crate::arguments::{Device, TrainArguments};
use crate::checkpoints::{Checkpoints, Ending};
use crate::demand::Demand;
use crate::distinct::{refuse_data, refuse_shared};
use crate::files;
use crate::held::Held;
use crate::interrupt::{self, Interrupts};
use crate::job;
use crate::network::{self, Chosen};
use crate::numbers::{duration, grouped, percent, rounded, significant};
use crate::origin;
use crate::output;
use crate::profile::kernel_table;
use crate::progress::Display;
use crate::resume_command::ResumeCommand;
use crate::start::{self, Read, Start};
use crate::table::table;
use crate::usage::Usage;
use crate::utilisation::Utilisation;

/// Bytes of a checkpoint beside its values, at most: names, shapes, the settings.
const HEADER: u64 = 1 << 14;
/// The same for each layer.
const HEADER_OF_LAYER: u64 = 1 << 10;

pub(crate) fn run(arguments: &TrainArguments, given: &ArgMatches) -> Outcome {
    let ready = job::agree(prepare(arguments, given), Ready::common)?;
    let Ready::Run { mut session, data, interrupts } = ready else { return Ok(ExitCode::SUCCESS) };
    let code = session.train(arguments.quiet, &data, &interrupts);
    if let Some(utilisation) = &session.utilisation {
        output::result(format!("\n{}\n{}", kernel_table(&utilisation.kernels()), utilisation.table()));
    }
    Ok(code)
}

/// What there is to do once all is read.
enum Ready {
    /// Nothing more.
    Shown,
    Run {
        session: Box<Session>,
        data: Box<Splits>,
        interrupts: Interrupts,
    },
}

impl Ready {
    /// What all ranks of a cluster must have in common.
    fn common(&mut self) -> Result<Common, Box<dyn Error>> {
        let Self::Run { session, data, .. } = self else { return Ok(Common::default()) };
        let program = std::fs::read(std::env::current_exe()?)?;
        let config = serde_json::to_string(session.run.config())?;
        let fast_ranks = session.run.engine().fast_ranks();
        let settings = format!("{config} {fast_ranks:?}");
        let own = serde_json::to_string(&data.digest)?;
        // The parameters by which images were augmented or normalised stand in the state.
        let state = session.state(data)?.bytes;
        Ok(Common::new(&program, settings.as_bytes(), own.as_bytes(), &state))
    }
}

fn prepare(arguments: &TrainArguments, given: &ArgMatches) -> Result<Ready, Box<dyn Error>> {
    arguments.place.check()?;
    if arguments.profile && arguments.place.device == Device::Cpu {
        return Err(
            Usage::from("--profile times GPU kernels, so it needs --device gpu or --device auto").into()
        );
    }
    let read = Read::new(arguments)?;
    let start = read.start();
    let settings = &arguments.settings;
    let own = network::own_layers(settings.network.as_deref(), start.loaded())?;
    let asked = settings.network.as_ref().and(own.as_ref()).map(OwnNetwork::model);
    let config = start::config(arguments, start, asked)?;
    if arguments.print_config {
        start::validate(&config, start, u32::MAX)?;
        output::result(serde_json::to_string_pretty(&config)? + "\n");
        return Ok(Ready::Shown);
    }
    let chosen = Chosen { model: config.model, own };
    let data = arguments.place.load_data(config.dataset, config.text)?;
    start::check_kind(&config, &data)?;
    // Before its network, which fits only as many tokens.
    if let Some(loaded) = start.loaded() {
        origin::check_vocabulary(loaded, &data)?;
    }
    let network = chosen.network(data.training.shape())?;
    // Before files of its size are written to prove that they can be.
    let demand = Demand::of_run(&config, &network, data.training.len(), arguments.reduce.into());
    arguments.place.check_memory(&config, &network, demand)?;
    let files = Files::open(arguments, &config, network.view(), start)?;
    refuse_data_as_output(arguments, &data)?;
    let config = start::fitted(arguments, config, &data);
    say_fewer_parts(&config);
    say_parts_of_gpu(&config, arguments.place.device);
    let data = data.for_run(&config, start.encoding());
    let profile = arguments.profile.then(Profile::default);
    let run = start::begin(arguments, config, &network, start, &data, profile.clone())?;
    let files = files.begin(arguments, &run)?;
    let interrupts =
        interrupt::listen(Arc::clone(run.engine().control()), ["saving a checkpoint", "without saving it"])?;
    let network = Trained { network, own: chosen.own };
    let session = Session::new(run, network, files, profile.map(Utilisation::new), ResumeCommand::new(given));
    Ok(Ready::Run { session: Box::new(session), data: Box::new(data), interrupts })
}

/// Says that the first batch has fewer samples than the test asks for parts.
fn say_fewer_parts(config: &RunConfig) {
    let first = config.initial_batch;
    if let Some(AnyTest::WorkerNorm(test)) = config.test
        && first < test.workers
    {
        let workers = test.workers;
        output::message(format_args!(
            "The initial batch has {first} samples, fewer than --workers {workers}: batches with fewer samples are \
             cut into one part per sample."
        ));
    }
}

/// Says that a GPU cuts no batch, unless parts are compared.
fn say_parts_of_gpu(config: &RunConfig, device: Device) {
    let is_alone = job::local_rank().is_none();
    if config.parts > 0 && device != Device::Cpu && is_alone && !config.needs().compares_parts() {
        let parts = config.parts;
        output::message(format_args!(
            "A GPU adds up each batch as a whole: --parts {parts} is for the threads of the CPU."
        ));
    }
}

/// Refuses to write over the data set. Nothing is written before its files are known.
fn refuse_data_as_output(arguments: &TrainArguments, data: &Splits) -> Result<(), Usage> {
    let outputs = [("--save", &arguments.save), ("--telemetry", &arguments.telemetry)];
    outputs
        .into_iter()
        .filter_map(|(flag, file)| Some((flag, file.as_deref()?)))
        .try_for_each(|output| refuse_data(output, data))
}

/// The files that a run writes, which are known to be writable before it begins.
struct Files {
    checkpoints: Checkpoints,
    telemetry: Option<(PathBuf, TelemetryFile)>,
}

impl Files {
    /// Opens them, and changes nothing in what is there.
    fn open(
        arguments: &TrainArguments,
        config: &RunConfig,
        network: Network<'_>,
        start: Start<'_>,
    ) -> Result<Self, Box<dyn Error>> {
        let TrainArguments { save, telemetry, load, resume, settings, .. } = arguments;
        let first = job::is_first().then_some(());
        let (save, telemetry) = (first.and(save.as_deref()), first.and(telemetry.as_deref()));
        let layers = settings.network.as_deref().map(|file| ("--network", file));
        let settings = settings.config.as_deref().map(|file| ("--config", file));
        if let Some(save) = save {
            // From where the run begins is a good place for where it ends.
            refuse_shared(
                ("--save", save),
                &[telemetry.map(|file| ("--telemetry", file)), settings, layers],
            )?;
        }
        if let Some(telemetry) = telemetry {
            let [load, resume] = [("--load", load), ("--resume", resume)]
                .map(|(flag, file)| file.as_deref().map(|file| (flag, file)));
            refuse_shared(("--telemetry", telemetry), &[load, resume, settings, layers])?;
        }
        let telemetry = telemetry.map(|path| match TelemetryFile::open(path) {
            Ok(file) => Ok((path.to_owned(), file)),
            Err(error) => Err(files::about(path, error)),
        });
        let telemetry = telemetry.transpose()?;
        let values = network.parameters() * (1 + config.slots());
        let bytes =
            (values * size_of::<f32>()) as u64 + HEADER + HEADER_OF_LAYER * network.nodes().len() as u64;
        let checkpoints = Checkpoints::prove(arguments, bytes, start.progress())?;
        Ok(Self { checkpoints, telemetry })
    }

    /// Makes the files ready for a run that stands here.
    fn begin(mut self, arguments: &TrainArguments, run: &Run<Box<dyn Engine>>) -> Result<Self, String> {
        let &Progress { steps, samples_seen, .. } = run.progress();
        let resumed = Resumed { step: steps, samples_seen, model: run.config().model };
        let Some((path, file)) = &mut self.telemetry else { return Ok(self) };
        let about = |error| files::about(path, error);
        if arguments.resume.is_none() {
            file.begin().map_err(about)?;
        } else if let Some(last) = file.resume(&resumed).map_err(about)?
            && last < steps
        {
            output::message(files::about(
                path,
                format_args!(
                    "the lines of steps {} to {} are missing: the file ends before the checkpoint",
                    grouped(last + 1),
                    grouped(steps)
                ),
            ));
        }
        Ok(self)
    }
}

/// The network of a run.
struct Trained {
    network: OwnedNetwork,
    /// Its layers, where it is the user's own.
    own: Option<OwnNetwork>,
}

/// How a session ends.
enum End {
    Finished,
    Interrupted,
    Failed(EngineError),
}

/// A run between two steps, as a checkpoint holds it.
struct Saved {
    bytes: Vec<u8>,
    is_finite: bool,
}

/// A run with what was seen of it since the program started.
struct Session {
    run: Run<Box<dyn Engine>>,
    network: Trained,
    files: Files,
    utilisation: Option<Utilisation>,
    resume: ResumeCommand,
    begin: Instant,
    /// Samples seen and seconds spent in steps.
    samples: u64,
    seconds: f64,
    last: Option<Line>,
    held: Held,
    watch: Watch,
    /// What was seen of the run, with the step.
    seen: Vec<(u64, Signature)>,
    /// Whether the user knows that telemetry cannot be written at present.
    is_telemetry_failing: bool,
}

impl Session {
    fn new(
        run: Run<Box<dyn Engine>>,
        network: Trained,
        files: Files,
        utilisation: Option<Utilisation>,
        resume: ResumeCommand,
    ) -> Self {
        let (begin, is_telemetry_failing) = (Instant::now(), false);
        let (samples, seconds, last) = (0, 0.0, None);
        let held = Held::default();
        let (watch, seen) = (Watch::new(run.config()), Vec::new());
        Self {
            run,
            network,
            files,
            utilisation,
            resume,
            begin,
            samples,
            seconds,
            last,
            held,
            watch,
            seen,
            is_telemetry_failing,
        }
    }

    /// Trains to the end, saves what there is to save and says what happened, whatever happened.
    fn train(&mut self, is_quiet: bool, data: &Splits, interrupts: &Interrupts) -> ExitCode {
        let sweeps = 1 + u64::from(self.run.trainer().needs().inner);
        let control = self.run.engine().control();
        let display = Display::new(
            is_quiet || !job::is_first(),
            self.run.config(),
            self.run.progress(),
            sweeps,
            control,
        );
        let end = self.steps(data, &display);
        drop(display);
        let (ending, mut failed) = match &end {
            End::Finished => (Ending::Finished, false),
            End::Interrupted => (Ending::Interrupted, false),
            End::Failed(error) => {
                output::error(error);
                let has_diverged = matches!(error, EngineError::Step(_));
                (if has_diverged { Ending::Diverged } else { Ending::Failed }, true)
            }
        };
        // All ranks stand at the same place, and one of them says so.
        let model = job::is_first().then(|| {
            let (model, is_saved) = self.save(ending, data);
            failed |= !is_saved;
            failed |= !self.finish_telemetry();
            model
        });
        let summary = self.summary(data);
        let held = self.held.sentence(self.run.progress().next_batch);
        let held = held.map_or_else(String::new, |sentence| sentence + "\n");
        let Some(model) = model else {
            return if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        };
        let seen = Signature::ALL.into_iter().filter_map(|signature| self.sight(signature));
        let seen: String = seen.collect();
        output::result(format!("{summary}{held}{seen}The model is {model}.\n"));
        match end {
            _ if failed => ExitCode::FAILURE,
            End::Interrupted => ExitCode::from(interrupts.exit_code()),
            End::Finished | End::Failed(_) => ExitCode::SUCCESS,
        }
    }

    fn steps(&mut self, data: &Splits, display: &Display) -> End {
        loop {
            let line = match self.run.step(&data.test) {
                Ok(Some(line)) => line,
                Ok(None) => return End::Finished,
                Err(EngineError::Cancelled) => return End::Interrupted,
                Err(error) => return End::Failed(error),
            };
            self.samples += u64::from(line.telemetry.samples);
            self.seconds += line.seconds;
            self.last = Some(line);
            self.held.add(&line.telemetry);
            let seen = self.watch.step(&line.telemetry, Some(line.seconds));
            self.seen.extend(seen.map(|signature| (line.telemetry.step, signature)));
            if let Some(utilisation) = &mut self.utilisation {
                utilisation.add(&line);
            }
            display.step(&line, self.run.progress());
            self.tell(&line);
            if self.files.checkpoints.is_due(self.run.progress()) && !self.run.is_finished() {
                self.keep(data);
            }
        }
    }

    /// What is said of a signature that was seen.
    fn sight(&self, signature: Signature) -> Option<String> {
        let steps: Vec<u64> =
            self.seen.iter().filter(|seen| seen.1 == signature).map(|seen| seen.0).collect();
        let (first, more) = steps.split_first()?;
        let more = match more.len() {
            0 => String::new(),
            1 => " and once more".to_owned(),
            times => format!(" and {times} times more"),
        };
        Some(format!("Seen at step {}{more}: {}\n", grouped(*first), signature.words()))
    }

    /// Writes a line of telemetry. A full disk does not end the run: there may be space again later.
    fn tell(&mut self, line: &Line) {
        let Some((path, file)) = &mut self.files.telemetry else { return };
        let written = file.push(line);
        if let Err(error) = &written
            && !self.is_telemetry_failing
        {
            let error = files::about(path, error);
            output::message(format_args!(
                "{error}. The run continues, and writing these lines is tried again later."
            ));
        }
        self.is_telemetry_failing = written.is_err();
    }

    /// Whether all lines of telemetry are written.
    fn finish_telemetry(&mut self) -> bool {
        let Some((path, file)) = &mut self.files.telemetry else { return true };
        let Err(error) = file.flush() else { return true };
        let missing = grouped(file.missing());
        output::error(files::about(path, format_args!("the last {missing} lines are missing: {error}")));
        false
    }

    /// Saves the run while it goes on. What goes wrong with the engine is found out in the next step.
    fn keep(&mut self, data: &Splits) {
        if let Some((_, file)) = &self.files.telemetry {
            file.sync();
        }
        // Where values are not finite, the last checkpoint is better.
        if let Ok(Saved { bytes, is_finite: true }) = self.state(data) {
            self.files.checkpoints.keep(&bytes);
            if let Some(file) = self.files.checkpoints.last() {
                job::saved(file, &self.resume);
            }
        }
    }

    /// Saves the run at its end. Returns where its model is, in words, and whether all is well.
    fn save(&mut self, ending: Ending, data: &Splits) -> (String, bool) {
        let saved = match self.state(data) {
            Ok(saved) => saved,
            Err(error) => {
                output::error(format_args!("the run cannot be saved: {error}"));
                let last = self.files.checkpoints.last();
                let last = last.map(|file| format!("saved earlier in {}", file.display()));
                return (last.unwrap_or_else(|| "lost".to_owned()), false);
            }
        };
        let steps = grouped(self.run.progress().steps);
        let ending = if saved.is_finite { ending } else { Ending::Diverged };
        let (file, errors) = self.files.checkpoints.conclude(ending, &saved.bytes);
        errors.iter().for_each(output::error);
        let is_well = errors.is_empty() && saved.is_finite;
        let model = match &file {
            Some(file) => {
                output::message(format_args!("Saved {} after step {steps}.", file.display()));
                format!("saved in {}", file.display())
            }
            None if errors.is_empty() => "not saved; to save it, use --save FILE".to_owned(),
            None => "lost".to_owned(),
        };
        if !saved.is_finite {
            output::error(format_args!(
                "after step {steps} some parameters are not finite: the run cannot be continued from them"
            ));
        }
        if let (Some(file), Ending::Interrupted | Ending::Failed) = (&file, ending) {
            output::raw_message(&[b"Continue with: ", self.resume.text(file).as_slice()].concat());
        }
        (model, is_well)
    }

    /// The run as it stands between two steps.
    fn state(&mut self, data: &Splits) -> Result<Saved, Box<dyn Error>> {
        let config = *self.run.config();
        let state = State {
            version: STATE_VERSION,
            config,
            progress: *self.run.progress(),
            training_samples: data.training.len(),
            training_data: Some(data.digest),
            sample: SampleSize::of(data.training.shape()),
            network: self.network.own.clone(),
            encoding: data.stored_encoding(&config),
            vocabulary: data.vocabulary().cloned(),
        };
        let network = &self.network.network;
        let Snapshot { parameters, memory } = self.run.engine_mut().snapshot()?;
        let bytes = checkpoint::write(network.view(), parameters, memory, &state)?;
        let is_finite = parameters.iter().chain(memory).all(|value| value.is_finite());
        Ok(Saved { bytes, is_finite })
    }

    fn summary(&mut self, data: &Splits) -> String {
        let progress = *self.run.progress();
        let measured = self.last.and_then(|line| Some((line.accuracy?, line.test_loss)));
        let measured = match measured {
            None if self.run.is_finished() => {
                let evaluated = self.run.engine_mut().evaluate(&data.test).map_err(output::error).ok();
                evaluated.map(|Evaluated { evaluation, .. }| (evaluation.accuracy, Some(evaluation.loss)))
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
            ("samples/s", if self.seconds > 0.0 { rounded(samples / self.seconds) } else { unknown() }),
            ("computed on", self.run.engine().description()),
        ];
        let mut rows = rows.map(|(name, value)| vec![name.to_owned(), value]).to_vec();
        let observed = self.last.map_or_else(Observations::default, |line| line.telemetry.observed);
        rows.extend(
            observed.rows().iter().map(|row| vec![format!("observed {}", row.quantity.name()), said(row)]),
        );
        table(&rows)
    }
}

/// What the last step said of an observed quantity.
fn said(observation: &Observation) -> String {
    let Observation { size, smoothed, reason, .. } = observation;
    let size = size.map_or_else(|| "no size".to_owned(), |size| format!("size {}", significant(size)));
    let smoothed = smoothed.map_or_else(String::new, |size| format!(", smoothed {}", significant(size)));
    let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    format!("{size}{smoothed}{reason}")
}
