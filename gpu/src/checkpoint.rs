//! Checkpoints: safetensors files that PyTorch opens too.
//!
//! | name | shape | what |
//! |---|---|---|
//! | `<i>.weight` | \[out, in\] or \[out, in, kh, kw\] | weights of module i |
//! | `<i>.bias` | \[out\] | its biases |
//! | `optimizer.<slot>.<i>.weight`, `….bias` | as above | the optimizer's memory: slot 0 is AdaGrad's and RMSProp's sum or mean of squares, the momentum, Adam's first moment; slot 1 is Adam's second |
//!
//! i counts all modules from 0, as `torch.nn.Sequential` does: also ReLU, max-pooling and flattening. Where the network's
//! nodes have names, as those of ResNets (`layer1.0.conv1`, …, `fc`: torchvision's, with `norm` for `bn`) and of the user's
//! own, the name stands in place of i. All values are f32, little-endian. The entry `adadagrad` of the metadata holds a [`State`] as JSON, from which a run goes on as if
//! it had not stopped; files with parameters alone do without it.
//!
//! Files from elsewhere are read too: with other paths in place of i (see [`Checkpoint::parameters`]), with values of
//! type F16, BF16 or F64, and with tensors that are neither weights nor biases, which are left aside.

#[path = "checkpoint/floats.rs"]
mod floats;
#[path = "checkpoint/header.rs"]
mod header;
#[path = "checkpoint/layers.rs"]
mod layers;
#[path = "checkpoint/network.rs"]
mod network;

pub use adadagrad_core::digest::Digest as DataDigest;
pub use floats::float_size;
pub use network::{OwnNetwork, SampleSize, network_of};

use std::collections::HashMap;
use std::fmt;
#[cfg(not(target_family = "wasm"))]
use std::fs::File;
#[cfg(not(target_family = "wasm"))]
use std::io::{self, Read};
use std::ops::Range;
#[cfg(not(target_family = "wasm"))]
use std::path::Path;

use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::Encoding;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::layer::Tensor as Parameters;
use adadagrad_core::local::OwnedNetwork;
use adadagrad_core::model::Model;
use adadagrad_core::network::Network;
use adadagrad_core::trainer::Progress;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The version of [`State`] that is written. Version 1 had no digest of the data, and numbered only layers with
/// parameters (`layers.<i>.weight`); it is read too.
pub const STATE_VERSION: u32 = 2;
/// The metadata entry that holds the [`State`].
pub const STATE: &str = "adadagrad";
/// The metadata entry of files with parameters alone: whose names and shapes they have.
const PYTORCH: (&str, &str) = ("format", "pt");
/// What the names of the optimizer's memory begin with.
const MEMORY: &str = "optimizer.";
/// Larger files are not read.
#[cfg(not(target_family = "wasm"))]
const LARGEST_FILE: u64 = 1 << 33;
/// The same of what is no file: pipes, and devices, which may never end.
#[cfg(not(target_family = "wasm"))]
const LARGEST_STREAM: u64 = 1 << 28;

/// What a checkpoint says about its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// [`STATE_VERSION`], or an older one.
    pub version: u32,
    /// The run's settings.
    pub config: RunConfig,
    /// Where it stood.
    pub progress: Progress<f64>,
    /// Number of training samples, N: the order of samples depends on it.
    pub training_samples: u32,
    /// The digest of the training data. Unknown in files of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_data: Option<DataDigest>,
    /// What one sample is, unless it is like MNIST's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleSize>,
    /// The layers of a network of the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<OwnNetwork>,
    /// How the values of the training data were encoded, where they were normalised: whatever is given to the network
    /// later is to be encoded in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
}

/// A tensor of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its dimensions, slowest first.
    pub shape: Vec<usize>,
    /// Its values, the last dimension varying fastest.
    pub values: Vec<f32>,
}

/// What a checkpoint file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// The weights, the biases and the optimizer's memory, by name.
    pub tensors: HashMap<String, Tensor>,
    /// The names of all other tensors, which are not read.
    pub others: Vec<String>,
    /// The run's state, where the file has one.
    pub state: Option<State>,
}

