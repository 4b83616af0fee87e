use adadagrad_core::layer::CausalAttention;
use adadagrad_core::network::Placed;

use super::super::kernel::{Launch, Shader};
use super::super::program::Builder;
use super::super::uniforms::Attention;
use super::{Call, DeviceLayer, Reads, Scratch, Target};

/// As its shaders take it.
const fn block(layer: CausalAttention, place: &Placed, samples: u32) -> Attention {
    let output = place.output;
    Attention { samples, width: output.channels, heads: layer.heads, positions: output.width }
}

/// Rows of the attention's weights.
const fn rows(block: &Attention) -> u32 {
    block.samples * block.heads * block.positions
}

fn launch(entry: &'static str, constants: &[(&'static str, bool)], invocations: u32) -> Launch {
    Launch::flat(Shader::Attention, entry, constants, invocations)
}

impl DeviceLayer for CausalAttention {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    /// The attention's weights.
    fn kept(&self, place: &Placed) -> usize {
        self.heads as usize * place.output.plane() * place.output.plane()
    }

    /// The scores' gradient, as many as the weights.
    fn scratch(&self, place: &Placed, samples: usize) -> Scratch {
        Scratch { sample_gradients: samples * self.kept(place), ..Scratch::default() }
    }

    fn forward(&self, call: &Call<'_>, build: &mut Builder<'_>) {
        let block = block(*self, call.place, build.samples);
        let bindings = [(1, call.x[0]), (4, call.kept), (5, call.y)];
        build.launch(&launch("attention_weights", &[], rows(&block)), block, &bindings[..2]);
        let count = block.samples * block.width * block.positions;
        build.launch(&launch("attention_forward", &[], count), block, &bindings);
    }

    fn input_gradient(&self, call: &Call<'_>, dx: Target<'_>, build: &mut Builder<'_>) {
        let block = block(*self, call.place, build.samples);
        let scores = &build.buffers.sample_gradients;
        let bindings = [(1, call.x[0]), (2, call.dy), (3, scores), (4, call.kept), (5, dx.buffer)];
        build.launch(&launch("attention_score_gradients", &[], rows(&block)), block, &bindings[..4]);
        let count = 3 * block.samples * block.width * block.positions;
        let gradient = launch("attention_input_gradient", &[("ADD", dx.adds)], count);
        build.launch(&gradient, block, &bindings);
    }
}
