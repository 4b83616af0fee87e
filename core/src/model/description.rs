//! A custom network as a list of layers, for example in JSON:
//!
//! ```json
//! [
//!   {"layer": "conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1, "bias": false},
//!   {"layer": "group_norm", "num_groups": 8, "name": "norm"},
//!   {"layer": "relu"},
//!   {"layer": "add", "inputs": ["2", "norm"]},
//!   {"layer": "flatten"},
//!   {"layer": "dense", "out_features": 10}
//! ]
//! ```
//!
//! | layer | settings |
//! |---|---|
//! | `dense` (or `linear`) | `out_features` |
//! | `conv2d` | `out_channels`, `kernel_size`, `stride` (1), `padding` (0), `bias` (true) |
//! | `max_pool2d`, `average_pool2d` (or `avg_pool2d`) | `kernel_size`, `stride` (the kernel's size) |
//! | `group_norm` | `num_groups` |
//! | `embedding` | `num_embeddings`, `embedding_dim` |
//! | `position_embedding` | `num_embeddings` |
//! | `causal_attention` | `num_heads` |
//! | `relu`, `tanh`, `gelu`, `layer_norm`, `global_average_pool`, `flatten`, `add` | |
//!
//! `dense`, `conv2d`, `embedding` and `position_embedding` may have an `init_std`: their initial weights are then normal with
//! mean 0 and this standard deviation, and their biases 0. Without it they have PyTorch's defaults: see
//! [`initialise`](crate::network::initialise).
//!
//! Sizes of inputs follow from the layers before. Every layer may have a `name`, which is used for its tensors in
//! checkpoints; the default is its number, counted from 0. `inputs` names the layers that it takes its inputs from, or
//! `input` for the samples; without them, it takes the output of the previous layer. Only `add` takes two.
//!
//! Networks of sequences begin with an `embedding`, which takes the samples' tokens. `dense` is then computed at every
//! position, `layer_norm` over the channels of each position, and `causal_attention` between positions: its input has three
//! times its width, query, key and value one after the other.

use std::borrow::ToOwned;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::fields::{Fault, Setting, Value as Given};
use crate::layer::{
    Add, AveragePool2d, CausalAttention, Conv2d, Dense, Embedding, Flatten, Gelu, GlobalAveragePool,
    GroupNorm, LayerNorm, MaxPool2d, Operation, PositionEmbedding, Relu, Tanh,
};
use crate::network::{Name, Node, Source};

/// What layers call the samples' values.
const INPUT: &str = "input";
/// More layers than anybody writes down, and few enough for a node's number.
const MOST_LAYERS: usize = 4096;
/// What names of an optimizer's memory begin with in checkpoints; their next part is a number.
const MEMORY: &str = "optimizer";
/// The most characters of a text from a file that a message repeats.
const MOST_SHOWN: usize = 40;
/// The settings that all layers take.
const COMMON: [&str; 2] = ["name", "inputs"];
/// The settings of all layers.
const KNOWN: [&str; 11] = [
    "out_features",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "bias",
    "num_groups",
    "num_embeddings",
    "embedding_dim",
    "num_heads",
    DEVIATION,
];
/// The setting of layers with random initial weights.
const DEVIATION: &str = "init_std";
/// What is expected of the list.
pub(crate) const LIST: &str = "a list of layers";
/// What is expected of a layer.
const OBJECT: &str = "an object, such as {\"layer\": \"relu\"}";
/// What is wrong where `inputs` are not names.
const INPUTS: &str = "`inputs` must be a list of one or two names of layers";
/// What the layers are called.
const KINDS: &str = "dense, conv2d, relu, tanh, gelu, max_pool2d, average_pool2d, global_average_pool, group_norm, \
                     layer_norm, embedding, position_embedding, causal_attention, add or flatten";

/// A list of layers. See the [module](self).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description(Vec<Node>);

impl Description {
    /// From a tape.
    #[must_use]
    pub fn new(nodes: Vec<Node>) -> Self {
        Self(nodes)
    }

