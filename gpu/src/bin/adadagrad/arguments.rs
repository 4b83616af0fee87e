//! What the command line looks like.

use std::any::TypeId;
use std::num::NonZero;
use std::path::PathBuf;

use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::DatasetName;
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::owned::cluster::Reduction;
use adadagrad_core::text::TokenKind;
use clap::{ArgGroup, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::network::NetworkArguments;
use crate::parts::{Chosen, EveryChoice, PartArguments, choice_parser, help_of, word_parser};
use crate::save_every::SaveEvery;
use crate::setting_arguments::{BatchArguments, SettingArguments};
use crate::values::{fraction, image_size, not_negative, number, positive, shape, whole, whole_in_list};

/// Trains neural networks with adaptive batch sizes (AdAdaGrad, arXiv 2402.11215).
///
/// A small batch is enough while the gradient is large compared with its noise; later the noise dominates. After each
/// step a statistical test on the batch of that step computes how many samples the next batch needs.
#[derive(Debug, Parser)]
#[command(version, allow_negative_numbers = true, after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// What the command line says, and the subcommand's flags as they were given.
    ///
    /// # Errors
    /// What is wrong with it, or the help that was asked for.
    pub(crate) fn read() -> Result<(Self, ArgMatches), clap::Error> {
        let mut command = command();
        let mut given = command.try_get_matches_from_mut(std::env::args_os())?;
        let arguments = Self::from_arg_matches(&given).map_err(|error| error.format(&mut command))?;
        let flags = given.remove_subcommand().map(|(_, flags)| flags);
        Ok((arguments, flags.unwrap_or_default()))
    }
}

/// The command line. If a setting of `train` is given twice, the last one counts, so that scripts can append to a
/// common command line; two paths for one purpose are a mistake.
fn command() -> clap::Command {
    let command = Arguments::command().mut_subcommand("train", |train| {
        train.mut_args(|argument| {
            let is_path = argument.get_value_parser().type_id() == TypeId::of::<PathBuf>();
            let id = argument.get_id().clone();
            if is_path { argument } else { argument.overrides_with(id) }
        })
    });
    // It reads no checkpoint.
    command.mut_subcommand("bench", |bench| {
        bench.mut_arg("dataset", |dataset| dataset.help("Data set [default: mnist]"))
    })
}

const EXAMPLES: &str = "\
Examples:
  A CNN to 95 % test accuracy in about a minute:
    adadagrad train --preset quick
  All settings, with units and ranges:
    adadagrad train --help
  Gradient statistics of 64 samples:
    adadagrad statistics --model cnn --first 64
  Test accuracy and confusion matrix:
    adadagrad evaluate --load model.safetensors
  A model file for PyTorch:
    adadagrad export --help

Data: the four IDX files of MNIST, uncompressed or compressed (.gz), the binary files of CIFAR-10 or CIFAR-100, or \
folders of PNG or JPEG images, in the folder given with --data, or a text file; by default the folder that `cargo \
xtask data` fills.

