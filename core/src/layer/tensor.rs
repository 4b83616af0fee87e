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
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Uniform in (−1/√fan_in, 1/√fan_in), PyTorch's default for dense layers and convolutions, biases included.
    Uniform {
        /// How many inputs one output is computed from.
        fan_in: u32,
    },
    /// Normal with mean 0: with deviation 1, PyTorch's default for embeddings.
    Normal {
        /// The standard deviation.
        deviation: f32,
    },
    /// All 1.
    One,
    /// All 0.
    Zero,
}

impl Initial {
    /// The standard normal law.
    pub const NORMAL: Self = Self::Normal { deviation: 1.0 };

    /// Whether values differ from one another, so that a node may have another law for them.
    pub(crate) const fn is_random(self) -> bool {
        matches!(self, Self::Uniform { .. } | Self::Normal { .. })
    }
}

impl Tensor {
    pub(crate) const fn new<const N: usize>(dimensions: [u32; N], initial: Initial) -> Self {
        let mut tensor = Self { dimensions: [1; 4], rank: N, initial };
        let mut k = 0;
        while k < N {
            tensor.dimensions[k] = dimensions[k];
            k += 1;
        }
        tensor
    }

    /// The same with another law.
    pub(crate) const fn with(self, initial: Initial) -> Self {
        Self { initial, ..self }
    }

    /// Its dimensions.
    #[must_use]
    pub fn dimensions(&self) -> &[u32] {
        &self.dimensions[..self.rank]
    }

    /// Number of values, or `None` when that does not fit 32 bits.
    #[must_use]
    pub const fn checked_len(&self) -> Option<u32> {
        let [a, b, c, d] = self.dimensions;
        match (a.checked_mul(b), c.checked_mul(d)) {
            (Some(first), Some(second)) => first.checked_mul(second),
            // Of nothing there is nothing, however large the rest.
            _ if a == 0 || b == 0 || c == 0 || d == 0 => Some(0),
            _ => None,
        }
    }

    /// Number of values, or the largest `usize` where that does not fit one. Tensors of a placed network have been
    /// checked to fit.
    #[must_use]
    pub const fn len(&self) -> usize {
        let [a, b, c, d] = self.dimensions;
        (a as usize).saturating_mul(b as usize).saturating_mul(c as usize).saturating_mul(d as usize)
    }

    /// Whether there is no value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
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
