//! Decoder-only transformers as GPT-2 (Radford and others, "Language Models are Unsupervised Multitask Learners", 2019), with
//! the normalisations before the sublayers: x is the sum of a token's and a position's embedding, and of L layers, each
//!
//! ```text
//! x ← x + proj(attention(qkv(layer_norm(x))))        qkv to 3·width, proj to width
//! x ← x + proj(gelu(fc(layer_norm(x))))              fc to 4·width, proj to width
//! ```
//!
//! Then a last layer norm, and a dense layer to the vocabulary. Dense layers have biases. There is no dropout, and the last
//! layer's weights are not those of the token embedding: with tied weights the norm of a sample's gradient would lack the
//! cross terms between the two. Context and vocabulary are those of the data.
//!
//! Initial values are GPT-2's: weights of dense layers and embeddings normal with deviation 0.02, those of both `proj` with
//! 0.02/√(2L), since each adds to x; biases 0, γ = 1, β = 0.
//!
//! Nodes have the names of nanoGPT's modules: `transformer.wte`, `transformer.wpe`, `transformer.h.0.ln_1`,
//! `transformer.h.0.attn.c_attn` (query, key and value), `transformer.h.0.attn.c_proj`, `transformer.h.0.ln_2`,
//! `transformer.h.0.mlp.c_fc`, `transformer.h.0.mlp.c_proj`, `transformer.ln_f`, `lm_head` (which has a bias here).

use super::ModelError;
use super::tape::Tape;
use crate::dataset::{Encoding, SampleShape};
use crate::layer::{Add, CausalAttention, Dense, Embedding, Gelu, LayerNorm, Operation, PositionEmbedding};
use crate::network::Source;
use crate::real::Real;

/// Layers, heads and width, unless others are asked for: a character model's.
pub(super) const LAYERS: u32 = 4;
pub(super) const HEADS: u32 = 4;
pub(super) const WIDTH: u32 = 128;
/// The most, far beyond what trains on one machine.
pub(super) const MOST_LAYERS: u32 = 96;
pub(super) const MOST_WIDTH: u32 = 16_384;

/// Standard deviation of initial weights.
const DEVIATION: f32 = 0.02;

/// Sizes of a transformer.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) layers: u32,
    pub(super) heads: u32,
    pub(super) width: u32,
}

pub(super) fn write(tape: &mut Tape<'_>, sizes: Sizes, shape: SampleShape) -> Result<(), ModelError> {
    let Sizes { layers, heads, width } = sizes;
    let Encoding::Tokens { vocabulary } = shape.encoding else { return Err(ModelError::WantsTokens) };
    if !(1..=MOST_LAYERS).contains(&layers) {
        return Err(ModelError::Layers(layers));
    }
    if !(1..=MOST_WIDTH).contains(&width) {
        return Err(ModelError::TransformerWidth(width));
    }
    if heads == 0 || !width.is_multiple_of(heads) {
        return Err(ModelError::Heads { heads, width });
    }
    weights(tape, format_args!("transformer.wte"), Embedding { vocabulary, width }, DEVIATION);
    let positions = PositionEmbedding { positions: shape.input.width };
    weights(tape, format_args!("transformer.wpe"), positions, DEVIATION);
    for layer in 0..layers {
        write_layer(tape, format_args!("transformer.h.{layer}"), sizes);
    }
    one(tape, format_args!("transformer.ln_f"), LayerNorm);
    weights(tape, format_args!("lm_head"), Dense { outputs: shape.outputs() }, DEVIATION);
    Ok(())
}

/// Two residual branches.
fn write_layer(tape: &mut Tape<'_>, name: core::fmt::Arguments<'_>, Sizes { layers, heads, width }: Sizes) {
    let residual = f32::of(f64::from(DEVIATION) / f64::from(2 * layers).root());
    let input = tape.last();
    one(tape, format_args!("{name}.ln_1"), LayerNorm);
    weights(tape, format_args!("{name}.attn.c_attn"), Dense { outputs: 3 * width }, DEVIATION);
    one(tape, format_args!("{name}.attn"), CausalAttention { heads });
    weights(tape, format_args!("{name}.attn.c_proj"), Dense { outputs: width }, residual);
    tape.add(format_args!("{name}.add_1"), Add, [input, tape.last()]);
    let input = tape.last();
    one(tape, format_args!("{name}.ln_2"), LayerNorm);
    weights(tape, format_args!("{name}.mlp.c_fc"), Dense { outputs: 4 * width }, DEVIATION);
    one(tape, format_args!("{name}.mlp.gelu"), Gelu);
    weights(tape, format_args!("{name}.mlp.c_proj"), Dense { outputs: width }, residual);
    tape.add(format_args!("{name}.add_2"), Add, [input, tape.last()]);
}

/// A node that takes what the last one gives.
fn one(tape: &mut Tape<'_>, name: core::fmt::Arguments<'_>, operation: impl Into<Operation>) {
    tape.add(name, operation, [tape.last(), Source::None]);
}

/// One with weights.
fn weights(
    tape: &mut Tape<'_>,
    name: core::fmt::Arguments<'_>,
    operation: impl Into<Operation>,
    deviation: f32,
) {
    one(tape, name, operation);
    tape.deviate(deviation);
}