Exit codes of all commands: 0 done, 1 failed, 2 invalid command line or settings; 128 + n interrupted by signal n.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network with an adaptive batch size
    ///
    /// Each step takes the next b samples in shuffled order, averages their gradients, updates the parameters with
    /// the mean, and computes with the test the smallest sufficient batch size T. With n = |g|^2 the squared norm of
    /// the mean gradient and v the trace of the sample covariance of the gradients, the norm test requires
    /// T = v/(eta^2 n). The default rule, AdAdaGrad, makes the next batch min(max, ceil(max(b, T))) samples: it never shrinks;
    /// `adadagrad rules` lists the other rules. The statistics are
    /// part of the backward pass and cost little; no per-sample gradient is stored.
    ///
    /// Learning-rate schedules and the sample budget count samples, not steps. The last batch is not cut short, so
    /// a run may see slightly more samples than its budget.
    #[command(allow_negative_numbers = true, after_long_help = TRAIN_EXAMPLES)]
    Train(Box<TrainArguments>),
    /// Gradient statistics of one batch, and the batch size that each test requires
    ///
    /// Choose the batch with --first or --batch. This does not train: the parameters stay unchanged.
    #[command(allow_negative_numbers = true, after_long_help = STATISTICS_EXAMPLES)]
    Statistics(StatisticsArguments),
    /// Time training steps with and without the statistics of a test, by model and batch size
    ///
    /// Steps with and without the statistics alternate, on the pixels of the data set, so that changes in the speed of
    /// the machine affect both. Prints medians.
    Bench(BenchArguments),
    /// List the GPUs of this machine: names, kinds and limits
    Devices,
    /// Check every GPU kernel, time its variants, and measure the training speed
    ///
    /// Every kernel runs in every variant on small problems and is compared with a reference in 64-bit floats,
    /// within derived bounds. Then the variants are timed, and each model trains at several batch sizes, which
    /// shows how well the GPU is used. With --output the whole report is written to a JSON file.
    #[command(after_long_help = SELFTEST_EXAMPLES)]
    Selftest(SelftestArguments),
    /// Loss, accuracy and confusion matrix on the test set
    #[command(after_long_help = EVALUATE_EXAMPLES)]
    Evaluate(EvaluateArguments),
    /// Write the parameters of a checkpoint to a file for PyTorch
    ///
    /// The file contains the parameters only, with PyTorch's names and shapes, so `load_state_dict`
    /// accepts it as it is. A checkpoint also contains the memory of the optimizer, which `load_state_dict` refuses. A
    /// run cannot be resumed from the new file; the checkpoint stays unchanged. The program also prints how the inputs of
    /// the network are computed from pixels: PyTorch must be given the same.
    #[command(after_long_help = EXPORT_EXAMPLES)]
    Export(ExportArguments),
    /// Continue a text with a network that was trained on one
    ///
    /// The text begins with the prompt. Each of the following characters (or bytes, if the run's tokens are bytes) is drawn from
    /// the network's probabilities. The same checkpoint, prompt, temperature and seed give the same text on every machine.
    #[command(after_long_help = SAMPLE_EXAMPLES)]
    Sample(SampleArguments),
    /// List the networks that --model takes, or the layers of one of them
    ///
    /// Parameters and FLOPs (multiplications and additions of one sample's forward pass) depend on the samples: their
    /// shape and number of classes are given with --shape and --classes. With --json a network is printed in the form
    /// that --network reads, as a starting point for your own.
    #[command(after_long_help = NETWORKS_EXAMPLES)]
    Networks(NetworksArguments),
    /// List the rules for the next batch size, with their settings, requirements and sources
    #[command(after_long_help = RULES_EXAMPLES)]
    Rules(RulesArguments),
    /// Batch sizes for a training loop in another language, through a pipe
    ///
    /// Reads one JSON object per line from standard input, with the statistics of a batch's gradients, and answers each
    /// with one line on standard output before it reads the next. Empty lines are skipped. Without flags: AdAdaGrad
    /// with the norm test and eta 0.1, from 64 samples, at most 65,536 and at most --training-samples.
    ///
    /// The first batch is yours: --initial-batch, or 64. The state of the rule (samples seen, averages, windows, the factor of
    /// the learning rate) lives as long as the process. To continue a training run, start it again and first give it the
    /// lines of the run so far: the answers are the same.
    #[command(after_long_help = ADVISE_EXAMPLES)]
    Advise(AdviseArguments),
    /// Run an experiment: a set of training runs, and a report that compares them
    ///
    /// Every run is a `train` command, which the report shows. After an interruption the same command continues where it
    /// stopped; finished runs are not repeated. Without an experiment, the list of experiments is printed.
    #[command(after_long_help = REPRODUCE_EXAMPLES)]
    Reproduce(ReproduceArguments),
    /// Measurements that start from a checkpoint
    #[command(subcommand)]
    Measure(MeasureCommand),
    /// Check a data set, or write it in another format
    #[command(subcommand)]
    Data(DataCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum MeasureCommand {
    /// Measure the critical batch size, up to which larger batches do not increase the loss
    ///
    /// Trains several times from the checkpoint on the same samples, with batches of k B samples and the learning rate
    /// f(k) alpha, for k = 1, 2, 4, ...; f(k) is the square root of k for optimizers that divide by the root of squared
    /// gradients, and k for the others. The answer is the largest batch whose smoothed loss stays within the tolerance
    /// of the best so far (arXiv 2505.23971). The checkpoint is never changed.
    #[command(allow_negative_numbers = true, after_long_help = CRITICAL_BATCH_EXAMPLES)]
    CriticalBatch(Box<CriticalBatchArguments>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Check whether a data set is complete; list its files with their SHA-256, its shape, classes and images per class, or
    /// the tokens of a text
    ///
    /// Reads every file to its end, in any format that `train --data` takes.
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Write a data set as the binary files of CIFAR-10 (3x32x32 pixels, ten classes) or as IDX files (all others)
    #[command(after_long_help = PACK_EXAMPLES)]
    Pack(PackArguments),
}

const CHECK_EXAMPLES: &str = "\
Example:
  adadagrad data check cifar-10-batches-bin

Exit codes:
  0  complete
  1  files are missing or damaged";

const PACK_EXAMPLES: &str = "\
Example: your own images, decoded once
  adadagrad data pack photographs --resize 32x32 --output packed
  adadagrad train --data packed";

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Folder, archive or text file
    #[arg(value_name = "PATH")]
    pub(crate) folder: PathBuf,
    /// Expected data set [default: the one that is found there]
    #[arg(long, value_enum)]
    pub(crate) dataset: Option<DataSet>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PackArguments {
    #[command(flatten)]
    pub(crate) input: CheckArguments,
    /// Folder to write to. Files that exist there are not replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}

const TRAIN_EXAMPLES: &str = "\
Examples:
  The paper's CNN run (arXiv 2402.11215), 6 million samples:
    adadagrad train --preset paper-cnn --telemetry run.jsonl \\
      --save m.safetensors
  The same with another seed and a batch that at most doubles per step:
    adadagrad train --preset paper-cnn --seed 1 --growth-cap 2
  Adam with a constant batch size of 64:
    adadagrad train --model mlp --optimizer adam --learning-rate 0.001 \\
      --test none --initial-batch 64
  Stop with Ctrl-C (also within a step), and resume exactly:
    adadagrad train --preset quick --save m.safetensors
    adadagrad train --resume m.safetensors --save m.safetensors
  On four processes of a cluster (a program built with MPI):
    mpirun -n 4 adadagrad train --preset quick --save m.safetensors

Exit codes:
  0        finished
  1        failed: a loss that is not finite, or a file that cannot be written
  2        invalid command line or settings
  128 + n  interrupted by signal n: Ctrl-C 130, SIGTERM 143, SIGHUP 129

If the reader of a pipe exits, as in `| head -1`, the run continues, and the exit code stays the same.";

const SELFTEST_EXAMPLES: &str = "\
Examples:
  adadagrad selftest --output selftest.json
  adadagrad selftest --adapter llvmpipe

Exit codes:
  0  every kernel is correct
  1  a kernel is wrong, or the GPU cannot be used";

const STATISTICS_EXAMPLES: &str = "\
Examples:
  adadagrad statistics --model cnn --load model.safetensors --first 64
  adadagrad statistics --model logistic --batch 1000 --seed 3 --table

Prints one JSON object:
  samples              b
  loss                 nats
  accuracy
  mean_norm_sq         n = |g|^2 of the mean gradient g
  sum_squared_norms    S = sum of |g_i|^2
  variance             v = (S - b n)/(b - 1)
  variance_along       the sample variance of <g_i, g>
  variance_orthogonal  the variance orthogonal to g
  required             batch size that each test requires, before rounding up
  threshold            threshold of each test that this batch would just pass
  reasons              why a value is null";

const EVALUATE_EXAMPLES: &str = "\
Example:
  adadagrad evaluate --load model.safetensors";

const EXPORT_EXAMPLES: &str = "\
Example:
  adadagrad export --load run.safetensors --output model.safetensors

In PyTorch, with the module of the model (gpu/README.md describes all of them):
  from safetensors.torch import load_file
  model.load_state_dict(load_file(\"model.safetensors\"))";

const SAMPLE_EXAMPLES: &str = "\
Examples:
  adadagrad sample --load model.safetensors
  adadagrad sample --load model.safetensors --prompt \"To be, or \" --temperature 0.8 --characters 500";

const NETWORKS_EXAMPLES: &str = "\
Examples:
  adadagrad networks
  adadagrad networks resnet-20 --shape 3x32x32 --classes 100
  adadagrad networks cifar-cnn --json > net.json
  adadagrad networks --network net.json
  adadagrad train --network net.json";

const CRITICAL_BATCH_EXAMPLES: &str = "\
Examples:
  adadagrad measure critical-batch --load model.safetensors
  adadagrad measure critical-batch --load model.safetensors --base-batch 32 --samples 60000 --output critical.json

The optimizer's memory is that of the checkpoint if there is one; with another --optimizer it starts from zero. The \
answer is a lower bound if every batch tried stays within the tolerance, and an upper bound if only the smallest does.

Exit codes:
  0        measured
  1        failed: every run diverged, or a file cannot be read or written
  2        invalid command line or settings
  128 + n  interrupted by signal n: the table has the runs that had finished";

const RULES_EXAMPLES: &str = "\
Examples:
  adadagrad rules
  adadagrad rules --json
  adadagrad train --controller gradient_noise_scale --controller-scale 2
  adadagrad train --observe norm,noise_scale,cabs --coupling sqrt";

const ADVISE_EXAMPLES: &str = "\
Example:
  $ echo '{\"samples\":64,\"mean_norm_sq\":0.01,\"sum_squared_norms\":80}' | adadagrad advise --eta 0.5
  {\"next_batch\":504,\"learning_rate_scale\":1.0,\"wanted\":503.8730158730159,\"required\":503.8730158730159}

A line of input; fields marked with * are always needed, the others by some rules and tests:
  samples*                    b, the size of the batch
  mean_norm_sq*               |g|^2 of the mean gradient g
  sum_squared_norms           the sum over the samples of |g_i|^2, the squared norms of their gradients
  parts                       [{\"samples\":b_j,\"mean_norm_sq\":|g_j|^2}, ...] for parts of the batch
  sum_squared_inner_products  the sum over the samples of <g_i, g>^2
  sum_norm_inner_products     the sum of |g_i|^2 <g_i, g>
  sum_squared_square_norms    the sum of |g_i|^4
  coordinate_ratio            the quantile over the coordinates of variance / mean^2
  epoch_norm_sq               |sum of all gradients of the epoch so far|^2
  loss                        mean loss
  learning_rate               without the rule's factor, for cabs [default: that of the previous line]
  seconds                     how long the last step took

A line of output:
  next_batch                  size of the next batch
  extend_by                   how many samples are to be added to this batch before its step, if any: the next line must
                              then describe the whole batch (big_batch)
  learning_rate_scale         factor by which to multiply the learning rate
  wanted                      the size that the rule wanted, before rounding and limits
  required                    the size that the test requires
  reason                      why required is null, or why the rule keeps the size
  error                       what is wrong with the line; the size is kept

Exit codes:
  0  every line was answered with a size
  1  a line was not valid
  2  invalid command line or settings";

/// The device of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Device {
    /// The threads of the CPU
    #[default]
    Cpu,
    /// A GPU, through WebGPU
    Gpu,
    /// A hardware GPU if there is one, otherwise the threads of the CPU
    Auto,
}

impl Device {
    /// As `--device` has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Auto => "auto",
        }
    }
}

/// How ranks add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reduce {
    /// Part by part: the result is the same, bit for bit, for any number of ranks
    #[default]
    Exact,
    /// Rank by rank: fewer bytes are sent, and the bits of the result depend on the number of ranks, which are the
    /// workers of the worker-gradient test
    Fast,
}

impl From<Reduce> for Reduction {
    fn from(reduce: Reduce) -> Self {
        match reduce {
            Reduce::Exact => Self::Exact,
            Reduce::Fast => Self::Fast,
        }
    }
}

/// Data and device, for every command.
#[derive(Debug, Args)]
pub(crate) struct PlaceArguments {
    /// Data set [default: that of the checkpoint, otherwise what is found in --data, otherwise mnist]
    #[arg(long, value_enum, help_heading = "Data and device")]
    pub(crate) dataset: Option<DataSet>,
    /// Folder with the data set: IDX files, the binary files of CIFAR-10 or CIFAR-100 or their .tar.gz archive, or
    /// images as train/CLASS/*.png and test/CLASS/*.png (or .jpg); or a text file, uncompressed or .gz, whose last tenth
    /// is used for testing, or a folder with training.txt and validation.txt [default: the folder that `cargo xtask data` fills]
    #[arg(long, value_name = "PATH", help_heading = "Data and device")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Device to compute on
    #[arg(long, value_enum, default_value_t, help_heading = "Data and device")]
    pub(crate) device: Device,
    /// GPU to use: part of its name as `adadagrad devices` prints it [default: the fastest]
    #[arg(long, value_name = "NAME", help_heading = "Data and device")]
    pub(crate) adapter: Option<String>,
    /// GPU memory that may be used in addition to the data set, in MiB [default: 1024]. A batch that needs more is
    /// processed in micro-batches; its statistics stay exact
    #[arg(long, value_name = "MIB", value_parser = positive::<u32, NonZero<u32>>, help_heading = "Data and device")]
    pub(crate) gpu_memory: Option<NonZero<u32>>,
    /// Threads of the CPU engine [default: all hardware threads]. The result is the same, bit for bit, for any
    /// number
    #[arg(long, value_name = "N", value_parser = positive::<usize, NonZero<usize>>, help_heading = "Data and device")]
    pub(crate) threads: Option<NonZero<usize>>,
}

/// How data are read.
#[derive(Debug, Args)]
pub(crate) struct ReadingArguments {
    /// CIFAR-100: which of its labels are the classes [default: fine]
    #[arg(long, value_enum, help_heading = "Data and device")]
    pub(crate) labels: Option<LabelName>,
    /// Folders of images: resize all images to this number of pixels, such as 32x32
    #[arg(long, value_name = "ROWSxCOLUMNS", value_parser = image_size, help_heading = "Data and device")]
    pub(crate) resize: Option<[u32; 2]>,
    /// Data without a test set (IDX files or folders of images): the fraction of the training images of each class that is
    /// used for testing and not for training, above 0 and below 1, such as 0.1. The same fraction always gives the same
    /// images; give it again with --resume, `evaluate` and `statistics`
    #[arg(long, value_name = "FRACTION", value_parser = fraction, help_heading = "Data and device")]
    pub(crate) test_fraction: Option<f64>,
    #[arg(
        long,
        value_name = "TOKENS",
        value_parser = word_parser::<TokenKind>(TokenKind::NAMES),
        help = help_of("tokens"),
        help_heading = "Data and device"
    )]
    pub(crate) tokens: Option<TokenKind>,
    #[arg(
        long,
        value_name = "POSITIONS",
        value_parser = positive::<u32, NonZero<u32>>,
        help = help_of("context"),
        help_heading = "Data and device"
    )]
    pub(crate) context: Option<NonZero<u32>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LabelName {
    /// The 100 classes
    Fine,
    /// The 20 groups of classes
    Coarse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataSet {
    /// 60,000 + 10,000 handwritten digits
    Mnist,
    /// 60,000 + 10,000 pieces of clothing
    #[value(alias = "fashion_mnist")]
    FashionMnist,
    /// 50,000 + 10,000 colour photographs in ten classes, in the folder given with --data
    #[value(alias = "cifar-10")]
    Cifar10,
    /// The same number in 100 classes, or in 20 with --labels coarse
    #[value(alias = "cifar-100")]
    Cifar100,
    /// Nine plays by Shakespeare, as text
    Shakespeare,
    /// Your own images or text, given with --data
    Own,
}

impl From<DataSet> for DatasetName {
    fn from(set: DataSet) -> Self {
        match set {
            DataSet::Mnist => Self::Mnist,
            DataSet::FashionMnist => Self::FashionMnist,
            DataSet::Cifar10 => Self::Cifar10,
            DataSet::Cifar100 => Self::Cifar100,
            DataSet::Shakespeare => Self::Shakespeare,
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
    /// Write one JSON object per step to this file, pipe or device (TELEMETRY.md of the package describes all fields).
    /// The file is locked during the run
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) telemetry: Option<PathBuf>,
    /// Write a checkpoint to this file when the run ends or is interrupted, and at the interval --save-every:
    /// parameters that PyTorch can open, and the complete state for --resume. A run that fails is saved next to it, as
    /// NAME-failed
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) save: Option<PathBuf>,
    /// Interval between checkpoints: a number of samples (60000) or steps ("100 steps"), a time ("30 s", "10 minutes",
    /// "2 hours"), or never. A run that is killed loses at most this much. Each checkpoint replaces the previous one. If
    /// --save names a file of another run, that file is kept until this run ends, and checkpoints are written next to
    /// it, as NAME-unfinished
    #[arg(
        long,
        value_name = "INTERVAL",
        default_value = "5 minutes",
        requires = "save",
        help_heading = "Files"
    )]
    pub(crate) save_every: SaveEvery,
    /// Start a new run from the parameters in this safetensors file
    #[arg(long, value_name = "FILE", conflicts_with = "resume", help_heading = "Files")]
    pub(crate) load: Option<PathBuf>,
    /// Continue the run of this checkpoint exactly where it stopped. Its settings are kept; only --sample-budget and
    /// --evaluate-every may be changed. With --telemetry, lines after the step of the checkpoint are replaced
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub(crate) resume: Option<PathBuf>,
    /// Print the GPU time of each kernel, its GFLOP/s and GB/s, and the utilisation of the GPU by batch size
    #[arg(long, help_heading = "Data and device")]
    pub(crate) profile: bool,
    /// With several ranks: how the sums of a batch's parts are added
    #[arg(long, value_enum, default_value_t, help_heading = "Data and device")]
    pub(crate) reduce: Reduce,
    /// Do not print progress, only the summary
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print the settings as JSON, in the format that --config reads, and exit
    #[arg(long)]
    pub(crate) print_config: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("samples").required(true).args(["first", "batch"]))]
