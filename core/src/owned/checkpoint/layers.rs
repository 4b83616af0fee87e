//! Which tensors of a file are which layer's: by their names, or else by their order and their shapes.
//!
//! A tensor's name is the path of its layer and `weight` or `bias`: `0.weight`, `module.features.10.bias`,
//! `fc.weight`. Layers are taken in the order of their paths, in which numbers count as numbers: `2` comes before
//! `10`. Each layer of the network takes the first one whose weights have its shape. So any prefix will do, and any
//! numbering, whether it counts modules without parameters or not.
//!
//! Where the file has all of the network's own names, those count alone: the layers of a ResNet's block are not in the
//! order of their names. Where a name is not there, one with `bn` in the place of its `norm` is, as torchvision calls norms
//! of any kind.

use std::borrow::ToOwned;
use std::collections::{BTreeMap, HashMap};
use std::format;
use std::string::String;
use std::vec::Vec;

use super::error::CheckpointError;
use super::pieces::{LayerPieces, Piece, layer_pieces, tensor_name};
use super::tensor::Tensor;
use crate::network::Network;

/// Whether a tensor is a layer's weights or biases, by its name.
pub(super) fn is_parameter(name: &str) -> bool {
    matches!(split(name).1, "weight" | "bias")
}

/// The network's parameters, or a slot of the optimizer's memory, in the flat order. `tensors`: those of the file that
/// belong to it, by their names without what all slots' names begin with.
///
/// # Errors
/// Which tensor is missing or has another shape, or which layer the network does not have.
pub(super) fn flat(
    network: Network<'_>,
    slot: Option<usize>,
    tensors: &HashMap<&str, &Tensor>,
) -> Result<Vec<f32>, CheckpointError> {
    let mut layers: BTreeMap<_, _> =
        tensors.keys().map(|name| split(name).0).map(|path| (Order::of(path), path)).collect();
    let own_names = layers.iter().map(|(order, path)| (own_name(path), order.clone()));
    // Names that are there as they are count before others' in other words.
    let names = layers.iter().map(|(order, path)| ((*path).to_owned(), order.clone()));
    let by_name: HashMap<_, _> = own_names.chain(names).collect();
    let has_names = layer_pieces(network).all(|layer| by_name.contains_key(&layer.path));
    let mut values = std::vec![0.0; network.parameters()];
    for LayerPieces { path: own, weight, bias } in layer_pieces(network) {
        let fits = |path: &str| tensors.get(&*join(path, "weight")).is_some_and(|t| t.shape == weight.shape);
        // Where none fits, the next one is the one that is wrong.
        let by_shape = || layers.iter().find(|(_, path)| fits(path)).or_else(|| layers.first_key_value());
        let order = match by_name.get(&own).filter(|_| has_names) {
            None => by_shape().map(|(order, _)| order.clone()),
            named => named.cloned(),
        };
        let path = order.and_then(|order| layers.remove(&order));
        if let (None, Some((name, found))) =
            (&bias, path.and_then(|path| tensors.get_key_value(&*join(path, "bias"))))
        {
            return Err(unexpected(slot, name, found));
        }
        for (what, Piece { name, shape, range }) in [("weight", Some(weight)), ("bias", bias)]
            .into_iter()
            .filter_map(|(what, piece)| Some((what, piece?)))
        {
            let name = path.map_or(name, |path| join(path, what));
            let found = tensors.get(&*name);
            let tensor = tensor_name(slot, &name);
            match found {
                None => return Err(CheckpointError::Missing { tensor, expected: shape }),
                Some(found) if found.shape != shape || found.values.len() != range.len() => {
                    let found = found.shape.clone();
                    return Err(CheckpointError::Shape { tensor, expected: shape, found });
                }
                Some(found) => values[range].copy_from_slice(&found.values),
            }
        }
    }
    let left = layers.values().find_map(|path| {
        ["weight", "bias"].iter().find_map(|what| tensors.get_key_value(&*join(path, what)))
    });
    match left {
        None => Ok(values),
        Some((name, tensor)) => Err(unexpected(slot, name, tensor)),
    }
}

fn unexpected(slot: Option<usize>, name: &str, tensor: &Tensor) -> CheckpointError {
    CheckpointError::Unexpected { tensor: tensor_name(slot, name), found: tensor.shape.clone() }
}

/// A path as networks here would call it.
fn own_name(path: &str) -> String {
    path.replace("bn", "norm")
}

/// The path of a tensor's layer, and what it is there.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

fn join(path: &str, what: &str) -> String {
    if path.is_empty() { what.to_owned() } else { format!("{path}.{what}") }
}

/// A path as it is ordered: text as text, and numbers by their size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Order<'p>(Vec<Run<'p>>);

/// Characters that belong together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Run<'p> {
    /// Digits: how many there are without leading zeros, then those.
    Number(usize, &'p str),
    Text(&'p str),
}

impl<'p> Order<'p> {
    fn of(path: &'p str) -> Self {
        let (mut runs, mut rest) = (Vec::new(), path);
        while let Some(first) = rest.chars().next() {
            let is_number = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
            let (run, others) = rest.split_at(end);
            let digits = run.trim_start_matches('0');
            runs.push(if is_number { Run::Number(digits.len(), digits) } else { Run::Text(run) });
            rest = others;
        }
        Self(runs)
    }
}
