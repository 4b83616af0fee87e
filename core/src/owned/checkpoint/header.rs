//! A file's header, before safetensors reads it: what is wrong is said in our words, and two things are found that it does
//! not find.

use std::string::{String, ToString};
use std::vec::Vec;

use safetensors::Dtype;

use super::error::CheckpointError;
use crate::fields::{Fault, Setting, Value};
use crate::json;

/// Refuses a header that is not valid, that names something twice, of which safetensors takes the last, or that places a
/// tensor beyond the end of the file, where its sum can overflow.
pub(super) fn check(bytes: &[u8]) -> Result<(), CheckpointError> {
    let text = text(bytes).map_err(CheckpointError::Header)?;
    let header: Header = json::read(text).map_err(CheckpointError::Header)?;
    let mut tensors = header.0.into_iter();
    match tensors.find(|(_, Offsets([_, end]))| *end > bytes.len() as u64) {
        None => Ok(()),
        Some((tensor, _)) => Err(CheckpointError::Beyond { tensor, bytes: bytes.len() }),
    }
}

/// The header as text, behind eight bytes with its length.
fn text(bytes: &[u8]) -> Result<&str, Fault> {
    let found = bytes.len();
    let (len, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| {
        Fault::words(format_args!("the file has {found} bytes, but the length of its header alone takes 8"))
    })?;
    let len = u64::from_le_bytes(*len);
    let header = usize::try_from(len).ok().and_then(|len| rest.get(..len)).ok_or_else(|| {
        Fault::words(format_args!(
            "the first 8 bytes declare a header of {len} bytes, but the file has {found}"
        ))
    })?;
    str::from_utf8(header).map_err(|error| {
        Fault::words(format_args!("byte {} of the header is not UTF-8 text", error.valid_up_to()))
    })
}

/// Names of tensors, and where their values are.
struct Header(Vec<(String, Offsets)>);

/// Where a tensor's values begin and end.
struct Offsets([u64; 2]);

impl Setting for Header {
    fn of(value: Value) -> Result<Self, Fault> {
        let mut tensors = Vec::new();
        for (name, value) in value.into_fields()?.entries {
            let read = if name == "__metadata__" {
                value.into_fields().and_then(|fields| {
                    let mut texts = fields.entries.into_iter();
                    texts.try_for_each(|(name, text)| {
                        text.into_text().map(drop).map_err(|fault| fault.within(&name))
                    })
                })
            } else {
                Offsets::of(value).map(|offsets| tensors.push((name.clone(), offsets)))
            };
            read.map_err(|fault| fault.within(&name))?;
        }
        Ok(Self(tensors))
    }
}

impl Setting for Offsets {
    fn of(value: Value) -> Result<Self, Fault> {
        let mut fields = value.into_fields()?;
        let dtype: String = fields.required("dtype")?;
        if serde_json::from_value::<Dtype>(dtype.as_str().into()).is_err() {
            return Err(Fault::unfit(&Value::Text(dtype), "a safetensors type, such as F32").within("dtype"));
        }
        fields.required::<Vec<u64>>("shape")?;
        let offsets: Vec<u64> = fields.required("data_offsets")?;
        let offsets = offsets.try_into().map_err(|offsets: Vec<u64>| {
            let found = offsets.len().to_string();
            Fault::words(format_args!("it has {found} numbers, but must have 2")).within("data_offsets")
        })?;
        Ok(Self(offsets))
    }
}
