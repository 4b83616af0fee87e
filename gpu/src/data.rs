//! Finds and reads a data set: four IDX files, packed or not, checked against the digests beside them.
//!
//! A folder of the user's may be one as torchvision lays it out (`MNIST/raw` within it), and its files may be those of
//! EMNIST or QMNIST. EMNIST's images are turned upright, as all others are.

mod find;
pub mod names;
pub mod unpack;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adadagrad_core::config::DatasetName;
use adadagrad_core::idx::IdxError;
use adadagrad_core::images::ImagesError;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::find::Files;
use self::names::Part;
use self::unpack::{LARGEST_FILE, WrongLabel};
use crate::checkpoint::DataDigest;
use crate::dataset::{Images, SharedDataset, digest};
use crate::text;

/// Where `cargo xtask data` puts the packed files, a folder for each data set, seen from the project's root.
const PACKED: &str = "www/public/data";
/// What all sets' images and labels are.
const SIDE: u32 = 28;
const CLASSES: u32 = 10;

/// A data set's two halves.
#[derive(Clone)]
pub struct Splits {
    /// What is learned from.
    pub training: SharedDataset,
    /// What accuracy is measured on.
    pub test: SharedDataset,
    /// What tells the training data apart from others.
    pub digest: DataDigest,
    /// The folder it was read from.
    pub folder: PathBuf,
    /// The files it was read from, with the manifest where there is one.
    pub files: Vec<PathBuf>,
}

impl fmt::Debug for Splits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {} samples from {:?}", self.training.len(), self.test.len(), self.folder)
    }
}

/// Why there is no data set.
#[derive(Debug)]
pub enum DataError {
    /// Files of the user's own, and no folder.
    Nowhere,
    /// `cargo xtask data` has not been run.
    NotPacked {
        /// Where its files would be.
        folder: PathBuf,
    },
    /// What was given as a folder is none.
    NoFolder {
        /// What was given.
        folder: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A folder without files of a data set.
    NoFiles {
        /// Which.
        folder: PathBuf,
        /// Folders within it that have some.
        elsewhere: Vec<PathBuf>,
    },
    /// Some of the files are there, but not all.
    MissingFiles {
        /// Where.
        folder: PathBuf,
        /// Names of those that are missing.
        missing: Vec<String>,
        /// Names of those that are there.
        found: Vec<String>,
    },
    /// Several data sets, of which one must be chosen.
    SeveralSets {
        /// Where.
        folder: PathBuf,
        /// What to give in the folder's place.
        sets: Vec<String>,
    },
    /// A file could not be read.
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is larger than any that is read.
    TooLarge {
        /// Which.
        file: PathBuf,
    },
    /// The unpacked bytes have another digest than the manifest says.
    Digest {
        /// Which.
        file: PathBuf,
        /// Whether the folder is the user's.
        is_of_user: bool,
    },
    /// A file is there unpacked and packed, and the two differ.
    Contradiction {
        /// The unpacked one.
        file: PathBuf,
        /// The packed one.
        packed: PathBuf,
    },
    /// The manifest of `cargo xtask data` is broken.
    Manifest {
        /// Which.
        file: PathBuf,
        /// Why.
        error: String,
    },
    /// A label that is not a byte.
    Label {
        /// The file.
        file: PathBuf,
        /// Where in it.
        byte: usize,
        /// What it says.
        label: i64,
    },
    /// What is in a file is wrong.
    Content {
        /// Which.
        file: PathBuf,
        /// What, and at which byte.
        error: ImagesError,
        /// The lowest and the highest label, where one is out of range.
        labels: Option<[u8; 2]>,
    },
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("--dataset own needs the folder of your data: give it with --data"),
            Self::NotPacked { folder } => write!(
                f,
                "no data files in {}: run `cargo xtask data`, or give your own folder with --data",
                folder.display()
            ),
            Self::NoFolder { folder, what } => {
                write!(f, "{} {what}: --data takes the folder with the four data files", folder.display())
            }
            Self::NoFiles { folder, elsewhere } if !elsewhere.is_empty() => {
                let elsewhere: Vec<_> = elsewhere.iter().map(|folder| folder.display().to_string()).collect();
                write!(
                    f,
                    "no data files of this data set in {}, but some in {}: give the right folder with --data",
                    folder.display(),
                    elsewhere.join(" and ")
                )
            }
            Self::NoFiles { folder, .. } => {
                write!(
                    f,
                    "no data files in {}: these four are needed, uncompressed or .gz:",
                    folder.display()
                )?;
                Part::ALL.iter().try_for_each(|part| write!(f, " {}", part.name()))
            }
            Self::MissingFiles { folder, missing, found } => {
                let is = if missing.len() == 1 { "is" } else { "are" };
                write!(
                    f,
                    "{}: {} {is} missing (uncompressed or .gz)",
                    folder.display(),
                    missing.join(" and ")
                )?;
                write!(f, "; the folder contains {}", found.join(", "))
            }
            Self::SeveralSets { folder, sets } => write!(
                f,
                "{} contains several data sets: choose one with --data, such as {}",
                folder.display(),
                sets.join(" or ")
            ),
            Self::Read { file, error } => write!(f, "{}: {error}", file.display()),
            Self::TooLarge { file } => {
                write!(
                    f,
                    "{}: larger than {} MiB, the limit for data files",
                    file.display(),
                    LARGEST_FILE >> 20
                )
            }
            Self::Digest { file, is_of_user } => write!(
                f,
                "{}: its SHA-256 differs from the one in manifest.json in the same folder: {}",
                file.display(),
                if *is_of_user {
                    "the file is damaged, or the manifest belongs to other files"
                } else {
                    "run `cargo xtask data` again"
                }
            ),
            Self::Contradiction { file, packed } => write!(
                f,
                "{} and {} hold different data: remove the one that is wrong",
                file.display(),
                packed.display()
            ),
            Self::Manifest { file, error } => {
                write!(f, "{}: {error}; run `cargo xtask data` again", file.display())
            }
            Self::Label { file, byte, label } => {
                write!(
                    f,
                    "{}: byte {byte}: label {label} is out of range: labels must be from 0 to 9",
                    file.display()
                )
            }
            Self::Content { file, error, labels } => {
                write!(f, "{}: {error}", file.display())?;
                match labels {
                    None => Ok(()),
                    Some([least, most]) => write!(
                        f,
                        " (its labels range from {least} to {most}; the networks have {CLASSES} classes, 0 to {})",
                        CLASSES - 1
                    ),
                }
            }
        }
    }
}

