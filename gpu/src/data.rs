//! Finds and reads a data set: IDX files as MNIST's, the binary form of CIFAR-10 and CIFAR-100, or a folder of PNG and
//! JPEG images by class.
//!
//! A folder of the user's may be one as torchvision lays it out (`MNIST/raw` within it). What is in it is recognised by
//! the names of its files and folders.

mod archive;
pub mod cifar;
pub mod classes;
mod error;
mod find;
mod gzip;
mod hold_out;
mod idx_files;
pub mod idx_header;
#[cfg(not(target_family = "wasm"))]
pub mod image_folder;
pub mod names;
#[cfg(not(target_family = "wasm"))]
pub mod pack;
pub mod unpack;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::dataset::{Encoding, SampleShape};
use adadagrad_core::digest::Digest as DataDigest;
use adadagrad_core::owned::SharedDataset;

pub use self::error::DataError;
use crate::dataset::{Images, digest, for_run};

/// What a data set is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Four IDX files.
    Idx,
    /// The binary form of CIFAR-10.
    Cifar10,
    /// The binary form of CIFAR-100.
    Cifar100,
    /// A folder for each class, of PNG or JPEG images.
    ImageFolder,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idx => "IDX files",
            Self::Cifar10 => "CIFAR-10 in binary form",
            Self::Cifar100 => "CIFAR-100 in binary form",
            Self::ImageFolder => "folders of images by class",
        })
    }
}

/// What can be chosen about how data are read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// CIFAR-100's 20 groups as classes, in place of its 100 fine ones.
    pub coarse_labels: bool,
    /// Images of folders are brought to this many rows and columns.
    pub resize: Option<[u32; 2]>,
    /// Where the data have no test set, this fraction of the training images is one: above 0 and below 1.
    pub test_fraction: Option<f64>,
}

/// A data set's two halves.
#[derive(Clone)]
pub struct Splits {
    /// What is learned from.
    pub training: SharedDataset,
    /// What accuracy is measured on.
    pub test: SharedDataset,
    /// What tells the training data apart from others.
    pub digest: DataDigest,
    /// What it is stored as.
    pub kind: Kind,
    /// The folder or archive it was read from.
    pub folder: PathBuf,
    /// The files it was read from, with the manifest where there is one.
    pub files: Vec<PathBuf>,
    /// What its classes are called, where anything says so.
    pub class_names: Vec<String>,
    /// What the user should know about how it was read: sentences.
    pub notes: Vec<String>,
    images: [Images; 2],
}

impl fmt::Debug for Splits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {} samples from {:?}", self.training.len(), self.test.len(), self.folder)
    }
}

impl Splits {
    fn new(kind: Kind, folder: PathBuf, files: Vec<PathBuf>, images: [Images; 2]) -> Self {
        let [training, test] = images.clone();
        Self {
            digest: digest(&training),
            training: Arc::new(training),
            test: Arc::new(test),
            kind,
            folder,
            files,
            class_names: Vec::new(),
            notes: Vec::new(),
            images,
        }
    }

    /// The data as a run reads them: normalised as its settings say, or as an earlier run of the same settings did; the
    /// training images are placed by its seed.
    #[must_use]
    pub fn for_run(self, config: &RunConfig, stored: Option<Encoding>) -> Self {
        let [training, test] = &self.images;
        let [training, test] = for_run([training, test], config, stored);
        Self { training: Arc::new(training), test: Arc::new(test), ..self }
    }

    /// The images of both halves, as they are stored: training, test.
    #[must_use]
    pub const fn images(&self) -> &[Images; 2] {
        &self.images
    }

    /// What a sample is.
    #[must_use]
    pub fn shape(&self) -> SampleShape {
        self.training.shape()
    }

    /// What a class is called: its name where there is one, else its number.
    #[must_use]
    pub fn class_name(&self, class: usize) -> String {
        self.class_names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }

    /// A class's number, with its name where it has one.
    #[must_use]
    pub fn numbered_class(&self, class: usize) -> String {
        self.class_names.get(class).map_or_else(|| class.to_string(), |name| format!("{class} {name}"))
    }
}

/// Reads a data set from a folder of the user's, or from where `cargo xtask data` puts it.
///
/// # Errors
/// What is missing or wrong, with the file and the byte.
pub fn load(name: DatasetName, folder: Option<&Path>) -> Result<Splits, DataError> {
    load_with(name, folder, Options::default())
}

/// The same with options.
///
/// # Errors
/// As [`load`].
pub fn load_with(name: DatasetName, folder: Option<&Path>, options: Options) -> Result<Splits, DataError> {
    let Some(folder) = folder else {
        return match name {
            DatasetName::Mnist | DatasetName::FashionMnist => idx_files::load_packed(name, options),
            DatasetName::Cifar10 | DatasetName::Cifar100 | DatasetName::Own => {
                Err(DataError::Nowhere { name })
            }
        };
    };
    #[cfg(not(target_family = "wasm"))]
    match (name, kind_in(name, folder)) {
        (DatasetName::Cifar10 | DatasetName::Cifar100, _)
        | (DatasetName::Own, Some(Kind::Cifar10 | Kind::Cifar100))
            if options.test_fraction.is_some() =>
        {
            return Err(DataError::HasTest { place: folder.to_owned() });
        }
        (DatasetName::Cifar10, _) => return cifar::load(folder, Kind::Cifar10, options),
        (DatasetName::Cifar100, _) => return cifar::load(folder, Kind::Cifar100, options),
        (DatasetName::Own, Some(Kind::ImageFolder)) => return image_folder::load(folder, options),
        (DatasetName::Own, Some(kind)) => return cifar::load(folder, kind, options),
        (_, Some(kind)) => return Err(DataError::OtherKind { folder: folder.to_owned(), kind }),
        (_, None) => {}
    }
    idx_files::load(name, folder, options)
}

/// What a folder or an archive holds where it has no IDX files of a data set: by the names in it.
#[cfg(not(target_family = "wasm"))]
#[must_use]
pub fn kind_in(name: DatasetName, folder: &Path) -> Option<Kind> {
    let kind =
        cifar::kind_in(folder).or_else(|| image_folder::is_one(folder).then_some(Kind::ImageFolder))?;
    (!find::may_be_in_folder(name, folder)).then_some(kind)
}

/// What settings call data of this kind.
#[must_use]
pub const fn name_of(kind: Kind) -> DatasetName {
    match kind {
        Kind::Cifar10 => DatasetName::Cifar10,
        Kind::Cifar100 => DatasetName::Cifar100,
        Kind::Idx | Kind::ImageFolder => DatasetName::Own,
    }
}
