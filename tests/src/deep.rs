//! Deep networks of colour images, written down by hand.

use adadagrad_core::layer::{
    Add, Conv2d, Dense, Flatten, GlobalAveragePool, GroupNorm, MaxPool2d, Operation,
};
use adadagrad_core::network::{Node, Source};

const CLASSES: u32 = 10;
const GROUPS: u32 = 4;

/// A residual network for CIFAR: a convolution to `width` channels, three stages of `blocks` blocks of two 3×3 convolutions
/// each, the channels doubled and the image halved between stages, and a dense layer on the channels' means. Group
/// norm behind every convolution; 1×1 convolutions where a block's ends differ. ResNet-20 has three blocks a stage,
/// width 16, and ReLU.
#[must_use]
pub fn resnet(blocks: u32, width: u32, activation: Operation) -> Vec<Node> {
    let mut tape = Tape { nodes: Vec::new() };
    let mut x = tape.normalised(Source::Input, width, 3, 1);
    x = tape.push(activation, [x, Source::None]);
    for stage in 0..3 {
        let outputs = width << stage;
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let first = tape.normalised(x, outputs, 3, stride);
            let first = tape.push(activation, [first, Source::None]);
            let second = tape.normalised(first, outputs, 3, 1);
            let short = if stride == 1 { x } else { tape.normalised(x, outputs, 1, stride) };
            let sum = tape.push(Add, [second, short]);
            x = tape.push(activation, [sum, Source::None]);
        }
    }
    let means = tape.push(GlobalAveragePool, [x, Source::None]);
    tape.push(Dense { outputs: CLASSES }, [means, Source::None]);
    tape.nodes
}

/// Two 5×5 convolutions with max-pooling, and two dense layers.
#[must_use]
pub fn cifar_cnn(channels: [u32; 2], hidden: u32, activation: Operation) -> Vec<Node> {
    let conv = |outputs| Conv2d { outputs, kernel: 5, stride: 1, padding: 2, bias: true }.into();
    let pool = || MaxPool2d { kernel: 2, stride: 2 }.into();
    let [first, second] = channels;
    crate::tape::chain([
        conv(first),
        activation,
        pool(),
        conv(second),
        activation,
        pool(),
        Flatten.into(),
        Dense { outputs: hidden }.into(),
        activation,
        Dense { outputs: CLASSES }.into(),
    ])
}

struct Tape {
    nodes: Vec<Node>,
}

impl Tape {
    fn push(&mut self, operation: impl Into<Operation>, inputs: [Source; 2]) -> Source {
        let mut node = Node::new(operation.into(), inputs[0]);
        node.inputs = inputs;
        self.nodes.push(node);
        u16::try_from(self.nodes.len() - 1).map_or(Source::None, Source::Node)
    }

    /// A convolution without biases that keeps the size, but for the stride, and a group norm.
    fn normalised(&mut self, input: Source, outputs: u32, kernel: u32, stride: u32) -> Source {
        let conv = Conv2d { outputs, kernel, stride, padding: kernel / 2, bias: false };
        let convolved = self.push(conv, [input, Source::None]);
        self.push(GroupNorm { groups: GROUPS }, [convolved, Source::None])
    }
}
