use core::fmt;

use super::Model;
use super::resnet::MOST_WIDTH;
use super::transformer;

/// Why a model has no tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// The memory for its nodes is too short.
    Storage {
        /// Nodes of the tape.
        nodes: usize,
        /// Places in the memory.
        places: usize,
    },
    /// There is no ResNet of this depth.
    Depth(u32),
    /// There is no ResNet of this width.
    Width(u32),
    /// There is no transformer of this many layers.
    Layers(u32),
    /// There is no transformer of this width.
    TransformerWidth(u32),
    /// The heads of a transformer do not divide its width.
    Heads {
        /// Number of heads.
        heads: u32,
        /// Its width.
        width: u32,
    },
    /// The model is for tokens, and the data's samples are none.
    WantsTokens,
    /// The model is for images or vectors, and the data's samples are tokens.
    WantsImages,
    /// A custom network without its layers.
    Own,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage { nodes, places } => {
                write!(f, "the network has {nodes} layers, but there is memory for {places}")
            }
            Self::Depth(depth) => {
                write!(f, "the depth of the ResNet is {depth}, but must be one of ")?;
                for (index, depth) in Model::DEPTHS.iter().enumerate() {
                    write!(f, "{}{depth}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Width(width) => {
                write!(f, "the width of the ResNet is {width}, but must be from 1 to {MOST_WIDTH}")
            }
            Self::Layers(layers) => write!(
                f,
                "the transformer has {layers} layers, but must have from 1 to {}",
                transformer::MOST_LAYERS
            ),
            Self::TransformerWidth(width) => write!(
                f,
                "the width of the transformer is {width}, but must be from 1 to {}",
                transformer::MOST_WIDTH
            ),
            Self::Heads { heads, width } => {
                write!(f, "the {heads} heads of the transformer do not divide its width, {width}")
            }
            Self::WantsTokens => {
                f.write_str("the transformer takes sequences of tokens, but the data's samples are not tokens")
            }
            Self::WantsImages => f.write_str(
                "this model takes images or vectors, but the data's samples are sequences of tokens: choose transformer",
            ),
            Self::Own => f.write_str("the settings name a custom network, but its layers are missing"),
        }
    }
}

impl core::error::Error for ModelError {}
