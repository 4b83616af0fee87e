//! ResNets (He and others, arXiv 1512.03385) for small images: the stem is one 3×3 convolution of stride 1, without the
//! max-pooling of those for ImageNet. Stages of basic blocks follow, y = relu(F(x) + x) with F two 3×3 convolutions; each
//! stage but the first begins with stride 2 and twice the channels, where x goes through a 1×1 convolution. Then the
//! mean of each channel, and a dense layer.
//!
//! Instead of batch norm, which couples a batch's samples, there is group norm, of min(32, channels/2) groups (or the
//! largest number below that divides the channels); convolutions have no bias, since a normalisation follows each.
//!
//! Nodes have the names of torchvision's modules with `norm` for `bn`: `conv1`, `norm1`, `layer1.0.conv1`,
//! `layer1.0.norm1`, `layer2.0.downsample.0` (the 1×1 convolution) and `.1` (its norm), `fc`.

use super::tape::Tape;
use super::{Model, ModelError};
use crate::layer::{Add, Conv2d, Dense, GlobalAveragePool, GroupNorm, Operation, Relu};
use crate::network::Source;

/// Channels of the first stage, unless others are asked for.
pub(super) const WIDTH: u32 = 16;
/// The same of ResNet-18.
pub(super) const WIDTH_18: u32 = 64;
/// The most, far beyond what trains on one machine.
pub(super) const MOST_WIDTH: u32 = 4096;
/// Groups of a group norm, at most.
const MOST_GROUPS: u32 = 32;

/// Three stages of n blocks: 6n + 2 layers with weights.
pub(super) fn write(tape: &mut Tape<'_>, depth: u32, width: u32, classes: u32) -> Result<(), ModelError> {
    if !Model::DEPTHS.contains(&depth) {
        return Err(ModelError::Depth(depth));
    }
    write_stages(tape, [(depth - 2) / 6; 3], width, classes)
}

/// Four stages of two blocks.
pub(super) fn write_18(tape: &mut Tape<'_>, width: u32, classes: u32) -> Result<(), ModelError> {
    write_stages(tape, [2; 4], width, classes)
}

fn write_stages<const STAGES: usize>(
    tape: &mut Tape<'_>,
    blocks: [u32; STAGES],
    width: u32,
    classes: u32,
) -> Result<(), ModelError> {
    if !(1..=MOST_WIDTH).contains(&width) {
        return Err(ModelError::Width(width));
    }
    one(tape, format_args!("conv1"), convolution(width, 3, 1));
    one(tape, format_args!("norm1"), norm(width));
    one(tape, format_args!("relu"), Relu);
    let mut channels = width;
    for (stage, blocks) in (1..).zip(blocks) {
        for block in 0..blocks {
            let shrinks = stage > 1 && block == 0;
            let (outputs, stride) = if shrinks { (2 * channels, 2) } else { (channels, 1) };
            write_block(tape, format_args!("layer{stage}.{block}"), outputs, stride);
            channels = outputs;
        }
    }
    one(tape, format_args!("avgpool"), GlobalAveragePool);
    one(tape, format_args!("fc"), Dense { outputs: classes });
    Ok(())
}

/// y = relu(F(x) + x), with a projection of x where its shape changes.
fn write_block(tape: &mut Tape<'_>, name: core::fmt::Arguments<'_>, channels: u32, stride: u32) {
    let input = tape.last();
    one(tape, format_args!("{name}.conv1"), convolution(channels, 3, stride));
    one(tape, format_args!("{name}.norm1"), norm(channels));
    one(tape, format_args!("{name}.relu1"), Relu);
    one(tape, format_args!("{name}.conv2"), convolution(channels, 3, 1));
    one(tape, format_args!("{name}.norm2"), norm(channels));
    let residual = tape.last();
    let mut shortcut = input;
    if stride != 1 {
        let projection = convolution(channels, 1, stride);
        tape.add(format_args!("{name}.downsample.0"), projection, [input, Source::None]);
        one(tape, format_args!("{name}.downsample.1"), norm(channels));
        shortcut = tape.last();
    }
    tape.add(format_args!("{name}.add"), Add, [residual, shortcut]);
    one(tape, format_args!("{name}.relu2"), Relu);
}

/// A node that takes what the last one gives.
fn one(tape: &mut Tape<'_>, name: core::fmt::Arguments<'_>, operation: impl Into<Operation>) {
    tape.add(name, operation, [tape.last(), Source::None]);
}

/// One that keeps the size of an image, at stride 1.
const fn convolution(outputs: u32, kernel: u32, stride: u32) -> Conv2d {
    Conv2d { outputs, kernel, stride, padding: kernel / 2, bias: false }
}

fn norm(channels: u32) -> GroupNorm {
    let most = (channels / 2).clamp(1, MOST_GROUPS);
    let groups = (1..=most).rev().find(|groups| channels.is_multiple_of(*groups)).unwrap_or(1);
    GroupNorm { groups }
}
