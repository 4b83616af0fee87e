//! CIFAR-10 and CIFAR-100 in their official binary form, in a folder or in the archive as it is published.

use std::fmt;
use std::io;
#[cfg(not(target_family = "wasm"))]
use std::path::Path;
use std::path::PathBuf;

use adadagrad_core::cifar::{CifarError, IMAGE_BYTES, Labels, Records, SHAPE};

#[cfg(not(target_family = "wasm"))]
use super::DataError;
use super::archive::Place;
#[cfg(not(target_family = "wasm"))]
use super::archive::file_in;
use super::{Kind, Options, Splits};
use crate::dataset::Images;

/// The names of a set's files.
#[derive(Debug)]
pub struct Names {
    /// The name of its folder in the archive.
    pub folder: &'static str,
    /// The name of the archive.
    pub archive: &'static str,
    /// The archive's MD5, as its authors publish it.
    pub archive_md5: &'static str,
    /// Batch files for training.
    pub training: &'static [&'static str],
    /// The batch file for testing.
    pub test: &'static str,
    /// Names of classes, one per line; of CIFAR-100, those of the fine ones.
    pub classes: &'static str,
    /// The names of the coarse classes, if there are any.
    pub coarse_classes: Option<&'static str>,
    /// Numbers of training and test images, as published.
    pub published: [u32; 2],
}

const CIFAR_10: Names = Names {
    folder: "cifar-10-batches-bin",
    archive: "cifar-10-binary.tar.gz",
    archive_md5: "c32a1d4ab5d03f1284b67883e8d87530",
    training: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: "test_batch.bin",
    classes: "batches.meta.txt",
    coarse_classes: None,
    published: [50_000, 10_000],
};
const CIFAR_100: Names = Names {
    folder: "cifar-100-binary",
    archive: "cifar-100-binary.tar.gz",
    archive_md5: "03b5dce01913d631647c71ecec9e9cb8",
    training: &["train.bin"],
    test: "test.bin",
    classes: "fine_label_names.txt",
    coarse_classes: Some("coarse_label_names.txt"),
    published: [50_000, 10_000],
};

impl Names {
    /// Those of a kind that is one of the two.
    #[must_use]
    pub const fn of(kind: Kind) -> Option<&'static Self> {
        match kind {
            Kind::Cifar10 => Some(&CIFAR_10),
            Kind::Cifar100 => Some(&CIFAR_100),
            Kind::Idx | Kind::ImageFolder | Kind::Text => None,
        }
    }

    /// All files that hold records: training first, test last.
    fn batches(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.training.iter().copied().chain([self.test])
    }

    /// Records of a batch file, as published.
    fn published_records(&self, name: &str) -> usize {
        let [training, test] = self.published.map(|images| images as usize);
        if name == self.test { test } else { training / self.training.len().max(1) }
    }

    /// All files.
    pub fn all(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.batches().chain([self.classes]).chain(self.coarse_classes)
    }

    /// The names of the set to which some of these files belong.
    pub fn among<N: AsRef<str>>(files: &[N]) -> Option<(Kind, &'static Self)> {
        [(Kind::Cifar10, &CIFAR_10), (Kind::Cifar100, &CIFAR_100)]
            .into_iter()
            .find(|(_, names)| names.batches().any(|name| files.iter().any(|file| file.as_ref() == name)))
    }

    /// Where they are: in the folder given, in the folder of the archive within it, or in the archive.
    #[cfg(not(target_family = "wasm"))]
    fn place(&self, given: &Path) -> Option<PathBuf> {
        let has_any = |folder: &Path| self.batches().any(|name| file_in(folder, name).is_some());
        let is_archive = given.is_file() && given.file_name().is_some_and(|name| name == self.archive);
        let within = given.join(self.folder);
        let archive = given.join(self.archive);
        if has_any(given) || is_archive {
            Some(given.to_owned())
        } else if has_any(&within) {
            Some(within)
        } else {
            archive.is_file().then_some(archive)
        }
    }
}

