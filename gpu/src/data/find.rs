//! Where the files of a data set are, in a folder of the user's or in one of ours.

use std::fs;
use std::path::{Path, PathBuf};

use adadagrad_core::config::DatasetName;

use super::DataError;
use super::names::{NamedFiles, NamedSets, Part};

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
            }
        })
    }
}

/// The files in a folder of the user's: in it, or in a folder within where torchvision puts them. Of several sets in one
/// folder, one is chosen by its name in the place of a file's: `EMNIST/raw/emnist-digits`.
pub(super) fn in_folder_of_user(name: DatasetName, given: &Path) -> Result<Files, DataError> {
    if given.is_file() {
        return Err(DataError::NoFolder { folder: given.to_owned(), what: "is a file, not a folder" });
    }
    if !given.is_dir() {
        return of_set(given)
            .ok_or_else(|| DataError::NoFolder { folder: given.to_owned(), what: "does not exist" });
    }
    let titles = TORCHVISION.iter().filter(|title| match name {
        DatasetName::Mnist => **title == "MNIST",
        DatasetName::FashionMnist => **title == "FashionMNIST",
        DatasetName::Own => true,
    });
    let mut folders = vec![given.to_owned(), given.join("raw"), given.join(name.name())];
    folders.extend(titles.map(|title| given.join(title).join("raw")));
    let mut found: Vec<_> = folders.into_iter().filter_map(|folder| Some((sets(&folder)?, folder))).collect();
    // What lies in the folder itself counts first.
    if found.first().is_some_and(|(_, folder)| folder == given) {
        found.truncate(1);
    }
    let several = found.iter().map(|(_, folder)| folder.display().to_string()).collect();
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(DataError::NoFiles { folder: given.to_owned() }),
        (Some((sets, folder)), true) => choose(sets, folder),
        (Some(_), false) => Err(DataError::SeveralSets { folder: given.to_owned(), sets: several }),
    }
}

/// The files with names that begin as the path's last part.
fn of_set(path: &Path) -> Option<Files> {
    let (folder, set) = (path.parent()?, path.file_name()?.to_str()?.to_ascii_lowercase());
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let named = sets(folder)?.take(&set)?;
    Some(Files { folder: folder.to_owned(), named })
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
pub(super) fn plain(folder: &Path) -> Option<Files> {
    let named = sets(folder)?.take("")?;
    Some(Files { folder: folder.to_owned(), named })
}

/// All files of data sets in a folder. `None` where there are none.
fn sets(folder: &Path) -> Option<NamedSets<PathBuf>> {
    let entries = fs::read_dir(folder).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    let sets = NamedSets::among(&names, |name| {
        let file = folder.join(name);
        // Some archives put each file into a folder of its own name.
        [file.clone(), file.join(name)].into_iter().find(|file| file.is_file())
    });
    (!sets.is_empty()).then_some(sets)
}
