//! The file of `--config`: settings as JSON. What it leaves out is as without the file.

use std::fmt;

use adadagrad_core::config::{LARGEST_EXACT, RunConfig};
use adadagrad_core::controller::{AnyController, Constant};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The settings of a file, over those of `base`.
///
/// # Errors
/// Which setting is wrong, what the file says there, and what it may be.
pub(crate) fn read(text: &str, base: RunConfig) -> Result<RunConfig, String> {
    let mut settings = Settings { config: serde_json::to_value(base).map_err(|error| error.to_string())? };
    let file = Object::read(text)?;
    for (name, value) in &file.0 {
        settings.set(&[name], value)?;
    }
    let config: RunConfig = serde_json::from_value(settings.config).map_err(|error| error.to_string())?;
    if config.test.is_none() && !file.names("controller") {
        return Ok(RunConfig { controller: AnyController::Constant(Constant {}), ..config });
    }
    Ok(config)
}

/// Settings that can run, as far as types go.
struct Settings {
    config: Value,
}

impl Settings {
    /// Sets one field, or the given ones of an object.
    fn set(&mut self, path: &[&str], value: &RawValue) -> Result<(), String> {
        let name = path.join(".");
        let Some(field) = self.config.pointer(&pointer(path)) else {
            let parent = &path[..path.len() - 1];
            let fields = self.config.pointer(&pointer(parent)).and_then(Value::as_object);
            let known: Vec<_> =
                fields.into_iter().flat_map(|fields| fields.keys()).map(String::as_str).collect();
            return Err(format!(
                "{} is not a valid setting; valid settings: {}",
                shortened(&name),
                known.join(", ")
            ));
        };
        let takes_object = field.is_object() || path == ["test"];
        let is_no_test = path == ["test"] && value.get() == "null";
        // Serde would take a list of the fields' values too.
        if takes_object && !is_no_test && !value.get().starts_with('{') {
            let with_name = if path == ["schedule"] { "" } else { " with a name" };
            return Err(format!("{name} is {}, but must be an object{with_name}", shown(value)));
        }
        if !takes_object || is_no_test {
            let parsed = parse(value.get()).map_err(|what| format!("{name} is {}, {what}", shown(value)))?;
            return self.put(path, parsed, value);
        }
        let object = Object::read(value.get()).map_err(|what| format!("{name}: {what}"))?;
        // The kind first: it decides which fields there are.
        if let Some(kind) = object.0.iter().find(|(field, _)| field == "name").map(|(_, kind)| kind) {
            let parsed: Value =
                parse(kind.get()).map_err(|what| format!("{name}.name is {}, {what}", shown(kind)))?;
            let own = self.config.pointer(&format!("{}/name", pointer(path)));
            if own != Some(&parsed) {
                self.put(path, serde_json::json!({ "name": parsed }), kind)?;
            }
        }
        for (field, value) in &object.0 {
            self.set(&[path, &[field]].concat(), value)?;
        }
        Ok(())
    }

    /// Puts a value into its place, where the settings stay settings.
    fn put(&mut self, path: &[&str], value: Value, written: &RawValue) -> Result<(), String> {
        let mut config = self.config.clone();
        if let Some(place) = config.pointer_mut(&pointer(path)) {
            *place = value;
        }
        let config: RunConfig = serde_json::from_value(config).map_err(|error| {
            let error = error.to_string();
            match expected(&error) {
                Some(words) => format!("{} is {}, but must be {words}", path.join("."), shown(written)),
                // Of a text in a form of its own: where it is, and what is wrong with it.
                None => error,
            }
        })?;
        self.config = serde_json::to_value(config).map_err(|error| error.to_string())?;
        Ok(())
    }
}

fn pointer(path: &[&str]) -> String {
    path.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect()
}

/// A JSON value in which every number is the one that is written.
fn parse(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let error = error.to_string();
        // What is valid JSON can hold too large a number, half a character, or too many brackets.
        if error.starts_with("number out of range") {
            "which is too large".to_owned()
        } else {
            format!("which cannot be read: {error}")
        }
    })?;
    let is_zero = value.as_f64() == Some(0.0);
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    if is_zero && digits.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        return Err("which is too small: it would be rounded to 0".to_owned());
    }
    Ok(value)
}

/// A value as the file has it, shortened.
fn shown(value: &RawValue) -> String {
    shortened(value.get())
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// What serde expected, in words.
fn expected(error: &str) -> Option<String> {
    let (_, words) = error.rsplit_once("expected ")?;
    Some(match words {
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" => format!("a whole number from 0 to {LARGEST_EXACT}"),
        "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        words => words.to_owned(),
    })
}

/// A JSON object's fields as they are written, in their order.
struct Object(Vec<(String, Box<RawValue>)>);

impl Object {
    fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default().trim();
            if error.is_data() {
                return error.to_string();
            }
            if line.is_empty() {
                return format!("not valid JSON: {error}");
            }
            let line: String = line.chars().take(80).collect();
            format!("not valid JSON: {error}, in the line: {line}")
        })
    }

    fn names(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object(Vec::new());
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if object.names(&name) {
                return Err(de::Error::custom(format_args!("the setting {name} appears twice")));
            }
            object.0.push((name, value));
        }
        Ok(object)
    }
}
