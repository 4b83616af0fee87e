//! The last few proposals of a rule, of which the smallest counts.

/// Proposals that a window can hold.
pub const MOST_IN_WINDOW: u32 = 16;

/// When the minimum of a window is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum WindowKind {
    /// At every step, over the last k proposals.
    #[default]
    Sliding,
    /// At every k-th step, over the k proposals since the last time.
    Block,
}

#[cfg(feature = "serde")]
crate::fields::name_setting!(WindowKind { Sliding, Block });

impl WindowKind {
    /// Their names in settings.
    pub const NAMES: &'static [&'static str] = &[Self::Sliding.name(), Self::Block.name()];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sliding => "sliding",
            Self::Block => "block",
        }
    }
}

/// The last proposals. Sizes are whole: the smallest of rounded-up numbers is the smallest number rounded up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The oldest first.
    sizes: [u32; MOST_IN_WINDOW as usize],
    held: u8,
}

impl Window {
    /// The proposals held, the oldest first.
    #[must_use]
    pub fn sizes(&self) -> &[u32] {
        &self.sizes[..self.held.into()]
    }

    /// The window with another proposal, and the smallest of `length` proposals if it is to be taken now.
    #[must_use]
    pub fn with(mut self, size: u32, length: u32, kind: WindowKind) -> (Self, Option<u32>) {
        let length = length.clamp(1, MOST_IN_WINDOW);
        while u32::from(self.held) >= length {
            self.sizes.copy_within(1.., 0);
            self.held -= 1;
        }
        self.sizes[usize::from(self.held)] = size;
        self.held += 1;
        let smallest = self.sizes().iter().copied().min().filter(|_| u32::from(self.held) == length);
        if kind == WindowKind::Block && smallest.is_some() {
            self.held = 0;
        }
        // What is not held is 0, so that equal windows are equal.
        self.sizes[usize::from(self.held)..].fill(0);
        (self, smallest)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Window {
    fn serialize<R: serde::Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
        self.sizes().serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl crate::fields::Setting for Window {
    fn of(value: crate::fields::Value) -> Result<Self, crate::fields::Fault> {
        use crate::fields::{Fault, Value};
        const EXPECTED: &str = "a list of at most 16 proposals";
        let Value::List(sizes) = value else { return Err(Fault::unfit(&value, EXPECTED)) };
        let mut window = Self::default();
        if sizes.len() > window.sizes.len() {
            return Err(Fault::unfit(&Value::List(sizes), EXPECTED));
        }
        for size in sizes {
            window.sizes[usize::from(window.held)] = u32::of(size)?;
            window.held += 1;
        }
        Ok(window)
    }
}
