//! Networks by name. A model is a small value; together with the shape of the data's samples it determines the tape of
//! layers. Any image size, number of channels and number of classes will do, as long as the layers fit.
//!
//! | name | layers | parameters |
//! |---|---|--:|
//! | `logistic` | softmax regression | 7,850 |
//! | `mlp`, `mlp-H` | one hidden layer of 128 or H with ReLU | 101,770 |
//! | `cnn` | the paper's for MNIST: two 5×5 convolutions | 28,938 |
//! | `cifar-cnn` | its authors' for CIFAR-10: three 3×3 convolutions | 541,094 |
//! | `resnet-D`, `resnet-D-W` | He and others' for CIFAR, of D = 8, 14, 20, 32, 56 layers from W = 16 channels | 272,474 (D = 20) |
//! | `resnet18`, `resnet18-W` | ResNet-18 from W = 64 channels, for small images | 11,173,962 |
//! | `transformer`, `transformer-L-H-W` | GPT-2's, of L = 4 layers, H = 4 heads and width W = 128, for tokens | 818,241 |
//! | `own-…` | a custom network, by its SHA-256 | |
//!
//! (Parameters for 28×28 grey images in the first three lines, 3×32×32 in the others, ten classes; of the transformer for 64
//! positions of 65 tokens.)
//!
//! Parameters are initialised as in PyTorch, those of the transformer as GPT-2's: see [`crate::network::initialise`]. To
//! add a model: its file, and its lines here and in `text.rs`.

mod cifar_cnn;
mod cnn;
#[cfg(all(feature = "std", feature = "serde"))]
pub mod description;
mod error;
mod logistic;
mod mlp;
mod resnet;
mod tape;
mod text;
mod transformer;

pub use error::ModelError;
pub use text::NotAModel;

use self::tape::Tape;
use crate::dataset::{Encoding, SampleShape};
use crate::digest::Digest;
use crate::network::{Grain, Network, Node};

/// A network by name. See the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Softmax regression.
    Logistic,
    /// One hidden layer with ReLU.
    Mlp {
        /// Its length.
        hidden: u32,
    },
    /// The paper's for MNIST: two 5×5 convolutions to 16 and 32 channels with ReLU and 2×2 max-pooling, then dense.
    Cnn,
    /// Its authors' for CIFAR-10: three 3×3 convolutions to 16, 32 and 64 channels with ReLU and 2×2 max-pooling, then
    /// a dense layer of 500 with ReLU, then dense.
    CifarCnn,
    /// A ResNet for small images, with group norm: see `resnet.rs`.
    ResNet {
        /// Layers with weights, projections aside: one of [`Model::DEPTHS`].
        depth: u32,
        /// Channels of the first stage.
        width: u32,
    },
    /// ResNet-18 for small images, with group norm.
    ResNet18 {
        /// Channels of the first stage.
        width: u32,
    },
    /// A decoder-only transformer as GPT-2, for sequences of tokens: see `transformer.rs`.
    Transformer {
        /// Number of layers.
        layers: u32,
        /// Heads of each attention; they divide the width.
        heads: u32,
        /// Channels of each position.
        width: u32,
    },
    /// A custom network, whose layers are described elsewhere.
    Own {
        /// The digest of its layers.
        digest: Digest,
    },
}

impl Model {
    /// The MLP of 128.
    pub const MLP: Self = Self::Mlp { hidden: 128 };

    /// A custom network without a digest: its runs cannot be told apart.
    pub const UNNAMED: Self = Self::Own { digest: Digest([0; 32]) };

    /// Depths of [`Model::ResNet`]: 6n + 2 for n blocks in each of three stages.
    pub const DEPTHS: [u32; 5] = [8, 14, 20, 32, 56];

    /// Those for MNIST, smallest first.
    pub const MNIST: [Self; 3] = [Self::Logistic, Self::MLP, Self::Cnn];

    /// The transformer of 4 layers, 4 heads and width 128.
    pub const TRANSFORMER: Self = Self::Transformer {
        layers: transformer::LAYERS,
        heads: transformer::HEADS,
        width: transformer::WIDTH,
    };

    /// All ready-made ones, with their usual sizes.
    pub const ALL: [Self; 11] = [
        Self::Logistic,
        Self::MLP,
        Self::Cnn,
        Self::CifarCnn,
        Self::resnet(8),
        Self::resnet(14),
        Self::resnet(20),
        Self::resnet(32),
        Self::resnet(56),
        Self::ResNet18 { width: resnet::WIDTH_18 },
        Self::TRANSFORMER,
    ];

    const fn resnet(depth: u32) -> Self {
        Self::ResNet { depth, width: resnet::WIDTH }
    }

    /// Whether it is for sequences of tokens. `None` where that depends on the layers of a custom network.
    #[must_use]
    pub const fn takes_tokens(self) -> Option<bool> {
        match self {
            Self::Transformer { .. } => Some(true),
            Self::Own { .. } => None,
            _ => Some(false),
        }
    }

    /// Number of nodes of its tape: how many [`Self::write`] takes.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn len(self, shape: SampleShape) -> Result<usize, ModelError> {
        let mut tape = Tape::new(&mut []);
        self.write_to(shape, &mut tape)?;
        Ok(tape.len())
    }

    /// Writes its tape for samples of a shape into the caller's memory. [`Network::place`] checks whether the layers
    /// fit the samples.
    ///
    /// # Errors
    /// When the memory is too short, the model has a size that it cannot have, or its layers are not known here.
    pub fn write(self, shape: SampleShape, nodes: &mut [Node]) -> Result<&[Node], ModelError> {
        let mut tape = Tape::new(nodes);
        self.write_to(shape, &mut tape)?;
        tape.finish()
    }

    fn write_to(self, shape: SampleShape, tape: &mut Tape<'_>) -> Result<(), ModelError> {
        let outputs = shape.outputs();
        if self.takes_tokens() == Some(false) && matches!(shape.encoding, Encoding::Tokens { .. }) {
            return Err(ModelError::WantsImages);
        }
        match self {
            Self::Logistic => logistic::write(tape, outputs),
            Self::Mlp { hidden } => mlp::write(tape, hidden, outputs),
            Self::Cnn => cnn::write(tape, outputs),
            Self::CifarCnn => cifar_cnn::write(tape, outputs),
            Self::ResNet { depth, width } => resnet::write(tape, depth, width, outputs)?,
            Self::ResNet18 { width } => resnet::write_18(tape, width, outputs)?,
            Self::Transformer { layers, heads, width } => {
                transformer::write(tape, transformer::Sizes { layers, heads, width }, shape)?;
            }
            Self::Own { .. } => return Err(ModelError::Own),
        }
        Ok(())
    }

    /// How finely a run's batches are cut: threads should be able to share small batches too, but sweeping a part must
    /// take far longer than adding its gradient to the others'. For the three MNIST models the grain was measured and
    /// is part of the definition of their runs; for the others it follows from their cost.
    #[must_use]
    pub fn grain(self, network: Network<'_>) -> Grain {
        self.fixed_grain().unwrap_or_else(|| Grain::of_network(network))
    }

    /// The grain, if it does not depend on the network.
    #[must_use]
    pub fn fixed_grain(self) -> Option<Grain> {
        match self {
            Self::Logistic => Some(Grain { samples: 64, parts: 32 }),
            Self::MLP => Some(Grain { samples: 128, parts: 8 }),
            Self::Cnn => Some(Grain { samples: 8, parts: 32 }),
            _ => None,
        }
    }
}
