//! Values that files hold as text: written by `Display`, read by `FromStr`.

use alloc::string::ToString;
use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{self, Deserializer, Error, Visitor};

use crate::fields::{Fault, Value};

/// A value that files hold as text.
pub(crate) trait TextForm: FromStr {
    /// What may stand there: completes "expected …".
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Why `text` is none of it.
    fn refusal(text: &str, error: &Self::Err, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// Reads such a value.
pub(crate) fn deserialize<'de, T: TextForm, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(Text(PhantomData))
}

/// Reads such a setting.
pub(crate) fn setting<T: TextForm>(value: Value) -> Result<T, Fault> {
    let visitor = Text(PhantomData::<T>);
    let read = match &value {
        Value::Text(text) => visitor.visit_str(text),
        other => Err(de::value::Error::invalid_type(other.unexpected(), &visitor)),
    };
    read.map_err(|error| Fault::Words(error.to_string()))
}

struct Text<T>(PhantomData<T>);

impl<T: TextForm> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::expected(f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|error| E::custom(Refusal::<T> { text, error }))
    }
}

struct Refusal<'t, T: TextForm> {
    text: &'t str,
    error: T::Err,
}

impl<T: TextForm> fmt::Display for Refusal<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::refusal(self.text, &self.error, f)
    }
}
