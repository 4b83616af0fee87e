//! Settings as files and pages store them: maps from names to values.
//!
//! A derived deserialiser is separate code for every struct and every variant, twice for internally tagged enums. Here
//! a map is read into memory by code that all of them share, and its fields are then taken by name: this is a third of
//! the code, which a browser downloads. All errors have the same form: where, what was found, and what is allowed.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::settings::LARGEST_EXACT;

/// The most characters of a value that a message repeats.
const MOST_SHOWN: usize = 60;

/// A struct of settings, all of which have defaults.
pub trait Readable: Default {
    /// The fields.
    const NAMES: &'static [&'static str];

    /// Takes those that are there.
    ///
    /// # Errors
    /// Which one is not valid.
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

        $crate::deserialize_setting!($settings);
    };
}
pub(crate) use readable;

/// Implements [`Setting`](crate::fields::Setting) and `Deserialize` for a struct all of whose fields must be there, unless
/// they are options.
#[macro_export]
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

        $crate::deserialize_setting!($settings);
    };
}
pub(crate) use required_settings;

/// Implements `Deserialize` for a [`Setting`](crate::fields::Setting).
#[macro_export]
macro_rules! deserialize_setting {
    ($setting:ty) => {
        impl<'de> serde::Deserialize<'de> for $setting {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use $crate::fields::{Fault, Setting, Value};
                let value: Value = serde::Deserialize::deserialize(deserializer)?;
                Setting::of(value).map_err(serde::de::Error::custom::<Fault>)
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
                known.ok_or_else(|| $crate::fields::Fault::name(&name, NAMES))
            }
        }

        $crate::deserialize_setting!($setting);
    };
}
pub(crate) use name_setting;

/// What is not taken yet of a map.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    pub(crate) entries: Vec<(String, Value)>,
    /// Whether what is left out stays as it is, also within fields, where it otherwise has its default.
    is_over: bool,
}

impl From<Vec<(String, Value)>> for Fields {
    fn from(entries: Vec<(String, Value)>) -> Self {
        Self { entries, is_over: false }
    }
}

/// A value.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Unsigned(u64),
    /// One below 0.
    Signed(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map from names to values.
    Map(Fields),
    /// `null`.
    Nothing,
}

impl serde::Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries.iter().map(|(name, value)| (name, value)))
    }
}

impl fmt::Display for Value {
    /// In a few words, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) => write!(f, "{:?}", shortened(value)),
            Self::List(_) => f.write_str("a list"),
            Self::Map(_) => f.write_str("an object"),
            Self::Nothing => f.write_str("null"),
        }
    }
}

pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Why a value is not valid: where, what is there, and what may be there.
#[derive(Debug)]
pub struct Fault {
    /// Names of fields, with dots between them; empty for the whole.
    path: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Missing,
    /// What was found, and what is wrong with it.
    Unfit(String, String),
    /// Not one of these.
    Unknown(&'static [&'static str]),
    /// In a reader's own words.
    Words(String),
}

impl Fault {
    /// A value other than `expected` was found.
    #[must_use]
    pub fn unfit(found: &Value, expected: impl fmt::Display) -> Self {
        Self::wrong(found, format_args!("but must be {expected}"))
    }

    /// What is there cannot be used: "which is too large".
    pub(crate) fn wrong(found: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self::new(What::Unfit(found.to_string(), what.to_string()))
    }

    /// In a reader's own words.
    #[must_use]
    pub fn words(words: impl fmt::Display) -> Self {
        Self::new(What::Words(words.to_string()))
    }

    /// In the field of this name.
    #[must_use]
    pub fn within(self, field: &str) -> Self {
        let separator = if self.path.is_empty() { "" } else { "." };
        Self { path: format!("{field}{separator}{}", self.path), ..self }
    }

