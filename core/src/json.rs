//! JSON from files and pipes: numbers are read exactly, and errors have the form of those in [`fields`](crate::fields).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Error;
use serde_json::value::RawValue;

use crate::fields::{Fault, Setting, Value, shortened};

/// Lists and objects within each other: no file has so many.
const DEEPEST: usize = 64;
/// The most characters of a line that a message repeats.
const MOST_OF_A_LINE: usize = 80;

/// Reads a value of a type that files hold.
///
/// ```
/// use adadagrad_core::batch_test::AnyTest;
/// use adadagrad_core::json;
///
/// let error = json::read::<AnyTest>(r#"{"name": "norm", "eta": "0,5"}"#).unwrap_err();
/// assert_eq!(error.to_string(), r#"eta is "0,5", but must be a number"#);
/// let error = json::read::<AnyTest>(r#"{"name": "norm", "eta": 1e400}"#).unwrap_err();
/// assert_eq!(error.to_string(), "eta is 1e400, which is too large");
/// ```
///
/// # Errors
/// Which field is not valid, what is there, and what may be; or where the text is not valid JSON.
pub fn read<T: Setting>(text: &str) -> Result<T, Fault> {
    T::of(parse(text)?)
}

/// Any value.
///
/// # Errors
/// Where the text is not valid JSON, or which number cannot be held.
pub fn parse(text: &str) -> Result<Value, Fault> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| not_valid(text, &error))?;
    value(raw, 0)
}

/// The entries of a list as they are written; `None` where the text is something else.
pub(crate) fn entries(text: &str) -> Result<Option<Vec<&RawValue>>, Error> {
    let raw: &RawValue = serde_json::from_str(text)?;
    if raw.get().starts_with('[') { serde_json::from_str(raw.get()).map(Some) } else { Ok(None) }
}

/// What is wrong, without its place.
pub(crate) fn without_place(error: &Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    in_words(text.strip_suffix(&place).unwrap_or(&text))
}

/// Without the abbreviation EOF.
fn in_words(text: &str) -> String {
    text.replace("EOF while parsing a value", "the text ends before a value")
        .replace("EOF while parsing", "the text ends within")
}

fn not_valid(text: &str, error: &Error) -> Fault {
    let said = in_words(&error.to_string());
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default().trim();
    if line.is_empty() {
        return Fault::words(format_args!("not valid JSON: {said}"));
    }
    let line: String = line.chars().take(MOST_OF_A_LINE).collect();
    Fault::words(format_args!("not valid JSON: {said}, in the line: {line}"))
}

/// A value of a text that is valid JSON.
pub(crate) fn value(raw: &RawValue, depth: usize) -> Result<Value, Fault> {
    let text = raw.get();
    let is_within = |error: &Error| {
        if error.is_data() {
            Fault::words(without_place(error))
        } else {
            Fault::wrong(shortened(text), format_args!("which cannot be read: {}", without_place(error)))
        }
    };
    if depth == DEEPEST {
        return Err(Fault::wrong(shortened(text), format_args!("which is nested more than {DEEPEST} deep")));
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let Object(entries) = serde_json::from_str(text).map_err(|error| is_within(&error))?;
            let entries = entries.into_iter().map(|(name, raw)| match value(raw, depth + 1) {
                Ok(value) => Ok((name, value)),
                Err(fault) => Err(fault.within(&shortened(&name))),
            });
            Ok(Value::Map(entries.collect::<Result<Vec<_>, _>>()?.into()))
        }
        Some(b'[') => {
            let entries: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| is_within(&error))?;
            let entries = entries.into_iter().enumerate();
            let entries = entries
                .map(|(place, raw)| value(raw, depth + 1).map_err(|fault| fault.within(&place.to_string())));
            Ok(Value::List(entries.collect::<Result<_, _>>()?))
        }
        _ => scalar(text).map_err(|what| match what {
            Wrong::Number(what) => Fault::wrong(shortened(text), what),
            Wrong::Else(error) => is_within(&error),
        }),
    }
}

enum Wrong {
    Number(&'static str),
    Else(Error),
}

/// A number, a text, true, false or null.
fn scalar(text: &str) -> Result<Value, Wrong> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        if error.to_string().starts_with("number out of range") {
            Wrong::Number("which is too large")
        } else {
            Wrong::Else(error)
        }
    })?;
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    match value {
        Value::Float(0.0) if digits.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) => {
            Err(Wrong::Number("which is too small: it would be rounded to 0"))
        }
        value => Ok(value),
    }
}

/// An object's fields as they are written, in their order.
struct Object<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Object<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut entries: Vec<(String, &RawValue)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            if entries.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(Fault::twice(&name)));
            }
            entries.push((name, value));
        }
        Ok(Object(entries))
    }
}
