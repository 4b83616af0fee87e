//! Texts as data: vocabularies, and the sequences of tokens for training and testing.

use core::fmt;
use std::string::String;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use crate::sequences::{Sequences, SequencesError};
use crate::text::TokenKind;

/// The most different characters of a text, so that a token fits in 16 bits.
pub const MOST_CHARACTERS: usize = 1 << 16;

/// One more than the last code point.
const CODE_POINTS: usize = char::MAX as usize + 1;

/// What the tokens of a text stand for: token k is the k-th of some characters, all different, or it is byte k.
///
/// ```
/// use adadagrad_core::owned::text::Vocabulary;
///
/// let vocabulary = Vocabulary::of_characters(["abbccc", "ccd"])?;
/// assert_eq!(vocabulary.tokens_of("abcd"), Some(vec![2, 1, 0, 3]));
/// assert_eq!(vocabulary.bytes_of(&[0, 1, 2]), Some(b"cba".to_vec()));
/// # Ok::<(), adadagrad_core::owned::text::TextError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// `None` for bytes.
    characters: Option<Vec<char>>,
}

impl Vocabulary {
    /// The 256 bytes.
    #[must_use]
    pub const fn bytes() -> Self {
        Self { characters: None }
    }

    /// The characters of a text's training and test part. The most frequent of the training part comes first; of equally
    /// frequent ones, the one with the lower code point. So those that only the test part has come last.
    ///
    /// # Errors
    /// When there are fewer than two different characters, or more than [`MOST_CHARACTERS`].
    pub fn of_characters([training, test]: [&str; 2]) -> Result<Self, TextError> {
        let mut counts = vec![None; CODE_POINTS];
        for character in training.chars() {
            *counts[character as usize].get_or_insert(0_u64) += 1;
        }
        for character in test.chars() {
            counts[character as usize].get_or_insert(0);
        }
        let mut found: Vec<_> = (char::MIN..=char::MAX)
            .filter_map(|character| Some((character, counts[character as usize]?)))
            .collect();
        match found[..] {
            [] => return Err(TextError::Empty),
            [(character, _)] => return Err(TextError::OneCharacter { character }),
            _ if found.len() > MOST_CHARACTERS => return Err(TextError::Characters { found: found.len() }),
            _ => {}
        }
        // Stable: code points stay in order.
        found.sort_by_key(|&(_, count)| core::cmp::Reverse(count));
        Ok(Self { characters: Some(found.into_iter().map(|(character, _)| character).collect()) })
    }

    /// Of these characters in this order; `None` where one is there twice, or where there are fewer than two or more than
    /// [`MOST_CHARACTERS`].
    #[must_use]
    pub fn from_characters(characters: &str) -> Option<Self> {
        let characters: Vec<_> = characters.chars().collect();
        let mut sorted = characters.clone();
        sorted.sort_unstable();
        let is_valid = (2..=MOST_CHARACTERS).contains(&characters.len())
            && sorted.iter().zip(sorted.iter().skip(1)).all(|(one, next)| one != next);
        is_valid.then_some(Self { characters: Some(characters) })
    }

    /// What its tokens are.
    #[must_use]
    pub const fn kind(&self) -> TokenKind {
        match self.characters {
            None => TokenKind::Bytes,
            Some(_) => TokenKind::Characters,
        }
    }

    /// Number of different tokens.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> u32 {
        // At most MOST_CHARACTERS.
        self.characters.as_ref().map_or(256, |characters| u32::try_from(characters.len()).unwrap_or(u32::MAX))
    }

    /// Its characters in the order of the tokens; `None` for bytes.
    #[must_use]
    pub fn characters(&self) -> Option<String> {
        self.characters.as_ref().map(|characters| characters.iter().collect())
    }

    /// The tokens of a text; `None` where one of its characters is not in the vocabulary.
    #[must_use]
    pub fn tokens_of(&self, text: &str) -> Option<Vec<u16>> {
        let Some(characters) = &self.characters else { return Some(tokens_of_bytes(text.as_bytes())) };
        let mut tokens = vec![None; CODE_POINTS];
        for (&character, token) in characters.iter().zip(0_u16..=u16::MAX) {
            tokens[character as usize] = Some(token);
        }
        text.chars().map(|character| tokens[character as usize]).collect()
    }

    /// The bytes that tokens stand for, UTF-8 where they are characters; `None` where one is outside of the vocabulary.
    #[must_use]
    pub fn bytes_of(&self, tokens: &[u16]) -> Option<Vec<u8>> {
        let Some(characters) = &self.characters else {
            return tokens.iter().map(|&token| u8::try_from(token).ok()).collect();
        };
        let text: Option<String> =
            tokens.iter().map(|&token| characters.get(usize::from(token)).copied()).collect();
        text.map(String::into_bytes)
    }
}

fn tokens_of_bytes(bytes: &[u8]) -> Vec<u16> {
    bytes.iter().copied().map(u16::from).collect()
}

#[cfg(feature = "serde")]
mod stored {
    use std::string::String;

    use serde::{Serialize, Serializer};

    use super::Vocabulary;
    use crate::fields::{Fault, Setting, Value, deserialize_setting};
    use crate::text::TokenKind;