    /// A name that is not one of these.
    pub(crate) fn name(found: &str, known: &[&str]) -> Self {
        Self::unfit(&Value::Text(found.to_owned()), format_args!("one of {}", known.join(", ")))
    }

    /// A field that is there twice.
    pub(crate) fn twice(name: &str) -> Self {
        Self::words(format_args!("{} appears twice", shortened(name).escape_debug()))
    }

    const fn new(what: What) -> Self {
        Self { path: String::new(), what }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "it" } else { &self.path };
        match &self.what {
            What::Missing => write!(f, "{path} is missing"),
            What::Unfit(found, wrong) => write!(f, "{path} is {found}, {wrong}"),
            What::Unknown([]) => write!(f, "{path} is not a valid field; there are none"),
            What::Unknown(known) => {
                write!(f, "{path} is not a valid field; valid fields: {}", known.join(", "))
            }
            What::Words(words) if self.path.is_empty() => f.write_str(words),
            What::Words(words) => write!(f, "{path}: {words}"),
        }
    }
}

impl core::error::Error for Fault {}

impl Value {
    /// A field of a map.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(fields) = self else { return None };
        fields.entries.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// The fields of a map.
    ///
    /// # Errors
    /// When the value has another type.
    pub fn into_fields(self) -> Result<Fields, Fault> {
        self.into_fields_of("an object")
    }

    pub(crate) fn into_fields_of(self, expected: &str) -> Result<Fields, Fault> {
        match self {
            Self::Map(fields) => Ok(fields),
            other => Err(Fault::unfit(&other, expected)),
        }
    }

    /// The entries of a list.
    ///
    /// # Errors
    /// When the value has another type.
    pub fn into_list(self) -> Result<Vec<Self>, Fault> {
        match self {
            Self::List(values) => Ok(values),
            other => Err(Fault::unfit(&other, "a list")),
        }
    }

    /// A string.
    ///
    /// # Errors
    /// When the value has another type.
    pub fn into_text(self) -> Result<String, Fault> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(Fault::unfit(&other, "a string")),
        }
    }
}

impl Fields {
    /// Takes a field, if it is there.
    ///
    /// # Errors
    /// When it is not valid.
    pub fn take<T: Setting>(&mut self, name: &'static str, setting: &mut T) -> Result<(), Fault> {
        if let Some(value) = self.find(name) {
            let taken = if self.is_over {
                setting.read_over(value)
            } else {
                T::of(value).map(|value| *setting = value)
            };
            taken.map_err(|fault| fault.within(name))?;
        }
        Ok(())
    }

    /// Takes a field that must be there, unless it is an option.
    ///
    /// # Errors
    /// When it is missing or not valid.
    pub fn required<T: Setting>(&mut self, name: &'static str) -> Result<T, Fault> {
        match self.find(name) {
            Some(value) => T::of(value).map_err(|fault| fault.within(name)),
            None => T::absent().ok_or_else(|| Fault::new(What::Missing).within(name)),
        }
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// What is left, and what there may be.
    pub fn finish(self, known: &'static [&'static str]) -> Result<(), Fault> {
        let unknown =
            |name: &str| Fault::new(What::Unknown(known)).within(&shortened(name).escape_debug().to_string());
        self.entries.first().map_or(Ok(()), |(name, _)| Err(unknown(name)))
    }

    /// All settings of a struct; what is left out stays.
    pub(crate) fn settings<T: Readable>(mut self, settings: &mut T) -> Result<(), Fault> {
        settings.take(&mut self)?;
        self.finish(T::NAMES)
    }

    /// With what is left out as it is.
    pub(crate) fn over(self) -> Self {
        Self { is_over: true, ..self }
    }

    fn find(&mut self, name: &str) -> Option<Value> {
        let place = self.entries.iter().position(|(given, _)| given == name)?;
        Some(self.entries.remove(place).1)
    }
}

/// What a field may hold.
pub trait Setting: Sized {
    /// From a value as files hold it.
    ///
    /// # Errors
    /// Which part of it is not valid, and what may be there.
    fn of(value: Value) -> Result<Self, Fault>;