/// What is wrong with the files of one of the two sets.
#[derive(Debug)]
pub enum CifarFileError {
    /// None of them is there.
    NoFiles {
        /// Where.
        folder: PathBuf,
        /// Which of the two sets.
        kind: Kind,
    },
    /// Some are there, but not all.
    Missing {
        /// Where.
        folder: PathBuf,
        /// Which are not there.
        missing: Vec<&'static str>,
    },
    /// A file or the archive cannot be read.
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What is in a batch file is wrong.
    Content {
        /// Which.
        file: PathBuf,
        /// What, and where.
        error: CifarError,
    },
    /// A batch file has fewer records than another one, and is not the last one.
    Short {
        /// Which.
        file: PathBuf,
        /// Its records.
        records: usize,
        /// The one with the most.
        fullest: &'static str,
        /// Records of that.
        expected: usize,
    },
    /// The name of a class holds a control character.
    ClassName {
        /// The file with the names.
        file: PathBuf,
        /// The name.
        name: String,
    },
    /// The file with the names of classes has not as many as there are classes.
    ClassNames {
        /// Which.
        file: PathBuf,
        /// How many it has.
        found: usize,
        /// How many there are.
        classes: u32,
    },
}

impl fmt::Display for CifarFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFiles { folder, kind } => {
                let Some(names) = Names::of(*kind) else { return Ok(()) };
                write!(
                    f,
                    "no files of {kind} in {}: give with --data the folder with {} and {}, or the archive {}",
                    folder.display(),
                    names.training.join(", "),
                    names.test,
                    names.archive
                )
            }
            Self::Missing { folder, missing } => {
                let is = if missing.len() == 1 { "is" } else { "are" };
                if !folder.as_os_str().is_empty() {
                    write!(f, "{}: ", folder.display())?;
                }
                write!(f, "{} {is} missing", missing.join(" and "))
            }
            Self::Read { file, error } => write!(f, "{}: {error}", file.display()),
            Self::Content { file, error } => write!(f, "{}: {error}", file.display()),
            Self::ClassName { file, name } => {
                write!(f, "{}: the class name {name:?} contains a control character", file.display())
            }
            Self::Short { file, records, fullest, expected } => write!(
                f,
                "{}: the file has {records} records, but {fullest} has {expected}: it is truncated",
                file.display()
            ),
            Self::ClassNames { file, found, classes } => {
                write!(f, "{}: the file names {found} classes, but there are {classes}", file.display())
            }
        }
    }
}

impl std::error::Error for CifarFileError {}

/// Which of the two sets a folder or an archive holds, by names: perhaps both.
#[cfg(not(target_family = "wasm"))]
pub(super) fn kinds_in(folder: &Path) -> impl Iterator<Item = Kind> {
    [Kind::Cifar10, Kind::Cifar100]
        .into_iter()
        .filter(|&kind| Names::of(kind).is_some_and(|names| names.place(folder).is_some()))
}

/// Reads one of the two sets.
#[cfg(not(target_family = "wasm"))]
pub(super) fn load(folder: &Path, kind: Kind, options: Options) -> Result<Splits, DataError> {
    read(folder, kind, options).map_err(DataError::Cifar)
}

/// Reads one of the two sets from files in memory: their names, and their bytes.
///
/// # Errors
/// Which file is missing or wrong, and how.
pub fn read_files(
    kind: Kind,
    files: Vec<(String, Vec<u8>)>,
    options: Options,
) -> Result<Splits, CifarFileError> {
    let names = Names::of(kind).ok_or(CifarFileError::NoFiles { folder: PathBuf::new(), kind })?;
    read_place(Place::Archive(PathBuf::new(), files), names, kind, options)
}

#[cfg(not(target_family = "wasm"))]
fn read(given: &Path, kind: Kind, options: Options) -> Result<Splits, CifarFileError> {
    let no_files = || CifarFileError::NoFiles { folder: given.to_owned(), kind };
    let names = Names::of(kind).ok_or_else(no_files)?;
    let path = names.place(given).ok_or_else(no_files)?;
    let place = if path.is_file() {
        let wanted: Vec<_> = names.all().collect();
        let failed = |error| CifarFileError::Read { file: path.clone(), error };
        Place::of_archive(&path, &wanted).map_err(failed)?
    } else {
        Place::Folder(path)
    };
    read_place(place, names, kind, options)
}