    /// The tape.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// The layers one by one, to be serialised.
    pub fn layers(&self) -> impl Iterator<Item = Layer<'_>> {
        (0..self.0.len()).map(|index| Layer { nodes: &self.0, index })
    }
}

/// One layer of a list.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    nodes: &'a [Node],
    index: usize,
}

/// What a layer is called where others take its output.
fn name_of(nodes: &[Node], index: usize) -> Name {
    nodes.get(index).map(|node| node.name).unwrap_or_default().or_number(index)
}

impl Serialize for Description {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.layers())
    }
}

/// What has its default is left out.
impl Serialize for Layer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let Some(node) = self.nodes.get(self.index) else { return map.end() };
        let (kind, settings) = settings_of(&node.operation);
        map.serialize_entry("layer", kind)?;
        if !node.name.is_empty() {
            map.serialize_entry("name", node.name.as_str())?;
        }
        for Written { name, value, default } in settings {
            match value {
                _ if Some(value) == default => {}
                Value::Number(number) => map.serialize_entry(name, &number)?,
                Value::Flag(flag) => map.serialize_entry(name, &flag)?,
            }
        }
        if let Some(deviation) = node.deviation {
            map.serialize_entry(DEVIATION, &deviation)?;
        }
        if node.inputs != [before(self.index), Source::None] {
            let inputs = node.inputs.iter().filter_map(|source| match source {
                Source::None => None,
                Source::Input => Some(INPUT.to_owned()),
                Source::Node(index) => Some(name_of(self.nodes, usize::from(*index)).to_string()),
            });
            map.serialize_entry("inputs", &inputs.collect::<Vec<_>>())?;
        }
        map.end()
    }
}

/// What the layer before gives.
fn before(index: usize) -> Source {
    index.checked_sub(1).and_then(|before| u16::try_from(before).ok()).map_or(Source::Input, Source::Node)
}

/// A setting's value.
#[derive(Clone, Copy, PartialEq)]
enum Value {
    Number(u32),
    Flag(bool),
}

/// A setting to be written, unless it has its default.
struct Written {
    name: &'static str,
    value: Value,
    default: Option<Value>,
}

/// A layer's name in lists, and its settings.
fn settings_of(operation: &Operation) -> (&'static str, Vec<Written>) {
    let number = |name, value| Written { name, value: Value::Number(value), default: None };
    let or = |default, number: Written| Written { default: Some(default), ..number };
    let pool = |kernel, stride| {
        std::vec![number("kernel_size", kernel), or(Value::Number(kernel), number("stride", stride))]
    };
    match *operation {
        Operation::Dense(Dense { outputs }) => ("dense", std::vec![number("out_features", outputs)]),
        Operation::Conv2d(Conv2d { outputs, kernel, stride, padding, bias }) => {
            let bias = Written { name: "bias", value: Value::Flag(bias), default: Some(Value::Flag(true)) };
            let sizes = [number("out_channels", outputs), number("kernel_size", kernel)];
            let steps = [("stride", stride, 1), ("padding", padding, 0)]
                .map(|(name, value, default)| or(Value::Number(default), number(name, value)));
            ("conv2d", sizes.into_iter().chain(steps).chain([bias]).collect())
        }
        Operation::Relu(Relu) => ("relu", Vec::new()),
        Operation::Tanh(Tanh) => ("tanh", Vec::new()),
        Operation::Gelu(Gelu) => ("gelu", Vec::new()),
        Operation::MaxPool2d(MaxPool2d { kernel, stride }) => ("max_pool2d", pool(kernel, stride)),
        Operation::AveragePool2d(AveragePool2d { kernel, stride }) => {
            ("average_pool2d", pool(kernel, stride))
        }
        Operation::GlobalAveragePool(GlobalAveragePool) => ("global_average_pool", Vec::new()),
        Operation::GroupNorm(GroupNorm { groups }) => ("group_norm", std::vec![number("num_groups", groups)]),
        Operation::Add(Add) => ("add", Vec::new()),
        Operation::Flatten(Flatten) => ("flatten", Vec::new()),
        Operation::Embedding(Embedding { vocabulary, width }) => {
            ("embedding", std::vec![number("num_embeddings", vocabulary), number("embedding_dim", width)])
        }
        Operation::PositionEmbedding(PositionEmbedding { positions }) => {
            ("position_embedding", std::vec![number("num_embeddings", positions)])
        }
        Operation::LayerNorm(LayerNorm) => ("layer_norm", Vec::new()),
        Operation::CausalAttention(CausalAttention { heads }) => {
            ("causal_attention", std::vec![number("num_heads", heads)])
        }
    }
}

