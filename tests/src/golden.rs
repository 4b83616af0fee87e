//! The reference numbers of `tests/golden`, as they lie in the files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, OrthogonalityTest,
};
use adadagrad_core::layer::{
    Add, AveragePool2d, CausalAttention, Conv2d, Dense, Embedding, Flatten, Gelu, GlobalAveragePool,
    GroupNorm, LayerNorm, MaxPool2d, Operation, PositionEmbedding, Relu, Tanh,
};
use adadagrad_core::network::{Node, Source};
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, AdaGradNormDelayed, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd,
};
use adadagrad_core::statistics::Reason;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::tape::source;

/// A number, or `None` where it is undefined (or, in gradients, NaN).
pub type Number = Option<f64>;

/// Reads one file of the folder named by the environment variable `GOLDEN_DIR`, else of `tests/golden`.
///
/// # Panics
/// When the file is not there or not of the expected form.
#[must_use]
pub fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = folder().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where the numbers are. A relative `GOLDEN_DIR` may start at the project's folder: tests run in `tests`.
fn folder() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let Some(named) = env::var_os("GOLDEN_DIR").filter(|named| !named.is_empty()).map(PathBuf::from) else {
        return package.join("golden");
    };
    let from_project = package.join("..").join(&named);
    if !named.exists() && from_project.exists() { from_project } else { named }
}

/// The library's name for a reason in the files.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn reason(name: &str) -> Reason {
    serde_json::from_value(name.into()).unwrap_or_else(|error| panic!("the reason {name}: {error}"))
}

/// `statistics.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct StatisticsFile {
    /// Gradient matrices.
    pub cases: Vec<StatisticsCase>,
    /// The controller alone.
    pub controller_table: Vec<ControllerRow>,
}

/// One gradient matrix and everything about it.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct StatisticsCase {
    pub name: String,
    pub exact_in_f64: bool,
    pub lr: f64,
    pub loss: f64,
    pub gradients: Vec<Vec<Number>>,
    pub expected: Expected,
    pub controller: Vec<ControllerRow>,
}

/// The statistics of one batch.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, non_snake_case, reason = "the fields have the files' names")]
pub struct Expected {
    pub mean_gradient: Vec<Number>,
    pub per_sample_squared_norms: Option<Vec<Number>>,
    pub per_sample_inner_products: Option<Vec<Number>>,
    pub n: Number,
    pub S: Number,
    pub P2: Number,
    pub v1: Number,
    pub v_ip: Number,
    pub v_orth: Number,
    pub n_unb: Number,
    pub coordinate_variances: Vec<Number>,
    pub required: BTreeMap<String, Vec<RequiredRow>>,
    /// The rivals' quantities are in `statistics.json` only.
    pub gns: Number,
    pub dive_batch_diversity: Number,
    pub cabs_xi: Number,
    pub cabs: Number,
    #[serde(default)]
    pub reasons: BTreeMap<String, String>,
}

/// A required size at one threshold.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct RequiredRow {
    pub eta: Number,
    pub theta: Number,
    pub nu: Number,
    pub value: Number,
    pub ceil: Number,
    pub ceil_low: Number,
    pub ceil_high: Number,
    pub reason: Option<String>,
    pub left_out: Option<usize>,
    pub literally_infinite: Option<bool>,
}

/// One decision of the controller.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct ControllerRow {
    pub test: Option<String>,
    pub threshold_index: Option<usize>,
    pub required: Number,
    pub current: u32,
    pub min: u32,
    pub max: u32,
    pub next: u32,
    pub next_low: Option<u32>,
    pub next_high: Option<u32>,
}

/// A test by the name that the files give it.
///
/// # Panics
/// When the name is unknown or its threshold missing.
#[must_use]
pub fn batch_test(name: &str, eta: Number, theta: Number, nu: Number) -> AnyTest {
    let given = |threshold: Number| threshold.expect("a threshold");
    match name {
        "norm" => AnyTest::Norm(NormTest { eta: given(eta), debiased: false }),
        "inner_product" => {
            AnyTest::InnerProduct(InnerProductTest { theta: given(theta), leave_one_out: false })
        }
        "orthogonality" => AnyTest::Orthogonality(OrthogonalityTest { nu: given(nu) }),
        "augmented" => {
            AnyTest::Augmented(AugmentedTest { theta: given(theta), nu: given(nu), leave_one_out: false })
        }
        "coordinate_norm" => AnyTest::CoordinateNorm(CoordinateNormTest { eta: given(eta), quantile: 1.0 }),
        other => panic!("unknown test {other}"),
    }
}

/// `merge.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct MergeFile {
    /// Batches in pieces.
    pub cases: Vec<MergeCase>,
}

