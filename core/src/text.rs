//! How texts are read: what their tokens are, and how many make a sample.

use crate::settings::{Field, Range};

/// What the tokens of a text are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum TokenKind {
    /// Characters: Unicode code points, those of UTF-8.
    #[default]
    Characters,
    /// Bytes, whatever they encode: 256 different tokens.
    Bytes,
}

#[cfg(feature = "serde")]
crate::fields::name_setting!(TokenKind { Characters, Bytes });

impl TokenKind {
    /// The names of all of them.
    pub const NAMES: &'static [&'static str] = &[Self::Characters.name(), Self::Bytes.name()];

    /// Its name in settings and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Bytes => "bytes",
        }
    }
}

/// How a text is read. Data that are no texts are not affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TextSettings {
    /// What its tokens are.
    pub tokens: TokenKind,
    /// Tokens of a sample, at least 1: the positions of a sequence.
    pub context: u32,
}

crate::settings::settings!(TextSettings {
    title: "text",
    doc: "How a text is read.",
    source: "",
    fields: {
        tokens: TokenKind = TokenKind::Characters => Field::new(
            "tokens",
            "The tokens of a text: characters (Unicode code points), or bytes, of which there are 256.",
        )
        .text("characters", TokenKind::NAMES)
        .placeholder("TOKENS"),
        context: u32 = 64 => Field::new(
            "context length",
            "The number of tokens in a sample of a text: the positions of a sequence.",
        )
        .range(Range::whole(1, u32::MAX as u64))
        .placeholder("POSITIONS"),
    }
});
