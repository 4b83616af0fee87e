//! safetensors files with the browser's own JSON: a second reader of it would make the module a third larger.
//!
//! A file is: the header's length as a 64-bit number, the header as JSON, then the tensors' bytes. The header names for
//! each tensor its type, its shape, and where its bytes begin and end.

use adadagrad_core::network::Network;
use adadagrad_core::owned::checkpoint::{Checkpoint, CheckpointError, STATE, State, float_size, tensors};
use js_sys::{Array, JSON, Object, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::{from_js, read_js, to_js};

/// The entry of the header that is no tensor.
const METADATA: &str = "__metadata__";
/// The header ends where the length so far is a multiple of this.
const ALIGNMENT: usize = 8;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct TensorInfo {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// Reads a file's bytes.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn read(bytes: &[u8]) -> Result<Checkpoint, JsError> {
    let (header, data) = split(bytes).ok_or_else(|| invalid("its header is longer than the file"))?;
    let header = JSON::parse(header).ok().and_then(|header| header.dyn_into::<Object>().ok());
    let header = header.ok_or_else(|| invalid("its header is not a JSON object"))?;
    let mut checkpoint = Checkpoint::default();
    for entry in Object::entries(&header) {
        let entry = Array::from(&entry);
        let name = entry.get(0).as_string().unwrap_or_default();
        if name == METADATA {
            checkpoint.state = read_state(&entry.get(1))?;
            continue;
        }
        let info: TensorInfo = from_js(entry.get(1)).map_err(|_| {
            invalid(&format!("its header does not give the type, shape and offsets of {name}"))
        })?;
        let bytes = info.bytes(&name, data).map_err(|what| invalid(&what))?;
        checkpoint.add(name, &info.dtype, info.shape.clone(), bytes)?;
    }
    checkpoint.check_squares()?;
    Ok(checkpoint)
}

/// The bytes of a checkpoint.
///
/// # Errors
/// None in practice.
pub(crate) fn write(
    network: Network<'_>,
    parameters: &[f32],
    memory: &[f32],
    state: &State,
) -> Result<Vec<u8>, JsError> {
    let header = Object::new();
    let metadata = Object::new();
    let text = JSON::stringify(&to_js(state)?).map_err(|_| JsError::new("the run cannot be saved"))?;
    set(&metadata, STATE, &text)?;
    set(&header, METADATA, &metadata)?;
    let mut data = Vec::new();
    for (name, shape, values) in tensors(network, parameters, memory) {
        let begin = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let info = TensorInfo { dtype: "F32".to_owned(), shape, data_offsets: [begin, data.len()] };
        set(&header, &name, &to_js(&info)?)?;
    }
    let header = JSON::stringify(&header).map_err(|_| JsError::new("the run cannot be saved"))?;
    Ok(join(&String::from(header), &data))
}

fn read_state(metadata: &JsValue) -> Result<Option<State>, JsError> {
    let text = Reflect::get(metadata, &STATE.into()).ok().and_then(|text| text.as_string());
    let Some(text) = text else { return Ok(None) };
    let json = JSON::parse(&text)
        .map_err(|_| JsError::new(&format!("the metadata entry `{STATE}` is not valid JSON")))?;
    let state: State = read_js(json).map_err(CheckpointError::State)?;
    state.check()?;
    Ok(Some(state))
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), JsError> {
    Reflect::set(object, &name.into(), value).map(drop).map_err(|_| JsError::new("the run cannot be saved"))
}

fn invalid(what: &str) -> JsError {
    JsError::new(&format!("not a valid safetensors file: {what}"))
}

/// Header and tensors' bytes.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<8>()?;
    let (header, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    Some((str::from_utf8(header).ok()?, data))
}

/// The whole file.
fn join(header: &str, data: &[u8]) -> Vec<u8> {
    let len = header.len().next_multiple_of(ALIGNMENT);
    let mut bytes = Vec::with_capacity(8 + len + data.len());
    bytes.extend((len as u64).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.resize(8 + len, b' ');
    bytes.extend(data);
    bytes
}

impl TensorInfo {
    /// Its bytes, as many as its shape asks for.
    fn bytes<'d>(&self, name: &str, data: &'d [u8]) -> Result<&'d [u8], String> {
        let Self { dtype, shape, data_offsets: [begin, end] } = self;
        let bytes = data
            .get(*begin..*end)
            .ok_or_else(|| format!("the header places the tensor {name} beyond the end of the file"))?;
        // Tensors of other types are not read.
        let Some(size) = float_size(dtype) else { return Ok(bytes) };
        let wanted = shape.iter().try_fold(size, |bytes, &len| bytes.checked_mul(len));
        if wanted != Some(bytes.len()) {
            return Err(format!(
                "the tensor {name} has {} bytes, which does not fit its shape {shape:?}",
                bytes.len()
            ));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(shape: &[usize], data_offsets: [usize; 2]) -> TensorInfo {
        TensorInfo { dtype: "F32".to_owned(), shape: shape.to_vec(), data_offsets }
    }

    #[test]
    fn what_is_joined_is_split_again() {
        for header in ["{}", "{\"a\":1}", "{\"abcdef\":1}"] {
            let bytes = join(header, &[1, 2, 3]);
            assert_eq!(bytes.len() % 8, 3, "the data begin at a multiple of 8");
            let (found, data) = split(&bytes).expect("a valid file");
            assert_eq!((found.trim_end(), data), (header, [1, 2, 3].as_slice()));
        }
    }

    #[test]
    fn headers_that_end_beyond_the_file_are_none() {
        let bytes = join("{}", &[]);
        for len in 0..bytes.len() {
            assert_eq!(split(&bytes[..len]), None, "{len} bytes");
        }
        assert_eq!(split(&[u64::MAX.to_le_bytes().as_slice(), b"{}"].concat()), None);
        assert_eq!(split(&[8_u64.to_le_bytes().as_slice(), &[0xff; 8]].concat()), None, "no text");
    }

    #[test]
    fn a_tensor_s_bytes_are_those_that_its_shape_asks_for() {
        let data = [7; 40];
        assert_eq!(info(&[3, 2], [8, 32]).bytes("t", &data), Ok(&data[8..32]));
        assert_eq!(info(&[], [0, 4]).bytes("t", &data), Ok(&data[..4]), "a number");
        let double = TensorInfo { dtype: "F64".to_owned(), ..info(&[5], [0, 40]) };
        assert_eq!(double.bytes("t", &data), Ok(&data[..]));
        let liars = [
            info(&[10], [0, 44]),
            info(&[10], [40, 0]),
            info(&[11], [0, 40]),
            info(&[usize::MAX], [0, 40]),
            info(&[usize::MAX / 4, 4, 4], [0, 40]),
            info(&[1], [usize::MAX, 3]),
            TensorInfo { dtype: "F64".to_owned(), ..info(&[6], [0, 40]) },
            TensorInfo { dtype: "BF16".to_owned(), ..info(&[10], [0, 40]) },
            TensorInfo { dtype: "I64".to_owned(), ..info(&[10], [0, 41]) },
        ];
        for liar in liars {
            assert!(liar.bytes("t", &data).is_err(), "{liar:?}");
        }
    }
}
