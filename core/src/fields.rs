//! Settings as files and pages hold them: maps from names to values.
//!
//! A derived reader is code of its own for every struct and every variant, an internally tagged enum's twice over. Here
//! a map is read into memory once for all of them, and then asked for its fields by name: a third of the code, which a
//! browser downloads.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

/// A struct of settings, all of which have defaults.
pub(crate) trait Readable: Default {
    /// The fields.
    const NAMES: &'static [&'static str];

    /// Takes those that are there.
    fn take(&mut self, fields: &mut Fields) -> Result<(), Fault>;
}

/// Implements [`Readable`] and [`Deserialize`] for a struct. It names all of its fields, or it does not compile.
macro_rules! readable {
    ($settings:ident { $($field:ident),* $(,)? }) => {
        impl $crate::fields::Readable for $settings {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            #[allow(unused_variables, reason = "there may be no fields")]
            fn take(&mut self, fields: &mut $crate::fields::Fields) -> Result<(), $crate::fields::Fault> {
                let Self { $($field),* } = self;
                $(fields.take(stringify!($field), $field)?;)*
                Ok(())
            }
        }

        $crate::fields::deserialize_setting!($settings);
    };
}
pub(crate) use readable;

/// Implements [`Setting`] and [`Deserialize`] for a struct all of whose fields must be there, unless they are options.
macro_rules! required_settings {
    ($settings:ty { $($field:ident),* $(,)? }) => {
        impl $crate::fields::Setting for $settings {
            fn of(value: $crate::fields::Value) -> Result<Self, $crate::fields::Fault> {
                let mut fields = value.into_fields()?;
                let settings = Self { $($field: fields.required(stringify!($field))?),* };
                fields.finish(&[$(stringify!($field)),*])?;
                Ok(settings)
            }
        }

        $crate::fields::deserialize_setting!($settings);
    };
}
pub(crate) use required_settings;

/// Implements [`Deserialize`] for a [`Setting`].
macro_rules! deserialize_setting {
    ($setting:ty) => {
        impl<'de> serde::Deserialize<'de> for $setting {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use $crate::fields::{Fault, Setting, Value};
                let value: Value = serde::Deserialize::deserialize(deserializer)?;
                Setting::of(value).map_err(Fault::into_error)
            }
        }
    };
}
pub(crate) use deserialize_setting;

/// Implements [`Setting`] and [`Deserialize`] for an enum of names.
macro_rules! name_setting {
    ($setting:ident { $($variant:ident),* $(,)? }) => {
        impl $crate::fields::Setting for $setting {
            fn of(value: $crate::fields::Value) -> Result<Self, $crate::fields::Fault> {
                const NAMES: &[&str] = &[$($setting::$variant.name()),*];
                let name = value.into_text()?;
                let all = [$(Self::$variant),*];
                let known = all.into_iter().find(|known| known.name() == name);
                known.ok_or_else(|| $crate::fields::Fault::variant(&name, NAMES))
            }
        }

        $crate::fields::deserialize_setting!($setting);
    };
}
pub(crate) use name_setting;

/// What is not taken yet of a map.
pub(crate) struct Fields(pub(crate) Vec<(String, Value)>);

/// A value.
pub(crate) enum Value {
    Flag(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Map(Fields),
    Nothing,
}

/// Why a map is not valid settings.
pub(crate) enum Fault {
    Missing(&'static str),
    Variant(String, &'static [&'static str]),
    Field(String, &'static [&'static str]),
    /// What is there, and what may be.
    Type(Value, &'static str),
    /// The same where the type is right.
    Range(Value, &'static str),
    /// In a reader's own words.
    Words(String),
    /// What is wrong with a field.
    In(&'static str, Box<Fault>),
}

impl Fault {
    pub(crate) fn variant(name: &str, known: &'static [&'static str]) -> Self {
        Self::Variant(name.to_owned(), known)
    }

    /// The same in the words of derived readers.
    pub(crate) fn into_error<E: Error>(self) -> E {
        match self {
            Self::Missing(name) => E::missing_field(name),
            Self::Variant(name, known) => E::unknown_variant(&name, known),
            Self::Field(name, known) => E::unknown_field(&name, known),
            Self::Type(found, expected) => E::invalid_type(found.unexpected(), &expected),
            Self::Range(found, expected) => E::invalid_value(found.unexpected(), &expected),
            Self::Words(words) => E::custom(words),
            Self::In(field, fault) => {
                let separator = if matches!(*fault, Self::In(..)) { "." } else { ": " };
                let fault: de::value::Error = fault.into_error();
                E::custom(format_args!("{field}{separator}{fault}"))
            }
        }
    }
}

impl Value {
    pub(crate) fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Flag(value) => Unexpected::Bool(*value),
            Self::Unsigned(value) => Unexpected::Unsigned(*value),
            Self::Signed(value) => Unexpected::Signed(*value),
            Self::Float(value) => Unexpected::Float(*value),
            Self::Text(value) => Unexpected::Str(value),
            Self::List(_) => Unexpected::Seq,
            Self::Map(_) => Unexpected::Map,
            Self::Nothing => Unexpected::Unit,
        }
    }

