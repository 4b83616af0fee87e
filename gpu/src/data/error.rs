//! Why there is no data set, in a sentence.

use std::fmt;
use std::io;
use std::path::PathBuf;

use adadagrad_core::config::DatasetName;
use adadagrad_core::idx::IdxError;
use adadagrad_core::images::ImagesError;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::text::TextError;
use adadagrad_core::sequences::SequencesError;
use adadagrad_core::text::TextSettings;

use super::cifar::CifarFileError;
#[cfg(not(target_family = "wasm"))]
use super::image_folder::ImageFolderError;
use super::names::Part;
use super::text_file::TextFileError;
use super::unpack::LARGEST_FILE;
use super::{Kind, name_of};

/// Why there is no data set.
#[derive(Debug)]
pub enum DataError {
    /// Files that only the user has, and no folder.
    Nowhere {
        /// Whose.
        name: DatasetName,
    },
    /// Other data than the settings name.
    OtherKind {
        /// Where.
        folder: PathBuf,
        /// What is there.
        kind: Kind,
    },
    /// Several data sets in one place, of which nothing says one.
    SeveralKinds {
        /// Where.
        folder: PathBuf,
        /// Two of them.
        kinds: [Kind; 2],
    },
    /// All images have one class.
    OneClass {
        /// Where.
        folder: PathBuf,
        /// What it is called.
        class: String,
    },
    /// The test images have another shape than the training images.
    OtherShape {
        /// The file of the test images.
        file: PathBuf,
        /// Their shape.
        found: Shape,
        /// That of the training images.
        expected: Shape,
    },
    /// A label below the first of the training labels, from which classes are counted.
    BelowFirst {
        /// The file.
        file: PathBuf,
        /// Where in it.
        byte: usize,
    },
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
        /// Whether it is those of the test set that are missing.
        lacks_test_set: bool,
    },
    /// A part of the training images is to be the test set, but there is one.
    HasTest {
        /// Where.
        place: PathBuf,
    },
    /// A part of the training images is to be the test set, but there are too few.
    NothingToHoldOut {
        /// Where.
        folder: PathBuf,
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
        /// The number of classes.
        classes: u32,
        /// Whether the settings name a data set of one shape.
        is_fixed: bool,
    },
    /// A folder without the two files of a text.
    NoTextParts {
        /// Which.
        folder: PathBuf,
    },
    /// What is in a text is wrong.
    Text {
        /// The file, or the folder with its parts.
        file: PathBuf,
        /// What.
        error: TextFileError,
        /// How it was read.
        settings: TextSettings,
    },
    /// In the files of CIFAR-10 or CIFAR-100.
    Cifar(CifarFileError),
    /// In a folder of images.
    #[cfg(not(target_family = "wasm"))]
    ImageFolder(ImageFolderError),
}

