//! Reads and writes the bytes of checkpoint files.

use std::borrow::ToOwned;
use std::collections::HashMap;
#[cfg(not(target_family = "wasm"))]
use std::format;
#[cfg(not(target_family = "wasm"))]
use std::fs::File;
#[cfg(not(target_family = "wasm"))]
use std::io::{self, Read};
#[cfg(not(target_family = "wasm"))]
use std::path::Path;
use std::string::{String, ToString};
use std::vec::Vec;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::contents::Checkpoint;
use super::error::CheckpointError;
use super::header;
use super::names::STATE;
use super::pieces::tensors;
use super::state::{State, not_valid, read_state};
use crate::network::Network;

/// The metadata entry of files with parameters alone: whose names and shapes they have.
const PYTORCH: (&str, &str) = ("format", "pt");

/// Larger files are not read.
#[cfg(not(target_family = "wasm"))]
const LARGEST_FILE: u64 = 1 << 33;
/// The same of what is no file: pipes, and devices, which may never end.
#[cfg(not(target_family = "wasm"))]
const LARGEST_STREAM: u64 = 1 << 28;

/// What files of `torch.save` begin with: an archive today, a pickle before PyTorch 1.6.
const PICKLE_STARTS: [&[u8]; 2] = [b"PK\x03\x04", b"\x80\x02\x8a\x0a"];

/// Reads a checkpoint from a file's bytes. For any bytes there is a result and no panic, and no more memory
/// than a few times theirs.
///
/// # Errors
/// What is wrong with them.
pub fn read(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    if PICKLE_STARTS.iter().any(|start| bytes.starts_with(start)) {
        return Err(CheckpointError::Pickle);
    }
    header::check(bytes)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes)?;
    let state = metadata.metadata().as_ref().and_then(|entries| entries.get(STATE));
    let state = state.map(|text| read_state(text)).transpose()?;
    let mut checkpoint = Checkpoint { state, ..Checkpoint::default() };
    for (name, view) in SafeTensors::deserialize(bytes)?.tensors() {
        checkpoint.add(name, &view.dtype().to_string(), view.shape().to_vec(), view.data())?;
    }
    checkpoint.check_squares()?;
    Ok(checkpoint)
}

/// Reads a checkpoint file.
///
/// # Errors
/// Why it cannot be read, or what is wrong with it.
#[cfg(not(target_family = "wasm"))]
pub fn load(file: &Path) -> io::Result<Checkpoint> {
    let file = File::open(file)?;
    load_from(file.metadata()?.is_file(), file)
}

/// Reads a checkpoint from an open file: a regular one, or a pipe or a device.
///
/// # Errors
/// As [`load`].
#[cfg(not(target_family = "wasm"))]
pub fn load_from(is_regular: bool, source: impl Read) -> io::Result<Checkpoint> {
    let mut bytes = Vec::new();
    let most = if is_regular { LARGEST_FILE } else { LARGEST_STREAM };
    source.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let most = most >> 20;
        let text = format!("larger than {most} MiB, which is too large for a checkpoint of these models");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    read(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The bytes of a checkpoint: parameters, and for each D values of `memory` one slot.
///
/// # Errors
/// When a slice does not fit the network.
pub fn write(
    network: Network<'_>,
    parameters: &[f32],
    memory: &[f32],
    state: &State,
) -> Result<Vec<u8>, CheckpointError> {
    let state = serde_json::to_string(state).map_err(not_valid)?;
    file(tensors(network, parameters, memory), (STATE, &state))
}

/// The bytes of a file with parameters alone, which PyTorch's `load_state_dict` takes as they are.
///
/// # Errors
/// When they do not fit the network.
pub fn write_parameters(network: Network<'_>, parameters: &[f32]) -> Result<Vec<u8>, CheckpointError> {
    file(tensors(network, parameters, &[]), PYTORCH)
}

/// The bytes of a safetensors file. One entry of metadata only: the order of several would differ from file to file.
fn file<'v>(
    tensors: impl Iterator<Item = (String, Vec<usize>, &'v [f32])>,
    (entry, text): (&str, &str),
) -> Result<Vec<u8>, CheckpointError> {
    let tensors: Vec<_> = tensors
        .map(|(name, shape, values)| {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    Ok(safetensors::serialize(views, Some(HashMap::from([(entry.to_owned(), text.to_owned())])))?)
}
