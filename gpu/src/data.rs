//! Finds and reads a data set: four IDX files, packed or not, checked against the digests beside them.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adadagrad_core::config::DatasetName;
use adadagrad_core::idx::ImagesError;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::checkpoint::DataDigest;
use crate::dataset::{Images, SharedDataset, digest};

/// Where `cargo xtask data` puts the packed files, a folder for each data set, seen from the project's root.
const PACKED: &str = "www/public/data";
/// Largest file that is read: four times MNIST's. Protects against a packed file that never ends.
const LARGEST_FILE: u64 = 1 << 28;

const TRAINING: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

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
    /// No folder holds the files.
    Missing {
        /// Where they were looked for.
        folders: Vec<PathBuf>,
    },
    /// A file could not be read.
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file goes on beyond any size that is expected.
    TooLarge {
        /// Which.
        file: PathBuf,
    },
    /// The unpacked bytes have another digest than the manifest says.
    Digest {
        /// Which.
        file: PathBuf,
    },
    /// A manifest that cannot be understood.
    Manifest {
        /// Which.
        file: PathBuf,
        /// Why.
        error: serde_json::Error,
    },
    /// What is in a file is wrong.
    Content {
        /// Which.
        file: PathBuf,
        /// What, and at which byte.
        error: ImagesError,
    },
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => {
                f.write_str("the run learns from files of your own: give their folder with --data")
            }
            Self::Missing { folders } => {
                write!(f, "no data files (train-images-idx3-ubyte and its three companions, plain or .gz)")?;
                for (k, folder) in folders.iter().enumerate() {
                    write!(f, "{} {}", if k == 0 { " in" } else { " or" }, folder.display())?;
                }
                f.write_str(": run `cargo xtask data`, or give their folder with --data")
            }
            Self::Read { file, error } => write!(f, "{}: {error}", file.display()),
            Self::TooLarge { file } => {
                write!(f, "{}: more than {LARGEST_FILE} bytes, which no MNIST file has", file.display())
            }
            Self::Digest { file } => write!(
                f,
                "{}: its SHA-256 is not the one in manifest.json beside it; run `cargo xtask data` again",
                file.display()
            ),
            Self::Manifest { file, error } => write!(f, "{}: {error}", file.display()),
            Self::Content { file, error } => write!(f, "{}: {error}", file.display()),
        }
    }
}

impl std::error::Error for DataError {}

/// Reads a data set from a folder, or from where `cargo xtask data` puts it.
///
/// # Errors
/// What is missing or wrong, with the file and the byte.
pub fn load(name: DatasetName, folder: Option<&Path>) -> Result<Splits, DataError> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => find(name)?,
    };
    let digests = Digests::read(&folder)?;
    let training = split(&folder, TRAINING, &digests)?;
    let test = split(&folder, TEST, &digests)?;
    let digest = digest(&training);
    Ok(Splits { training: Arc::new(training), test: Arc::new(test), digest, folder })
}

/// The first folder with the files: upwards from the current one, then beside this crate's sources.
fn find(name: DatasetName) -> Result<PathBuf, DataError> {
    if name == DatasetName::Own {
        return Err(DataError::Nowhere);
    }
    let packed = Path::new(PACKED).join(name.name());
    let mut folders = Vec::new();
    if let Ok(current) = std::env::current_dir() {
        folders.extend(current.ancestors().map(|folder| folder.join(&packed)));
    }
    if let Some(project) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() {
        folders.push(project.join(&packed));
    }
    match folders.iter().find(|folder| locate(folder, TRAINING[0]).is_some()) {
        Some(folder) => Ok(folder.clone()),
        None => {
            folders.truncate(1);
            Err(DataError::Missing { folders })
        }
    }
}

/// The file, plain or packed.
fn locate(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(name), folder.join(format!("{name}.gz"))].into_iter().find(|file| file.is_file())
}

fn split(folder: &Path, names: [&str; 2], digests: &Digests) -> Result<Images, DataError> {
    let [(images_file, images), (labels_file, labels)] =
        [read(folder, names[0], digests)?, read(folder, names[1], digests)?];
    Images::parse(images, labels, [28, 28], 10).map_err(|error| {
        let file = match error {
            ImagesError::Images(_) => images_file,
            ImagesError::Labels(_) => labels_file,
        };
        DataError::Content { file, error }
    })
}

fn read(folder: &Path, name: &str, digests: &Digests) -> Result<(PathBuf, Vec<u8>), DataError> {
    let file = locate(folder, name).ok_or_else(|| DataError::Missing { folders: vec![folder.to_owned()] })?;
    let bytes = unpack(&file)?;
    match digests.of(name) {
        Some(digest) if !digest.eq_ignore_ascii_case(&hexadecimal(&Sha256::digest(&bytes))) => {
            Err(DataError::Digest { file })
        }
        _ => Ok((file, bytes)),
    }
}

fn unpack(file: &Path) -> Result<Vec<u8>, DataError> {
    let failed = |error| DataError::Read { file: file.to_owned(), error };
    let source = fs::File::open(file).map_err(failed)?;
    let packed = file.extension().is_some_and(|extension| extension == "gz");
    let mut bytes = Vec::new();
    let read = if packed {
        MultiGzDecoder::new(source).take(LARGEST_FILE + 1).read_to_end(&mut bytes)
    } else {
        source.take(LARGEST_FILE + 1).read_to_end(&mut bytes)
    };
    read.map_err(|error| {
        let text = format!("after {} unpacked bytes: {error}", bytes.len());
        failed(if packed { io::Error::new(error.kind(), text) } else { error })
    })?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(DataError::TooLarge { file: file.to_owned() });
    }
    Ok(bytes)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What `manifest.json` says about the files beside it.
#[derive(Default, Deserialize)]
struct Digests {
    files: Vec<FileDigest>,
}

#[derive(Deserialize)]
struct FileDigest {
    name: String,
    sha256: String,
}

impl Digests {
    /// Nothing where there is no manifest.
    fn read(folder: &Path) -> Result<Self, DataError> {
        let file = folder.join("manifest.json");
        let Ok(text) = fs::read(&file) else { return Ok(Self::default()) };
        serde_json::from_slice(&text).map_err(|error| DataError::Manifest { file, error })
    }

    fn of(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|file| file.name == name).map(|file| file.sha256.as_str())
    }
}
