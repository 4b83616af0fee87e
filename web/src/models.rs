//! The networks that the page offers, and what it says of them.

use adadagrad_core::dataset::{Encoding, SampleShape};
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::checkpoint::{Piece, pieces};
use adadagrad_core::owned::{OwnedNetwork, RunError};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::{from_js, to_js};

/// The deepest that a browser trains in a time that anybody waits.
const OFFERED: [Model; 8] = [
    Model::Logistic,
    Model::MLP,
    Model::Cnn,
    Model::CifarCnn,
    Model::ResNet { depth: 8, width: 16 },
    Model::ResNet { depth: 14, width: 16 },
    Model::ResNet { depth: 20, width: 16 },
    Model::ResNet18 { width: 64 },
];

/// The same for texts.
const OFFERED_FOR_TEXTS: [Model; 4] = [
    Model::Transformer { layers: 1, heads: 2, width: 32 },
    Model::Transformer { layers: 2, heads: 2, width: 64 },
    Model::Transformer { layers: 3, heads: 4, width: 96 },
    Model::TRANSFORMER,
];

/// What a sample is, for the page.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Sample {
    channels: u32,
    height: u32,
    width: u32,
    classes: u32,
    /// A sequence of `width` tokens, of which there are `classes`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sequence: bool,
}

impl From<SampleShape> for Sample {
    fn from(SampleShape { input, classes, encoding, .. }: SampleShape) -> Self {
        let Shape { channels, height, width } = input;
        Self { channels, height, width, classes, sequence: matches!(encoding, Encoding::Tokens { .. }) }
    }
}

impl From<Sample> for SampleShape {
    fn from(Sample { channels, height, width, classes, sequence }: Sample) -> Self {
        if sequence {
            Self::tokens(width, classes)
        } else {
            Self::image(Shape::image(channels, height, width), classes)
        }
    }
}

/// A network, as the page describes it.
#[derive(Serialize)]
pub(crate) struct ModelRow {
    name: Model,
    parameters: usize,
    layers: Vec<String>,
    tensors: Vec<TensorRow>,
}

#[derive(Serialize)]
struct TensorRow {
    name: String,
    shape: Vec<usize>,
    offset: usize,
}

impl ModelRow {
    /// For samples of a shape.
    pub(crate) fn of(name: Model, shape: SampleShape) -> Result<Self, RunError> {
        let network = OwnedNetwork::of_model(name, shape)?;
        let nodes = network.view().nodes().iter();
        let layers =
            nodes.map(|node| format!("{}: {} → {}", node.operation, node.input, node.output)).collect();
        let place = |Piece { name, shape, range }| TensorRow { name, shape, offset: range.start };
        let tensors = pieces(network.view()).map(place).collect();
        Ok(Self { name, parameters: network.view().parameters(), layers, tensors })
    }
}

/// The networks that the page offers for samples of a shape: those that fit. Grey images of MNIST's size have their own.
///
/// # Errors
/// When the shape is not valid.
#[wasm_bindgen(unchecked_return_type = "ModelDescription[]")]
pub fn models(
    #[wasm_bindgen(unchecked_param_type = "SampleShape")] shape: JsValue,
) -> Result<JsValue, JsError> {
    let shape: SampleShape = from_js::<Sample>(shape)?.into();
    let offered = match shape.encoding {
        Encoding::Tokens { .. } => &OFFERED_FOR_TEXTS[..],
        _ if shape.input == SampleShape::MNIST.input => &Model::MNIST,
        _ => &OFFERED,
    };
    to_js(&offered.iter().filter_map(|&name| ModelRow::of(name, shape).ok()).collect::<Vec<_>>())
}

/// Whether a network fits samples of a shape.
pub(crate) fn check(model: Model, shape: SampleShape) -> Result<(), JsError> {
    let Shape { channels, height, width } = shape.input;
    OwnedNetwork::of_model(model, shape).map(drop).map_err(|error| {
        let samples = match shape.encoding {
            Encoding::Tokens { .. } => format!("sequences of {width} tokens"),
            _ => format!(
                "images of {width}×{height} pixels with {channels} {}",
                if channels == 1 { "channel" } else { "channels" }
            ),
        };
        JsError::new(&format!("model is {model}, but does not fit {samples}: {error}"))
    })
}
