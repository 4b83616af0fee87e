//! The flags that make up a run description.

use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, OrthogonalityTest, WorkerNormTest,
};
use std::path::PathBuf;

use adadagrad_core::config::Preset;
use adadagrad_core::model::Model;
use clap::{Args, ValueEnum};

use crate::values::{number, whole};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetName {
    /// CNN to 95 % test accuracy in about a minute: AdaGrad 0.02, eta 1, batch size 8 to 4,096, at most doubling per step
    Quick,
    /// The paper's CNN run: AdaGrad 0.008, eta 0.1, batch size 8 to 60,000, 6 million samples
    PaperCnn,
    /// The paper's softmax regression: AdaGrad 0.008, eta 0.1, batch size 2 to 60,000, 6 million samples
    PaperLogistic,
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Self {
        match name {
            PresetName::Quick => Self::Quick,
            PresetName::PaperCnn => Self::PaperCnn,
            PresetName::PaperLogistic => Self::PaperLogistic,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerName {
    /// x <- x - rate * g
    Sgd,
    /// Heavy-ball momentum
    Momentum,
    /// Nesterov momentum
    Nesterov,
    /// A step size per coordinate from the sum of squares
    Adagrad,
    /// One step size from the sum of squared norms
    #[value(name = "adagrad_norm", alias = "adagrad-norm")]
    AdagradNorm,
    /// AdaGrad-Norm without this step's own gradient in the sum
    #[value(name = "adagrad_norm_delayed", alias = "adagrad-norm-delayed")]
    AdagradNormDelayed,
    /// A step size per coordinate from a running mean of squares
    Rmsprop,
    /// Momentum and running mean of squares, with bias correction
    Adam,
    /// Adam with decoupled weight decay
    Adamw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestName {
    /// Bounds the noise of the mean gradient by eta times its norm: v/b <= eta^2 n
    Norm,
    /// Bounds the variance along the mean gradient: v_along/b <= theta^2 n^2. Costs a second sweep
    #[value(name = "inner_product", alias = "inner-product")]
    InnerProduct,
    /// Bounds the variance orthogonal to the mean gradient: v_orth/b <= nu^2 n. Costs a second sweep
    Orthogonality,
    /// Inner product and orthogonality
    Augmented,
    /// The norm test in every coordinate, or in a fraction of them
    #[value(name = "coordinate_norm", alias = "coordinate-norm")]
    CoordinateNorm,
    /// The norm test estimated from the mean gradients of several parts, as with data-parallel workers
    #[value(name = "worker_norm", alias = "worker-norm")]
    WorkerNorm,
    /// No test: the batch size is constant
    None,
}

impl TestName {
    /// The test with its default thresholds.
    pub(crate) fn test(self) -> Option<AnyTest> {
        match self {
            Self::None => None,
            Self::Norm => Some(AnyTest::Norm(NormTest::default())),
            Self::InnerProduct => Some(AnyTest::InnerProduct(InnerProductTest::default())),
            Self::Orthogonality => Some(AnyTest::Orthogonality(OrthogonalityTest::default())),
            Self::Augmented => Some(AnyTest::Augmented(AugmentedTest::default())),
            Self::CoordinateNorm => Some(AnyTest::CoordinateNorm(CoordinateNormTest::default())),
            Self::WorkerNorm => Some(AnyTest::WorkerNorm(WorkerNormTest::default())),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ControllerName {
    /// Next batch size = min(max, ceil(max(b, T))): what the test requires, never smaller than the current size
    Adadagrad,
    /// Constant batch size; the test's result is reported, but has no effect
    Constant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DecayName {
    /// No decay
    Constant,
    /// Half a cosine wave down to --final-fraction of the rate at the end of the sample budget
    Cosine,
    /// Multiplied by --decay-factor after every --decay-every-samples samples
    Step,
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
    /// The network: logistic, mlp, mlp-HIDDEN, cnn, cifar-cnn, resnet-DEPTH, resnet-DEPTH-WIDTH, resnet18 or
    /// resnet18-WIDTH, as `adadagrad networks` lists them
    #[arg(long, value_name = "NAME", help_heading = "Settings")]
    pub(crate) model: Option<Model>,
    /// Your own network: a JSON list of layers, as `adadagrad networks NAME --json` prints them
    #[arg(long, value_name = "FILE", conflicts_with = "model", help_heading = "Settings")]
    pub(crate) network: Option<PathBuf>,
    /// Determines the initial parameters and the order of the samples; the same seed gives the same run, bit for bit.
    /// 0 to 2^53 - 1
    #[arg(long, value_parser = whole::<u64>, help_heading = "Settings")]
    pub(crate) seed: Option<u64>,
    /// The run stops at the first step after which this many samples were seen
    #[arg(long, value_parser = whole::<u64>, value_name = "SAMPLES", help_heading = "Settings")]
    pub(crate) sample_budget: Option<u64>,
    /// Number of samples between two measurements of the test accuracy, which is also measured at the end
    #[arg(long, value_parser = whole::<u64>, value_name = "SAMPLES", help_heading = "Settings")]
    pub(crate) evaluate_every: Option<u64>,

    /// Crop training images at random after padding them with this number of black pixels on each side, 0 to 32; 0 for
    /// no crop
    #[arg(long, value_parser = whole::<u32>, value_name = "PIXELS", help_heading = "Images")]
    pub(crate) crop_padding: Option<u32>,
    /// Mirror training images left to right at random, every other one
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Images")]
    pub(crate) flip: Option<bool>,
    /// Subtract the mean of each channel and divide by its standard deviation, both over all training images
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Images")]
    pub(crate) normalise: Option<bool>,

    /// The test that determines the next batch size
    #[arg(long, value_enum, help_heading = "Batch size")]
    pub(crate) test: Option<TestName>,
    /// Threshold of the norm tests (norm, coordinate_norm, worker_norm), > 0; a smaller one requires larger batches
    #[arg(long, value_parser = number, help_heading = "Batch size")]
    pub(crate) eta: Option<f64>,
    /// Threshold of the inner product test, > 0
    #[arg(long, value_parser = number, help_heading = "Batch size")]
    pub(crate) theta: Option<f64>,
    /// Threshold of the orthogonality test, > 0
    #[arg(long, value_parser = number, help_heading = "Batch size")]
    pub(crate) nu: Option<f64>,
    /// Fraction of the coordinates that must pass coordinate_norm, above 0 and at most 1; 1 is the paper's test
    #[arg(long, value_parser = number, help_heading = "Batch size")]
    pub(crate) quantile: Option<f64>,
    /// Number of parts that worker_norm compares, 2 to 1024
    #[arg(long, value_parser = whole::<u32>, value_name = "N", help_heading = "Batch size")]
    pub(crate) workers: Option<u32>,
    /// Norm test with the debiased n - v/b instead of n, which noise increases by about v/b
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Batch size")]
    pub(crate) debiased: Option<bool>,
    /// Inner product against the mean of the other samples
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Batch size")]
    pub(crate) leave_one_out: Option<bool>,
    /// The rule that turns the required size into the next batch size; --test none implies constant
    #[arg(long, value_enum, help_heading = "Batch size")]
    pub(crate) controller: Option<ControllerName>,
    /// Largest growth factor of the batch size in one step, > 1 [default: no cap]
    #[arg(long, value_name = "FACTOR", value_parser = number, help_heading = "Batch size")]
    pub(crate) growth_cap: Option<f64>,
    /// Initial batch size in samples; at least 2 with a test, because one sample has no variance
    #[arg(long, value_parser = whole::<u32>, value_name = "SAMPLES", help_heading = "Batch size")]
    pub(crate) initial_batch: Option<u32>,
    /// Smallest batch size in samples
    #[arg(long, value_parser = whole::<u32>, value_name = "SAMPLES", help_heading = "Batch size")]
    pub(crate) min_batch: Option<u32>,
    /// Largest batch size in samples, at most the number of training samples
    #[arg(long, value_parser = whole::<u32>, value_name = "SAMPLES", help_heading = "Batch size")]
    pub(crate) max_batch: Option<u32>,

    /// The optimizer, with PyTorch's semantics and defaults
    #[arg(long, value_enum, help_heading = "Optimizer")]
    pub(crate) optimizer: Option<OptimizerName>,
    /// Learning rate, > 0
    #[arg(long, value_name = "RATE", value_parser = number, help_heading = "Optimizer")]
    pub(crate) learning_rate: Option<f64>,
    /// momentum, nesterov: momentum factor, 0 to below 1
    #[arg(long, value_parser = number, help_heading = "Optimizer")]
    pub(crate) momentum: Option<f64>,
    /// adam, adamw: decay rate of the first moment, 0 to below 1
    #[arg(long, value_parser = number, help_heading = "Optimizer")]
    pub(crate) beta1: Option<f64>,
    /// adam, adamw: decay rate of the second moment, 0 to below 1
    #[arg(long, value_parser = number, help_heading = "Optimizer")]
    pub(crate) beta2: Option<f64>,
    /// rmsprop: decay rate of the mean of squares, 0 to below 1
    #[arg(long, value_parser = number, help_heading = "Optimizer")]
    pub(crate) alpha: Option<f64>,
    /// adagrad, rmsprop, adam, adamw: added to the square root in the denominator, > 0
    #[arg(long, value_parser = number, help_heading = "Optimizer")]
    pub(crate) epsilon: Option<f64>,
    /// L2 regularisation added to the gradient (adamw: decoupled from it), >= 0
    #[arg(long, value_parser = number, help_heading = "Optimizer")]
    pub(crate) weight_decay: Option<f64>,
    /// adagrad: initial value of the sums of squares, >= 0
    #[arg(long, value_name = "VALUE", value_parser = number, help_heading = "Optimizer")]
    pub(crate) initial_accumulator: Option<f64>,
    /// adagrad_norm: square root of the initial value of the sum of squared norms, > 0
    #[arg(long, value_name = "VALUE", value_parser = number, help_heading = "Optimizer")]
    pub(crate) initial_norm: Option<f64>,

    /// The learning rate rises linearly from 0 over this number of samples; 0 for no warm-up
    #[arg(long, value_parser = whole::<u64>, value_name = "SAMPLES", help_heading = "Learning-rate schedule")]
    pub(crate) warm_up_samples: Option<u64>,
    /// Decay of the learning rate after the warm-up
    #[arg(long, value_enum, help_heading = "Learning-rate schedule")]
    pub(crate) decay: Option<DecayName>,
    /// cosine: final fraction of the learning rate, 0 to 1 [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = number, help_heading = "Learning-rate schedule")]
    pub(crate) final_fraction: Option<f64>,
    /// step: samples between two decays, at least 1 [default: 60000]
    #[arg(long, value_parser = whole::<u64>, value_name = "SAMPLES", help_heading = "Learning-rate schedule")]
    pub(crate) decay_every_samples: Option<u64>,
    /// step: factor of each decay, above 0 and at most 1 [default: 0.5]
    #[arg(long, value_name = "FACTOR", value_parser = number, help_heading = "Learning-rate schedule")]
    pub(crate) decay_factor: Option<f64>,
}
