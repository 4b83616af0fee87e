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
    /// A network of the user's own, without its layers.
    Own,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage { nodes, places } => write!(f, "{nodes} layers, but memory for {places}"),
            Self::Depth(depth) => {
                write!(f, "a resnet of depth {depth}, but the depth must be one of ")?;
                for (index, depth) in Model::DEPTHS.iter().enumerate() {
                    write!(f, "{}{depth}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Width(width) => {
                write!(f, "a resnet of width {width}, but the width must be from 1 to {MOST_WIDTH}")
            }
            Self::Own => {
                f.write_str("the settings name a network of the user's own, but its layers are missing")
            }
        }
    }
}

impl core::error::Error for ModelError {}
