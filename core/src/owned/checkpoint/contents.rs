//! What a checkpoint file holds, and what of it is which network's.

use std::borrow::ToOwned;
use std::collections::HashMap;
use std::string::String;
use std::vec::Vec;

use super::error::CheckpointError;
use super::names::MEMORY;
use super::pieces::tensor_name;
use super::state::State;
use super::tensor::Tensor;
use super::{floats, layers};
use crate::dataset::SampleShape;
use crate::model::Model;
use crate::network::Network;
use crate::owned::OwnedNetwork;

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

    /// The parameters of a network, in its flat order. Layers are identified by the order of their paths, in which
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
