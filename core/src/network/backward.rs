//! The backward pass over all nodes.

use core::ops::Range;

use super::buffers::{Buffers, cut};
use super::fusion::Stage;
use super::pass::Pass;
use super::{Network, Placed};
use crate::backend::Backend;
use crate::real::{Real, power_of_two};
use crate::sink::Sink;

/// The backward pass over all nodes, from the gradients that `score` left at the outputs.
pub(super) fn backward<F: Real>(
    network: Network<'_>,
    backend: &dyn Backend<F>,
    pass: Pass,
    samples: usize,
    parameters: &[F],
    values: &mut [F],
    mut sink: Sink<'_, F>,
) {
    let mut buffers = cut(network, samples, values);
    let mut end = network.nodes().len();
    while end > 0 {
        let stage = Stage::before(network.nodes(), end, backend, buffers.scratch.len());
        let can_overwrite = stage.can_overwrite(backend, buffers.scratch.len());
        let of_stage = end - stage.len()..end;
        let overwrites =
            clear_gradients(network.nodes(), of_stage, pass, can_overwrite, samples, &mut buffers);
        stage.backward(backend, samples, (pass, overwrites), parameters, &mut buffers, &mut sink);
        end -= stage.len();
    }
}

/// All gradients of activations times 2ᵏ.
pub(super) fn scale_gradients<F: Real>(
    network: Network<'_>,
    samples: usize,
    values: &mut [F],
    exponent: i32,
) {
    let factor = power_of_two::<F>(exponent);
    cut(network, samples, values).gradients.iter_mut().for_each(|gradient| *gradient *= factor);
}

/// Zeros for what a stage adds to, where it is the first to, and for its own gradient where nobody has added any: just
/// before they are used, so that they are still in the processor's caches then. The gradient of the first input is left as it
/// is if the stage can overwrite it: gives whether it is to.
fn clear_gradients<F: Real>(
    nodes: &[Placed],
    stage: Range<usize>,
    pass: Pass,
    can_overwrite: bool,
    samples: usize,
    buffers: &mut Buffers<'_, F>,
) -> bool {
    let (Some(first), Some(last)) = (nodes.get(stage.start), nodes.get(stage.end - 1)) else { return false };
    let given = nodes.last().map(|last| last.output_offset);
    let is_zero =
        |offset| Some(offset) != given && !nodes[stage.end..].iter().any(|node| node.reads_values_at(offset));
    let mut clear = |offset: usize, len: usize| {
        if len > 0 && is_zero(offset) {
            let start = (offset - buffers.without_gradient) * samples;
            buffers.gradients[start..][..len * samples].fill(F::zero());
        }
    };
    if pass == Pass::FromCache || last.is_flatten() {
        return false;
    }
    clear(last.output_offset, last.output.len());
    let mut overwrites = false;
    for (k, values) in first.values.iter().enumerate().filter(|&(k, _)| pass.passes_on(first, k)) {
        if k == 0 && can_overwrite && is_zero(values.offset) {
            overwrites = true;
        } else if k == 0 || values.offset != first.values[0].offset {
            clear(values.offset, values.len);
        }
    }
    overwrites
}