/// For lists within settings. A text of its own is read entry by entry, with the place of each:
/// [`OwnNetwork::read`](crate::owned::checkpoint::OwnNetwork::read).
impl Setting for Description {
    fn of(value: Given) -> Result<Self, Fault> {
        let Given::List(layers) = value else { return Err(Fault::unfit(&value, LIST)) };
        let mut nodes = Vec::new();
        for layer in layers {
            push(&mut nodes, layer).map_err(Fault::words)?;
        }
        finished(nodes).map_err(|(_, what)| Fault::words(what))
    }
}

crate::fields::deserialize_setting!(Description);

/// Adds the node of an entry behind those before it, or says which layer is wrong.
pub(crate) fn push(nodes: &mut Vec<Node>, layer: Given) -> Result<(), String> {
    let index = nodes.len();
    if index == MOST_LAYERS {
        return Err(format!("more than {MOST_LAYERS} layers"));
    }
    let node = match layer {
        Given::Map(fields) => Entry(fields.entries).node(nodes),
        other => Err(Fault::unfit(&other, OBJECT).to_string()),
    };
    nodes.push(node.map_err(|error| format!("layer {index}: {error}"))?);
    Ok(())
}

/// The list, if the output of every layer but the last is taken; else which is not, and that in words.
pub(crate) fn finished(nodes: Vec<Node>) -> Result<Description, (usize, String)> {
    let is_read = |index| {
        let source = u16::try_from(index).map(Source::Node);
        nodes.iter().any(|node| node.inputs.iter().any(|input| Ok(*input) == source))
    };
    let last = nodes.len().saturating_sub(1);
    match (0..last).find(|&index| !is_read(index)) {
        None => Ok(Description(nodes)),
        Some(index) => {
            let name = name_of(&nodes, index);
            Err((index, format!("layer {index}: no layer takes the output of `{name}`")))
        }
    }
}

/// One entry of the list as it is written.
struct Entry(Vec<(String, Given)>);

impl Entry {
    /// The node that it describes, behind those before it.
    fn node(mut self, before: &[Node]) -> Result<Node, String> {
        let kind = match self.take("layer") {
            Some(Given::Text(kind)) => kind,
            Some(_) => return Err(format!("`layer` must be a string: {KINDS}")),
            None => return Err(format!("`layer` is missing: {KINDS}")),
        };
        let name = self.name(before)?;
        let inputs = self.inputs(before)?;
        let mut settings = Settings { entry: self, known: Vec::new() };
        let operation = settings.operation(&kind)?;
        let deviation = settings.deviation(&operation)?;
        settings.finish(&kind)?;
        let given = inputs.iter().filter(|source| **source != Source::None).count();
        let takes = if operation.takes_two() { 2 } else { 1 };
        if given != takes {
            let (takes, names) =
                if takes == 2 { ("two inputs", "[\"…\", \"…\"]") } else { ("one input", "[\"…\"]") };
            return Err(format!("{kind} takes {takes}: give `inputs` as {names}"));
        }
        Ok(Node { deviation, ..Node::with_inputs(operation, inputs).named(name) })
    }

