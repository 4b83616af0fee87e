//! Optimizers on the device: the uniforms of their kernels.

use adadagrad_core::optimizer::{AnyOptimizer, Kernel, StepScalars};

use super::buffers::{Buffers, word};
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

/// The bindings of `optimizer.wgsl`.
pub(super) fn update_bindings<'b>(
    optimizer: &AnyOptimizer,
    buffers: &'b Buffers,
) -> Vec<(u32, &'b wgpu::Buffer)> {
    let mut bindings = vec![(1, &buffers.parameters), (2, &buffers.gradient_sum), (4, &buffers.refused)];
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
        samples: samples as f32,
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