/// What to do without a test set.
pub(super) const HOLD_OUT: &str = "to use part of the training images for testing, add --test-fraction 0.1";

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere { name } => {
                write!(f, "--dataset {} needs the folder of your data: give it with --data", name.name())
            }
            Self::OtherKind { folder, kind } => write!(
                f,
                "{} contains {kind}: give --dataset {}, or leave --dataset out",
                folder.display(),
                name_of(*kind).name()
            ),
            Self::SeveralKinds { folder, kinds } => {
                write!(f, "{} contains two data sets, {} and {}: ", folder.display(), kinds[0], kinds[1])?;
                for kind in kinds.iter().filter(|kind| matches!(kind, Kind::Cifar10 | Kind::Cifar100)) {
                    write!(f, "give --dataset {} for {kind}, ", name_of(*kind).name())?;
                }
                f.write_str("or keep each in a separate folder")
            }
            Self::OneClass { folder, class } => write!(
                f,
                "{}: all images have the class {class}, but training needs at least two classes",
                folder.display()
            ),
            Self::OtherShape { file, found, expected } => write!(
                f,
                "{}: the test images have the shape {found}, but the training images have {expected}",
                file.display()
            ),
            Self::BelowFirst { file, byte } => write!(
                f,
                "{}: byte {byte}: label 0 is out of range: the labels of the training data begin at 1",
                file.display()
            ),
            Self::NotPacked { folder } => write!(
                f,
                "no data files in {}: run `cargo xtask data`, or give your own folder with --data",
                folder.display()
            ),
            Self::NoFolder { folder, what } => {
                write!(
                    f,
                    "{} {what}: --data takes the folder with the data files, or a text file",
                    folder.display()
                )
            }
            Self::NoFiles { folder, elsewhere } if !elsewhere.is_empty() => {
                let elsewhere: Vec<_> = elsewhere.iter().map(|folder| folder.display().to_string()).collect();
                write!(
                    f,
                    "no data files of this data set in {}, but some in {}: give the right folder",
                    folder.display(),
                    elsewhere.join(" and ")
                )
            }
            Self::NoFiles { folder, .. } => {
                write!(
                    f,
                    "no data files in {}: a data set consists of images in train/CLASS and test/CLASS, the binary files of CIFAR, a \
                     text in training.txt and validation.txt, or these four files, uncompressed or .gz:",
                    folder.display()
                )?;
                Part::ALL.iter().try_for_each(|part| write!(f, " {}", part.name()))
            }
            Self::MissingFiles { folder, missing, found, lacks_test_set } => {
                let is = if missing.len() == 1 { "is" } else { "are" };
                write!(
                    f,
                    "{}: {} {is} missing (uncompressed or .gz)",
                    folder.display(),
                    missing.join(" and ")
                )?;
                write!(f, "; the folder contains {}", found.join(", "))?;
                if *lacks_test_set { write!(f, ": {HOLD_OUT}") } else { Ok(()) }
            }
            Self::HasTest { place } => {
                write!(f, "{}: the data set has a test set: omit --test-fraction", place.display())
            }
            Self::NothingToHoldOut { folder } => write!(
                f,
                "{}: no class has two images, so none can be used for testing (--test-fraction)",
                folder.display()
            ),
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
                    "{}: byte {byte}: label {label} is out of range: labels must be from 0 to 255",
                    file.display()
                )
            }
            Self::Content { file, error, labels, classes, is_fixed } => {
                write!(f, "{}: {error}", file.display())?;
                if let Some([least, most]) = labels {
                    let last = classes.saturating_sub(1);
                    write!(f, " (its labels range from {least} to {most}; ")?;
                    match classes {
                        1 => f.write_str("all training labels are 0)")?,
                        _ => write!(f, "there are {classes} classes, 0 to {last})")?,
                    }
                }
                let (ImagesError::Images(what) | ImagesError::Labels(what)) = error;
                match what {
                    IdxError::ImageSize { .. } | IdxError::Dimensions { .. } | IdxError::Label { .. }
                        if *is_fixed =>
                    {
                        f.write_str("; for images of other shapes or classes, give --dataset own")
                    }
                    _ => Ok(()),
                }
            }
            Self::NoTextParts { folder } => write!(
                f,
                "{}: training.txt and validation.txt (uncompressed or .gz) are not both there; a text in one file is \
                 given with --dataset own",
                folder.display()
            ),
            Self::Text { file, error, settings } => {
                write!(f, "{}: {error}", file.display())?;
                match error {
                    TextFileError::Encoding(_) => f.write_str(", or read its bytes with --tokens bytes"),
                    TextFileError::Text(TextError::Characters { .. }) => {
                        f.write_str(": read its bytes with --tokens bytes")
                    }
                    TextFileError::Text(TextError::Sequences {
                        error: SequencesError::TooShort { .. },
                        ..
                    }) if settings.context > 1 => f.write_str(": give a longer text, or a smaller --context"),
                    TextFileError::Text(_) => Ok(()),
                }
            }
            Self::Cifar(error) => error.fmt(f),
            #[cfg(not(target_family = "wasm"))]
            Self::ImageFolder(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DataError {}

#[cfg(not(target_family = "wasm"))]
impl From<ImageFolderError> for DataError {
    fn from(error: ImageFolderError) -> Self {
        Self::ImageFolder(error)
    }
}