    pub(crate) fn into_fields(self) -> Result<Fields, Fault> {
        match self {
            Self::Map(fields) => Ok(fields),
            other => Err(Fault::Type(other, "settings by name")),
        }
    }

    pub(crate) fn into_text(self) -> Result<String, Fault> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(Fault::Type(other, "a text")),
        }
    }
}

impl Fields {
    /// Takes the name that tells an enum's variants apart.
    pub(crate) fn take_name(&mut self) -> Result<String, Fault> {
        self.required("name")
    }

    /// Takes a field, if it is there.
    pub(crate) fn take<T: Setting>(&mut self, name: &'static str, setting: &mut T) -> Result<(), Fault> {
        if let Some(value) = self.find(name) {
            *setting = T::of(value).map_err(|fault| Fault::In(name, Box::new(fault)))?;
        }
        Ok(())
    }

    /// Takes a field that must be there.
    pub(crate) fn required<T: Setting>(&mut self, name: &'static str) -> Result<T, Fault> {
        match self.find(name) {
            Some(value) => T::of(value).map_err(|fault| Fault::In(name, Box::new(fault))),
            None => T::absent().ok_or(Fault::Missing(name)),
        }
    }

    /// Nothing may be left.
    pub(crate) fn finish(self, known: &'static [&'static str]) -> Result<(), Fault> {
        self.0.into_iter().next().map_or(Ok(()), |(name, _)| Err(Fault::Field(name, known)))
    }

    /// All settings of a struct.
    pub(crate) fn settings<T: Readable>(mut self) -> Result<T, Fault> {
        let mut settings = T::default();
        settings.take(&mut self)?;
        self.finish(T::NAMES)?;
        Ok(settings)
    }

    fn find(&mut self, name: &str) -> Option<Value> {
        let place = self.0.iter().position(|(given, _)| given == name)?;
        Some(self.0.remove(place).1)
    }
}

/// What a field may hold.
pub(crate) trait Setting: Sized {
    fn of(value: Value) -> Result<Self, Fault>;

    /// What a field that is not there stands for, where it may be left out.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Readable> Setting for T {
    fn of(value: Value) -> Result<Self, Fault> {
        value.into_fields()?.settings()
    }
}

/// Nothing is no setting.
impl<T: Setting> Setting for Option<T> {
    fn of(value: Value) -> Result<Self, Fault> {
        if matches!(value, Value::Nothing) { Ok(None) } else { T::of(value).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl Setting for Value {
    fn of(value: Value) -> Result<Self, Fault> {
        Ok(value)
    }
}

impl Setting for String {
    fn of(value: Value) -> Result<Self, Fault> {
        value.into_text()
    }
}

/// A field that holds a text in a form of its own.
pub(crate) fn parsed<T: FromStr<Err: fmt::Display>>(value: Value) -> Result<T, Fault> {
    let text = value.into_text()?;
    text.parse().map_err(|error| Fault::Words(format!("{text:?}: {error}")))
}

impl Setting for bool {
    fn of(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Flag(value) => Ok(value),
            other => Err(Fault::Type(other, "a boolean")),
        }
    }
}

impl Setting for f64 {
    #[allow(clippy::cast_precision_loss, reason = "as derived readers do")]
    fn of(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Float(value) => Ok(value),
            Value::Unsigned(value) => Ok(value as f64),
            Value::Signed(value) => Ok(value as f64),
            other => Err(Fault::Type(other, "f64")),
        }
    }
}

impl<const N: usize> Setting for [f32; N] {
    #[allow(clippy::cast_possible_truncation, reason = "as derived readers do")]
    fn of(value: Value) -> Result<Self, Fault> {
        let Value::List(values) = value else { return Err(Fault::Type(value, "a list of numbers")) };
        let values: Result<Vec<_>, _> =
            values.into_iter().map(|value| f64::of(value).map(|value| value as f32)).collect();
        values?.try_into().map_err(|values: Vec<f32>| {
            Fault::Words(format!("invalid length {}, expected an array of length {N}", values.len()))
        })
    }
}

impl Setting for u64 {
    fn of(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Unsigned(value) => Ok(value),
            Value::Signed(number) => Self::try_from(number).map_err(|_| Fault::Range(value, "u64")),
            other => Err(Fault::Type(other, "u64")),
        }
    }
}

impl Setting for u32 {
    fn of(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Unsigned(number) => Self::try_from(number).map_err(|_| Fault::Range(value, "u32")),
            Value::Signed(number) => Self::try_from(number).map_err(|_| Fault::Range(value, "u32")),
            other => Err(Fault::Type(other, "u32")),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a boolean, a text, a list or settings by name")
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if fields.iter().any(|(given, _)| *given == name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            fields.push((name, map.next_value()?));
        }
        Ok(Value::Map(Fields(fields)))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }
}