/// What is wrong with a checkpoint.
#[derive(Debug)]
pub enum CheckpointError {
    /// Not a valid safetensors file.
    Format(SafeTensorError),
    /// The header places a tensor beyond the end of the file.
    Beyond {
        /// Which tensor.
        tensor: String,
        /// Bytes in the file.
        bytes: usize,
    },
    /// The header names something twice.
    Twice {
        /// What.
        name: String,
    },
    /// A file as `torch.save` writes it.
    Pickle,
    /// Values of a type that is not F16, BF16, F32 or F64.
    Type {
        /// Which tensor.
        tensor: String,
        /// Its type.
        found: String,
    },
    /// A value is NaN or infinite, or beyond the range of `f32`.
    NonFinite {
        /// Which tensor.
        tensor: String,
        /// Which value, counted from 0.
        index: usize,
    },
    /// A value of a sum or mean of squares is negative.
    Negative {
        /// Which tensor of the optimizer's memory.
        tensor: String,
        /// Which value, counted from 0.
        index: usize,
    },
    /// The state is not valid: in which field, and why.
    State(String),
    /// A state of another version.
    Version(u32),
    /// There is no state, so that no run can go on from here.
    NoState,
    /// The state contradicts itself.
    Progress(&'static str),
    /// A tensor is missing.
    Missing {
        /// Its name.
        tensor: String,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A tensor has another shape than the network asks for.
    Shape {
        /// Its name.
        tensor: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },
    /// Running statistics of a batch normalization, which the network does not have.
    BatchNorm {
        /// The tensor's name.
        tensor: String,
    },
    /// A layer that the network does not have.
    Unexpected {
        /// The tensor's name.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
    },
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(error) => write!(f, "not a valid safetensors file: {error}"),
            Self::Beyond { tensor, bytes } => {
                write!(f, "the header places the tensor {tensor} beyond the end of the file at byte {bytes}")
            }
            Self::Twice { name } => write!(f, "the header names {name} twice"),
            Self::Pickle => f.write_str(
                "not a valid safetensors file, but a file of torch.save: save the state_dict with \
                 safetensors.torch.save_file",
            ),
            Self::Type { tensor, found } => write!(
                f,
                "the tensor {tensor} has values of type {found}, but F32, F16, BF16 or F64 is expected"
            ),
            Self::NonFinite { tensor, index } => {
                write!(f, "value {index} of the tensor {tensor} is not a finite F32 number")
            }
            Self::Negative { tensor, index } => {
                write!(f, "value {index} of the tensor {tensor} is negative, but it is a sum or mean of squares")
            }
            Self::State(problem) => {
                write!(f, "the metadata entry `{STATE}` is not a valid run state: {problem}")
            }
            Self::Version(version) => {
                write!(
                    f,
                    "the checkpoint has version {version}, but this program reads versions 1 to {STATE_VERSION}"
                )
            }
            Self::NoState => f.write_str(
                "the file contains parameters, but not the state of a run: only a new run can start from them",
            ),
            Self::Progress(what) => write!(f, "the run's state is inconsistent: {what}"),
            Self::Missing { tensor, expected } => {
                write!(f, "the tensor {tensor} of shape {expected:?} is missing")
            }
            Self::Shape { tensor, expected, found } => {
                write!(f, "the tensor {tensor} has the shape {found:?}, but {expected:?} is expected")
            }
            Self::BatchNorm { tensor } => write!(
                f,
                "the tensor {tensor} belongs to a batch normalization, which these models do not have: merge it into \
                 the preceding layer first"
            ),
            Self::Unexpected { tensor, found } => {
                write!(f, "the tensor {tensor} of shape {found:?} does not belong to any layer of this model")
            }
        }
    }
}

impl std::error::Error for CheckpointError {}

impl From<SafeTensorError> for CheckpointError {
    fn from(error: SafeTensorError) -> Self {
        Self::Format(error)
    }
}

/// Reads a checkpoint from a file's bytes. For any bytes there is a result and no panic, and no more memory
/// than a few times theirs.
///
/// # Errors
/// What is wrong with them.
pub fn read(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    if PICKLE_STARTS.iter().any(|start| bytes.starts_with(start)) {
        return Err(CheckpointError::Pickle);
    }
    header::check(bytes)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes)?;
    let state = metadata.metadata().as_ref().and_then(|entries| entries.get(STATE));
    let state = state.map(|text| read_state(text)).transpose()?;
    let mut checkpoint = Checkpoint { state, ..Checkpoint::default() };
    for (name, view) in SafeTensors::deserialize(bytes)?.tensors() {
        checkpoint.add(name, &view.dtype().to_string(), view.shape().to_vec(), view.data())?;
    }
    checkpoint.check_squares()?;
    Ok(checkpoint)
}

