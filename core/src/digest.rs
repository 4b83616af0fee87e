//! Digests that identify data sets and networks.

use core::fmt;
use core::str::FromStr;

/// A SHA-256, in text 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is not a valid [`Digest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADigest;

impl fmt::Display for NotADigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid SHA-256 of 64 hexadecimal digits")
    }
}

impl core::error::Error for NotADigest {}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut digest = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != digest.len() || !rest.is_empty() {
            return Err(NotADigest);
        }
        for (byte, pair) in digest.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let [Some(high), Some(low)] = pair.map(digit) else { return Err(NotADigest) };
            *byte = high << 4 | low;
        }
        Ok(Self(digest))
    }
}

#[cfg(feature = "serde")]
mod text {
    use serde::{Serialize, Serializer};

    use super::Digest;
    use crate::fields::{Fault, Setting, Value, one_of};

    impl Serialize for Digest {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl Setting for Digest {
        fn of(value: Value) -> Result<Self, Fault> {
            one_of(value, |_| "a SHA-256 of 64 hexadecimal digits")
        }
    }

    crate::fields::deserialize_setting!(Digest);
}