    fn take(&mut self, name: &str) -> Option<Given> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1)
    }

    fn name(&mut self, before: &[Node]) -> Result<Name, String> {
        let index = before.len();
        let text = match self.take("name") {
            None => return Ok(Name::NONE),
            Some(Given::Text(text)) => text,
            Some(_) => return Err("`name` must be a string".to_owned()),
        };
        if text.bytes().all(|byte| byte.is_ascii_digit()) || text == INPUT {
            return if text == index.to_string() {
                Ok(Name::NONE)
            } else if text.is_empty() {
                Err("`name` is empty".to_owned())
            } else {
                Err(format!("`{}` is not a valid name: numbers and `{INPUT}` are reserved", shown(&text)))
            };
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.split('.').next() == Some(MEMORY)
            || text.split('.').any(str::is_empty)
            || !text.chars().all(is_plain)
        {
            return Err(format!(
                "`{}` is not a valid name: use letters, digits, `_` and `-`, with `.` only between them; the first part must \
                 not be `{MEMORY}`",
                shown(&text)
            ));
        }
        let name = Name::new(&text).ok_or_else(|| {
            format!("the name `{}` is longer than {} characters", shown(&text), Name::LONGEST)
        })?;
        match before.iter().position(|node| node.name == name) {
            None => Ok(name),
            Some(first) => Err(format!(
                "the name `{text}` is already that of layer {first}: layers cannot share weights, because {TIED}"
            )),
        }
    }

    fn inputs(&mut self, nodes: &[Node]) -> Result<[Source; 2], String> {
        let names = match self.take("inputs") {
            None => return Ok([before(nodes.len()), Source::None]),
            Some(Given::List(names)) if (1..=2).contains(&names.len()) => names,
            Some(_) => return Err(INPUTS.to_owned()),
        };
        let mut inputs = [Source::None; 2];
        for (input, name) in inputs.iter_mut().zip(&names) {
            let Given::Text(name) = name else { return Err(INPUTS.to_owned()) };
            *input = match name.as_str() {
                INPUT => Source::Input,
                _ => source(nodes, name).ok_or_else(|| {
                    format!(
                        "`inputs`: no earlier layer is called `{}` (a layer without a name is its number)",
                        shown(name)
                    )
                })?,
            };
        }
        Ok(inputs)
    }
}

/// A text from a file as messages repeat it: on one line, and not at any length.
fn shown(text: &str) -> String {
    let rest = if text.chars().count() > MOST_SHOWN { "…" } else { "" };
    text.chars().take(MOST_SHOWN).flat_map(char::escape_debug).chain(rest.chars()).collect()
}

/// The output of the node that is called so.
fn source(nodes: &[Node], name: &str) -> Option<Source> {
    let name = Name::new(name).filter(|name| !name.is_empty())?;
    let index = match name.as_str().parse::<usize>() {
        Ok(number) => (nodes.len() > number && name_of(nodes, number) == name).then_some(number),
        Err(_) => nodes.iter().position(|node| node.name == name),
    };
    index.and_then(|index| u16::try_from(index).ok()).map(Source::Node)
}

/// The settings of an entry that are not taken yet, and the names of all that its layer takes.
struct Settings {
    entry: Entry,
    known: Vec<&'static str>,
}

/// Why weights belong to one layer.
const TIED: &str =
    "with tied weights the norm of a sample's gradient would lack the cross terms between the layers";