    /// The same where what an object leaves out stays as it is.
    ///
    /// # Errors
    /// As [`Self::of`].
    fn read_over(&mut self, value: Value) -> Result<(), Fault> {
        *self = Self::of(value)?;
        Ok(())
    }

    /// The value of a field that is missing, if it may be left out.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Readable> Setting for T {
    fn of(value: Value) -> Result<Self, Fault> {
        let mut settings = T::default();
        value.into_fields()?.settings(&mut settings)?;
        Ok(settings)
    }

    fn read_over(&mut self, value: Value) -> Result<(), Fault> {
        value.into_fields()?.over().settings(self)
    }
}

/// Nothing is no setting.
impl<T: Setting> Setting for Option<T> {
    fn of(value: Value) -> Result<Self, Fault> {
        if matches!(value, Value::Nothing) { Ok(None) } else { T::of(value).map(Some) }
    }

    fn read_over(&mut self, value: Value) -> Result<(), Fault> {
        match self {
            Some(setting) if !matches!(value, Value::Nothing) => setting.read_over(value),
            _ => Self::of(value).map(|value| *self = value),
        }
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

impl<T: Setting> Setting for Vec<T> {
    fn of(value: Value) -> Result<Self, Fault> {
        let entries = value.into_list()?.into_iter().enumerate();
        entries.map(|(place, value)| T::of(value).map_err(|fault| fault.within(&place.to_string()))).collect()
    }
}

/// A field that holds a text in a form of its own.
pub(crate) fn parsed<T: FromStr<Err: fmt::Display>>(value: Value) -> Result<T, Fault> {
    let text = value.into_text()?;
    text.parse().map_err(|error| Fault::words(format_args!("{text:?}: {error}")))
}

/// One of several texts. `expected` says which there may be, and after an error which there may be instead.
pub(crate) fn one_of<T: FromStr, E: fmt::Display>(
    value: Value,
    expected: impl FnOnce(Option<T::Err>) -> E,
) -> Result<T, Fault> {
    let error = match &value {
        Value::Text(text) => match text.parse() {
            Ok(parsed) => return Ok(parsed),
            Err(error) => Some(error),
        },
        _ => None,
    };
    Err(Fault::unfit(&value, expected(error)))
}

impl Setting for bool {
    fn of(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Flag(value) => Ok(value),
            other => Err(Fault::unfit(&other, "true or false")),
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
            other => Err(Fault::unfit(&other, "a number")),
        }
    }
}

impl<const N: usize> Setting for [f32; N] {
    #[allow(clippy::cast_possible_truncation, reason = "as derived readers do")]
    fn of(value: Value) -> Result<Self, Fault> {
        let values: Vec<_> = Vec::<f64>::of(value)?.into_iter().map(|value| value as f32).collect();
        values.try_into().map_err(|values: Vec<f32>| {
            Fault::words(format_args!("it has {} numbers, but must have {N}", values.len()))
        })
    }
}

impl Setting for u64 {
    fn of(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Unsigned(value) => Ok(value),
            other => Err(Fault::unfit(&other, format_args!("a whole number from 0 to {LARGEST_EXACT}"))),
        }
    }
}

impl Setting for u32 {
    fn of(value: Value) -> Result<Self, Fault> {
        let number = if let Value::Unsigned(number) = value { Self::try_from(number).ok() } else { None };
        number.ok_or_else(|| Fault::unfit(&value, format_args!("a whole number from 0 to {}", Self::MAX)))
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
        f.write_str("a number, a text, a list, an object, true, false or null")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Flag(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or(Value::Signed(value), Value::Unsigned))
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
                return Err(A::Error::custom(Fault::twice(&name)));
            }
            fields.push((name, map.next_value()?));
        }
        Ok(Value::Map(fields.into()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }
}
