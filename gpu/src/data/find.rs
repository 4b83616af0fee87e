//! Where the files of a data set are, in the given folder or in the default one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use adadagrad_core::config::DatasetName;

use super::DataError;
use super::names::{NamedFiles, NamedSets, Part, is_packed};

/// Where torchvision puts the files of the data sets that it knows, within the folder that it is given.
const TORCHVISION: [&str; 5] = ["MNIST", "FashionMNIST", "KMNIST", "QMNIST", "EMNIST"];

/// A data set's four files.
pub(super) struct Files {
    /// Where they are.
    pub(super) folder: PathBuf,
    pub(super) named: NamedFiles<PathBuf>,
}

impl Files {
    pub(super) fn path(&self, part: Part) -> Result<&Path, DataError> {
        self.named.get(part).map(PathBuf::as_path).ok_or_else(|| {
            let found = self.named.found().filter_map(|file| file.file_name());
            DataError::MissingFiles {
                folder: self.folder.clone(),
                missing: self.named.missing(),
                found: found.map(|name| name.to_string_lossy().into_owned()).collect(),
                lacks_test_set: self.named.lacks_test_set(),
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
    let mut found = in_usual_places(name, given)?;
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

/// Whether there is any file where [`in_folder_of_user`] looks.
#[cfg(not(target_family = "wasm"))]
pub(super) fn may_be_in_folder(name: DatasetName, given: &Path) -> bool {
    in_usual_places(name, given).is_ok_and(|found| !found.is_empty())
}

/// The sets in a folder of the user's, and in the folders within it where others put them.
fn in_usual_places(name: DatasetName, given: &Path) -> Result<Vec<(NamedSets<PathBuf>, PathBuf)>, DataError> {
    let titles = TORCHVISION.iter().filter(|title| match name {
        DatasetName::Mnist => **title == "MNIST",
        DatasetName::FashionMnist => **title == "FashionMNIST",
        DatasetName::Own | DatasetName::Cifar10 | DatasetName::Cifar100 | DatasetName::Shakespeare => true,
    });
    let mut folders = vec![given.to_owned(), given.join("raw"), given.join(name.name())];
    folders.extend(titles.map(|title| given.join(title).join("raw")));
    let mut found = Vec::new();
    for folder in folders {
        found.extend(sets(&folder)?.map(|sets| (sets, folder)));
    }
    Ok(found)
}

/// The files with names that begin as the path's last part.
fn of_set(path: &Path) -> Result<Option<Files>, DataError> {
    let name = path.file_name().and_then(|name| name.to_str()).map(str::to_ascii_lowercase);
    let (Some(folder), Some(set)) = (path.parent(), name) else { return Ok(None) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let named = sets(folder)?.and_then(|mut sets| sets.take(&set));
    Ok(named.map(|named| Files { folder: folder.to_owned(), named }))
}

fn choose(sets: NamedSets<PathBuf>, folder: PathBuf) -> Result<Files, DataError> {
    match sets.choose() {
        Ok(named) => Ok(Files { folder, named }),
        Err(names) => {
            let sets = names.iter().map(|set| folder.join(set).display().to_string()).collect();
            Err(DataError::SeveralSets { folder, sets })
        }
    }
}

/// The files without a set's name in a folder; `None` where there are none.
pub(super) fn plain(folder: &Path) -> Result<Option<Files>, DataError> {
    let named = sets(folder)?.and_then(|mut sets| sets.take(""));
    Ok(named.map(|named| Files { folder: folder.to_owned(), named }))
}

/// All files of data sets in a folder. Where a part is there twice, the unpacked one counts. `None` where there are none,
/// or no such folder.
///
/// # Errors
/// When the folder is there, but cannot be read.
fn sets(folder: &Path) -> Result<Option<NamedSets<PathBuf>>, DataError> {
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
        if Part::of(&name).is_none() {
            continue;
        }
        if let Some((file, is_hidden)) = file_of(folder.join(&name), &name) {
            found.push(((is_hidden, is_packed(&name), name), file));
        }
    }
    found.sort();
    let sets = NamedSets::among(found.into_iter().map(|((_, _, name), file)| (name, file)));
    Ok((!sets.is_empty()).then_some(sets))
}

/// The file that a folder's entry stands for, and whether it cannot be read, as where a link leads to nothing. Such a file
/// counts only where there is no other: reading it tells why.
fn file_of(entry: PathBuf, name: &str) -> Option<(PathBuf, bool)> {
    match fs::metadata(&entry) {
        Ok(found) if found.is_file() => Some((entry, false)),
        // Some archives put each file into a folder of its own name.
        Ok(found) if found.is_dir() => {
            Some(entry.join(name)).filter(|file| file.is_file()).map(|file| (file, false))
        }
        // A pipe or a device, which is never opened.
        Ok(_) | Err(_) => Some((entry, true)),
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