impl Settings {
    fn operation(&mut self, kind: &str) -> Result<Operation, String> {
        Ok(match kind {
            "dense" | "linear" => Dense { outputs: self.number("out_features", None)? }.into(),
            "conv2d" => Conv2d {
                outputs: self.number("out_channels", None)?,
                kernel: self.number("kernel_size", None)?,
                stride: self.number("stride", Some(1))?,
                padding: self.number("padding", Some(0))?,
                bias: self.flag("bias", true)?,
            }
            .into(),
            "relu" => Relu.into(),
            "tanh" => Tanh.into(),
            "gelu" => Gelu.into(),
            "max_pool2d" => {
                let (kernel, stride) = self.window()?;
                MaxPool2d { kernel, stride }.into()
            }
            "average_pool2d" | "avg_pool2d" => {
                let (kernel, stride) = self.window()?;
                AveragePool2d { kernel, stride }.into()
            }
            "global_average_pool" => GlobalAveragePool.into(),
            "group_norm" => GroupNorm { groups: self.number("num_groups", None)? }.into(),
            "add" => Add.into(),
            "flatten" => Flatten.into(),
            "embedding" => Embedding {
                vocabulary: self.number("num_embeddings", None)?,
                width: self.number("embedding_dim", None)?,
            }
            .into(),
            "position_embedding" => {
                PositionEmbedding { positions: self.number("num_embeddings", None)? }.into()
            }
            "layer_norm" => LayerNorm.into(),
            "causal_attention" => CausalAttention { heads: self.number("num_heads", None)? }.into(),
            _ => {
                let letters: String =
                    kind.to_ascii_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
                return Err(match &letters[..] {
                    letters if letters.contains("batchnorm") || matches!(letters, "bn" | "bnd") => format!(
                        "{} couples the samples of a batch, so that there are no per-sample gradients for the \
                         batch-size test: use group_norm",
                        shown(kind)
                    ),
                    "softmax" | "logsoftmax" | "crossentropy" | "crossentropyloss" | "loss" | "nllloss" => {
                        format!(
                            "`{}` is not a layer: softmax and cross-entropy always follow the last layer, which has \
                             one output per class",
                            shown(kind)
                        )
                    }
                    _ => format!("`{}` is not a layer: {KINDS}", shown(kind)),
                });
            }
        })
    }

    fn window(&mut self) -> Result<(u32, u32), String> {
        let kernel = self.number("kernel_size", None)?;
        Ok((kernel, self.number("stride", Some(kernel))?))
    }

    fn number(&mut self, name: &'static str, default: Option<u32>) -> Result<u32, String> {
        self.known.push(name);
        match (self.entry.take(name), default) {
            (Some(given), _) => {
                u32::of(given).map_err(|_| format!("`{name}` must be a whole number from 0 to {}", u32::MAX))
            }
            (None, Some(default)) => Ok(default),
            (None, None) => Err(format!("`{name}` is missing (a whole number){}", self.left_over())),
        }
    }

    /// The standard deviation of initial weights, where there are any.
    fn deviation(&mut self, operation: &Operation) -> Result<Option<f32>, String> {
        if !matches!(
            operation,
            Operation::Dense(_)
                | Operation::Conv2d(_)
                | Operation::Embedding(_)
                | Operation::PositionEmbedding(_)
        ) {
            return Ok(None);
        }
        self.known.push(DEVIATION);
        let Some(given) = self.entry.take(DEVIATION) else { return Ok(None) };
        // Also where the number is too large or too small for 32 bits.
        let deviation = f64::of(given).ok().map(<f32 as crate::real::Real>::of);
        match deviation.filter(|deviation| deviation.is_normal() && *deviation > 0.0) {
            Some(deviation) => Ok(Some(deviation)),
            None => Err(format!("`{DEVIATION}` must be a positive number")),
        }
    }

    fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, String> {
        self.known.push(name);
        match self.entry.take(name) {
            None => Ok(default),
            Some(Given::Flag(flag)) => Ok(flag),
            Some(_) => Err(format!("`{name}` must be true or false")),
        }
    }

    /// What a message about a missing setting says of one that is there, perhaps in another spelling.
    fn left_over(&self) -> String {
        match self.entry.0.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            None => String::new(),
            Some((name, _)) => format!(": `{}` is not a setting", shown(name)),
        }
    }

    /// Refuses what is left.
    fn finish(self, kind: &str) -> Result<(), String> {
        let Some((name, _)) = self.entry.0.first() else { return Ok(()) };
        if ["tied", "tied_to", "tie_to", "share", "shared_with", "weight", "weights"].contains(&name.as_str())
        {
            return Err(format!("`{name}`: layers cannot share weights, because {TIED}"));
        }
        let takes = COMMON.iter().chain(&self.known).copied().collect::<Vec<_>>().join(", ");
        Err(format!("{kind} has no setting `{}`: it takes {takes}", shown(name)))
    }
}
