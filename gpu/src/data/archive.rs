//! Files of a data set in a folder, in a `.tar.gz` archive or in memory.

use std::fs;
#[cfg(not(target_family = "wasm"))]
use std::fs::File;
#[cfg(not(target_family = "wasm"))]
use std::io::BufReader;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

#[cfg(not(target_family = "wasm"))]
use flate2::bufread::MultiGzDecoder;

use super::unpack::{self, LARGEST_FILE};

/// Where files are.
#[derive(Debug)]
pub(super) enum Place {
    /// In a folder, which a browser does not give.
    #[cfg_attr(target_family = "wasm", allow(dead_code))]
    Folder(PathBuf),
    /// In an archive, of which the wanted files were read, or in memory: their names without folders, and their bytes.
    /// The path is empty where there is no archive.
    Archive(PathBuf, Vec<(String, Vec<u8>)>),
}

impl Place {
    /// Reads an archive's files with these names.
    ///
    /// # Errors
    /// Why it cannot be read: it is damaged, for example, or one of the files is too large.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn of_archive(path: &Path, names: &[&str]) -> io::Result<Self> {
        let packed = BufReader::new(File::open(path)?);
        let mut archive = tar::Archive::new(MultiGzDecoder::new(packed));
        let mut files = Vec::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = entry.path()?.file_name().map(|name| name.to_string_lossy().into_owned());
            let Some(name) = name.filter(|name| names.contains(&name.as_str())) else { continue };
            let mut bytes = Vec::new();
            entry.by_ref().take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > LARGEST_FILE {
                return Err(too_large(&name));
            }
            // As in a folder: what comes later replaces what was there.
            files.retain(|(known, _)| *known != name);
            files.push((name, bytes));
        }
        Ok(Self::Archive(path.to_owned(), files))
    }

    /// The folder or the archive.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Archive(path, _) => path,
        }
    }

    /// What to call a file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => file_in(folder, name).unwrap_or_else(|| folder.join(name)),
            Self::Archive(path, _) => path.join(name),
        }
    }

    /// Why a file that is not in it cannot be read, where there is something of its name: a pipe, or a link to nothing.
    pub(super) fn obstacle(&self, name: &str) -> Option<(PathBuf, io::Error)> {
        let Self::Folder(folder) = self else { return None };
        names_of(name).into_iter().map(|name| folder.join(name)).find_map(|file| {
            fs::symlink_metadata(&file).ok()?;
            let error = unpack::open(&file).err()?;
            Some((file, error))
        })
    }

    /// Whether a file is in it.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => file_in(folder, name).is_some(),
            Self::Archive(_, files) => files.iter().any(|(known, _)| known == name),
        }
    }

    /// A file's bytes, taken out, and unpacked where they are packed.
    pub(super) fn take(&mut self, name: &str) -> io::Result<Vec<u8>> {
        let (bytes, is_named_so) = match self {
            Self::Folder(folder) => {
                let file = file_in(folder, name).unwrap_or_else(|| folder.join(name));
                let mut bytes = Vec::new();
                unpack::open(&file)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
                (bytes, file.extension().is_some_and(|extension| extension == "gz"))
            }
            Self::Archive(_, files) => {
                let place = files.iter().position(|(known, _)| known == name);
                let place = place.ok_or(io::ErrorKind::NotFound)?;
                (files.swap_remove(place).1, false)
            }
        };
        let bytes = unpack::unpacked_of_any_length(bytes, is_named_so)?;
        if bytes.len() as u64 > LARGEST_FILE { Err(too_large(name)) } else { Ok(bytes) }
    }

    /// The files on disk that were read: those with these names, or the archive.
    pub(super) fn on_disk<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<PathBuf> {
        match self {
            Self::Folder(folder) => names.filter_map(|name| file_in(folder, name)).collect(),
            Self::Archive(path, _) => vec![path.clone()],
        }
    }
}

/// What a file may be called: as it is, or packed.
fn names_of(name: &str) -> [String; 2] {
    [name.to_owned(), format!("{name}.gz")]
}

/// Where a file of this name is in a folder, packed or not.
pub(super) fn file_in(folder: &Path, name: &str) -> Option<PathBuf> {
    names_of(name).into_iter().map(|name| folder.join(name)).find(|file| file.is_file())
}

fn too_large(name: &str) -> io::Error {
    let text = format!("{name} is larger than {} MiB, the limit for data files", LARGEST_FILE >> 20);
    io::Error::new(io::ErrorKind::InvalidData, text)
}
