use core::fmt;

/// A node's name, which is used for its tensors in files; empty if its number is used instead.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name {
    bytes: [u8; Self::LONGEST],
    len: u8,
}

impl Name {
    /// The most bytes that a name can have: it is stored in place, so that nodes are plain values.
    pub const LONGEST: usize = 31;

    /// No name.
    pub const NONE: Self = Self { bytes: [0; Self::LONGEST], len: 0 };

    /// A name, if it is not too long.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Self::format(format_args!("{text}"))
    }

    /// The same from format arguments.
    #[must_use]
    pub fn format(parts: fmt::Arguments<'_>) -> Option<Self> {
        let mut name = Self::NONE;
        fmt::write(&mut name, parts).ok()?;
        Some(name)
    }

    /// Its characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only whole texts are written.
        self.bytes.get(..self.len.into()).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default()
    }

    /// The name, or the node's number if it has none.
    #[must_use]
    pub fn or_number(self, number: usize) -> Self {
        // Every number is short enough.
        if self.is_empty() { Self::format(format_args!("{number}")).unwrap_or_default() } else { self }
    }

    /// Whether there is no name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Default for Name {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = usize::from(self.len);
        let place = self.bytes.get_mut(start..start + text.len()).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len = u8::try_from(start + text.len()).map_err(|_| fmt::Error)?;
        Ok(())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