/// Reads a checkpoint file.
///
/// # Errors
/// Why it cannot be read, or what is wrong with it.
#[cfg(not(target_family = "wasm"))]
pub fn load(file: &Path) -> io::Result<Checkpoint> {
    let mut bytes = Vec::new();
    let file = File::open(file)?;
    let most = if file.metadata()?.is_file() { LARGEST_FILE } else { LARGEST_STREAM };
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let most = most >> 20;
        let text = format!("larger than {most} MiB, which is too large for a checkpoint of these models");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    read(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The bytes of a checkpoint: parameters, and for each D values of `memory` one slot.
///
/// # Errors
/// When a slice does not fit the network.
pub fn write(
    network: Network<'_>,
    parameters: &[f32],
    memory: &[f32],
    state: &State,
) -> Result<Vec<u8>, CheckpointError> {
    let state = serde_json::to_string(state).map_err(not_valid)?;
    file(tensors(network, parameters, memory), (STATE, &state))
}

/// The bytes of a file with parameters alone, which PyTorch's `load_state_dict` takes as they are.
///
/// # Errors
/// When they do not fit the network.
pub fn write_parameters(network: Network<'_>, parameters: &[f32]) -> Result<Vec<u8>, CheckpointError> {
    file(tensors(network, parameters, &[]), PYTORCH)
}

/// The bytes of a safetensors file. One entry of metadata only: the order of several would differ from file to file.
fn file<'v>(
    tensors: impl Iterator<Item = (String, Vec<usize>, &'v [f32])>,
    (entry, text): (&str, &str),
) -> Result<Vec<u8>, CheckpointError> {
    let tensors: Vec<_> = tensors
        .map(|(name, shape, values)| {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    Ok(safetensors::serialize(views, Some(HashMap::from([(entry.to_owned(), text.to_owned())])))?)
}

/// The tensors of a checkpoint with their names and shapes: the parameters, and for each D values of `memory` one
/// slot.
pub fn tensors<'v>(
    network: Network<'v>,
    parameters: &'v [f32],
    memory: &'v [f32],
) -> impl Iterator<Item = (String, Vec<usize>, &'v [f32])> {
    slots(network, parameters, memory).flat_map(move |(slot, values)| {
        pieces(network).map(move |Piece { name, shape, range }| {
            (tensor_name(slot, &name), shape, values.get(range).unwrap_or_default())
        })
    })
}

impl State {
    /// Reads the entry [`STATE`], whatever its JSON was parsed with, and checks it.
    ///
    /// # Errors
    /// Which field is wrong, and what it may be.
    pub fn read<'de, D: Deserializer<'de>>(entry: D) -> Result<Self, CheckpointError> {
        let state: Self = serde_path_to_error::deserialize(entry).map_err(not_valid)?;
        state.check()?;
        Ok(state)
    }

    /// Whether it is of this version and does not contradict itself.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), CheckpointError> {
        check_version(self.version)?;
        let Progress { steps, samples_seen, next_batch, shared } = self.progress;
        let checks = [
            (steps == shared.steps, "the optimizer and the run have different numbers of steps"),
            (steps <= samples_seen, "it has more steps than samples"),
            (samples_seen < 1 << 54, "its number of samples is too large"),
            (next_batch > 0, "the next batch is empty"),
            (
                shared.sum_norm_sq >= 0.0 && shared.sum_norm_sq.is_finite(),
                "a sum of squares is negative or infinite",
            ),
            (self.has_its_network(), "the layers of its network are not those that its settings name"),
            (self.encoding.is_none_or(is_sound), "a mean or a deviation of its data is not a valid number"),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, what)) => Err(CheckpointError::Progress(what)),
        }
    }
}

