//! Settings as files and pages hold them: maps from names to plain values.
//!
//! A derived reader is code of its own for every struct and every variant, an internally tagged enum's twice over. Here
//! a map is read into memory once for all of them, and then asked for its fields by name: a third of the code, which a
//! browser downloads.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

/// A struct of settings, all of which have defaults.
pub(crate) trait Readable: Default {
    /// The fields.
    const NAMES: &'static [&'static str];

    /// Takes those that are there.
    fn take(&mut self, fields: &mut Fields) -> Result<(), Fault>;
}

/// What is not taken yet of a map.
pub(crate) struct Fields(Vec<(String, Value)>);

/// A plain value.
pub(crate) enum Value {
    Flag(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    Nothing,
}

/// Why a map is not valid settings.
pub(crate) enum Fault {
    NoName,
    Variant(String, &'static [&'static str]),
    Field(String, &'static [&'static str]),
    /// A field, what it holds, and what it may.
    Type(&'static str, Value, &'static str),
    /// The same where the type is right.
    Range(&'static str, Value, &'static str),
}

impl Fault {
    pub(crate) fn variant(name: &str, known: &'static [&'static str]) -> Self {
        Self::Variant(name.to_owned(), known)
    }

    /// The same in the words of derived readers.
    pub(crate) fn into_error<E: Error>(self) -> E {
        match self {
            Self::NoName => E::missing_field("name"),
            Self::Variant(name, known) => E::unknown_variant(&name, known),
            Self::Field(name, known) => E::unknown_field(&name, known),
            Self::Type(field, found, expected) => {
                let found = found.unexpected();
                E::custom(format_args!("`{field}`: invalid type: {found}, expected {expected}"))
            }
            Self::Range(field, found, expected) => {
                let found = found.unexpected();
                E::custom(format_args!("`{field}`: invalid value: {found}, expected {expected}"))
            }
        }
    }
}

impl Value {
    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Flag(value) => Unexpected::Bool(*value),
            Self::Unsigned(value) => Unexpected::Unsigned(*value),
            Self::Signed(value) => Unexpected::Signed(*value),
            Self::Float(value) => Unexpected::Float(*value),
            Self::Text(value) => Unexpected::Str(value),
            Self::Nothing => Unexpected::Unit,
        }
    }
}

impl Fields {
    /// Takes the name that tells an enum's variants apart.
    pub(crate) fn take_name(&mut self) -> Result<String, Fault> {
        match self.find("name") {
            Some(Value::Text(name)) => Ok(name),
            Some(found) => Err(Fault::Type("name", found, "a text")),
            None => Err(Fault::NoName),
        }
    }

    /// Takes a field, if it is there.
    pub(crate) fn take<T: Setting>(&mut self, name: &'static str, setting: &mut T) -> Result<(), Fault> {
        if let Some(value) = self.find(name) {
            *setting = T::of(name, value)?;
        }
        Ok(())
    }

    /// Nothing may be left.
    fn finish(self, known: &'static [&'static str]) -> Result<(), Fault> {
        self.0.into_iter().next().map_or(Ok(()), |(name, _)| Err(Fault::Field(name, known)))
    }

    /// All settings of a struct.
    pub(crate) fn settings<T: Readable>(self) -> Result<T, Fault> {
        self.variant(T::NAMES, |fields| {
            let mut settings = T::default();
            settings.take(fields)?;
            Ok(settings)
        })
    }

    /// All fields of something that has these, and no others.
    pub(crate) fn variant<T>(
        mut self,
        known: &'static [&'static str],
        take: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let taken = take(&mut self)?;
        self.finish(known)?;
        Ok(taken)
    }

    fn find(&mut self, name: &str) -> Option<Value> {
        let place = self.0.iter().position(|(given, _)| given == name)?;
        Some(self.0.remove(place).1)
    }
}

/// What a field may hold.
pub(crate) trait Setting: Sized {
    fn of(name: &'static str, value: Value) -> Result<Self, Fault>;
}

impl Setting for bool {
    fn of(name: &'static str, value: Value) -> Result<Self, Fault> {
        match value {
            Value::Flag(value) => Ok(value),
            other => Err(Fault::Type(name, other, "a boolean")),
        }
    }
}

impl Setting for f64 {
    #[allow(clippy::cast_precision_loss, reason = "as derived readers do")]
    fn of(name: &'static str, value: Value) -> Result<Self, Fault> {
        match value {
            Value::Float(value) => Ok(value),
            Value::Unsigned(value) => Ok(value as f64),
            Value::Signed(value) => Ok(value as f64),
            other => Err(Fault::Type(name, other, "f64")),
        }
    }
}

/// Nothing is no setting.
impl Setting for Option<f64> {
    fn of(name: &'static str, value: Value) -> Result<Self, Fault> {
        if matches!(value, Value::Nothing) { Ok(None) } else { f64::of(name, value).map(Some) }
    }
}

impl Setting for u64 {
    fn of(name: &'static str, value: Value) -> Result<Self, Fault> {
        match value {
            Value::Unsigned(value) => Ok(value),
            Value::Signed(value) => {
                Self::try_from(value).map_err(|_| Fault::Range(name, Value::Signed(value), "u64"))
            }
            other => Err(Fault::Type(name, other, "u64")),
        }
    }
}

impl Setting for u32 {
    fn of(name: &'static str, value: Value) -> Result<Self, Fault> {
        match value {
            Value::Unsigned(number) => Self::try_from(number).map_err(|_| Fault::Range(name, value, "u32")),
            Value::Signed(number) => Self::try_from(number).map_err(|_| Fault::Range(name, value, "u32")),
            other => Err(Fault::Type(name, other, "u32")),
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if entries.iter().any(|(given, _)| *given == name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            entries.push((name, map.next_value()?));
        }
        Ok(Fields(entries))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainValue)
    }
}

struct PlainValue;

impl Visitor<'_> for PlainValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a boolean or a text")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Flag(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }
}
