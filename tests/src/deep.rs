//! Deep networks of colour images: the built-in ones, with any activation.

use adadagrad_core::dataset::SampleShape;
use adadagrad_core::layer::Operation;
use adadagrad_core::model::Model;
use adadagrad_core::network::{Node, Shape};

/// Images of CIFAR.
pub const COLOUR: SampleShape = SampleShape::image(Shape::image(3, 32, 32), 10);

/// The nodes of a model for images of CIFAR, with `activation` in place of ReLU.
///
/// # Panics
/// Where the model does not fit such images.
#[must_use]
pub fn nodes(model: Model, activation: impl Into<Operation>) -> Vec<Node> {
    let activation = activation.into();
    let mut nodes = vec![Node::empty(); model.len(COLOUR).expect("a model with known layers")];
    model.write(COLOUR, &mut nodes).expect("as many nodes as it has");
    for node in nodes.iter_mut().filter(|node| matches!(node.operation, Operation::Relu(_))) {
        node.operation = activation;
    }
    nodes
}
