//! Finds and reads a data set: IDX files as MNIST's, the binary form of CIFAR-10 and CIFAR-100, a folder of PNG and JPEG
//! images by class, or a text file.
//!
//! The folder may have torchvision's layout (`MNIST/raw` within it). The format is recognised by the names of files and
//! folders.

mod archive;
pub mod cifar;
pub mod classes;
mod error;
mod find;
mod hold_out;
mod idx_files;
pub mod idx_header;
#[cfg(not(target_family = "wasm"))]
pub mod image_folder;
#[cfg(not(target_family = "wasm"))]
mod left_out;
pub mod names;
#[cfg(not(target_family = "wasm"))]
pub mod pack;
mod packed;
pub mod text_file;
pub mod unpack;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::dataset::{Encoding, SampleShape};
use adadagrad_core::digest::Digest as DataDigest;
use adadagrad_core::normalisation::Normalisation;
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::owned::text::{TextData, Vocabulary};
use adadagrad_core::text::TextSettings;

pub use self::error::DataError;
use crate::dataset::{Images, digest, for_run, text_digest};

/// How a data set is stored.
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
    /// A text, in one file or in two parts.
    Text,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idx => "IDX files",
            Self::Cifar10 => "CIFAR-10 in binary form",
            Self::Cifar100 => "CIFAR-100 in binary form",
            Self::ImageFolder => "folders of images by class",
            Self::Text => "a text",
        })
    }
}

/// What can be chosen about how data are read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// Use CIFAR-100's 20 groups as classes instead of its 100 fine ones.
    pub coarse_labels: bool,
    /// Images of folders are resized to this number of rows and columns.
    pub resize: Option<[u32; 2]>,
    /// If the data have no test set, this fraction of the training images is used as one: above 0 and below 1.
    pub test_fraction: Option<f64>,
    /// How a text is read.
    pub text: TextSettings,
}

/// A data set's two halves.
#[derive(Clone)]
pub struct Splits {
    /// The training samples.
    pub training: SharedDataset,
    /// The test samples, on which accuracy is measured.
    pub test: SharedDataset,
    /// Identifies the training data.
    pub digest: DataDigest,
    /// How it is stored.
    pub kind: Kind,
    /// The folder or archive it was read from.
    pub folder: PathBuf,
    /// The files it was read from, with the manifest if there is one.
    pub files: Vec<PathBuf>,
    /// The names of its classes, if they are known.
    pub class_names: Vec<String>,
    /// What the user should know about how it was read: sentences.
    pub notes: Vec<String>,
    /// Whether it is as large as its authors published it; `None` for a data set that is not a published one.
    pub has_published_size: Option<bool>,
    content: Content,
}

/// What a data set consists of.
#[derive(Clone)]
enum Content {
    /// Images of both halves, as they are stored.
    Images([Images; 2]),
    /// A text, by its vocabulary.
    Text(Vocabulary),
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
            has_published_size: None,
            content: Content::Images(images),
        }
    }

    fn of_text(place: PathBuf, files: Vec<PathBuf>, data: TextData) -> Self {
        let TextData { vocabulary, training, test } = data;
        Self {
            digest: text_digest(&vocabulary, &training),
            training: Arc::new(training),
            test: Arc::new(test),
            kind: Kind::Text,
            folder: place,
            files,
            class_names: Vec::new(),
            notes: Vec::new(),
            has_published_size: None,
            content: Content::Text(vocabulary),
        }
    }

    /// The data as a run reads them: normalised as its settings say, or as an earlier run of the same settings did; the
    /// training images are placed by its seed.
    #[must_use]
    pub fn for_run(self, config: &RunConfig, stored: Option<Encoding>) -> Self {
        let Content::Images([training, test]) = &self.content else { return self };
        let [training, test] = for_run([training, test], config, stored);
        Self { training: Arc::new(training), test: Arc::new(test), ..self }
    }

    /// The images of both halves, as they are stored: training, test. `None` for a text.
    #[must_use]
    pub const fn images(&self) -> Option<&[Images; 2]> {
        match &self.content {
            Content::Images(images) => Some(images),
            Content::Text(_) => None,
        }
    }

    /// What the tokens of a text stand for; `None` for images.
    #[must_use]
    pub const fn vocabulary(&self) -> Option<&Vocabulary> {
        match &self.content {
            Content::Images(_) => None,
            Content::Text(vocabulary) => Some(vocabulary),
        }
    }

    /// How the values of these data, which a run with these settings reads, are encoded, where a checkpoint must say so.
    #[must_use]
    pub fn stored_encoding(&self, config: &RunConfig) -> Option<Encoding> {
        let is_text = self.vocabulary().is_some();
        (is_text || config.normalisation != Normalisation::None).then_some(self.shape().encoding)
    }

    /// What a sample is.
    #[must_use]
    pub fn shape(&self) -> SampleShape {
        self.training.shape()
    }

    /// The name of a class, or its number if it has none.
    #[must_use]
    pub fn class_name(&self, class: usize) -> String {
        self.class_names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }

    /// A class's number, with its name if it has one.
    #[must_use]
    pub fn numbered_class(&self, class: usize) -> String {
        self.class_names.get(class).map_or_else(|| class.to_string(), |name| format!("{class} {name}"))
    }
}

