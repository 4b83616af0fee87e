use adadagrad_core::layer::Gelu;

use super::super::program::Builder;
use super::{Call, DeviceLayer, Reads, Target, value_by_value};

impl DeviceLayer for Gelu {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        value_by_value::forward("gelu_forward", call, build);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        value_by_value::backward("gelu_backward", call.x[0], dx, call, build);
    }
}
