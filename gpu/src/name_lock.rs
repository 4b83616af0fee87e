//! Keeps two programs of this kind from claiming one file before it is there: a file that is there can be locked itself.
//!
//! The lock is on a file in the folder for temporary files, which is named after the place: the folder of the claimed file
//! stays as its owner left it. Programs on other machines, or with another such folder, are not kept out.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use crate::output_file::{is_open_as, lock, unlock};

/// The name of a file, locked until this is dropped or the program ends.
#[derive(Debug)]
pub(crate) struct NameLock {
    file: File,
    path: PathBuf,
}

impl NameLock {
    /// Locks the name of a file, whose links have been followed. `None` where the file of the lock cannot be opened.
    ///
    /// # Errors
    /// When another program has it.
    pub(crate) fn take(place: &Path) -> io::Result<Option<Self>> {
        let path = lock_of(place);
        loop {
            // Another user may have left one here.
            let Ok(file) = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)
            else {
                return Ok(None);
            };
            lock(&file)?;
            // Its last owner may have removed it in between.
            if cfg!(not(unix)) || is_open_as(&path, &file) {
                return Ok(Some(Self { file, path }));
            }
        }
    }
}

impl Drop for NameLock {
    fn drop(&mut self) {
        // Before others can lock it: they would lock what is removed.
        let _ = fs::remove_file(&self.path);
        unlock(&self.file);
    }
}

fn lock_of(place: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    env::temp_dir().join(format!("adadagrad-{:016x}.lock", hasher.finish()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_locked_until_the_lock_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("model");
        let first = NameLock::take(&place).expect("nobody has it").expect("a lock");
        // As a process has it that is being started.
        let _copy = first.file.try_clone().expect("a copy");
        let path = first.path.clone();
        assert!(NameLock::take(&place).is_err());
        NameLock::take(&folder.path().join("other")).expect("another name");
        drop(first);
        assert!(!path.exists(), "nothing is left behind");
        drop(NameLock::take(&place).expect("nobody has it any more").expect("a lock"));
        // What a killed program has left is no lock.
        fs::write(&path, "").expect("a file");
        NameLock::take(&place).expect("nobody has it").expect("a lock");
    }
}
