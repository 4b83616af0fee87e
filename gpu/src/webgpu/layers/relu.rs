use adadagrad_core::layer::Relu;

use super::super::program::Builder;
use super::{Call, DeviceLayer, Reads, Target, value_by_value};

impl DeviceLayer for Relu {
    fn reads(&self) -> Reads {
        Reads::OUTPUTS
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        value_by_value::forward("relu_forward", call, build);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        value_by_value::backward("relu_backward", call.y, dx, call, build);
    }
}

/// The way back through a ReLU that is fused into a layer: masks the gradient of the layer's outputs in place.
pub(in super::super) fn mask(call: &Call<'_>, build: &mut Builder<'_>) {
    value_by_value::dispatch("relu_mask", &[], &[(1, call.y), (2, call.dy)], call, build);
}
