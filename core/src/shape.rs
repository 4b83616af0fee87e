use core::fmt;

/// The shape of one sample's values: channels × height × width, stored row-major in this order. A plain
/// vector has its length as channels. A sequence has its positions side by side, height 1: channel c at position t is value
/// c·T + t, the transposed of what most libraries hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    /// C.
    pub channels: u32,
    /// H.
    pub height: u32,
    /// W.
    pub width: u32,
}

impl Shape {
    /// Of nothing.
    pub(crate) const EMPTY: Self = Self::image(0, 0, 0);

    /// An image.
    #[must_use]
    pub const fn image(channels: u32, height: u32, width: u32) -> Self {
        Self { channels, height, width }
    }

    /// A plain vector.
    #[must_use]
    pub const fn vector(len: u32) -> Self {
        Self { channels: len, height: 1, width: 1 }
    }

    /// A sequence of `len` positions.
    #[must_use]
    pub const fn sequence(channels: u32, len: u32) -> Self {
        Self { channels, height: 1, width: len }
    }

    /// C·H·W, or `None` when that does not fit 32 bits.
    #[must_use]
    pub const fn checked_len(self) -> Option<u32> {
        match self.channels.checked_mul(self.height) {
            Some(rows) => rows.checked_mul(self.width),
            None => None,
        }
    }

    /// C·H·W, or the largest `usize` where that does not fit one. Shapes inside a [`crate::network::Network`] have been checked to
    /// fit.
    #[must_use]
    pub const fn len(self) -> usize {
        (self.channels as usize).saturating_mul(self.plane())
    }

    /// Whether there is no value at all.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// H·W, or the largest `usize` where that does not fit one.
    #[must_use]
    pub const fn plane(self) -> usize {
        (self.height as usize).saturating_mul(self.width as usize)
    }

    /// `==` at compile time.
    pub(crate) const fn equals(self, other: Self) -> bool {
        self.channels == other.channels && self.height == other.height && self.width == other.width
    }

    /// Whether this is a sequence. A vector is one of a single position.
    #[must_use]
    pub const fn is_sequence(self) -> bool {
        self.height == 1
    }

    /// Whether this is a plain vector.
    #[must_use]
    pub const fn is_vector(self) -> bool {
        self.height == 1 && self.width == 1
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_vector() {
            write!(f, "{}", self.channels)
        } else {
            write!(f, "{}×{}×{}", self.channels, self.height, self.width)
        }
    }
}
