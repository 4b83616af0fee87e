//! Settings in an experiment, as they are written there: they are read by the one reader of settings.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Each with the text of its value.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(Vec<(String, Box<RawValue>)>);

impl Settings {
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// Those of `over` take the place of others of the same name.
    pub(super) fn extend(&mut self, over: Self) {
        self.0.retain(|(name, _)| !over.names(name));
        self.0.extend(over.0);
    }

    /// As JSON, with the seed.
    pub(super) fn text(&self, seed: u64) -> String {
        let settings = self
            .0
            .iter()
            .map(|(name, value)| format!("{}: {value}, ", serde_json::Value::from(name.as_str())));
        format!("{{{}\"seed\": {seed}}}", settings.collect::<String>())
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with settings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
                let mut settings = Settings::default();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if settings.names(&name) {
                        return Err(A::Error::custom(format_args!("{name} appears twice")));
                    }
                    settings.0.push((name, value));
                }
                Ok(settings)
            }
        }

        deserializer.deserialize_map(Each)
    }
}