/// A batch cut into micro-batches.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct MergeCase {
    pub name: String,
    pub sizes: Vec<usize>,
    pub gradients: Vec<Vec<Number>>,
    pub chunks: Vec<Chunk>,
    pub pooled: Expected,
    pub workers: Workers,
}

/// What a micro-batch can tell on its own.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, non_snake_case, reason = "the fields have the files' names")]
pub struct Chunk {
    pub size: usize,
    pub mean_gradient: Vec<f64>,
    pub S: f64,
    pub coordinate_centred_sums: Vec<f64>,
    pub centred_sum: f64,
    pub trace: Number,
    pub P2_with_pooled_gradient: f64,
}

/// The norm test from the pieces' means.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, non_snake_case, reason = "the fields have the files' names")]
pub struct Workers {
    pub J: u32,
    pub n: f64,
    pub between: f64,
    pub trace: Number,
    pub required_norm: Vec<RequiredRow>,
    pub reasons: BTreeMap<String, String>,
}

/// `optimizers.json`.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct OptimizersFile {
    pub start: Vec<f64>,
    pub gradients: Vec<Vec<f64>>,
    pub runs: Vec<OptimizerRun>,
}

/// An optimizer's path.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct OptimizerRun {
    pub name: String,
    pub hyper: Hyper,
    pub parameters: Vec<Vec<f64>>,
    pub final_state: BTreeMap<String, State>,
}

/// Memory values: one for each parameter, or one for all.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum State {
    /// One for all.
    Shared(f64),
    /// One for each.
    Each(Vec<f64>),
}

/// An optimizer's settings by name.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Hyper(BTreeMap<String, f64>);

impl Hyper {
    /// One setting.
    ///
    /// # Panics
    /// When it is missing.
    #[must_use]
    pub fn get(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("the setting {name} is missing"))
    }

    /// The optimizer of a name in the files, and its learning rate.
    ///
    /// # Panics
    /// When the name is unknown, or a setting is missing or not one of the optimizer's.
    #[must_use]
    pub fn optimizer(&self, name: &str) -> (AnyOptimizer, f64) {
        let get = |setting| self.get(setting);
        let weight_decay = 0.0;
        let (known, optimizer): (&[&str], _) = match name {
            "sgd" => (&[], AnyOptimizer::Sgd(Sgd::default())),
            "sgd_momentum" => (
                &["momentum", "dampening"],
                AnyOptimizer::Momentum(Momentum { momentum: get("momentum"), weight_decay }),
            ),
            "sgd_nesterov" => (
                &["momentum", "dampening"],
                AnyOptimizer::Nesterov(Nesterov { momentum: get("momentum"), weight_decay }),
            ),
            "adagrad" => (
                &["eps", "initial_accumulator"],
                AnyOptimizer::AdaGrad(AdaGrad {
                    initial_accumulator: get("initial_accumulator"),
                    epsilon: get("eps"),
                    weight_decay,
                }),
            ),
            "adagrad_norm" => (&["b0"], AnyOptimizer::AdaGradNorm(AdaGradNorm { initial_norm: get("b0") })),
            "adagrad_norm_delayed" => (
                &["alpha", "beta"],
                AnyOptimizer::AdaGradNormDelayed(AdaGradNormDelayed { beta: get("beta") }),
            ),
            "rmsprop" => (
                &["alpha", "eps"],
                AnyOptimizer::RmsProp(RmsProp { alpha: get("alpha"), epsilon: get("eps"), weight_decay }),
            ),
            "adam" => (
                &["beta1", "beta2", "eps"],
                AnyOptimizer::Adam(Adam {
                    beta1: get("beta1"),
                    beta2: get("beta2"),
                    epsilon: get("eps"),
                    weight_decay,
                }),
            ),
            "adamw" => (
                &["beta1", "beta2", "eps", "weight_decay"],
                AnyOptimizer::AdamW(AdamW {
                    beta1: get("beta1"),
                    beta2: get("beta2"),
                    epsilon: get("eps"),
                    weight_decay: get("weight_decay"),
                }),
            ),
            other => panic!("unknown optimizer {other}"),
        };
        for setting in self.0.keys().filter(|setting| *setting != "lr") {
            assert!(known.contains(&setting.as_str()), "{name} has no setting {setting}");
        }
        assert!(!known.contains(&"dampening") || get("dampening") == 0.0, "dampening is not supported");
        (optimizer, get(if name == "adagrad_norm_delayed" { "alpha" } else { "lr" }))
    }
}

/// `networks.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct NetworksFile {
    /// Networks with a batch each.
    pub cases: Vec<NetworkCase>,
}