/// Reads a data set from the given folder, or from the folder that `cargo xtask data` fills.
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
            DatasetName::Shakespeare => text_file::load_packed(name, options),
            DatasetName::Cifar10 | DatasetName::Cifar100 | DatasetName::Own => {
                Err(DataError::Nowhere { name })
            }
        };
    };
    let splits = load_from(name, folder, options)?;
    match splits.shape().classes {
        0 | 1 => Err(DataError::OneClass { folder: splits.folder.clone(), class: splits.class_name(0) }),
        _ => Ok(splits),
    }
}

#[cfg(target_family = "wasm")]
fn load_from(name: DatasetName, folder: &Path, options: Options) -> Result<Splits, DataError> {
    idx_files::load(name, folder, options)
}

#[cfg(not(target_family = "wasm"))]
fn load_from(name: DatasetName, folder: &Path, options: Options) -> Result<Splits, DataError> {
    let kind = match name {
        DatasetName::Shakespeare => return text_file::load_parts(folder, options),
        DatasetName::Own => kind_in(name, folder)?,
        DatasetName::Cifar10 => Some(Kind::Cifar10),
        DatasetName::Cifar100 => Some(Kind::Cifar100),
        // They are chosen among others by their name.
        DatasetName::Mnist | DatasetName::FashionMnist => match kinds_in(name, folder)[..] {
            [kind, ..] if kind != Kind::Idx => {
                return Err(DataError::OtherKind { folder: folder.to_owned(), kind });
            }
            _ => Some(Kind::Idx),
        },
    };
    match kind {
        Some(Kind::Cifar10 | Kind::Cifar100) if options.test_fraction.is_some() => {
            Err(DataError::HasTest { place: folder.to_owned() })
        }
        Some(kind @ (Kind::Cifar10 | Kind::Cifar100)) => cifar::load(folder, kind, options),
        Some(Kind::ImageFolder) => image_folder::load(folder, options),
        Some(Kind::Text) => text_file::load(folder, options),
        Some(Kind::Idx) | None => idx_files::load(name, folder, options),
    }
}

/// What a folder or an archive contains, judged by the names in it; `None` if they are unknown.
///
/// # Errors
/// When it contains several data sets, of which the user must choose one.
#[cfg(not(target_family = "wasm"))]
pub fn kind_in(name: DatasetName, folder: &Path) -> Result<Option<Kind>, DataError> {
    match kinds_in(name, folder)[..] {
        [] => Ok(None),
        [kind] => Ok(Some(kind)),
        [one, other, ..] => Err(DataError::SeveralKinds { folder: folder.to_owned(), kinds: [one, other] }),
    }
}

/// All that a folder or an archive holds, by the names in it: IDX files of this data set first.
#[cfg(not(target_family = "wasm"))]
fn kinds_in(name: DatasetName, folder: &Path) -> Vec<Kind> {
    let has_idx = find::may_be_in_folder(name, folder);
    let has_images = image_folder::is_one(folder);
    let idx = has_idx.then_some(Kind::Idx).into_iter();
    let mut kinds: Vec<_> =
        idx.chain(cifar::kinds_in(folder)).chain(has_images.then_some(Kind::ImageFolder)).collect();
    // Files with no other meaning.
    if kinds.is_empty() && text_file::is_one(folder) {
        kinds.push(Kind::Text);
    }
    kinds
}

/// The name of data of this kind in settings.
#[must_use]
pub const fn name_of(kind: Kind) -> DatasetName {
    match kind {
        Kind::Cifar10 => DatasetName::Cifar10,
        Kind::Cifar100 => DatasetName::Cifar100,
        Kind::Idx | Kind::ImageFolder | Kind::Text => DatasetName::Own,
    }
}
