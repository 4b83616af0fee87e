//! The folders that `cargo xtask data` fills, and the digests that are kept with data files.

use std::fs;
use std::path::{Path, PathBuf};

use adadagrad_core::config::DatasetName;
use adadagrad_core::digest::Digest as DataDigest;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::DataError;
use crate::text;

/// Where `cargo xtask data` puts the packed files, a folder for each data set, seen from the project's root.
const PACKED: &str = "www/public/data";

/// Where a data set may be: upwards from the current folder, then where this crate's sources are.
pub(super) fn folders(name: DatasetName) -> impl Iterator<Item = PathBuf> {
    let packed = Path::new(PACKED).join(name.name());
    let current = std::env::current_dir().unwrap_or_default();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let folders: Vec<_> = current.ancestors().chain(project).map(|folder| folder.join(&packed)).collect();
    folders.into_iter()
}

/// The first of these.
pub(super) fn in_current_folder(name: DatasetName) -> PathBuf {
    std::env::current_dir().unwrap_or_default().join(PACKED).join(name.name())
}

/// What `manifest.json` says about the files in its folder: names of unpacked files, and SHA-256 in hexadecimal.
#[derive(Default)]
pub(super) struct Digests {
    /// The manifest, where it counts.
    pub(super) file: Option<PathBuf>,
    files: Vec<(String, String)>,
    is_of_user: bool,
}

impl Digests {
    /// Nothing where there is no manifest. One in a folder of the user's may be something else altogether.
    pub(super) fn read(folder: &Path, is_of_user: bool) -> Result<Self, DataError> {
        let file = folder.join("manifest.json");
        // A pipe may never end.
        let bytes = if file.is_file() { fs::read(&file).ok() } else { None };
        match bytes.map(|bytes| Self::parse(&bytes)) {
            Some(Ok(files)) => Ok(Self { file: Some(file), files, is_of_user }),
            Some(Err(error)) if !is_of_user => Err(DataError::Manifest { file, error }),
            _ => Ok(Self { is_of_user, ..Self::default() }),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
        let manifest: Value =
            serde_json::from_str(text::decode(bytes)?).map_err(|error| error.to_string())?;
        let files = manifest.get("files").and_then(Value::as_array).ok_or("it has no list of files")?;
        let text = |file: &Value, field| file.get(field).and_then(Value::as_str).map(str::to_owned);
        Ok(files.iter().filter_map(|file| Some((text(file, "name")?, text(file, "sha256")?))).collect())
    }

    pub(super) fn check(&self, file: &Path, bytes: &[u8]) -> Result<(), DataError> {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.strip_suffix(".gz").unwrap_or(name);
        let Some((_, expected)) = self.files.iter().find(|(known, _)| known == name) else { return Ok(()) };
        let found = DataDigest(Sha256::digest(bytes).into()).to_string();
        if found.eq_ignore_ascii_case(expected) {
            Ok(())
        } else {
            Err(DataError::Digest { file: file.to_owned(), is_of_user: self.is_of_user })
        }
    }
}
