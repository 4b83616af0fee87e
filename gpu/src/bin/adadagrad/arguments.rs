//! What the command line looks like.

use std::num::NonZero;
use std::path::PathBuf;

use adadagrad_core::config::DatasetName;
use adadagrad_core::network::Model;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::setting_arguments::{ModelName, SettingArguments, TestName, number};

/// Trains networks with batch sizes that adapt themselves (AdAdaGrad, arXiv 2402.11215).
///
/// A small batch is enough while the gradient is large and clear; later its noise gets in the way. After each
/// step a statistical test on the very batch that made it says how many samples the next one needs.
#[derive(Debug, Parser)]
#[command(version, allow_negative_numbers = true, after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  adadagrad train --preset quick                 a CNN to 95 % in about a minute
  adadagrad train --help                         all settings, with units and ranges
  adadagrad statistics --model cnn --first 64    what 64 images say about their gradient
  adadagrad evaluate --load model.safetensors    test accuracy and confusion matrix

The data: MNIST's four IDX files, plain or packed (.gz), in the folder given with --data; without it, where
`cargo xtask data` has put them.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network, with a batch that grows when its test says so
    ///
    /// Each step takes the next b samples of a shuffled order, averages their gradients, makes the optimizer's
    /// step with the mean, and asks the test how large a batch would have been large enough: T samples. With
    /// n = |g|^2 the squared norm of the mean gradient and v the trace of the gradients' sample covariance, the
    /// norm test says T = v/(eta^2 n). The next batch is min(max, ceil(max(b, T))): it never shrinks. The
    /// statistics come with the backward pass and cost little; no per-sample gradient is kept.
    ///
    /// Learning-rate schedules and the budget count samples, not steps. The last batch is whole, so that a run
    /// may see somewhat more samples than its budget.
    // Of a flag given twice the later counts, so that scripts can add to a common line.
    #[command(allow_negative_numbers = true, args_override_self = true, after_long_help = TRAIN_EXAMPLES)]
    Train(Box<TrainArguments>),
    /// What one batch says about its gradient, and the size that each test would ask for
    ///
    /// Nothing is learned: the parameters stay as they are.
    #[command(allow_negative_numbers = true, after_long_help = STATISTICS_EXAMPLES)]
    Statistics(StatisticsArguments),
    /// Time of a training step with the norm test's statistics and without, by model and batch size
    ///
    /// The two take turns step by step on the data set's own pixels, so that a machine that slows down slows both;
    /// medians are printed.
    Bench(BenchArguments),
    /// The GPUs of this machine: names, kinds and limits
    Devices,
    /// Whether every kernel is right on a GPU, which variants of it are fast, and how fast training is
    ///
    /// Every kernel in every variant runs on small problems and is compared with a reference in 64-bit floats,
    /// within derived bounds; the variants are timed; each model trains at several batch sizes, which shows how
    /// well the GPU is used. With --output all of it goes into one JSON file, which owners of GPUs that this
    /// program has not seen can send.
    #[command(after_long_help = SELFTEST_EXAMPLES)]
    Selftest(SelftestArguments),
    /// Loss, accuracy and confusion matrix on the test set
    #[command(after_long_help = EVALUATE_EXAMPLES)]
    Evaluate(EvaluateArguments),
}

const TRAIN_EXAMPLES: &str = "\
Examples:
  The paper's CNN run (arXiv 2402.11215), 6 million samples:
    adadagrad train --preset paper-cnn --telemetry run.jsonl --save model.safetensors
  The same with another seed and a batch that at most doubles:
    adadagrad train --preset paper-cnn --seed 1 --growth-cap 2
  Adam with a constant batch of 64:
    adadagrad train --model mlp --optimizer adam --learning-rate 0.001 --test none --initial-batch 64
  Stop with Ctrl-C (also inside a step), and go on as if nothing had happened:
    adadagrad train --preset quick --telemetry run.jsonl --save run.safetensors
    adadagrad train --resume run.safetensors --telemetry run.jsonl --save run.safetensors

