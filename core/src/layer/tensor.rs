use core::fmt;

/// A parameter tensor of a layer: its dimensions, row-major, as PyTorch has them, and the law of its initial values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tensor {
    dimensions: [u32; 4],
    rank: usize,
    /// The law of its initial values.
    pub initial: Initial,
}

/// The law of a tensor's initial values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    /// Uniform in (−1/√fan_in, 1/√fan_in), PyTorch's default for dense layers and convolutions, biases included.
    Uniform {
        /// How many inputs one output is computed from.
        fan_in: u32,
    },
    /// All 1.
    One,
    /// All 0.
    Zero,
}

impl Tensor {
    pub(crate) fn new<const N: usize>(dimensions: [u32; N], initial: Initial) -> Self {
        let mut tensor = Self { dimensions: [1; 4], rank: N, initial };
        for (place, dimension) in tensor.dimensions.iter_mut().zip(dimensions) {
            *place = dimension;
        }
        tensor
    }

    /// Its dimensions.
    #[must_use]
    pub fn dimensions(&self) -> &[u32] {
        &self.dimensions[..self.rank]
    }

    /// Number of values, or `None` when that does not fit 32 bits.
    #[must_use]
    pub fn checked_len(&self) -> Option<u32> {
        self.dimensions().iter().try_fold(1_u32, |len, &dimension| len.checked_mul(dimension))
    }

    /// Number of values, or the largest `usize` where that does not fit one. Tensors of a placed network have been
    /// checked to fit.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dimensions().iter().fold(1, |len: usize, &dimension| len.saturating_mul(dimension as usize))
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, dimension) in self.dimensions().iter().enumerate() {
            write!(f, "{}{dimension}", if k == 0 { "" } else { "×" })?;
        }
        Ok(())
    }
}
