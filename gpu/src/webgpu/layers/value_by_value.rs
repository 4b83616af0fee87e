//! What `activation.wgsl` computes, value by value.

use super::super::buffers::word;
use super::super::kernel::{Launch, Shader};
use super::super::program::Builder;
use super::super::uniforms::Values;
use super::{Call, Target};

/// y from x.
pub(super) fn forward(entry: &'static str, call: &Call<'_>, build: &mut Builder<'_>) {
    dispatch(entry, &[], &[(1, call.x[0]), (2, call.y)], call, build);
}

/// dx from dy and the layer's inputs or outputs.
pub(super) fn backward(
    entry: &'static str,
    values: &wgpu::Buffer,
    dx: Target<'_>,
    call: &Call<'_>,
    build: &mut Builder<'_>,
) {
    let bindings = [(1, values), (2, dx.buffer), (3, call.dy)];
    dispatch(entry, &[("ADD", dx.adds)], &bindings, call, build);
}

pub(super) fn dispatch(
    entry: &'static str,
    constants: &[(&'static str, bool)],
    bindings: &[(u32, &wgpu::Buffer)],
    call: &Call<'_>,
    build: &mut Builder<'_>,
) {
    let count = build.samples * word(call.place.output.len());
    let launch = Launch::flat(Shader::Activation, entry, constants, count);
    build.launch(&launch, Values { count }, bindings);
}
