use core::fmt;

use super::{
    Add, AveragePool2d, Conv2d, Dense, Flatten, Gelu, GlobalAveragePool, GroupNorm, Layer, MaxPool2d, Relu,
    Signature, Tanh, Tensor,
};
use crate::network::Placed;
use crate::real::Real;
use crate::shape::Shape;

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
    /// y = W x + b.
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
}

/// Why an operation cannot take its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeError {
    /// The operation takes a vector.
    WantsVector,
    /// A size is zero.
    Zero,
    /// The window is larger than the padded input.
    WindowTooLarge,
    /// Padding as wide as the kernel or wider: windows would lie in the padding alone.
    PaddingTooLarge,
    /// The groups do not divide the channels.
    Groups,
    /// A size does not fit in 32 bits.
    TooLarge,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WantsVector => "its input must be a vector: insert a flatten before it",
            Self::Zero => "a size is zero",
            Self::WindowTooLarge => "its window is larger than its padded input",
            Self::PaddingTooLarge => "its padding must be smaller than its kernel",
            Self::Groups => "its groups do not divide its channels",
            Self::TooLarge => "a size does not fit in 32 bits",
        })
    }
}

impl Operation {
    /// The output's shape.
    ///
    /// # Errors
    /// Why the operation cannot take an input of this shape.
    pub fn output(&self, input: Shape) -> Result<Shape, ShapeError> {
        nonzero(input.checked_len())?;
        let output = self.signature().output(input)?;
        nonzero(output.checked_len())?;
        for tensor in self.tensors(input).iter().flatten() {
            nonzero(tensor.checked_len())?;
        }
        Ok(output)
    }

    /// Its parameter tensors for an input that fits: weights, then biases.
    #[must_use]
    pub fn tensors(&self, input: Shape) -> [Option<Tensor>; 2] {
        self.signature().tensors(input)
    }

    /// Whether it takes two inputs, of one shape.
    #[must_use]
    pub fn takes_two(&self) -> bool {
        self.signature().takes_two()
    }

    pub(crate) fn scratch_len(&self, place: &Placed, samples: usize) -> usize {
        self.signature().scratch_len(place, samples)
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
pub(super) fn nonzero(len: Option<u32>) -> Result<(), ShapeError> {
    match len {
        None => Err(ShapeError::TooLarge),
        Some(0) => Err(ShapeError::Zero),
        Some(_) => Ok(()),
    }
}
