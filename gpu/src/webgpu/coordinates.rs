//! Noise scales that look at coordinates, on the device: the entry point and its uniforms.

use adadagrad_core::noise_scale::Sensor;
use adadagrad_core::optimizer::{AnyOptimizer, Preconditioner, Shared};

use super::buffers::{Buffers, word};
use super::engine::SHARES;
use super::kernel::{Grid, Launch, Shader};
use super::uniforms::Noise;
use super::update::slot_len;

/// The kernel of a sensor, and its bindings. `None` for the plain one, whose sums are there anyway.
pub(super) fn launch(sensor: Sensor) -> Option<Launch> {
    let entry = match sensor {
        Sensor::Plain => return None,
        Sensor::Preconditioned => "preconditioned_noise",
        Sensor::Sign => "sign_noise",
    };
    Some(Launch {
        shader: Shader::Noise,
        entry,
        constants: Vec::new(),
        grid: Grid::Groups([word(SHARES), 1]),
    })
}

/// Its bindings.
pub(super) fn bindings(sensor: Sensor, buffers: &Buffers) -> Vec<(u32, &wgpu::Buffer)> {
    let mut bindings = vec![(1, &buffers.gradient_sum), (2, &buffers.second_moment), (4, &buffers.sums)];
    if sensor == Sensor::Preconditioned {
        bindings.push((3, &buffers.memory));
    }
    bindings
}

/// Its uniform block for a batch of `samples` samples, before the step of an optimizer with this state.
pub(super) fn uniform(
    optimizer: &AnyOptimizer,
    shared: &Shared<f64>,
    parameters: usize,
    samples: u32,
    place: usize,
) -> Noise {
    // Signs have no divisor, and do not look at it.
    let none = Preconditioner { slot: 0, correction: 1.0, epsilon: 1.0 };
    let preconditioner = optimizer.as_optimizer::<f32>().preconditioner(shared);
    let Preconditioner { slot, correction, epsilon } = preconditioner.unwrap_or(none);
    let narrow = |x: f64| x as f32;
    Noise {
        count: word(parameters),
        samples: samples as f32,
        place: word(place),
        squares: word(slot * slot_len(parameters)),
        correction: narrow(correction),
        epsilon: narrow(epsilon),
    }
}
