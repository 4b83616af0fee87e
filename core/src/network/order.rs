//! In which order a dense layer's weights lie.

use super::{Network, Placed};
use crate::layer::Operation;
use crate::statistics::{LengthMismatch, check_length};

impl Network<'_> {
    /// Keeps the weights of dense layers that read the network's input by inputs, W \[inputs, outputs\]: where most
    /// inputs are zero, as an image's are, those of one input are read and changed together, and those of the zeros
    /// not at all. Parameters, their gradients and the optimizer's memory all lie so; [`Self::to_own_order`] and
    /// [`Self::from_own_order`] lead there and back.
    pub fn keep_by_inputs(nodes: &mut [Placed]) {
        for node in nodes {
            node.by_inputs = node.is_first() && matches!(node.operation, Operation::Dense(_));
        }
    }

    /// Vectors over the parameters, one after the other, from W \[outputs, inputs\] as files hold it to the order of
    /// this network.
    ///
    /// # Errors
    /// When the two are not equally long, or no multiple of D.
    pub fn to_own_order<F: Copy>(&self, vectors: &[F], own: &mut [F]) -> Result<(), LengthMismatch> {
        self.reorder(vectors, own, |[inputs, outputs]| [outputs, inputs])
    }

    /// The same back.
    ///
    /// # Errors
    /// When the two are not equally long, or no multiple of D.
    pub fn from_own_order<F: Copy>(&self, own: &[F], vectors: &mut [F]) -> Result<(), LengthMismatch> {
        self.reorder(own, vectors, |shape| shape)
    }

    /// `shape`: rows and columns of what is transposed, of a layer's \[inputs, outputs\].
    fn reorder<F: Copy>(
        &self,
        from: &[F],
        to: &mut [F],
        shape: impl Fn([usize; 2]) -> [usize; 2],
    ) -> Result<(), LengthMismatch> {
        let len = self.parameters().max(1);
        check_length("a vector over the parameters", from.len().next_multiple_of(len), from.len())?;
        check_length("the reordered vector", from.len(), to.len())?;
        to.copy_from_slice(from);
        for (from, to) in from.chunks(len).zip(to.chunks_mut(len)) {
            for node in self.nodes().iter().filter(|node| node.by_inputs) {
                let weights = node.parameter_offset..node.parameter_offset + node.weights;
                let [rows, columns] = shape([node.input.len(), node.output.len()]);
                for (i, row) in from[weights.clone()].chunks_exact(columns).enumerate() {
                    for (to, &value) in to[weights.clone()].iter_mut().skip(i).step_by(rows).zip(row) {
                        *to = value;
                    }
                }
            }
        }
        Ok(())
    }
}
