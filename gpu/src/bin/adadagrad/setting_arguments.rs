//! The flags that make up a run description.

use std::path::PathBuf;

use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::Preset;
use adadagrad_core::controller::AnyController;
use adadagrad_core::coupling::Coupling;
use adadagrad_core::model::Model;
use adadagrad_core::observe::Observe;
use adadagrad_core::optimizer::{AnyOptimizer, DecayOn};
use adadagrad_core::schedule::Decay;
use clap::{Args, ValueEnum};

use crate::parts::{PartArguments, help_of, word_parser};
use crate::values::{number, whole};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetName {
    /// CNN to 95 % test accuracy in about a minute: AdaGrad 0.02, eta 1, batch size 8 to 4,096, at most doubling per step
    Quick,
    /// The paper's CNN run: AdaGrad 0.008, eta 0.1, batch size 8 to 60,000, 6 million samples
    PaperCnn,
    /// The paper's softmax regression: AdaGrad 0.008, eta 0.1, batch size 2 to 60,000, 6 million samples
    PaperLogistic,
    /// Small transformer for a text, Shakespeare's plays unless --dataset names another: AdamW 0.003, eta 0.8, batch size 8 to
    /// 1,024, at most doubling per step
    Text,
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Self {
        match name {
            PresetName::Quick => Self::Quick,
            PresetName::PaperCnn => Self::PaperCnn,
            PresetName::PaperLogistic => Self::PaperLogistic,
            PresetName::Text => Self::Text,
        }
    }
}

/// The settings of a run. Those that are not given come from the preset, or from the file given with --config.
#[derive(Debug, Default, Args)]
pub(crate) struct SettingArguments {
    /// Predefined settings; other flags override them [default: paper-cnn]
    #[arg(long, value_enum, help_heading = "Settings")]
    pub(crate) preset: Option<PresetName>,
    /// JSON file with settings, as --print-config writes them; other flags override them
    #[arg(long, value_name = "FILE", conflicts_with = "preset", help_heading = "Settings")]
    pub(crate) config: Option<PathBuf>,
    /// The network: logistic, mlp, mlp-HIDDEN, cnn, cifar-cnn, resnet-DEPTH, resnet-DEPTH-WIDTH, resnet18,
    /// resnet18-WIDTH, transformer or transformer-LAYERS-HEADS-WIDTH, as `adadagrad networks` lists them
    #[arg(long, value_name = "NAME", help_heading = "Settings")]
    pub(crate) model: Option<Model>,
    /// Your own network: a JSON list of layers, as `adadagrad networks NAME --json` prints them
    #[arg(long, value_name = "FILE", conflicts_with = "model", help_heading = "Settings")]
    pub(crate) network: Option<PathBuf>,
    /// Determines the initial parameters and the order of the samples; the same seed gives the same run, bit for bit, except with
    /// cost_aware, which decides from measured times.
    /// 0 to 2^53 - 1
    #[arg(long, value_parser = whole::<u64>, help_heading = "Settings")]
    pub(crate) seed: Option<u64>,
    /// The run stops after the step in which the number of samples seen reaches this number
    #[arg(long, value_parser = whole::<u64>, value_name = "SAMPLES", help_heading = "Settings")]
    pub(crate) sample_budget: Option<u64>,
    /// Number of samples between two measurements of the test accuracy, which is also measured at the end
    #[arg(long, value_parser = whole::<u64>, value_name = "SAMPLES", help_heading = "Settings")]
    pub(crate) evaluate_every: Option<u64>,

    /// Crop training images at random after padding them with this number of black pixels on each side, 0 to 32; 0 for
    /// no crop
    #[arg(long, value_parser = whole::<u32>, value_name = "PIXELS", help_heading = "Images")]
    pub(crate) crop_padding: Option<u32>,
    /// Mirror training images left to right at random, with probability 1/2
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Images")]
    pub(crate) flip: Option<bool>,
    /// Subtract the mean of each channel and divide by its standard deviation, both over all training images
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Images")]
    pub(crate) normalise: Option<bool>,

    #[command(flatten)]
    pub(crate) batch: BatchArguments,

    #[command(flatten)]
    pub(crate) optimizer: PartArguments<AnyOptimizer>,
    /// Learning rate, > 0
    #[arg(long, value_name = "RATE", value_parser = number, help_heading = "Optimizer")]
    pub(crate) learning_rate: Option<f64>,

    #[arg(
        long,
        value_name = "TENSORS",
        value_parser = word_parser::<DecayOn>(DecayOn::NAMES),
        help = help_of("decay_on"),
        help_heading = "Optimizer"
    )]
    pub(crate) decay_on: Option<DecayOn>,

    #[arg(
        long,
        value_name = "NORM",
        value_parser = number,
        help = help_of("clip_norm"),
        help_heading = "Optimizer"
    )]
    pub(crate) clip_norm: Option<f64>,

    #[arg(
        long,
        value_name = "COUPLING",
        value_parser = word_parser::<Coupling>(Coupling::NAMES),
        help = help_of("coupling"),
        help_heading = "Optimizer"
    )]
    pub(crate) coupling: Option<Coupling>,

    #[arg(
        long,
        value_name = "N",
        value_parser = whole::<u32>,
        help = help_of("parts"),
        help_heading = "Batch size"
    )]
    pub(crate) parts: Option<u32>,

    #[arg(
        long,
        value_name = "NAMES",
        help = help_of("observe"),
        help_heading = "Batch size"
    )]
    pub(crate) observe: Option<Observe>,

    /// The learning rate rises linearly from 0 over this number of samples; 0 for no warm-up
    #[arg(long, value_parser = whole::<u64>, value_name = "SAMPLES", help_heading = "Learning-rate schedule")]
    pub(crate) warm_up_samples: Option<u64>,
    #[command(flatten)]
    pub(crate) decay: PartArguments<Decay>,
}

/// How the sizes of batches are chosen.
#[derive(Debug, Default, Args)]
pub(crate) struct BatchArguments {
    #[command(flatten)]
    pub(crate) test: PartArguments<AnyTest>,
    #[command(flatten)]
    pub(crate) controller: PartArguments<AnyController>,
    /// Initial batch size in samples; at least 2 with a test, because one sample has no variance
    #[arg(long, value_parser = whole::<u32>, value_name = "SAMPLES", help_heading = "Batch size")]
    pub(crate) initial_batch: Option<u32>,
    /// Smallest batch size in samples
    #[arg(long, value_parser = whole::<u32>, value_name = "SAMPLES", help_heading = "Batch size")]
    pub(crate) min_batch: Option<u32>,
    /// Largest batch size in samples, at most the number of training samples
    #[arg(long, value_parser = whole::<u32>, value_name = "SAMPLES", help_heading = "Batch size")]
    pub(crate) max_batch: Option<u32>,
}