    /// `"bytes"`, or `{"characters": "…"}` with all of them in the order of the tokens.
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Stored {
        Bytes,
        Characters(String),
    }

    impl Serialize for Vocabulary {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.characters().map_or(Stored::Bytes, Stored::Characters).serialize(serializer)
        }
    }

    impl Setting for Vocabulary {
        fn of(value: Value) -> Result<Self, Fault> {
            let mut kinds = match value {
                Value::Text(kind) if kind == TokenKind::Bytes.name() => return Ok(Self::bytes()),
                Value::Text(kind) if kind != TokenKind::Characters.name() => {
                    return Err(Fault::name(&kind, TokenKind::NAMES));
                }
                kinds => kinds.into_fields()?,
            };
            let characters: String = kinds.required("characters")?;
            kinds.finish(&["characters"])?;
            Self::from_characters(&characters).ok_or_else(|| {
                let words = "not from 2 to 65,536 different characters";
                Fault::words(words).within("characters")
            })
        }
    }

    deserialize_setting!(Vocabulary);
}

/// The sequences of one part of a text. Copies share the tokens.
pub type TextSequences = Sequences<Arc<[u16]>, u16>;

/// A text as data.
#[derive(Clone, Debug)]
pub struct TextData {
    /// What its tokens stand for.
    pub vocabulary: Vocabulary,
    /// Sequences to train on.
    pub training: TextSequences,
    /// Sequences on which accuracy is measured.
    pub test: TextSequences,
}

impl TextData {
    /// Sequences of `context` characters, of a text that is divided already: training part, test part.
    ///
    /// # Errors
    /// As [`Vocabulary::of_characters`], and when a part is too short.
    pub fn of_characters(parts: [&str; 2], context: u32) -> Result<Self, TextError> {
        let vocabulary = Vocabulary::of_characters(parts)?;
        // No character is missing: the vocabulary has those of both.
        let tokens = parts.map(|part| vocabulary.tokens_of(part).unwrap_or_default());
        Self::new(vocabulary, tokens, context)
    }

    /// Sequences of `context` bytes.
    ///
    /// # Errors
    /// When the text is empty, or a part is too short.
    pub fn of_bytes(parts: [&[u8]; 2], context: u32) -> Result<Self, TextError> {
        if parts.iter().all(|part| part.is_empty()) {
            return Err(TextError::Empty);
        }
        Self::new(Vocabulary::bytes(), parts.map(tokens_of_bytes), context)
    }

    fn new(vocabulary: Vocabulary, [training, test]: [Vec<u16>; 2], context: u32) -> Result<Self, TextError> {
        let (kind, size) = (vocabulary.kind(), vocabulary.len());
        let sequences = |part, tokens: Vec<u16>| {
            TextSequences::new(tokens.into(), context, size).map_err(|error| TextError::Sequences {
                part,
                kind,
                error,
            })
        };
        let (training, test) = (sequences(Part::Training, training)?, sequences(Part::Test, test)?);
        Ok(Self { vocabulary, training, test })
    }
}

/// Divides a text: the first nine tenths of its characters, rounded down, and the rest.
#[must_use]
pub fn divide(text: &str) -> [&str; 2] {
    let first = nine_tenths(text.chars().count());
    let cut = text.char_indices().nth(first).map_or(text.len(), |(cut, _)| cut);
    let (training, test) = text.split_at(cut);
    [training, test]
}

/// Divides bytes: the first nine tenths, rounded down, and the rest.
#[must_use]
pub fn divide_bytes(bytes: &[u8]) -> [&[u8]; 2] {
    let (training, test) = bytes.split_at(nine_tenths(bytes.len()));
    [training, test]
}

const fn nine_tenths(all: usize) -> usize {
    all - all.div_ceil(10)
}

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// To train on.
    Training,
    /// To measure accuracy on.
    Test,
}

/// Why a text is no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// It has no characters.
    Empty,
    /// All of its characters are the same.
    OneCharacter {
        /// Which.
        character: char,
    },
    /// More than [`MOST_CHARACTERS`] different characters.
    Characters {
        /// How many.
        found: usize,
    },
    /// A part of it cannot be cut into sequences.
    Sequences {
        /// Which.
        part: Part,
        /// What its tokens are.
        kind: TokenKind,
        /// Why.
        error: SequencesError,
    },
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the text is empty"),
            Self::OneCharacter { character } => write!(
                f,
                "the text consists of one character, {character:?}, but training needs at least two different ones"
            ),
            Self::Characters { found } => write!(
                f,
                "the text has {found} different characters, but at most {MOST_CHARACTERS} can be told apart"
            ),
            Self::Sequences { part, kind, error } => {
                let part = match part {
                    Part::Training => "training",
                    Part::Test => "test",
                };
                match error {
                    SequencesError::TooShort { tokens, context } => write!(
                        f,
                        "the {part} part of the text has {tokens} {}, but a sequence of {context} and the one behind it \
                         need {}",
                        kind.name(),
                        u64::from(*context) + 1
                    ),
                    error => write!(f, "the {part} part of the text: {error}"),
                }
            }
        }
    }
}

impl core::error::Error for TextError {}
