use core::fmt;

use super::{
    Add, AveragePool2d, CausalAttention, Conv2d, Dense, Embedding, Flatten, Gelu, GlobalAveragePool,
    GroupNorm, Layer, LayerNorm, MaxPool2d, Place, PositionEmbedding, Relu, Signature, Sizes, Tanh, Tensor,
};
use crate::real::Real;
use crate::shape::Shape;
use crate::statistics::Needs;

/// The one list of layers.
macro_rules! operations {
    ($($(#[$doc:meta])* $layer:ident),+ $(,)?) => {
        /// What a node of the network computes. Parameters lie weight first, row-major, then the bias.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation {
            $($(#[$doc])* $layer($layer)),+
        }

        impl Operation {
            /// Number of operations.
            pub const COUNT: usize = [$(stringify!($layer)),+].len();

            const fn sizes(&self, input: Shape) -> Result<Sizes, ShapeError> {
                match self {
                    $(Self::$layer(layer) => layer.sizes(input)),+
                }
            }

            fn signature(&self) -> &dyn Signature {
                match self {
                    $(Self::$layer(layer) => layer),+
                }
            }

            pub(crate) fn layer<F: Real>(&self) -> &dyn Layer<F> {
                match self {
                    $(Self::$layer(layer) => layer),+
                }
            }
        }

        $(impl From<$layer> for Operation {
            fn from(layer: $layer) -> Self {
                Self::$layer(layer)
            }
        })+
    };
}

operations! {
    /// y = W x + b, at every position of a sequence.
    Dense,
    /// Cross-correlation with square kernels.
    Conv2d,
    /// max(x, 0).
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// Gaussian error linear unit.
    Gelu,
    /// The largest of each window.
    MaxPool2d,
    /// The mean of each window.
    AveragePool2d,
    /// The mean of each channel.
    GlobalAveragePool,
    /// Normalises groups of channels, sample by sample.
    GroupNorm,
    /// The sum of two inputs.
    Add,
    /// An image as a vector.
    Flatten,
    /// Tokens as vectors.
    Embedding,
    /// Adds a vector to each position of a sequence.
    PositionEmbedding,
    /// Normalises the channels of each position.
    LayerNorm,
    /// Multi-head self-attention, each position to those up to itself.
    CausalAttention,
}

/// Why an operation cannot take its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeError {
    /// The operation takes a vector or a sequence.
    WantsVector,
    /// The operation takes a sequence.
    WantsSequence,
    /// The operation takes tokens, one at each position.
    WantsTokens,
    /// A size is zero.
    Zero,
    /// The window is larger than the padded input.
    WindowTooLarge,
    /// Padding as wide as the kernel or wider: windows would lie in the padding alone.
    PaddingTooLarge,
    /// The groups do not divide the channels.
    Groups,
    /// The channels are not query, key and value of one width each.
    QueryKeyValue,
    /// The heads do not divide the width.
    Heads,
    /// There are fewer positions than the sequence has.
    Positions,
    /// More tokens than floats can tell apart.
    Vocabulary,
    /// A size does not fit in 32 bits.
    TooLarge,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WantsVector => "its input must be a vector or a sequence: insert a flatten before it",
            Self::WantsSequence => "its input must be a sequence, of height 1",
            Self::WantsTokens => "its input must be a sequence of tokens, with one channel and height 1",
            Self::Zero => "a size is zero",
            Self::WindowTooLarge => "its window is larger than its padded input",
            Self::PaddingTooLarge => "its padding must be smaller than its kernel",
            Self::Groups => "its groups do not divide its channels",
            Self::QueryKeyValue => {
                "its channels must be query, key and value side by side, three times its width"
            }
            Self::Heads => "its heads do not divide its width, a third of the channels",
            Self::Positions => "the sequence is longer than its positions",
            Self::Vocabulary => {
                "its vocabulary must be at most 16,777,216 tokens, which 32-bit floats tell apart"
            }
            Self::TooLarge => "a size does not fit in 32 bits",
        })
    }
}

impl Operation {
    /// The output's shape.
    ///
    /// # Errors
    /// Why the operation cannot take an input of this shape.
    pub const fn output(&self, input: Shape) -> Result<Shape, ShapeError> {
        match self.checked_sizes(input) {
            Ok(sizes) => Ok(sizes.output),
            Err(error) => Err(error),
        }
    }

    /// Its parameter tensors for an input that fits: weights, then biases.
    #[must_use]
    pub const fn tensors(&self, input: Shape) -> [Option<Tensor>; 2] {
        match self.sizes(input) {
            Ok(sizes) => sizes.tensors,
            Err(_) => [None, None],
        }
    }

    /// What it gives and holds, where all of that has a size.
    pub(crate) const fn checked_sizes(&self, input: Shape) -> Result<Sizes, ShapeError> {
        if let Err(error) = nonzero(input.checked_len()) {
            return Err(error);
        }
        let sizes = match self.sizes(input) {
            Ok(sizes) => sizes,
            Err(error) => return Err(error),
        };
        if let Err(error) = nonzero(sizes.output.checked_len()) {
            return Err(error);
        }
        let mut k = 0;
        while k < sizes.tensors.len() {
            if let Some(tensor) = &sizes.tensors[k]
                && let Err(error) = nonzero(tensor.checked_len())
            {
                return Err(error);
            }
            k += 1;
        }
        Ok(sizes)
    }

    /// Whether it takes two inputs, of one shape.
    #[must_use]
    pub const fn takes_two(&self) -> bool {
        matches!(self, Self::Add(_))
    }

    /// Values of scratch memory that its plain loops take for a micro-batch: most form one sample's gradient.
    pub(crate) const fn scratch_len(&self, place: Place, samples: usize, needs: &Needs) -> usize {
        match self {
            Self::Dense(dense) => dense.scratch_len(place, samples, needs),
            Self::Conv2d(conv2d) => conv2d.scratch_len(place, samples, needs),
            Self::Embedding(embedding) => embedding.scratch_len(),
            Self::LayerNorm(norm) => norm.scratch_len(place),
            Self::CausalAttention(attention) => attention.scratch_len(place),
            Self::Relu(_)
            | Self::Tanh(_)
            | Self::Gelu(_)
            | Self::MaxPool2d(_)
            | Self::AveragePool2d(_)
            | Self::GlobalAveragePool(_)
            | Self::GroupNorm(_)
            | Self::Add(_)
            | Self::Flatten(_)
            | Self::PositionEmbedding(_) => place.weights + place.biases,
        }
    }

    /// The same where kernels take more.
    pub(crate) fn scratch_len_with_kernels(&self, place: Place, samples: usize, needs: &Needs) -> usize {
        self.signature().with_kernels(place, samples, self.scratch_len(place, samples, needs))
    }

    /// Multiplications and additions of one sample's forward pass.
    #[must_use]
    pub fn flops(&self, input: Shape, output: Shape) -> u64 {
        self.signature().flops(input, output)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signature().fmt(f)
    }
}

/// `Ok` where there is something, and its size fits 32 bits.
pub(super) const fn nonzero(len: Option<u32>) -> Result<(), ShapeError> {
    match len {
        None => Err(ShapeError::TooLarge),
        Some(0) => Err(ShapeError::Zero),
        Some(_) => Ok(()),
    }
}
