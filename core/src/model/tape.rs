use core::fmt;

use super::ModelError;
use crate::layer::Operation;
use crate::network::{Name, Node, Source};

/// A tape being written. Without enough memory it only counts.
pub(super) struct Tape<'a> {
    nodes: &'a mut [Node],
    len: u16,
}

impl<'a> Tape<'a> {
    pub(super) const fn new(nodes: &'a mut [Node]) -> Self {
        Self { nodes, len: 0 }
    }

    /// Nodes so far.
    pub(super) fn len(&self) -> usize {
        self.len.into()
    }

    /// What the last node gives.
    pub(super) const fn last(&self) -> Source {
        match self.len.checked_sub(1) {
            None => Source::Input,
            Some(last) => Source::Node(last),
        }
    }

    /// Appends a node without a name that takes what the last one gives.
    pub(super) fn then(&mut self, operation: impl Into<Operation>) {
        self.push(Node::new(operation.into(), self.last()));
    }

    /// Appends a node with a name.
    pub(super) fn add(
        &mut self,
        name: fmt::Arguments<'_>,
        operation: impl Into<Operation>,
        inputs: [Source; 2],
    ) {
        // The models' own names are short enough.
        let name = Name::format(name).unwrap_or_default();
        self.push(Node::with_inputs(operation.into(), inputs).named(name));
    }

    /// Gives the last node's weights a normal law of this standard deviation, and its biases 0.
    pub(super) fn deviate(&mut self, deviation: f32) {
        let last = usize::from(self.len).checked_sub(1);
        if let Some(node) = last.and_then(|last| self.nodes.get_mut(last)) {
            *node = node.with_deviation(deviation);
        }
    }

    fn push(&mut self, node: Node) {
        if let Some(place) = self.nodes.get_mut(usize::from(self.len)) {
            *place = node;
        }
        self.len = self.len.saturating_add(1);
    }

    /// The nodes.
    ///
    /// # Errors
    /// When there was not enough memory.
    pub(super) fn finish(self) -> Result<&'a [Node], ModelError> {
        let Self { nodes, len } = self;
        let places = nodes.len();
        nodes.get(..len.into()).ok_or(ModelError::Storage { nodes: len.into(), places })
    }
}
