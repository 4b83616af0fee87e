//! A network with the memory for its nodes.

use std::vec::Vec;

use super::error::RunError;
use crate::dataset::{Encoding, SampleShape};
use crate::layer::Operation;
use crate::model::Model;
use crate::network::{Grain, Network, NetworkError, Node, Placed, Shape};

/// A network with the memory for its nodes.
#[derive(Clone, Debug)]
pub struct OwnedNetwork {
    placed: Vec<Placed>,
    targets: usize,
    grain: Grain,
}

impl OwnedNetwork {
    /// Places the nodes, for samples with labels.
    ///
    /// # Errors
    /// When they do not fit together.
    pub fn new(input: Shape, nodes: &[Node]) -> Result<Self, RunError> {
        let mut placed = std::vec![Placed::empty(); nodes.len()];
        let network = Network::place(input, nodes, &mut placed)?;
        let grain = Grain::of_network(network);
        Ok(Self { placed, targets: 0, grain })
    }

    /// The network of nodes for samples of a shape.
    ///
    /// # Errors
    /// When they do not fit together, or give another number of classes.
    pub fn of_nodes(nodes: &[Node], shape: SampleShape) -> Result<Self, RunError> {
        let network = Self { targets: shape.values as usize, ..Self::new(shape.input, nodes)? };
        check_tokens(network.view().nodes(), shape.encoding)?;
        let output = network.view().output();
        match output.channels {
            _ if shape.labels == 0 => Ok(network),
            _ if output.plane() != shape.labels as usize => {
                Err(NetworkError::Labels { output, labels: shape.labels }.into())
            }
            outputs if outputs != shape.classes => {
                Err(NetworkError::Classes { outputs, classes: shape.classes }.into())
            }
            1 => Err(NetworkError::OneClass.into()),
            _ => Ok(network),
        }
    }

    /// The network of a model for samples of a shape.
    ///
    /// # Errors
    /// When its layers do not fit the samples, or the settings do not say what they are.
    pub fn of_model(model: Model, shape: SampleShape) -> Result<Self, RunError> {
        let mut nodes = std::vec![Node::empty(); model.len(shape)?];
        let network = Self::of_nodes(model.write(shape, &mut nodes)?, shape)?;
        let grain = model.grain(network.view());
        Ok(Self { grain, ..network })
    }

    /// How finely a run's batches are cut: [`Trainer::with_grain`](crate::training::Trainer::with_grain).
    #[must_use]
    pub const fn grain(&self) -> Grain {
        self.grain
    }

    /// The same network with its weights in the order that this module's engines use: see [`Network::keep_by_inputs`].
    #[must_use]
    pub fn by_inputs(mut self) -> Self {
        Network::keep_by_inputs(&mut self.placed);
        self
    }

    /// A copy of vectors in this network's order, converted to the order of files.
    #[must_use]
    pub fn as_files_hold<F: Copy>(&self, own: &[F]) -> Vec<F> {
        let mut vectors = own.to_vec();
        // A vector of another length is none of this network's, and has no other order.
        let _ = self.view().from_own_order(own, &mut vectors);
        vectors
    }

    /// The network.
    #[must_use]
    pub fn view(&self) -> Network<'_> {
        Network::from_placed(&self.placed).with_targets(self.targets)
    }
}

/// Whether embeddings take the data's tokens, and there are some exactly where there are tokens.
fn check_tokens(nodes: &[Placed], encoding: Encoding) -> Result<(), NetworkError> {
    let mut has_embedding = false;
    for (layer, node) in nodes.iter().enumerate() {
        let operation = node.operation;
        let Operation::Embedding(embedding) = operation else { continue };
        has_embedding = true;
        match encoding {
            Encoding::Tokens { vocabulary: tokens } if tokens > embedding.vocabulary => {
                return Err(NetworkError::Vocabulary { layer, operation, tokens });
            }
            Encoding::Tokens { .. } => {}
            Encoding::Bytes { .. } | Encoding::Floats => {
                return Err(NetworkError::NoTokens { layer, operation });
            }
        }
    }
    let takes_tokens = matches!(encoding, Encoding::Tokens { .. });
    if takes_tokens && !has_embedding { Err(NetworkError::NoEmbedding) } else { Ok(()) }
}
