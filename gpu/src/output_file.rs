//! Files that are written completely or not at all, and that are tested before the work that fills them.
//!
//! The bytes go to a temporary file in the same folder, which then takes the file's name. Symbolic links are followed:
//! the link stays, and the file that it names is replaced. Permissions and owner of a replaced file are kept.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::file_kind;
use crate::name_lock::NameLock;

/// More symbolic links in a row are a circle. As Linux counts.
const MOST_LINKS: u32 = 40;
/// Longest file name in bytes on the usual file systems.
const LONGEST_NAME: usize = 255;
/// Files of one name and different numbers.
const MOST_NUMBERS: u32 = 10_000;

/// A file that is to be written, perhaps several times.
#[derive(Debug)]
pub struct OutputFile {
    given: PathBuf,
    /// The same with links followed.
    place: PathBuf,
    /// Whether the file may be replaced: it was there at the beginning, or this program has written it.
    exists: bool,
    /// Keeps other programs of this kind from writing to the file at the same time.
    lock: Option<HeldLock>,
    /// The same before there is a file.
    claim: Option<NameLock>,
}

impl OutputFile {
    /// Checks whether a file of `bytes` bytes can be written, by writing a temporary one, giving it the name if that is
    /// free, and removing it again. An existing file is not changed. Until the `OutputFile` is dropped, no other program of this kind proves
    /// the same name.
    ///
    /// # Errors
    /// Why it cannot be written: its folder, its name, its kind, permissions, space, or another run that writes to
    /// it.
    pub fn prove(path: &Path, bytes: u64) -> io::Result<Self> {
        let place = regular_place(path)?;
        let temporary = temporary(&place)?;
        io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut temporary.as_file())?;
        temporary.as_file().sync_all()?;
        let (exists, lock, claim) = match OpenOptions::new().write(true).open(&place) {
            Ok(file) => {
                lock(&file)?;
                (true, held(file), None)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let claim = NameLock::take(&place)?;
                temporary.persist_noclobber(&place)?;
                fs::remove_file(&place)?;
                (false, None, claim)
            }
            Err(error) => return Err(error),
        };
        Ok(Self { given: path.to_owned(), place, exists, lock, claim })
    }

    /// The path as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.given
    }

    /// Whether there is a file: one that was there at the beginning, or one that this program has written.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.exists
    }

    /// Writes the file, and replaces an existing one.
    ///
    /// # Errors
    /// Why it cannot be written; then an existing file is unchanged. It may be a file that another program has written
    /// since the beginning.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Something else may have taken its place since.
        if let Ok(found) = fs::symlink_metadata(&self.place)
            && !found.is_file()
        {
            return Err(told(ErrorKind::InvalidInput, file_kind::unexpected(found.file_type())));
        }
        let temporary = filled(&self.place, bytes)?;
        let written = if self.exists {
            replace(temporary, &self.place, bytes)
        } else {
            lock(temporary.as_file())?;
            temporary.persist_noclobber(&self.place).map_err(|failed| match failed.error.kind() {
                kind @ ErrorKind::AlreadyExists => {
                    told(kind, "another program has written this file in the meantime")
                }
                _ => failed.error,
            })
        };
        self.lock = held(written?);
        self.claim = None;
        self.exists = true;
        Ok(())
    }

    /// Writes a new file next to this one, with `-tag` after its name, and a number if that name is taken.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn write_beside(&self, tag: &str, bytes: &[u8]) -> io::Result<Self> {
        let folder = folder_of(&self.place);
        let mut beside = write_numbered(folder, &tagged(&self.place, tag), bytes)?;
        // As the user would name it.
        let given = beside.place.file_name().map(|name| self.given.with_file_name(name));
        if let Some(given) = given.filter(|given| is_same(given, &beside.place)) {
            beside.given = given;
        }
        Ok(beside)
    }

    /// Removes the file that this program has written.
    ///
    /// # Errors
    /// Why it cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.place)
    }
}

