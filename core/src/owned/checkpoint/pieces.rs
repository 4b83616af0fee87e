//! The tensors that flat parameters fall into, with their names and shapes.

use std::borrow::ToOwned;
use std::format;
use std::ops::Range;
use std::string::{String, ToString};
use std::vec::Vec;

use super::names::MEMORY;
use crate::layer::Tensor as Parameters;
use crate::network::Network;

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
pub(super) struct LayerPieces {
    /// What their names begin with.
    pub(super) path: String,
    pub(super) weight: Piece,
    pub(super) bias: Option<Piece>,
}

pub(super) fn layer_pieces(network: Network<'_>) -> impl Iterator<Item = LayerPieces> {
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

pub(super) fn tensor_name(slot: Option<usize>, name: &str) -> String {
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
