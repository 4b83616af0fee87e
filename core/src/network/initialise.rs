use super::Network;
use crate::layer::Initial;
use crate::random::Key;
use crate::real::{Real, count};
use crate::statistics::{LengthMismatch, check_length};

/// Streams of random numbers from here on belong to layers; those below are the shuffle's passes.
const FIRST_STREAM: u64 = 1 << 63;

/// Fills the parameters by PyTorch's default: weights and biases of a layer uniform in
/// (−1/√fan_in, 1/√fan_in), those of embeddings normal with variance 1; or as a node says, weights normal with a
/// deviation of its own and biases 0 ([`Node::deviation`](super::Node::deviation)). The same seed gives the same
/// parameters.
///
/// # Errors
/// When `parameters` does not have D values.
pub fn initialise<F: Real>(
    network: Network<'_>,
    seed: u64,
    parameters: &mut [F],
) -> Result<(), LengthMismatch> {
    check_length("the parameters", network.parameters(), parameters.len())?;
    for (layer, node) in (FIRST_STREAM..).zip(network.nodes()) {
        let key = Key::new(seed, layer);
        let mut of_layer = &mut parameters[node.parameters()];
        let mut first = 0;
        for tensor in node.tensors().iter().flatten() {
            let (values, rest) = of_layer.split_at_mut(tensor.len());
            // Of a dense layer, whose ends are vectors.
            let turned =
                (node.by_inputs && first == 0).then_some([node.input.channels, node.output.channels]);
            for (place, value) in (0..).zip(&mut *values) {
                // Numbers are drawn in the order of files.
                let index =
                    turned.map_or(place, |[inputs, outputs]| place % outputs * inputs + place / outputs);
                *value = match tensor.initial {
                    Initial::Uniform { fan_in } => {
                        key.uniform(first + index, F::one() / count::<F>(fan_in.into()).root())
                    }
                    Initial::Normal { deviation } => key.normal(first + index, deviation),
                    Initial::One => F::one(),
                    Initial::Zero => F::zero(),
                };
            }
            first += u32::try_from(values.len()).unwrap_or(u32::MAX);
            of_layer = rest;
        }
    }
    Ok(())
}