pub(crate) struct StatisticsArguments {
    #[command(flatten)]
    pub(crate) network: NetworkArguments,
    /// Parameters from this safetensors file [default: random, drawn from --seed]
    #[arg(long, value_name = "FILE")]
    pub(crate) load: Option<PathBuf>,
    /// N training samples in file order, from sample --start; N >= 1. Either this or --batch is required
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    #[arg(conflicts_with = "batch", required_unless_present = "batch")]
    pub(crate) first: Option<u32>,
    /// N training samples in the order of a run with --seed; N >= 1. Either this or --first is required
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    pub(crate) batch: Option<u32>,
    /// Number of samples to skip before the batch, 0 to 2^53 - 1
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = whole::<u64>)]
    pub(crate) start: u64,
    /// Determines the initial parameters and the order of the samples [default: that of the run in --load, otherwise 0]
    #[arg(long, value_parser = whole::<u64>)]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) tests: EveryChoice<AnyTest>,
    /// Print a table instead of the JSON object
    #[arg(long)]
    pub(crate) table: bool,
    /// Print the JSON object (the default)
    #[arg(long, conflicts_with = "table")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// The networks, as `adadagrad networks` lists them [default: logistic,mlp,cnn]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) models: Vec<Model>,
    /// Batch sizes [default: those of 16,64,256,1024,4096 that the data set has samples for, otherwise its whole
    /// training set]
    #[arg(long, value_delimiter = ',', value_parser = whole_in_list::<u32>)]
    pub(crate) batches: Vec<u32>,
    /// The test whose statistics are timed
    #[arg(long, value_parser = choice_parser::<AnyTest>(), default_value = "norm")]
    pub(crate) test: Chosen<AnyTest>,
    /// The optimizer of the steps
    #[arg(long, value_parser = choice_parser::<AnyOptimizer>(), default_value = "adagrad")]
    pub(crate) optimizer: Chosen<AnyOptimizer>,
    /// Seconds per model and batch size, > 0; at least three pairs of steps are timed
    #[arg(long, value_parser = number, default_value_t = 2.0)]
    pub(crate) seconds: f64,
    /// Print one JSON object instead of the tables
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

