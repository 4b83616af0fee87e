use core::fmt;

use super::Model;
use super::resnet::MOST_WIDTH;

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
            Self::Own => f.write_str("the settings name a custom network, but its layers are missing"),
        }
    }
}

impl core::error::Error for ModelError {}
