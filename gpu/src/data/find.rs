//! Which files of a folder are a data set's: by their names.
//!
//! A name is, in this order: the set, where a folder holds several (`emnist-letters`, `qmnist`); `train`, `t10k` or
//! `test`; `images` or `labels`; and words that say the format (`idx3`, `ubyte`). They are joined by `-`, `_` or `.`,
//! and `.gz` may follow.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use adadagrad_core::config::DatasetName;

use super::DataError;

/// One of a data set's four files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    TrainingImages,
    TrainingLabels,
    TestImages,
    TestLabels,
}

impl Part {
    pub(super) const ALL: [Self; 4] =
        [Self::TrainingImages, Self::TrainingLabels, Self::TestImages, Self::TestLabels];

    /// As MNIST's files are called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TrainingImages => "train-images-idx3-ubyte",
            Self::TrainingLabels => "train-labels-idx1-ubyte",
            Self::TestImages => "t10k-images-idx3-ubyte",
            Self::TestLabels => "t10k-labels-idx1-ubyte",
        }
    }

    /// The set that a file belongs to (empty where its name does not say), and which part of it it is.
    fn of(file_name: &str) -> Option<(String, Self)> {
        let name = file_name.to_ascii_lowercase();
        let words: Vec<&str> = name.strip_suffix(".gz").unwrap_or(&name).split(['-', '_', '.']).collect();
        let split = words.iter().position(|word| SPLITS.contains(word))?;
        let is_training = words[split] == SPLITS[0];
        let part = match (words.get(split + 1), is_training) {
            (Some(&"images"), true) => Self::TrainingImages,
            (Some(&"images"), false) => Self::TestImages,
            (Some(&"labels"), true) => Self::TrainingLabels,
            (Some(&"labels"), false) => Self::TestLabels,
            _ => return None,
        };
        let is_idx = words[split + 2..].iter().all(|word| FORMATS.contains(word));
        is_idx.then(|| (words[..split].join("-"), part))
    }
}

const SPLITS: [&str; 4] = ["train", "t10k", "test", "test10k"];
const FORMATS: [&str; 6] = ["idx", "idx1", "idx2", "idx3", "ubyte", "int"];

/// Where torchvision puts the files of the data sets that it knows, within the folder that it is given.
const TORCHVISION: [&str; 5] = ["MNIST", "FashionMNIST", "KMNIST", "QMNIST", "EMNIST"];

/// A data set's four files.
pub(super) struct Files {
    /// Where they are.
    pub(super) folder: PathBuf,
    /// What their names begin with, or nothing.
    pub(super) set: String,
    parts: BTreeMap<Part, PathBuf>,
}

impl Files {
    pub(super) fn path(&self, part: Part) -> Result<&Path, DataError> {
        self.parts.get(&part).map(PathBuf::as_path).ok_or_else(|| {
            let missing = Part::ALL.into_iter().filter(|part| !self.parts.contains_key(part));
            let name = |part: Part| match &*self.set {
                "" => part.name().to_owned(),
                set => format!("{set}-{}", part.name().replace("t10k", "test")),
            };
            let found = self.parts.values().filter_map(|file| file.file_name());
            DataError::MissingFiles {
                folder: self.folder.clone(),
                missing: missing.map(name).collect(),
                found: found.map(|name| name.to_string_lossy().into_owned()).collect(),
            }
        })
    }
}

/// The files in a folder of the user's: in it, or in a folder within where torchvision puts them. Of several sets in one
/// folder, one is chosen by its name in the place of a file's: `EMNIST/raw/emnist-digits`.
pub(super) fn in_folder_of_user(name: DatasetName, given: &Path) -> Result<Files, DataError> {
    let no_folder = |what| DataError::NoFolder { folder: given.to_owned(), what };
    match fs::metadata(given) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(no_folder("is a file, not a folder")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return of_set(given)?.ok_or_else(|| no_folder("does not exist"));
        }
        Err(error) => return Err(DataError::Read { file: given.to_owned(), error }),
    }
    let titles = TORCHVISION.iter().filter(|title| match name {
        DatasetName::Mnist => **title == "MNIST",
        DatasetName::FashionMnist => **title == "FashionMNIST",
        DatasetName::Own => true,
    });
    let mut folders = vec![given.to_owned(), given.join("raw"), given.join(name.name())];
    folders.extend(titles.map(|title| given.join(title).join("raw")));
    let mut found = Vec::new();
    for folder in folders {
        found.extend(sets(&folder)?.map(|sets| (sets, folder)));
    }
    // What lies in the folder itself counts first.
    if found.first().is_some_and(|(_, folder)| folder == given) {
        found.truncate(1);
    }
    let several = found.iter().map(|(_, folder)| folder.display().to_string()).collect();
    match (found.pop(), found.is_empty()) {
        (None, _) => {
            let mut elsewhere = Vec::new();
            folders_with_sets(given, 3, &mut elsewhere);
            Err(DataError::NoFiles { folder: given.to_owned(), elsewhere })
        }
        (Some((sets, folder)), true) => choose(sets, folder),
        (Some(_), false) => Err(DataError::SeveralSets { folder: given.to_owned(), sets: several }),
    }
}