impl Checkpoint {
    /// Adds a tensor as a file has it: the name of its type, its shape, and its bytes, little-endian. Of those that are
    /// neither weights nor biases, only the name is kept.
    ///
    /// # Errors
    /// When its values are of no float type, or one of them is not finite.
    pub fn add(
        &mut self,
        name: String,
        dtype: &str,
        shape: Vec<usize>,
        bytes: &[u8],
    ) -> Result<(), CheckpointError> {
        if !layers::is_parameter(&name) {
            self.others.push(name);
            return Ok(());
        }
        let Some(values) = floats::read_floats(dtype, bytes) else {
            return Err(CheckpointError::Type { tensor: name, found: dtype.to_owned() });
        };
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(CheckpointError::NonFinite { tensor: name, index });
        }
        self.tensors.insert(name, Tensor { shape, values });
        Ok(())
    }

    /// Whether no value of the optimizer's memory is negative where it cannot be: its root would be NaN. Call it when all
    /// tensors have been added.
    ///
    /// # Errors
    /// Which tensor has such a value, and where.
    pub fn check_squares(&self) -> Result<(), CheckpointError> {
        let Some(state) = &self.state else { return Ok(()) };
        let optimizer = state.config.optimizer.as_optimizer::<f32>();
        let slots: Vec<_> = (0..optimizer.slots())
            .filter(|&slot| optimizer.holds_squares(slot))
            .map(|slot| tensor_name(Some(slot), ""))
            .collect();
        // The first by name: a map has no order.
        let negative = self
            .tensors
            .iter()
            .filter(|(name, _)| slots.iter().any(|slot| name.starts_with(slot)))
            .filter_map(|(name, tensor)| Some((name, tensor.values.iter().position(|&value| value < 0.0)?)))
            .min();
        match negative {
            None => Ok(()),
            Some((tensor, index)) => Err(CheckpointError::Negative { tensor: tensor.clone(), index }),
        }
    }

    /// The parameters of a network, in its flat order. Layers are told apart by the order of their paths, in which
    /// numbers count as numbers, and by the shapes of their weights: `0.weight`, `module.conv1.weight` and
    /// `layers.0.weight` all may be a network's first weights.
    ///
    /// # Errors
    /// Which tensor is missing or has another shape, or which layer the network does not have.
    pub fn parameters(&self, network: Network<'_>) -> Result<Vec<f32>, CheckpointError> {
        let is_statistic = |name: &&String| name.ends_with("running_mean") || name.ends_with("running_var");
        if let Some(name) = self.others.iter().find(is_statistic) {
            return Err(CheckpointError::BatchNorm { tensor: name.clone() });
        }
        self.flat(network, None)
    }

    /// The ready-made model whose parameters these are, for samples of a shape.
    #[must_use]
    pub fn model(&self, shape: SampleShape) -> Option<Model> {
        Model::ALL.into_iter().find(|&model| {
            OwnedNetwork::of_model(model, shape).is_ok_and(|network| self.parameters(network.view()).is_ok())
        })
    }

    /// The optimizer memory of `slots` slots, in its flat order.
    ///
    /// # Errors
    /// Which tensor is missing or has another shape.
    pub fn memory(&self, network: Network<'_>, slots: usize) -> Result<Vec<f32>, CheckpointError> {
        (0..slots)
            .map(|slot| self.flat(network, Some(slot)))
            .collect::<Result<Vec<_>, _>>()
            .map(|m| m.concat())
    }

    /// The run's state.
    ///
    /// # Errors
    /// When the file has none.
    pub fn state(&self) -> Result<&State, CheckpointError> {
        self.state.as_ref().ok_or(CheckpointError::NoState)
    }

    fn flat(&self, network: Network<'_>, slot: Option<usize>) -> Result<Vec<f32>, CheckpointError> {
        let prefix = tensor_name(slot, "");
        let own = |name: &String| slot.is_some() || !name.starts_with(MEMORY);
        let tensors = self.tensors.iter().filter(|(name, _)| own(name));
        let tensors = tensors.filter_map(|(name, tensor)| Some((name.strip_prefix(&*prefix)?, tensor)));
        layers::flat(network, slot, &tensors.collect())
    }
}

/// One tensor of the network's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its name.
    pub name: String,
    /// Its dimensions, slowest first.
    pub shape: Vec<usize>,
    /// Where it lies in the flat parameters.
    pub range: Range<usize>,
}

/// The tensors that the flat parameters fall into.
pub fn pieces(network: Network<'_>) -> impl Iterator<Item = Piece> {
    layer_pieces(network)
        .flat_map(|LayerPieces { weight, bias, .. }| [Some(weight), bias].into_iter().flatten())
}