/// A network and a batch.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct NetworkCase {
    pub name: String,
    pub layers: Vec<NodeRow>,
    pub input_shape: Vec<u32>,
    pub classes: usize,
    #[serde(rename = "D")]
    pub parameter_count: usize,
    pub parameters: Vec<f64>,
    pub inputs: Vec<Vec<f64>>,
    pub labels: Vec<Labels>,
    pub expected: NetworkExpected,
    #[serde(default)]
    pub input_kind: InputKind,
    /// Names and dimensions of the parameter tensors, where the case is a model's.
    #[serde(default)]
    pub tensors: serde_json::Map<String, serde_json::Value>,
}

/// What the inputs are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Numbers.
    #[default]
    Real,
    /// Whole numbers from 0, a sequence of them.
    Token,
}

/// A sample's label, or one for each position of a sequence.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Labels {
    /// Of a sample.
    One(u32),
    /// Of a sequence.
    Each(Vec<u32>),
}

impl Labels {
    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        match self {
            Self::One(label) => std::slice::from_ref(label),
            Self::Each(labels) => labels,
        }
    }
}

/// A layer, and what it reads.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeRow {
    /// Its inputs by number, 0 being the network's; without them what the row before gives.
    pub inputs: Option<Vec<u16>>,
    /// The layer.
    #[serde(flatten)]
    pub layer: LayerRow,
}

/// A layer by the name that the files give it.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub enum LayerRow {
    Dense {
        r#in: u32,
        out: u32,
    },
    Conv {
        r#in: u32,
        out: u32,
        kernel: u32,
        padding: u32,
        #[serde(default = "one")]
        stride: u32,
        #[serde(default = "yes")]
        bias: bool,
    },
    Relu,
    Tanh,
    Gelu,
    MaxPool {
        size: u32,
    },
    AveragePool {
        size: u32,
        stride: u32,
    },
    GlobalAveragePool,
    GroupNorm {
        groups: u32,
        channels: u32,
    },
    Add,
    Flatten,
    LayerNorm {
        width: u32,
    },
    Embedding {
        vocabulary: u32,
        width: u32,
    },
    PositionEmbedding {
        positions: u32,
        width: u32,
    },
    CausalAttention {
        width: u32,
        heads: u32,
    },
}

const fn one() -> u32 {
    1
}

const fn yes() -> bool {
    true
}

impl LayerRow {
    /// The library's operation.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match *self {
            Self::Dense { out, .. } => Dense { outputs: out }.into(),
            Self::Conv { out: outputs, kernel, padding, stride, bias, .. } => {
                Conv2d { outputs, kernel, stride, padding, bias }.into()
            }
            Self::Relu => Relu.into(),
            Self::Tanh => Tanh.into(),
            Self::Gelu => Gelu.into(),
            Self::MaxPool { size } => MaxPool2d { kernel: size, stride: size }.into(),
            Self::AveragePool { size, stride } => AveragePool2d { kernel: size, stride }.into(),
            Self::GlobalAveragePool => GlobalAveragePool.into(),
            Self::GroupNorm { groups, .. } => GroupNorm { groups }.into(),
            Self::Add => Add.into(),
            Self::Flatten => Flatten.into(),
            Self::LayerNorm { .. } => LayerNorm.into(),
            Self::Embedding { vocabulary, width } => Embedding { vocabulary, width }.into(),
            Self::PositionEmbedding { positions, .. } => PositionEmbedding { positions }.into(),
            Self::CausalAttention { heads, .. } => CausalAttention { heads }.into(),
        }
    }

    /// The input width or channels that the file gives, where it does.
    #[must_use]
    pub fn input(&self) -> Option<u32> {
        match *self {
            Self::Dense { r#in: width, .. }
            | Self::Conv { r#in: width, .. }
            | Self::GroupNorm { channels: width, .. }
            | Self::LayerNorm { width }
            | Self::PositionEmbedding { width, .. } => Some(width),
            Self::CausalAttention { width, .. } => Some(3 * width),
            _ => None,
        }
    }
}

impl NetworkCase {
    /// The tape.
    ///
    /// # Panics
    /// When a layer has more than two inputs.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        let node = |(before, row): (u16, &NodeRow)| {
            let inputs = match row.inputs.as_deref() {
                None => [source(before), Source::None],
                Some(&[input]) => [source(input), Source::None],
                Some(&[first, second]) => [first, second].map(source),
                Some(inputs) => panic!("{}: a layer with the inputs {inputs:?}", self.name),
            };
            Node::with_inputs(row.layer.operation(), inputs)
        };
        (0..).zip(&self.layers).map(node).collect()
    }
}

