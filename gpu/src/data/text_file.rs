//! A text file, of which the first nine tenths are for training and the rest is for testing; or a text in two files.

use std::fmt;
#[cfg(not(target_family = "wasm"))]
use std::fs;
#[cfg(not(target_family = "wasm"))]
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use adadagrad_core::config::DatasetName;
use adadagrad_core::owned::text::{TextData, TextError, divide, divide_bytes};
use adadagrad_core::text::{TextSettings, TokenKind};

use super::archive::file_in;
#[cfg(not(target_family = "wasm"))]
use super::names::Part;
use super::packed::{self, Digests};
use super::{DataError, Options, Splits, unpack};
use crate::text;

/// The files of a text that comes in two parts: training, test.
const PARTS: [&str; 2] = ["training.txt", "validation.txt"];

/// Why a text is no data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextFileError {
    /// It is not UTF-8: a sentence.
    Encoding(String),
    /// It cannot be cut into sequences.
    Text(TextError),
}

impl fmt::Display for TextFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(what) => what.fmt(f),
            Self::Text(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TextFileError {}

/// The data in the bytes of a text, divided into training and test part.
///
/// # Errors
/// Why it is no data.
pub fn read_bytes(bytes: &[u8], settings: TextSettings) -> Result<TextData, TextFileError> {
    let data = match settings.tokens {
        TokenKind::Bytes => TextData::of_bytes(divide_bytes(bytes), settings.context),
        TokenKind::Characters => TextData::of_characters(divide(decoded(bytes)?), settings.context),
    };
    data.map_err(TextFileError::Text)
}

/// The same for a text that is divided already: training part, test part.
///
/// # Errors
/// Why it is no data.
pub fn read_parts(parts: [&[u8]; 2], settings: TextSettings) -> Result<TextData, TextFileError> {
    let data = match settings.tokens {
        TokenKind::Bytes => TextData::of_bytes(parts, settings.context),
        TokenKind::Characters => {
            let [training, test] = parts.map(decoded);
            TextData::of_characters([training?, test?], settings.context)
        }
    };
    data.map_err(TextFileError::Text)
}

fn decoded(bytes: &[u8]) -> Result<&str, TextFileError> {
    text::decode(bytes).map_err(TextFileError::Encoding)
}

/// Whether it may be a text: any regular file that is not known to be something else, or a folder with the two parts.
#[cfg(not(target_family = "wasm"))]
pub(super) fn is_one(place: &Path) -> bool {
    let name = place.file_name().map(|name| name.to_string_lossy());
    let may_be_text = place.is_file() && name.is_some_and(|name| Part::of(&name).is_none());
    may_be_text || PARTS.iter().all(|part| file_in(place, part).is_some())
}

/// Reads a text file, packed or not, or the two files of a text in a folder.
#[cfg(not(target_family = "wasm"))]
pub(super) fn load(file: &Path, options: Options) -> Result<Splits, DataError> {
    if file.is_dir() {
        return load_parts(file, options);
    }
    if options.test_fraction.is_some() {
        return Err(DataError::HasTest { place: file.to_owned() });
    }
    let bytes = unpack::read_of_any_length(file)?;
    let data = read_bytes(&bytes, options.text).map_err(|error| DataError::Text {
        file: file.to_owned(),
        error,
        settings: options.text,
    })?;
    Ok(Splits::of_text(file.to_owned(), vec![file.to_owned()], data))
}

/// Reads the two files of a text in a folder of the user's.
#[cfg(not(target_family = "wasm"))]
pub(super) fn load_parts(folder: &Path, options: Options) -> Result<Splits, DataError> {
    let no_folder = |what| DataError::NoFolder { folder: folder.to_owned(), what };
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => read_folder(folder, options, true),
        Ok(_) => Err(no_folder("is a file, not a folder")),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(no_folder("does not exist")),
        Err(error) => Err(DataError::Read { file: folder.to_owned(), error }),
    }
}

/// Reads what `cargo xtask data` made.
pub(super) fn load_packed(name: DatasetName, options: Options) -> Result<Splits, DataError> {
    let mut folders = packed::folders(name);
    match folders.find(|folder| PARTS.iter().any(|part| file_in(folder, part).is_some())) {
        Some(folder) => read_folder(&folder, options, false),
        None => Err(DataError::NotPacked { folder: packed::in_current_folder(name) }),
    }
}

fn read_folder(folder: &Path, options: Options, is_of_user: bool) -> Result<Splits, DataError> {
    if options.test_fraction.is_some() {
        return Err(DataError::HasTest { place: folder.to_owned() });
    }
    let digests = Digests::read(folder, is_of_user)?;
    let [training, test] = PARTS.map(|part| -> Result<_, DataError> {
        let file =
            file_in(folder, part).ok_or_else(|| DataError::NoTextParts { folder: folder.to_owned() })?;
        let bytes = unpack::read_of_any_length(&file)?;
        digests.check(&file, &bytes)?;
        Ok((file, bytes))
    });
    let ((training_file, training), (test_file, test)) = (training?, test?);
    let data = read_parts([&training, &test], options.text).map_err(|error| DataError::Text {
        file: folder.to_owned(),
        error,
        settings: options.text,
    })?;
    let mut files: Vec<PathBuf> = vec![training_file, test_file];
    files.extend(digests.file);
    Ok(Splits::of_text(folder.to_owned(), files, data))
}