/// Writes a file completely or not at all. Any file of this name is replaced.
///
/// # Errors
/// Why it cannot be written; then what was there is still there.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let place = regular_place(path)?;
    replace(filled(&place, bytes)?, &place, bytes)?;
    Ok(())
}

/// Writes a new file: `name` in the folder or, if that is taken, `name` with `-2`, `-3`, … before its extension.
///
/// # Errors
/// Why it cannot be written.
pub fn write_numbered(folder: &Path, name: &OsStr, bytes: &[u8]) -> io::Result<OutputFile> {
    let first = folder.join(name);
    let mut temporary = filled(&first, bytes)?;
    lock(temporary.as_file())?;
    for number in 1..=MOST_NUMBERS {
        let place = match number {
            1 => first.clone(),
            _ => folder.join(tagged(&first, &number.to_string())),
        };
        match temporary.persist_noclobber(&place) {
            Ok(file) => {
                let (given, lock) = (place.clone(), held(file));
                return Ok(OutputFile { given, place, exists: true, lock, claim: None });
            }
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => temporary = taken.file,
            Err(failed) => return Err(failed.error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Whether two paths name one file, or would if it existed: other spellings, symbolic and hard links are resolved.
/// Files that cannot be distinguished, such as pipes and devices, count as different.
#[must_use]
pub fn is_same(one: &Path, other: &Path) -> bool {
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// Whether a path names an open file. Known on Unix only.
#[must_use]
pub fn is_open_as(path: &Path, file: &File) -> bool {
    let open = file.metadata().ok().filter(Metadata::is_file);
    open.and_then(|open| inode(&open)).is_some_and(|open| identity(path) == Some(open))
}

/// The file at the end of all links. It need not exist, but its folder must.
///
/// # Errors
/// When the folder does not exist, the links form a loop, or the path names a folder.
pub fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_owned();
    for _ in 0..=MOST_LINKS {
        let name = file_name(&place)?;
        let folder = fs::canonicalize(folder_of(&place)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => told(error.kind(), "its folder does not exist"),
            _ => told(error.kind(), &format!("its folder: {error}")),
        })?;
        let found = folder.join(name);
        // Not a link, or nothing: where the file is, or will be.
        let Ok(next) = fs::read_link(&found) else { return Ok(found) };
        place = folder.join(next);
    }
    Err(told(ErrorKind::InvalidInput, "its symbolic links form a loop"))
}

/// Takes the lock of a file, which ends with the program or when the file is closed. File systems without locks do
/// without.
///
/// # Errors
/// When another program has it.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    // On Windows a lock keeps others from reading too.
    if cfg!(unix) && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(told(ErrorKind::ResourceBusy, "another run is writing to this file"));
    }
    Ok(())
}

/// Gives back the lock of a file that is about to be closed. To close it is not always enough: a process that another
/// thread is just starting has a copy of the open file until it runs its own program.
pub(crate) fn unlock(file: &File) {
    let _ = file.unlock();
}

pub(crate) fn told(kind: ErrorKind, text: &str) -> io::Error {
    io::Error::new(kind, text)
}

/// A file that stays open for its lock. On Windows there is none, and an open file could not be replaced.
fn held(file: File) -> Option<HeldLock> {
    cfg!(unix).then_some(HeldLock(file))
}

/// A locked file.
#[derive(Debug)]
struct HeldLock(File);

impl Drop for HeldLock {
    fn drop(&mut self) {
        unlock(&self.0);
    }
}

/// Where a file is to be written, with links followed. What is there must be a regular file.
fn regular_place(path: &Path) -> io::Result<PathBuf> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(found) => return Err(told(ErrorKind::InvalidInput, file_kind::unexpected(found.file_type()))),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        // A circle of links, which has no stable kind of its own.
        Err(error) => follow_links(path).and(Err(error))?,
    }
    follow_links(path)
}

