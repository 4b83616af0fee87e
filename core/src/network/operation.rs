use core::fmt;

use super::Shape;

/// What a node of the network computes. Parameters lie weight first, row-major, then the bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// y = W x + b, W \[outputs, inputs\].
    Dense {
        /// Length of y.
        outputs: u32,
    },
    /// Cross-correlation, W \[outputs, channels, kernel, kernel\], zero padding.
    Conv2d {
        /// Output channels.
        outputs: u32,
        /// Side of the square kernel.
        kernel: u32,
        /// Steps between windows.
        stride: u32,
        /// Zeros added on every side.
        padding: u32,
    },
    /// max(x, 0); its derivative at 0 is 0.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// The largest of each window; of equal ones the first in row-major order passes the gradient.
    MaxPool2d {
        /// Side of the square window.
        kernel: u32,
        /// Steps between windows.
        stride: u32,
    },
    /// Channels, rows, columns → one vector, in this order: no value moves.
    Flatten,
}

/// What a window slides over, for convolution and pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(crate) input: Shape,
    pub(crate) output: Shape,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
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
            Self::TooLarge => "a size does not fit in 32 bits",
        })
    }
}

impl Operation {
    /// The output's shape.
    ///
    /// # Errors
    /// Why the operation does not fit an input of this shape.
    pub fn output(self, input: Shape) -> Result<Shape, ShapeError> {
        nonzero(input)?;
        let output = match self {
            Self::Dense { .. } if !input.is_vector() => return Err(ShapeError::WantsVector),
            Self::Dense { outputs } => Shape::vector(outputs),
            Self::Conv2d { outputs, kernel, stride, padding } => Shape {
                channels: outputs,
                height: window_count(input.height, kernel, stride, padding)?,
                width: window_count(input.width, kernel, stride, padding)?,
            },
            Self::MaxPool2d { kernel, stride } => Shape {
                channels: input.channels,
                height: window_count(input.height, kernel, stride, 0)?,
                width: window_count(input.width, kernel, stride, 0)?,
            },
            Self::Relu | Self::Tanh => input,
            Self::Flatten => Shape::vector(input.checked_len().ok_or(ShapeError::TooLarge)?),
        };
        nonzero(output)?;
        // Weights and patches have to fit too.
        let of_kernel = match self {
            Self::Conv2d { kernel, .. } => Shape::image(input.channels, kernel, kernel),
            _ => input,
        };
        let fan_in = of_kernel.checked_len().ok_or(ShapeError::TooLarge)?;
        let (weights, patches) = match self {
            Self::Dense { outputs } => (Shape::image(outputs, fan_in, 1), input),
            Self::Conv2d { outputs, .. } => {
                (Shape::image(outputs, fan_in, 1), Shape { channels: fan_in, ..output })
            }
            _ => (output, output),
        };
        nonzero(weights).and(nonzero(patches)).and(Ok(output))
    }

    /// Number of weights and of biases, or the largest `usize` where that does not fit one, as for shapes that
    /// [`Self::output`] refuses.
    #[must_use]
    pub fn parameters(self, input: Shape) -> (usize, usize) {
        let fan_in = self.fan_in(input);
        match self {
            Self::Dense { outputs } | Self::Conv2d { outputs, .. } => {
                ((outputs as usize).saturating_mul(fan_in), outputs as usize)
            }
            Self::Relu | Self::Tanh | Self::MaxPool2d { .. } | Self::Flatten => (0, 0),
        }
    }

    /// How many inputs one output is computed from, for operations with weights; 0 for the others.
    #[must_use]
    pub fn fan_in(self, input: Shape) -> usize {
        match self {
            Self::Dense { .. } => input.len(),
            Self::Conv2d { kernel, .. } => {
                (input.channels as usize).saturating_mul((kernel as usize).saturating_pow(2))
            }
            Self::Relu | Self::Tanh | Self::MaxPool2d { .. } | Self::Flatten => 0,
        }
    }

    /// Multiplications and additions of one sample's forward pass, or the largest `u64`.
    #[must_use]
    pub fn flops(self, input: Shape, output: Shape) -> u64 {
        (self.fan_in(input) as u64).saturating_mul(2).saturating_mul(output.len() as u64)
    }

    /// The windows of a convolution or pooling.
    pub(crate) fn windows(self, input: Shape, output: Shape) -> Option<Windows> {
        let (kernel, stride, padding) = match self {
            Self::Conv2d { kernel, stride, padding, .. } => (kernel, stride, padding),
            Self::MaxPool2d { kernel, stride } => (kernel, stride, 0),
            Self::Dense { .. } | Self::Relu | Self::Tanh | Self::Flatten => return None,
        };
        let [kernel, stride, padding] = [kernel, stride, padding].map(|size| size as usize);
        Some(Windows { input, output, kernel, stride, padding })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense { outputs } => write!(f, "dense, {outputs} outputs"),
            Self::Conv2d { outputs, kernel, stride, padding } => {
                write!(
                    f,
                    "convolution {kernel}×{kernel}, {outputs} output channels, stride {stride}, padding {padding}"
                )
            }
            Self::Relu => f.write_str("ReLU"),
            Self::Tanh => f.write_str("tanh"),
            Self::MaxPool2d { kernel, stride } => write!(f, "max-pool {kernel}×{kernel}, stride {stride}"),
            Self::Flatten => f.write_str("flatten"),
        }
    }
}

/// `Ok` where there is something, and its size fits 32 bits.
fn nonzero(shape: Shape) -> Result<(), ShapeError> {
    match shape.checked_len() {
        None => Err(ShapeError::TooLarge),
        Some(0) => Err(ShapeError::Zero),
        Some(_) => Ok(()),
    }
}

fn window_count(len: u32, kernel: u32, stride: u32, padding: u32) -> Result<u32, ShapeError> {
    if kernel == 0 || stride == 0 {
        return Err(ShapeError::Zero);
    }
    if padding >= kernel {
        return Err(ShapeError::PaddingTooLarge);
    }
    let padded = padding.checked_mul(2).and_then(|both| both.checked_add(len)).ok_or(ShapeError::TooLarge)?;
    Ok(padded.checked_sub(kernel).ok_or(ShapeError::WindowTooLarge)? / stride + 1)
}