fn read_place(
    mut place: Place,
    names: &Names,
    kind: Kind,
    options: Options,
) -> Result<Splits, CifarFileError> {
    let missing: Vec<_> = names.batches().filter(|name| !place.has(name)).collect();
    if !missing.is_empty() {
        // What is there and cannot be read is not missing.
        if let Some((file, error)) = missing.iter().find_map(|name| place.obstacle(name)) {
            return Err(CifarFileError::Read { file, error });
        }
        return Err(CifarFileError::Missing { folder: place.path().to_owned(), missing });
    }
    let (labels, class_file) = match (names.coarse_classes, options.coarse_labels) {
        (None, _) => (Labels::Ten, names.classes),
        (Some(_), false) => (Labels::Fine, names.classes),
        (Some(coarse), true) => (Labels::Coarse, coarse),
    };
    let mut records = Vec::new();
    let training = images(&mut place, names.training, labels, &mut records)?;
    let test = images(&mut place, &[names.test], labels, &mut records)?;
    let class_names = class_names(&mut place, class_file, labels.classes())?;
    let files = place.on_disk(names.all());
    let splits = Splits::new(kind, place.path().to_owned(), files, [training, test]);
    let counts = [&splits.training, &splits.test].map(|half| half.len());
    let notes =
        if counts == names.published { Vec::new() } else { vec![unlike_published(names, counts, &records)] };
    let has_published_size = Some(notes.is_empty());
    Ok(Splits { class_names, notes, has_published_size, ..splits })
}

/// A sentence about a set of another size than the published one. Where some files are as published, those that are not
/// are named: they may have been cut off where a record ends.
fn unlike_published(names: &Names, counts: [u32; 2], records: &[(&str, usize)]) -> String {
    let [[training, test], [own_training, own_test]] = [names.published, counts];
    let unlike = records.iter().filter(|(name, records)| *records != names.published_records(name));
    let unlike: Vec<_> = unlike
        .map(|(name, records)| format!("{name} has {records}, not {}", names.published_records(name)))
        .collect();
    let which =
        if unlike.len() < records.len() { format!(" ({})", unlike.join(", ")) } else { String::new() };
    format!(
        "These are not the published files: they contain {own_training} + {own_test} images, not {training} + \
         {test}{which}."
    )
}

/// The images of batch files, one after the other. `all_records` gets the number of each file's records.
fn images(
    place: &mut Place,
    names: &[&'static str],
    labels: Labels,
    all_records: &mut Vec<(&'static str, usize)>,
) -> Result<Images, CifarFileError> {
    let (mut pixels, mut classes) = (Vec::new(), Vec::new());
    let before = all_records.len();
    for (k, name) in names.iter().enumerate() {
        let file = place.file(name);
        let bytes = place.take(name).map_err(|error| CifarFileError::Read { file: file.clone(), error })?;
        let records = Records::parse(&bytes, labels)
            .map_err(|error| CifarFileError::Content { file: file.clone(), error })?;
        all_records.push((name, records.len()));
        let no_memory = |_| CifarFileError::Read { file, error: io::ErrorKind::OutOfMemory.into() };
        pixels.try_reserve_exact(IMAGE_BYTES * records.len() * (names.len() - k)).map_err(no_memory)?;
        for (class, image) in records.iter() {
            classes.push(class);
            pixels.extend_from_slice(image);
        }
    }
    // The last one holds what is left.
    if let Some((_, others)) = all_records[before..].split_last()
        && let Some(&(fullest, expected)) = others.iter().rev().max_by_key(|(_, records)| records)
        && let Some(&(name, records)) = others.iter().find(|(_, records)| *records < expected)
    {
        return Err(CifarFileError::Short { file: place.file(name), records, fullest, expected });
    }
    let file = place.path().to_owned();
    // Every record was checked; what is left is that there may be more than 2³² of them.
    let too_many = || CifarFileError::Read { file, error: io::ErrorKind::FileTooLarge.into() };
    Images::new(pixels.into(), classes.into(), SHAPE, labels.classes()).ok_or_else(too_many)
}

/// The names of classes, where there is a file of them.
fn class_names(place: &mut Place, name: &str, classes: u32) -> Result<Vec<String>, CifarFileError> {
    if !place.has(name) {
        return Ok(Vec::new());
    }
    let file = place.file(name);
    let bytes = place.take(name).map_err(|error| CifarFileError::Read { file: file.clone(), error })?;
    let text = String::from_utf8_lossy(&bytes);
    let names: Vec<_> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if let Some(name) = names.iter().find(|name| name.chars().any(char::is_control)) {
        return Err(CifarFileError::ClassName { file, name: name.clone() });
    }
    if names.len() == classes as usize {
        Ok(names)
    } else {
        Err(CifarFileError::ClassNames { file, found: names.len(), classes })
    }
}
