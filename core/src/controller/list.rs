//! Lists of numbers as text.

use core::fmt;

use crate::config::LARGEST_EXACT;

/// Entries that a list can have: settings are plain values, without memory of their own.
pub(super) const MOST_ENTRIES: usize = 12;

/// Why a text is not a valid list of stages or milestones. Places count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListError {
    /// There are no stages.
    Empty,
    /// More than twelve entries.
    Long,
    /// An entry is not of the form `start:size`.
    Pair {
        /// Which.
        place: usize,
    },
    /// An entry has a number that is too large to count samples.
    Large {
        /// Which.
        place: usize,
    },
    /// An entry has something that is not a whole number of samples.
    Number {
        /// Which.
        place: usize,
    },
    /// The first stage begins late.
    Start,
    /// An entry does not come after the one before it.
    Order {
        /// Which.
        place: usize,
    },
    /// A size is 0.
    EmptyBatch {
        /// Which.
        place: usize,
    },
    /// A size is too large for a batch.
    LargeBatch {
        /// Which.
        place: usize,
    },
    /// A milestone is 0.
    MilestoneAtStart {
        /// Which.
        place: usize,
    },
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there are no stages: write start:size for each, as in 0:64 1M:256"),
            Self::Long => write!(f, "there are more than {MOST_ENTRIES} entries"),
            Self::Pair { place } => write!(f, "entry {place} is not of the form start:size"),
            Self::Number { place } => {
                write!(f, "entry {place} is not a whole number of samples (it may end with K, M or B)")
            }
            Self::Start => f.write_str("the first stage must begin at 0"),
            Self::Order { place } => write!(f, "entry {place} is not above the one before it"),
            Self::Large { place } => {
                write!(f, "entry {place} has a number above 2^53 - 1, the largest number of samples")
            }
            Self::EmptyBatch { place } => {
                write!(f, "entry {place} has a batch of 0 samples, but it must be at least 1")
            }
            Self::LargeBatch { place } => {
                write!(f, "entry {place} has a batch of more than {} samples, the largest possible", u32::MAX)
            }
            Self::MilestoneAtStart { place } => {
                write!(f, "entry {place} is 0, where the run begins: a milestone must be at least 1")
            }
        }
    }
}

impl core::error::Error for ListError {}

/// The entries of a list.
pub(super) fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\t', '\n']).filter(|entry| !entry.is_empty())
}

/// A whole number up to 2⁵³ − 1: digits, perhaps with K, M or B, and then perhaps with a decimal point. Without a unit a point is
/// refused: “60.000” is sixty to some and sixty thousand to others.
pub(super) fn number(text: &str, place: usize) -> Result<u64, ListError> {
    let (whole, mut unit, decimals) = split(text).ok_or(ListError::Number { place })?;
    let large = ListError::Large { place };
    let mut number = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(unit)).ok_or(large)?;
    for digit in decimals.bytes() {
        let digit = u64::from(digit - b'0');
        if unit % 10 != 0 && digit != 0 {
            return Err(ListError::Number { place });
        }
        unit /= 10;
        number = number.checked_add(digit * unit).ok_or(large)?;
    }
    if number <= LARGEST_EXACT { Ok(number) } else { Err(large) }
}

/// The digits before the point, the unit, and the digits behind the point.
fn split(text: &str) -> Option<(&str, u64, &str)> {
    let (digits, unit) = match text.char_indices().next_back()? {
        (end, 'K' | 'k') => (&text[..end], 1_000),
        (end, 'M' | 'm') => (&text[..end], 1_000_000),
        (end, 'B' | 'b') => (&text[..end], 1_000_000_000),
        _ => (text, 1_u64),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = !whole.is_empty() && are_digits(whole) && are_digits(decimals) && !digits.ends_with('.');
    let is_ambiguous = unit == 1 && !decimals.is_empty();
    (is_number && !is_ambiguous).then_some((whole, unit, decimals))
}

/// A number with the largest unit that leaves it whole.
pub(super) struct Short(pub(super) u64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")];
        match units.iter().find(|(unit, _)| self.0 > 0 && self.0.is_multiple_of(*unit)) {
            Some((unit, letter)) => write!(f, "{}{letter}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Makes a list a setting that files hold as text.
#[cfg(feature = "serde")]
macro_rules! as_text {
    ($list:ident) => {
        impl serde::Serialize for $list {
            fn serialize<R: serde::Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
                serializer.collect_str(self)
            }
        }

        impl $crate::fields::Setting for $list {
            fn of(value: $crate::fields::Value) -> Result<Self, $crate::fields::Fault> {
                $crate::fields::parsed(value)
            }
        }
    };
}
#[cfg(feature = "serde")]
pub(super) use as_text;
