use super::Network;
use crate::random::Key;
use crate::real::{Real, count};
use crate::statistics::{LengthMismatch, check_length};

/// Streams of random numbers from here on belong to layers; those below are the shuffle's passes.
const FIRST_STREAM: u64 = 1 << 63;

/// Fills the parameters by PyTorch's default: weights and biases of a layer uniform in
/// (−1/√fan_in, 1/√fan_in). The same seed gives the same parameters.
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
        let fan_in: F = count(node.operation.fan_in(node.input).max(1) as u64);
        let bound = F::one() / fan_in.root();
        let of_layer = &mut parameters[node.parameter_offset..][..node.weights + node.biases];
        // Of a dense layer, whose ends are vectors.
        let [inputs, outputs] = [node.input.channels, node.output.channels];
        for (place, parameter) in (0..).zip(of_layer) {
            // Numbers are drawn in the order of files.
            let is_turned = node.by_inputs && (place as usize) < node.weights;
            let index = if is_turned { place % outputs * inputs + place / outputs } else { place };
            *parameter = key.uniform(index, bound);
        }
    }
    Ok(())
}