/// The cases of `layers.json`, and the whole transformer of `transformer.json`.
///
/// # Panics
/// When the file is not there or not of the expected form.
#[must_use]
pub fn layers() -> Vec<NetworkCase> {
    ["layers.json", "transformer.json"]
        .into_iter()
        .flat_map(|name| read::<NetworksFile>(name).cases)
        .collect()
}

/// What a network's batch gives.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, non_snake_case, reason = "the fields have the files' names")]
pub struct NetworkExpected {
    pub logits: Vec<Vec<f64>>,
    pub losses: Vec<f64>,
    pub mean_loss: f64,
    pub accuracy: f64,
    pub mean_gradient: Vec<f64>,
    pub per_sample_squared_norms: Vec<f64>,
    pub per_sample_inner_products: Vec<f64>,
    pub sum_squared_gradients: Vec<f64>,
    pub n: f64,
    pub S: f64,
    pub P2: f64,
    pub v1: f64,
    pub v_ip: f64,
    pub v_orth: f64,
    pub n_unb: f64,
}

/// `trajectory.json`.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct TrajectoryFile {
    pub features: u32,
    pub classes: u32,
    pub samples: u32,
    pub steps: usize,
    pub inputs: Vec<Vec<f64>>,
    pub labels: Vec<u32>,
    pub first_batch: u32,
    pub min_batch: u32,
    pub max_batch: u32,
    pub runs: Vec<TrajectoryRun>,
}

/// One run.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct TrajectoryRun {
    pub name: String,
    pub optimizer: String,
    pub hyper: Hyper,
    pub test: TestRow,
    pub steps: TrajectorySteps,
    pub final_parameters: Vec<f64>,
    pub samples_processed: u64,
}

/// A run's test.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct TestRow {
    pub test: String,
    pub eta: Number,
    pub theta: Number,
    pub nu: Number,
}

/// A run's steps, in columns.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, non_snake_case, reason = "the fields have the files' names")]
pub struct TrajectorySteps {
    pub k: Vec<usize>,
    pub start: Vec<u32>,
    pub batch: Vec<u32>,
    pub loss: Vec<f64>,
    pub T: Vec<f64>,
    pub n: Vec<f64>,
    pub v1: Vec<f64>,
    pub v_ip: Vec<f64>,
    pub v_orth: Vec<f64>,
    pub next_batch: Vec<u32>,
}

/// `controllers.json`.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct ControllersFile {
    pub features: u32,
    pub classes: u32,
    pub samples: u32,
    pub steps: usize,
    pub inputs: Vec<Vec<f64>>,
    pub labels: Vec<u32>,
    pub runs: Vec<ControllerRun>,
    pub sensors: Vec<SensorCase>,
    pub coupling: Vec<CouplingRow>,
}

/// One run under one rule.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct ControllerRun {
    pub name: String,
    pub optimizer: String,
    pub hyper: Hyper,
    pub rule: serde_json::Map<String, serde_json::Value>,
    pub first_batch: u32,
    pub min_batch: u32,
    pub max_batch: u32,
    /// In columns.
    pub steps: BTreeMap<String, Vec<serde_json::Value>>,
    pub final_parameters: Vec<f64>,
    pub samples_processed: u64,
}

/// One gradient matrix and its noise scales.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, non_snake_case, reason = "the fields have the files' names")]
pub struct SensorCase {
    pub name: String,
    pub B: u32,
    pub gradients: Vec<Vec<f64>>,
    pub preconditioner: Vec<f64>,
    pub expected: BTreeMap<String, SensorRow>,
}

/// One noise scale.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct SensorRow {
    pub noise: Number,
    pub signal: Number,
    pub scale: Number,
    pub reason: Option<String>,
}

/// What a coupling makes of a change of the batch size.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields have the files' names")]
pub struct CouplingRow {
    pub rule: String,
    pub batch: u32,
    pub next_batch: u32,
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub next_lr: Number,
    pub next_beta1: Number,
    pub next_beta2: Number,
    pub reason: Option<String>,
}

/// `mnist_first_batch.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct MnistFile {
    /// Batches of training images in file order.
    pub batches: Vec<MnistBatch>,
}

/// One batch of training images.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, non_snake_case, reason = "the fields have the files' names")]
pub struct MnistBatch {
    pub start: u32,
    pub count: u32,
    pub labels: Vec<u8>,
    pub pixel_sum: u64,
    pub losses_all_equal_to: f64,
    pub mean_loss: f64,
    pub per_sample_squared_norms: Vec<f64>,
    pub per_sample_inner_products: Vec<f64>,
    pub n: f64,
    pub S: f64,
    pub P2: f64,
    pub v1: f64,
    pub v_ip: f64,
    pub v_orth: f64,
    pub n_unb: f64,
    pub required: BTreeMap<String, RequiredRow>,
}