/// A new file in the folder of another, for the same readers.
pub(crate) fn temporary(place: &Path) -> io::Result<NamedTempFile> {
    let folder = folder_of(place);
    let mut builder = Builder::new();
    // Short, so that no name becomes too long by it.
    builder.prefix(".adadagrad-").suffix(".part");
    // For everybody whom the umask allows.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map_err(|error| {
        // Without the temporary file's name, which says nothing to anybody.
        let cause = error.to_string();
        let cause = cause.split(" at path ").next().unwrap_or_default();
        told(error.kind(), &format!("cannot write to its folder {}: {cause}", folder.display()))
    })
}

/// A temporary file with these bytes, on the disk.
fn filled(place: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let temporary = temporary(place)?;
    temporary.as_file().write_all(bytes)?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Gives a temporary file the place, permissions and owner of another, and the lock.
fn replace(temporary: NamedTempFile, place: &Path, bytes: &[u8]) -> io::Result<File> {
    if let Ok(old) = fs::metadata(place) {
        // Better a file with other permissions than none.
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            let _ = fchown(temporary.as_file(), Some(old.uid()), Some(old.gid()));
        }
        let _ = temporary.as_file().set_permissions(old.permissions());
    }
    lock(temporary.as_file())?;
    temporary.persist(place).or_else(|refused| {
        // A file that is mounted by itself, or another user's in a folder like /tmp, takes no other's place but can be
        // written to.
        overwrite(place, bytes).map_err(|_| refused.error)
    })
}

fn overwrite(place: &Path, bytes: &[u8]) -> io::Result<File> {
    if !fs::metadata(place)?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut file = OpenOptions::new().write(true).truncate(true).open(place)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// The name of a file, which a path that ends with a separator or dots does not have.
fn file_name(path: &Path) -> io::Result<&OsStr> {
    let bytes = path.as_os_str().as_encoded_bytes();
    let last = bytes.rsplit(|&byte| std::path::is_separator(byte.into())).next().unwrap_or_default();
    match path.file_name() {
        _ if bytes.is_empty() => Err(told(ErrorKind::InvalidInput, "the name is empty")),
        Some(name) if !matches!(last, b"" | b"." | b"..") => Ok(name),
        _ => Err(told(ErrorKind::InvalidInput, "is the name of a folder, but a file is expected")),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `stem-tag.extension`, with a stem short enough for the whole to be a name.
fn tagged(path: &Path, tag: &str) -> OsString {
    let mut stem = path.file_stem().unwrap_or_default().to_owned();
    let mut end = OsString::from(format!("-{tag}"));
    if let Some(extension) = path.extension() {
        end.push(".");
        end.push(extension);
    }
    let room = LONGEST_NAME.saturating_sub(end.len());
    if stem.len() > room {
        let text = stem.to_string_lossy();
        let mut cut = room;
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        stem = OsString::from(&text[..cut]);
    }
    stem.push(end);
    stem
}

/// What two paths to one file have in common.
#[derive(PartialEq, Eq)]
enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    Place(PathBuf),
}

fn identity(path: &Path) -> Option<Identity> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => None,
        Ok(found) => inode(&found).or_else(|| fs::canonicalize(path).ok().map(Identity::Place)),
        Err(_) => follow_links(path).ok().map(Identity::Place),
    }
}

#[cfg(unix)]
fn inode(file: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some(Identity::Inode(file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> Option<Identity> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_open_file_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model");
        write(&path, b"1").expect("a file");
        let first = OutputFile::prove(&path, 1).expect("nobody writes to it");
        let HeldLock(file) = first.lock.as_ref().expect("a lock");
        // As a process has it that is being started.
        let _copy = file.try_clone().expect("a copy");
        assert!(OutputFile::prove(&path, 1).is_err());
        drop(first);
        OutputFile::prove(&path, 1).expect("nobody writes to it any more");
    }
}
