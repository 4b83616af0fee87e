//! Optimizers on the device: which entry point, and what it is told.

use adadagrad_core::optimizer::{AnyOptimizer, StepScalars};

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

/// The entry point of `optimizer.wgsl`.
pub(super) fn entry_of(optimizer: &AnyOptimizer) -> &'static str {
    match optimizer {
        AnyOptimizer::Sgd(_) | AnyOptimizer::AdaGradNorm(_) | AnyOptimizer::AdaGradNormDelayed(_) => "sgd",
        AnyOptimizer::Momentum(_) => "momentum",
        AnyOptimizer::Nesterov(_) => "nesterov",
        AnyOptimizer::AdaGrad(_) => "adagrad",
        AnyOptimizer::RmsProp(_) => "rmsprop",
        AnyOptimizer::Adam(_) | AnyOptimizer::AdamW(_) => "adam",
    }
}

/// Its bindings.
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
    let plain = Step {
        count: word(parameters),
        samples: samples as f32,
        step_size: scalars.step_size,
        root_scale: scalars.root_scale,
        shrink: scalars.shrink,
        ..Step::default()
    };
    let narrow = |x: f64| x as f32;
    // As the core's.
    let divisor = |epsilon: f64| narrow(epsilon).max(f32::MIN_POSITIVE);
    let adam = |epsilon, weight_decay| Step {
        decay1: scalars.beta1,
        new1: scalars.new1,
        decay2: scalars.beta2,
        new2: scalars.new2,
        epsilon: divisor(epsilon),
        weight_decay: narrow(weight_decay),
        ..plain
    };
    match *optimizer {
        AnyOptimizer::Sgd(rule) => Step { weight_decay: narrow(rule.weight_decay), ..plain },
        AnyOptimizer::AdaGradNorm(_) | AnyOptimizer::AdaGradNormDelayed(_) => plain,
        AnyOptimizer::Momentum(rule) => {
            Step { decay1: narrow(rule.momentum), weight_decay: narrow(rule.weight_decay), ..plain }
        }
        AnyOptimizer::Nesterov(rule) => {
            Step { decay1: narrow(rule.momentum), weight_decay: narrow(rule.weight_decay), ..plain }
        }
        AnyOptimizer::AdaGrad(rule) => {
            Step { epsilon: divisor(rule.epsilon), weight_decay: narrow(rule.weight_decay), ..plain }
        }
        AnyOptimizer::RmsProp(rule) => Step {
            decay1: narrow(rule.alpha),
            new1: narrow(1.0 - rule.alpha),
            epsilon: divisor(rule.epsilon),
            weight_decay: narrow(rule.weight_decay),
            ..plain
        },
        AnyOptimizer::Adam(rule) => adam(rule.epsilon, rule.weight_decay),
        // AdamW's decay is in `shrink`.
        AnyOptimizer::AdamW(rule) => adam(rule.epsilon, 0.0),
    }
}
