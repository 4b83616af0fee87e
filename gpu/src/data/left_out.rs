//! Files in folders of images that are not images of a class: they are counted, so that the user is informed.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

/// What systems and archivers put into folders beside what is in them.
const OF_SYSTEMS: [&str; 2] = ["__MACOSX", "@eaDir"];

/// Whether a folder of this name belongs to a system or to a program, and is no class.
pub(super) fn is_of_system(name: &OsStr) -> bool {
    is_hidden(name)
        || name.as_encoded_bytes().starts_with(b"$")
        || OF_SYSTEMS.iter().any(|known| name == *known)
}

/// Whether a system hides what has this name.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Why something is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Another ending than that of PNG and JPEG, or not in a class's folder.
    NoImage,
    /// Images are looked for in a class's folder, not in those within it.
    FolderInClass,
    /// A broken link.
    DeadLink,
    /// A folder that is no class.
    OfSystem,
}

impl Reason {
    const ALL: [Self; 4] = [Self::NoImage, Self::FolderInClass, Self::DeadLink, Self::OfSystem];

    /// One, or several.
    const fn names(self) -> [&'static str; 2] {
        match self {
            Self::NoImage => [
                "file that is not a PNG or JPEG image of a class",
                "files that are not PNG or JPEG images of a class",
            ],
            Self::FolderInClass => ["folder within a class", "folders within classes"],
            Self::DeadLink => ["broken link", "broken links"],
            Self::OfSystem => ["system folder", "system folders"],
        }
    }
}

/// How much was left out, and what came first.
#[derive(Debug, Default)]
pub(super) struct LeftOut([(usize, PathBuf); Reason::ALL.len()]);

impl LeftOut {
    pub(super) fn add(&mut self, reason: Reason, path: &Path) {
        let (count, first) = &mut self.0[reason as usize];
        if *count == 0 {
            path.clone_into(first);
        }
        *count += 1;
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|(count, _)| count).sum()
    }

    /// A sentence about it, where there is something; paths as seen from this folder.
    pub(super) fn note(&self, folder: &Path) -> Option<String> {
        let kinds = Reason::ALL.into_iter().zip(&self.0).filter(|(_, (count, _))| *count > 0);
        let kinds = kinds.map(|(reason, (count, first))| {
            let first = first.strip_prefix(folder).unwrap_or(first).display();
            let [one, several] = reason.names();
            Kind { count: *count, name: if *count == 1 { one } else { several }, first: first.to_string() }
        });
        let kinds: Vec<String> = kinds.map(|kind| kind.to_string()).collect();
        (!kinds.is_empty()).then(|| format!("Skipped: {}.", kinds.join("; ")))
    }
}

struct Kind {
    count: usize,
    name: &'static str,
    first: String,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let such = if self.count == 1 { "" } else { "the first is " };
        write!(f, "{} {} ({such}{})", self.count, self.name, self.first)
    }
}