Exit codes: 0 done, 1 failed (a loss that is not a number, a file that is missing), 2 the command line is
wrong, 130 interrupted.";

const SELFTEST_EXAMPLES: &str = "\
Examples:
  adadagrad selftest --device gpu --output selftest.json
  adadagrad selftest --device gpu --adapter llvmpipe

Exit codes: 0 every kernel is right, 1 one is not, or the GPU cannot be used.";

const STATISTICS_EXAMPLES: &str = "\
Examples:
  adadagrad statistics --model cnn --load model.safetensors --first 64
  adadagrad statistics --model logistic --batch 1000 --seed 3 --table

Prints one JSON object: samples (b), loss (nats), accuracy, mean_norm_sq (n = |g|^2 of the mean gradient g),
sum_squared_norms (S = sum of |g_i|^2), variance (v = (S - b n)/(b - 1)), variance_along (the sample variance of
<g_i, g>), variance_orthogonal (the spread across g), for every test the batch size it requires (a real number,
before rounding up) and the threshold that this batch would just pass, and in `reasons` why what is null has no
value.";

const EVALUATE_EXAMPLES: &str = "\
Example:
  adadagrad evaluate --load model.safetensors";

/// Where a run computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Device {
    /// The processor's threads
    #[default]
    Cpu,
    /// A graphics processor, by WebGPU
    Gpu,
    /// The graphics processor where there is one in hardware, else the processor's threads
    Auto,
}