/// The device of a self-test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestedDevice {
    /// A GPU, through WebGPU
    #[default]
    Gpu,
}

#[derive(Debug, Args)]
pub(crate) struct SelftestArguments {
    /// Device to check: a GPU
    #[arg(long, value_enum, default_value_t)]
    pub(crate) device: TestedDevice,
    /// GPU to use: part of its name as `adadagrad devices` prints it [default: the fastest]
    #[arg(long, value_name = "NAME")]
    pub(crate) adapter: Option<String>,
    /// Write the whole report as one JSON object to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// Parameters from this safetensors file
    #[arg(long, value_name = "FILE")]
    pub(crate) load: PathBuf,
    #[command(flatten)]
    pub(crate) network: NetworkArguments,
    /// Print one JSON object instead of the tables
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// Parameters from this safetensors file
    #[arg(long, value_name = "FILE")]
    pub(crate) load: PathBuf,
    /// Write the parameters to this file. A file that exists is refused
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Replace the file given with --output if it exists
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) network: NetworkArguments,
}

#[derive(Debug, Args)]
pub(crate) struct SampleArguments {
    /// The checkpoint of a run on a text
    #[arg(long, value_name = "FILE")]
    pub(crate) load: PathBuf,
    /// The text to continue [default: a line break]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) prompt: Option<String>,
    /// The network's outputs are divided by this number before the softmax: below 1 the text is more predictable, above 1 less. 0
    /// takes the most probable character each time
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, allow_hyphen_values = true, value_parser = not_negative)]
    pub(crate) temperature: f64,
    /// Number of characters after the prompt
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = whole::<u32>)]
    pub(crate) characters: u32,
    /// Decides which characters are drawn
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct NetworksArguments {
    /// The network whose layers are listed [default: a table of all networks]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<Model>,
    /// Your own network
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    pub(crate) network: Option<PathBuf>,
    /// Shape of a sample: channels x height x width [default: 1x28x28 for logistic, mlp and cnn, 1x1x64 for transformer,
    /// otherwise 3x32x32]
    #[arg(long, value_name = "CxHxW", value_parser = shape)]
    pub(crate) shape: Option<Shape>,
    /// Number of classes, at least 2, or of tokens for transformer [default: 10, or 65 for transformer]
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    pub(crate) classes: Option<u32>,
    /// Print the layers in the form that --network reads
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArguments {
    /// Print a JSON array with the settings as --config reads them
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReproduceArguments {
    /// Name of an experiment, or a JSON file that describes one
    #[arg(value_name = "EXPERIMENT")]
    pub(crate) experiment: Option<String>,
    /// Short runs, at most two minutes on two processors; the program fails if a figure is outside the range that the
    /// experiment states
    #[arg(long, requires = "experiment")]
    pub(crate) quick: bool,
    /// Folder for the runs and the report [default: results/EXPERIMENT]
    #[arg(long, value_name = "DIR", requires = "experiment")]
    pub(crate) out: Option<PathBuf>,
    /// Folder or file of the data set, or the folder that holds a folder for each data set, such as mnist [default: the
    /// folder that `cargo xtask data` fills]
    #[arg(long, value_name = "PATH", requires = "experiment")]
    pub(crate) data: Option<PathBuf>,
    /// Threads of each run [default: all]
    #[arg(long, value_name = "N", requires = "experiment", value_parser = positive::<usize, NonZero<usize>>)]
    pub(crate) threads: Option<NonZero<usize>>,
    /// Device of each run
    #[arg(long, value_enum, default_value_t, requires = "experiment")]
    pub(crate) device: Device,
    /// Command that starts the program of each run, such as "mpirun -n 4"
    #[arg(long, value_name = "COMMAND", requires = "experiment")]
    pub(crate) launcher: Option<String>,
}

const REPRODUCE_EXAMPLES: &str = "\
Examples:
  The experiments:
    adadagrad reproduce
  The paper's runs on MNIST, which take hours; after Ctrl-C the same command continues:
    adadagrad reproduce paper-mnist
  The same, much shortened:
    adadagrad reproduce paper-mnist --quick";

#[derive(Debug, Args)]
pub(crate) struct CriticalBatchArguments {
    /// Safetensors file with the parameters; if it is a checkpoint, its optimizer and settings are used as well
    #[arg(long, value_name = "FILE")]
    pub(crate) load: PathBuf,
    #[command(flatten)]
    pub(crate) network: NetworkArguments,
    /// B, the size of the smallest batches
    #[arg(long, value_name = "SAMPLES", value_parser = positive::<u32, NonZero<u32>>, default_value = "64")]
    pub(crate) base_batch: NonZero<u32>,
    /// Training samples per run, rounded up to whole batches of the largest size [default: 16 batches of that size]
    #[arg(long, value_name = "SAMPLES", value_parser = positive::<u64, NonZero<u64>>)]
    pub(crate) samples: Option<NonZero<u64>>,
    /// The largest k
    #[arg(long, value_name = "K", value_parser = positive::<u32, NonZero<u32>>, default_value = "32")]
    pub(crate) largest_factor: NonZero<u32>,
    /// By how many nats a smoothed loss may exceed the smallest one so far
    #[arg(long, value_name = "NATS", value_parser = number, default_value_t = 0.01)]
    pub(crate) tolerance: f64,
    /// Decay factor of the smoothed loss per B samples, at least 0 and below 1
    #[arg(long, value_name = "FACTOR", value_parser = number, default_value_t = 0.95)]
    pub(crate) smoothing: f64,
    /// Learning rate of the smallest batches [default: that of the checkpoint's next step, otherwise 0.008]
    #[arg(long, value_name = "RATE", value_parser = number)]
    pub(crate) learning_rate: Option<f64>,
    /// Determines the order of the samples [default: that of the checkpoint's run, otherwise 0]
    #[arg(long, value_parser = whole::<u64>)]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) optimizer: PartArguments<AnyOptimizer>,
    /// Write the table and the answer as one JSON object to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print only the table and the answer
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct AdviseArguments {
    #[command(flatten)]
    pub(crate) batch: BatchArguments,
    /// Number of training samples, for rules that count epochs
    #[arg(long, value_name = "N", value_parser = positive::<u32, NonZero<u32>>, help_heading = "Batch size")]
    pub(crate) training_samples: Option<NonZero<u32>>,
}