impl std::error::Error for DataError {}

/// Reads a data set from a folder of the user's, or from where `cargo xtask data` puts it.
///
/// # Errors
/// What is missing or wrong, with the file and the byte.
pub fn load(name: DatasetName, folder: Option<&Path>) -> Result<Splits, DataError> {
    let files = match folder {
        Some(folder) => find::in_folder_of_user(name, folder)?,
        None => packed(name)?,
    };
    let digests = Digests::read(&files.folder, folder.is_some())?;
    let [training_parts, test_parts] =
        [[Part::TrainingImages, Part::TrainingLabels], [Part::TestImages, Part::TestLabels]];
    let training = split(&files, training_parts, &digests)?;
    let test = split(&files, test_parts, &digests)?;
    let digest = digest(&training);
    let read = training_parts.into_iter().chain(test_parts).map(|part| files.path(part).map(Path::to_owned));
    let mut read = read.collect::<Result<Vec<_>, _>>()?;
    read.extend(digests.file);
    Ok(Splits {
        training: Arc::new(training),
        test: Arc::new(test),
        digest,
        folder: files.folder,
        files: read,
    })
}

/// In the first folder with the files: upwards from the current one, then beside this crate's sources.
fn packed(name: DatasetName) -> Result<Files, DataError> {
    if name == DatasetName::Own {
        return Err(DataError::Nowhere);
    }
    let packed = Path::new(PACKED).join(name.name());
    let current = std::env::current_dir().unwrap_or_default();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let folders = current.ancestors().chain(project).map(|folder| folder.join(&packed));
    for folder in folders {
        if let Some(files) = find::plain(&folder)? {
            return Ok(files);
        }
    }
    Err(DataError::NotPacked { folder: current.join(&packed) })
}

fn split(files: &Files, parts: [Part; 2], digests: &Digests) -> Result<Images, DataError> {
    let [images_file, labels_file] = [files.path(parts[0])?, files.path(parts[1])?];
    let mut images = read(images_file, digests)?;
    if files.named.lie_on_their_sides() {
        unpack::transpose_images(&mut images);
    }
    let labels = unpack::labels_as_bytes(read(labels_file, digests)?).map_err(
        |WrongLabel { byte, label, .. }| DataError::Label { file: labels_file.to_owned(), byte, label },
    )?;
    let range = labels.get(8..).and_then(|all| Some([*all.iter().min()?, *all.iter().max()?]));
    Images::parse(images, labels, [SIDE; 2], CLASSES).map_err(|error| match error {
        ImagesError::Images(_) => DataError::Content { file: images_file.to_owned(), error, labels: None },
        ImagesError::Labels(wrong) => {
            let labels = range.filter(|_| matches!(wrong, IdxError::Label { .. }));
            DataError::Content { file: labels_file.to_owned(), error, labels }
        }
    })
}

fn read(file: &Path, digests: &Digests) -> Result<Vec<u8>, DataError> {
    let bytes = unpack::read(file)?;
    digests.check(file, &bytes)?;
    let bytes = unpack::without_padding(bytes);
    let mut packed = file.as_os_str().to_owned();
    packed.push(".gz");
    let packed = PathBuf::from(packed);
    // What cannot be read contradicts nothing.
    let other = if packed.is_file() { unpack::read(&packed).ok() } else { None };
    match other.map(unpack::without_padding) {
        Some(other) if other != bytes => Err(DataError::Contradiction { file: file.to_owned(), packed }),
        _ => Ok(bytes),
    }
}

/// What `manifest.json` says about the files beside it: names of unpacked files, and SHA-256 in hexadecimal.
#[derive(Default)]
struct Digests {
    /// The manifest, where it counts.
    file: Option<PathBuf>,
    files: Vec<(String, String)>,
    is_of_user: bool,
}

impl Digests {
    /// Nothing where there is no manifest. One in a folder of the user's may be something else altogether.
    fn read(folder: &Path, is_of_user: bool) -> Result<Self, DataError> {
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

    fn check(&self, file: &Path, bytes: &[u8]) -> Result<(), DataError> {
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
