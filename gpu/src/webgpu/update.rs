//! Optimizers on the device: the uniforms of their kernels.

use adadagrad_core::network::Network;
use adadagrad_core::optimizer::{AnyOptimizer, DecayOn, Kernel, StepScalars};

use super::buffers::{Buffers, word};
use super::kernel::{Grid, Launch, Shader};
use super::uniforms::Step;

/// Words of a slot of optimizer memory: whole vectors of four.
pub(super) const fn slot_len(parameters: usize) -> usize {
    parameters.next_multiple_of(4)
}

/// Optimizer memory as the device holds it, of memory without gaps.
pub(super) fn spread(memory: &[f32], parameters: usize) -> Vec<f32> {
    let mut slots = vec![0.0; memory.len() / parameters * slot_len(parameters)];
    for (spread, slot) in slots.chunks_exact_mut(slot_len(parameters)).zip(memory.chunks_exact(parameters)) {
        spread[..parameters].copy_from_slice(slot);
    }
    slots
}

/// The same back.
pub(super) fn close_up(spread: &[f32], parameters: usize) -> Vec<f32> {
    spread.chunks_exact(slot_len(parameters)).flat_map(|slot| &slot[..parameters]).copied().collect()
}

/// One bit per parameter, 1 for those without weight decay; `None` where all have it.
pub(super) fn exempt_bits(network: Network<'_>, decay_on: DecayOn) -> Option<Vec<u32>> {
    (decay_on != DecayOn::All).then(|| {
        let mut bits = vec![0; network.parameters().div_ceil(32)];
        for parameter in network.exempt(decay_on).flatten() {
            bits[parameter / 32] |= 1 << (parameter % 32);
        }
        bits
    })
}

/// `optimizer.wgsl` for `parameters` parameters, some of which may have no weight decay.
pub(super) fn launch(optimizer: &AnyOptimizer, is_masked: bool, parameters: usize) -> Launch {
    let constants = if is_masked { vec![("MASKED", 1)] } else { Vec::new() };
    let grid = Grid::Flat(word(parameters.div_ceil(4)));
    Launch { shader: Shader::Optimizer, entry: optimizer.kernel().name, constants, grid }
}

/// The bindings of `optimizer.wgsl`; `exempt` are the bits of [`exempt_bits`], or any words where there are none.
pub(super) fn update_bindings<'b>(
    optimizer: &AnyOptimizer,
    buffers: &'b Buffers,
    exempt: &'b wgpu::Buffer,
) -> Vec<(u32, &'b wgpu::Buffer)> {
    let Buffers { parameters, gradient_sum, refused, .. } = buffers;
    let mut bindings = vec![(1, parameters), (2, gradient_sum), (4, refused), (5, exempt)];
    if optimizer.as_optimizer::<f32>().slots() > 0 {
        bindings.push((3, &buffers.memory));
    }
    bindings
}

/// The optimizer's settings and the step's scalars as the shader takes them.
pub(super) fn step(
    optimizer: &AnyOptimizer,
    scalars: &StepScalars<f32>,
    parameters: usize,
    samples: u32,
) -> Step {
    let narrow = |x: f64| x as f32;
    let Kernel { decay, epsilon, weight_decay, .. } = optimizer.kernel();
    let [decay1, new1] =
        decay.map_or([scalars.beta1, scalars.new1], |decay| [decay, 1.0 - decay].map(narrow));
    Step {
        count: word(parameters),
        samples: samples as f32 / scalars.clip,
        step_size: scalars.step_size,
        root_scale: scalars.root_scale,
        shrink: scalars.shrink,
        weight_decay: narrow(weight_decay),
        // As the core's.
        epsilon: narrow(epsilon).max(f32::MIN_POSITIVE),
        decay1,
        new1,
        decay2: scalars.beta2,
        new2: scalars.new2,
    }
}
