//! What a checkpoint says about its network.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::dataset::SampleShape;
use crate::digest::Digest;
use crate::fields::{Fault, Setting, Value, required_settings};
use crate::json;
use crate::model::Model;
use crate::model::description::{self, Description, LIST};
use crate::network::{Node, Shape};
use crate::owned::{OwnedNetwork, RunError};

/// The shape of the run's samples. Files without it are of runs on samples like MNIST's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SampleSize {
    /// C.
    pub channels: u32,
    /// H.
    pub height: u32,
    /// W.
    pub width: u32,
    /// Number of classes.
    pub classes: u32,
}

required_settings!(SampleSize { channels, height, width, classes });

impl SampleSize {
    /// What a state says of samples of this shape: nothing where they are like MNIST's.
    #[must_use]
    pub fn of(shape: SampleShape) -> Option<Self> {
        let SampleShape { input: Shape { channels, height, width }, classes, .. } = shape;
        let is_usual = (shape.input, classes) == (SampleShape::MNIST.input, SampleShape::MNIST.classes);
        (!is_usual).then_some(Self { channels, height, width, classes })
    }

    /// The shape.
    #[must_use]
    pub const fn shape(self) -> SampleShape {
        SampleShape::image(Shape::image(self.channels, self.height, self.width), self.classes)
    }
}

/// A custom network, and its name in settings.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct OwnNetwork {
    description: Description,
}

impl Setting for OwnNetwork {
    fn of(value: Value) -> Result<Self, Fault> {
        Description::of(value).map(Self::new)
    }
}

impl OwnNetwork {
    /// From its layers.
    #[must_use]
    pub const fn new(description: Description) -> Self {
        Self { description }
    }

    /// Its layers.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        self.description.nodes()
    }

    /// Its name in settings: the SHA-256 of its layers in JSON without spaces, regardless of the formatting of the file
    /// that they were read from.
    #[must_use]
    pub fn model(&self) -> Model {
        // Texts and numbers are always written.
        let text = serde_json::to_vec(&self.description).unwrap_or_default();
        Model::Own { digest: Digest(Sha256::digest(text).into()) }
    }

    /// Its layers as JSON, one per line: the form in which they are read.
    #[must_use]
    pub fn to_text(&self) -> String {
        let layers = self.description.layers().filter_map(|layer| serde_json::to_string(&layer).ok());
        let lines: Vec<_> = layers.map(|layer| format!("  {}", spaced(&layer))).collect();
        format!("[\n{}\n]\n", lines.join(",\n"))
    }

    /// Reads the layers.
    ///
    /// # Errors
    /// Which layer is wrong, where it begins, and what is allowed there.
    pub fn read(text: &str) -> Result<Self, String> {
        let entries = json::entries(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("line {line}, column {column}: not valid JSON: {}", json::without_place(&error))
        })?;
        let entries = match entries {
            Some(entries) => entries,
            None => {
                return Err(
                    Fault::unfit(&json::parse(text).map_err(|fault| fault.to_string())?, LIST).to_string()
                );
            }
        };
        let mut nodes = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let layer = json::value(entry, 1).map_err(|fault| format!("layer {index}: {fault}"));
            layer
                .and_then(|layer| description::push(&mut nodes, layer))
                .map_err(|what| format!("{}: {what}", place(text, entry.get())))?;
        }
        let description = description::finished(nodes).map_err(|(index, what)| {
            let entry = entries.get(index).map_or("", |entry| entry.get());
            format!("{}: {what}", place(text, entry))
        })?;
        Ok(Self::new(description))
    }
}

/// Where a part of a text begins.
fn place(text: &str, part: &str) -> String {
    let before = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    let before = text.get(..before).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    format!("line {line}, column {column}")
}

/// JSON with a space after each comma and colon that is not in a text.
fn spaced(json: &str) -> String {
    let (mut text, mut is_in_text) = (String::new(), false);
    for c in json.chars() {
        // Names hold no quotes and no backslashes.
        is_in_text ^= c == '"';
        text.push(c);
        if !is_in_text && matches!(c, ',' | ':') {
            text.push(' ');
        }
    }
    text
}

/// The network of a model for samples of a shape; `own` has its layers if it is a custom model.
///
/// # Errors
/// When its layers do not fit the samples, or are not known.
pub fn network_of(
    model: Model,
    own: Option<&OwnNetwork>,
    shape: SampleShape,
) -> Result<OwnedNetwork, RunError> {
    match own {
        Some(own) if own.model() == model => OwnedNetwork::of_nodes(own.nodes(), shape),
        _ => OwnedNetwork::of_model(model, shape),
    }
}