/// Data and device: what every command needs.
#[derive(Debug, Args)]
pub(crate) struct PlaceArguments {
    /// Data set; a resumed run has its own
    #[arg(long, value_enum, default_value_t = DataSet::Mnist, help_heading = "Data and device")]
    pub(crate) dataset: DataSet,
    /// Folder with the data set's files; without it, where `cargo xtask data` has put them
    #[arg(long, value_name = "DIR", help_heading = "Data and device")]
    pub(crate) data: Option<PathBuf>,
    /// Where to compute
    #[arg(long, value_enum, default_value_t, help_heading = "Data and device")]
    pub(crate) device: Device,
    /// GPU to use: part of its name as `adadagrad devices` prints it [default: the fastest]
    #[arg(long, value_name = "NAME", help_heading = "Data and device")]
    pub(crate) adapter: Option<String>,
    /// Memory of the GPU that may be used beside the data set, in MiB [default: 1024]. A batch that needs more is
    /// cut into micro-batches; its statistics stay exact
    #[arg(long, value_name = "MIB", help_heading = "Data and device")]
    pub(crate) gpu_memory: Option<NonZero<u32>>,
    /// Threads of the CPU engine [default: as many as the machine runs at once]. The result does not depend
    /// on it, to the last bit
    #[arg(long, value_name = "N", help_heading = "Data and device")]
    pub(crate) threads: Option<NonZero<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataSet {
    /// 60,000 + 10,000 handwritten digits
    Mnist,
    /// 60,000 + 10,000 pieces of clothing
    FashionMnist,
    /// Files of your own in the same form, in the folder --data
    Own,
}

impl From<DataSet> for DatasetName {
    fn from(set: DataSet) -> Self {
        match set {
            DataSet::Mnist => Self::Mnist,
            DataSet::FashionMnist => Self::FashionMnist,
            DataSet::Own => Self::Own,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    /// Write one JSON object a step to this file (every field: TELEMETRY.md of the package)
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) telemetry: Option<PathBuf>,
    /// Write a checkpoint here when the run ends, also when it is interrupted: parameters that PyTorch opens,
    /// and everything to go on with --resume
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) save: Option<PathBuf>,
    /// Start a new run from the parameters in this safetensors file
    #[arg(long, value_name = "FILE", conflicts_with = "resume", help_heading = "Files")]
    pub(crate) load: Option<PathBuf>,
    /// Go on with the run in this checkpoint as if it had not stopped. The settings are its own; only
    /// --sample-budget and --evaluate-every may be given anew. With --telemetry, lines after the checkpoint's
    /// step are replaced
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) resume: Option<PathBuf>,
    /// Print which kernels took the GPU's time, how fast they computed and moved bytes, and how well the GPU was used at
    /// each batch size
    #[arg(long, help_heading = "Data and device")]
    pub(crate) profile: bool,
    /// No progress, only the summary
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print the settings as JSON, in the form that --config reads, and end
    #[arg(long)]
    pub(crate) print_config: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatisticsArguments {
    /// The network [default: the one that --load's checkpoint names, else cnn]
    #[arg(long, value_enum)]
    pub(crate) model: Option<ModelName>,
    /// Parameters from this safetensors file; without it, drawn from --seed
    #[arg(long, value_name = "FILE")]
    pub(crate) load: Option<PathBuf>,
    /// The first N training images in file order (with --start, those after so many others), N >= 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(conflicts_with = "batch", required_unless_present = "batch")]
    pub(crate) first: Option<u32>,
    /// N images in the order in which a run with this --seed visits them, N >= 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: Option<u32>,
    /// How many images come before the batch, 0 to 2^53 - 1
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..1 << 53))]
    pub(crate) start: u64,
    /// Decides the initial parameters and the order of images
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Threshold of the norm tests, > 0
    #[arg(long, value_parser = number, default_value_t = 0.1)]
    pub(crate) eta: f64,
    /// Threshold of the inner product test, > 0
    #[arg(long, value_parser = number, default_value_t = 0.9)]
    pub(crate) theta: f64,
    /// Threshold of the orthogonality test, > 0
    #[arg(long, value_parser = number, default_value_t = 5.84)]
    pub(crate) nu: f64,
    /// Share of the coordinates that must pass the coordinate-wise norm test, above 0 and at most 1
    #[arg(long, value_parser = number, default_value_t = 1.0)]
    pub(crate) quantile: f64,
    /// Parts whose mean gradients the worker-gradient test compares, 2 to 1024
    #[arg(long, default_value_t = 4)]
    pub(crate) workers: u32,
    /// Norm test with n - v/b in place of n
    #[arg(long)]
    pub(crate) debiased: bool,
    /// Inner product tests against the mean of the other samples
    #[arg(long)]
    pub(crate) leave_one_out: bool,
    /// Print a table for people in place of the JSON object
    #[arg(long)]
    pub(crate) table: bool,
    /// Print the JSON object, which is what happens anyway
    #[arg(long, conflicts_with = "table")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// The networks [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) models: Vec<ModelName>,
    /// Batch sizes
    #[arg(long, value_delimiter = ',', default_value = "16,64,256,1024,4096")]
    pub(crate) batches: Vec<u32>,
    /// The test whose statistics are timed
    #[arg(long, value_enum, default_value_t = TestName::Norm)]
    pub(crate) test: TestName,
    /// Seconds for each model and batch size, > 0; at least three pairs of steps are made
    #[arg(long, value_parser = number, default_value_t = 2.0)]
    pub(crate) seconds: f64,
    /// Print one JSON object in place of the tables
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct SelftestArguments {
    /// What to test
    #[arg(long, value_enum, default_value_t = Device::Gpu)]
    pub(crate) device: Device,
    /// GPU to use: part of its name as `adadagrad devices` prints it [default: the fastest]
    #[arg(long, value_name = "NAME")]
    pub(crate) adapter: Option<String>,
    /// Write everything as one JSON object to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// Parameters from this safetensors file
    #[arg(long, value_name = "FILE")]
    pub(crate) load: PathBuf,
    /// The network [default: the one that the checkpoint names]
    #[arg(long, value_enum)]
    pub(crate) model: Option<ModelName>,
    /// Print one JSON object in place of the tables
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

impl From<ModelName> for Model {
    fn from(name: ModelName) -> Self {
        match name {
            ModelName::Logistic => Self::Logistic,
            ModelName::Mlp => Self::Mlp,
            ModelName::Cnn => Self::Cnn,
        }
    }
}
