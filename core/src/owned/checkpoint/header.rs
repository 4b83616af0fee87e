//! What safetensors does not find wrong with a file's header.

use std::borrow::ToOwned;
use std::fmt;
use std::marker::PhantomData;
use std::string::String;
use std::vec::Vec;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::error::CheckpointError;

/// Refuses a header that names something twice, of which safetensors takes the last, or places a tensor beyond the end
/// of the file, where its sum can overflow. Anything else that is wrong is left to safetensors.
pub(super) fn check(bytes: &[u8]) -> Result<(), CheckpointError> {
    let header = bytes.split_first_chunk::<8>().and_then(|(len, rest)| {
        let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
        serde_json::from_slice::<Fields<Fields<Value>>>(rest.get(..len)?).ok()
    });
    let Some(header) = header else { return Ok(()) };
    let entries = header.0.iter().map(|(_, entry)| entry.twice());
    if let Some(name) = std::iter::once(header.twice()).chain(entries).flatten().next() {
        return Err(CheckpointError::Twice { name: name.to_owned() });
    }
    let end = |entry: &Fields<Value>| entry.get("data_offsets")?.get(1)?.as_u64();
    let mut entries = header.0.into_iter();
    match entries.find(|(_, entry)| end(entry).is_some_and(|end| end > bytes.len() as u64)) {
        None => Ok(()),
        Some((tensor, _)) => Err(CheckpointError::Beyond { tensor, bytes: bytes.len() }),
    }
}

/// The fields of a JSON object as they are written, also those that are there twice.
struct Fields<V>(Vec<(String, V)>);

impl<V> Fields<V> {
    fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// A name that is there twice.
    fn twice(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Fields<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnyFields(PhantomData))
    }
}

struct AnyFields<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for AnyFields<V> {
    type Value = Fields<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<V>, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}
