//! The storage order of a dense layer's weights.

use super::{Network, Placed};
use crate::layer::Operation;
use crate::statistics::{LengthMismatch, check_length};

impl Network<'_> {
    /// Stores the weights of dense layers that read the network's input as W \[inputs, outputs\]. Most pixels of an
    /// image are zero: the weights of one input are then contiguous, and those of zero inputs are not touched.
    /// Parameters, their gradients and the optimizer's memory all use this order; [`Self::to_own_order`] and
    /// [`Self::from_own_order`] convert.
    pub fn keep_by_inputs(nodes: &mut [Placed]) {
        for node in nodes {
            let is_dense = matches!(node.operation, Operation::Dense(_)) && node.input.is_vector();
            node.by_inputs = node.is_first() && is_dense;
        }
    }

    /// Converts vectors over the parameters, one after the other, from the order of files, W \[outputs, inputs\], to that
    /// of this network.
    ///
    /// # Errors
    /// When the two do not have the same length, or it is not a multiple of D.
    pub fn to_own_order<F: Copy>(&self, vectors: &[F], own: &mut [F]) -> Result<(), LengthMismatch> {
        self.reorder(vectors, own, |[inputs, outputs]| [outputs, inputs])
    }

    /// The inverse of [`Self::to_own_order`].
    ///
    /// # Errors
    /// When the two do not have the same length, or it is not a multiple of D.
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