/// The files with names that begin as the path's last part.
fn of_set(path: &Path) -> Result<Option<Files>, DataError> {
    let name = path.file_name().and_then(|name| name.to_str()).map(str::to_ascii_lowercase);
    let (Some(folder), Some(set)) = (path.parent(), name) else { return Ok(None) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let parts = sets(folder)?.and_then(|mut sets| sets.remove(&set));
    Ok(parts.map(|parts| Files { folder: folder.to_owned(), set, parts }))
}

/// The set without a name, else the only whole one.
fn choose(mut sets: Sets, folder: PathBuf) -> Result<Files, DataError> {
    let whole = |(_, parts): &(&String, &BTreeMap<_, _>)| parts.len() == Part::ALL.len();
    let mut names: Vec<String> = sets.iter().filter(whole).map(|(name, _)| name.clone()).collect();
    if sets.contains_key("") {
        names = vec![String::new()];
    } else if names.is_empty() {
        names.extend(sets.iter().max_by_key(|(_, parts)| parts.len()).map(|(name, _)| name.clone()));
    }
    match &names[..] {
        [set] => {
            let parts = sets.remove(set).unwrap_or_default();
            Ok(Files { folder, set: set.clone(), parts })
        }
        _ => {
            let sets = names.iter().map(|set| folder.join(set).display().to_string()).collect();
            Err(DataError::SeveralSets { folder, sets })
        }
    }
}

/// The files without a set's name in a folder; `None` where there are none.
pub(super) fn plain(folder: &Path) -> Result<Option<Files>, DataError> {
    let parts = sets(folder)?.and_then(|mut sets| sets.remove(""));
    Ok(parts.map(|parts| Files { folder: folder.to_owned(), set: String::new(), parts }))
}

type Sets = BTreeMap<String, BTreeMap<Part, PathBuf>>;

/// All files of data sets in a folder. Where a part is there twice, the unpacked one counts. `None` where there are none,
/// or no such folder.
///
/// # Errors
/// When the folder is there, but cannot be read.
fn sets(folder: &Path) -> Result<Option<Sets>, DataError> {
    let failed = |error| DataError::Read { file: folder.to_owned(), error };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        // No data set's file has a name that is not UTF-8.
        let Ok(name) = entry.map_err(failed)?.file_name().into_string() else { continue };
        let Some((set, part)) = Part::of(&name) else { continue };
        let is_packed = name.to_ascii_lowercase().ends_with(".gz");
        if let Some((file, is_hidden)) = file_of(folder.join(&name), &name) {
            found.push(((is_hidden, is_packed, name), set, part, file));
        }
    }
    found.sort();
    let mut sets = Sets::new();
    for (_, set, part, file) in found {
        sets.entry(set).or_default().entry(part).or_insert(file);
    }
    Ok((!sets.is_empty()).then_some(sets))
}

/// The file that a folder's entry stands for, and whether it cannot be looked at, as where a link leads to nothing. Such
/// a file counts only where there is no other: reading it tells why.
fn file_of(entry: PathBuf, name: &str) -> Option<(PathBuf, bool)> {
    match fs::metadata(&entry) {
        Ok(found) if found.is_file() => Some((entry, false)),
        // Some archives put each file into a folder of its own name.
        Ok(found) if found.is_dir() => {
            Some(entry.join(name)).filter(|file| file.is_file()).map(|file| (file, false))
        }
        // A pipe or a device: it may never end.
        Ok(_) => None,
        Err(_) => Some((entry, true)),
    }
}

/// Folders within one with files of data sets, for advice: some levels down, and not too many.
fn folders_with_sets(folder: &Path, levels: u32, found: &mut Vec<PathBuf>) {
    const MOST: usize = 3;
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    for folder in folders.into_iter().filter(|entry| entry.is_dir()).take(100) {
        if found.len() >= MOST {
            return;
        }
        if let Ok(Some(_)) = sets(&folder) {
            found.push(folder);
        } else if levels > 1 {
            folders_with_sets(&folder, levels - 1, found);
        }
    }
}