/// The tensors of a layer that has parameters.
struct LayerPieces {
    /// What their names begin with.
    path: String,
    weight: Piece,
    bias: Option<Piece>,
}

fn layer_pieces(network: Network<'_>) -> impl Iterator<Item = LayerPieces> {
    network.nodes().iter().enumerate().filter_map(|(module, node)| {
        let [weight, bias] = node.operation.tensors(node.input);
        let middle = node.parameter_offset + node.weights;
        let path = node.name.or_number(module).to_string();
        let piece = |what, tensor: Parameters, range| Piece {
            name: format!("{path}.{what}"),
            shape: tensor.dimensions().iter().map(|&size| size as usize).collect(),
            range,
        };
        let weight = piece("weight", weight?, node.parameter_offset..middle);
        let bias = bias.map(|bias| piece("bias", bias, middle..node.parameters().end));
        Some(LayerPieces { path, weight, bias })
    })
}

fn tensor_name(slot: Option<usize>, name: &str) -> String {
    slot.map_or_else(|| name.to_owned(), |slot| format!("{MEMORY}{slot}.{name}"))
}

/// The parameters, then each slot of the memory.
fn slots<'v>(
    network: Network<'_>,
    parameters: &'v [f32],
    memory: &'v [f32],
) -> impl Iterator<Item = (Option<usize>, &'v [f32])> {
    let slots = memory.chunks(network.parameters().max(1)).enumerate();
    std::iter::once((None, parameters)).chain(slots.map(|(slot, values)| (Some(slot), values)))
}

fn check_version(version: u32) -> Result<(), CheckpointError> {
    if (1..=STATE_VERSION).contains(&version) { Ok(()) } else { Err(CheckpointError::Version(version)) }
}

fn read_state(text: &str) -> Result<State, CheckpointError> {
    /// Read first: a file of another version may have other fields.
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_str(text).map_err(not_valid)?;
    check_version(version)?;
    let state = State::read(&mut serde_json::Deserializer::from_str(text))?;
    if version == STATE_VERSION {
        check_settings(text, &state.config)?;
    }
    Ok(state)
}

/// Whether no value becomes NaN or infinite.
fn is_sound(encoding: Encoding) -> bool {
    match encoding {
        Encoding::Floats => true,
        Encoding::Bytes { mean, deviation } => {
            mean.iter().all(|mean| mean.is_finite())
                && deviation.iter().all(|deviation| deviation.is_normal() && *deviation > 0.0)
        }
    }
}

fn not_valid(problem: impl fmt::Display) -> CheckpointError {
    CheckpointError::State(problem.to_string())
}

/// Refuses a state without one of its run's settings. In other files what is left out has a default; a run that goes
/// on with a default would be another one.
fn check_settings(text: &str, config: &RunConfig) -> Result<(), CheckpointError> {
    let state: Value = serde_json::from_str(text).map_err(not_valid)?;
    let mut whole = serde_json::to_value(config).map_err(not_valid)?;
    if let Some(fields) = whole.as_object_mut() {
        let given = state.get("config");
        fields.retain(|name, _| {
            !LATER_SETTINGS.contains(&name.as_str()) || given.is_some_and(|given| given.get(name).is_some())
        });
    }
    match missing_field(&whole, state.get("config")) {
        None => Ok(()),
        Some(name) => Err(not_valid(format_args!("missing field `config.{name}`"))),
    }
}

/// Settings that files of this version had not from the beginning. Runs of those that lack them had none.
const LATER_SETTINGS: [&str; 2] = ["normalisation", "augmentation"];

/// The first field of `whole` that is not in `given`, as a path.
fn missing_field(whole: &Value, given: Option<&Value>) -> Option<String> {
    whole.as_object()?.iter().find_map(|(name, value)| match given.and_then(|given| given.get(name)) {
        None => Some(name.clone()),
        given => missing_field(value, given).map(|field| format!("{name}.{field}")),
    })
}

/// What files of `torch.save` begin with: an archive today, a pickle before PyTorch 1.6.
const PICKLE_STARTS: [&[u8]; 2] = [b"PK\x03\x04", b"\x80\x02\x8a\x0a"];
