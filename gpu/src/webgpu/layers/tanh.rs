use adadagrad_core::layer::Tanh;

use super::super::program::Builder;
use super::{Call, DeviceLayer, Reads, Target, value_by_value};

impl DeviceLayer for Tanh {
    fn reads(&self) -> Reads {
        Reads::OUTPUTS
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        value_by_value::forward("tanh_forward", call, build);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        value_by_value::backward("tanh_backward", call.y, dx, call, build);
    }
}
