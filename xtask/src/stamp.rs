//! Doing nothing twice: a stamp remembers what a product was made of.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Folders that are products or caches, never inputs.
const NOT_INPUTS: [&str; 3] = ["node_modules", "dist", "target"];

/// What a product was made of, beside where that was written down.
pub(crate) struct Stamp {
    file: PathBuf,
    inputs: String,
}

impl Stamp {
    /// The stamp of a product made of these files and folders (named from `root`) and of `other` (say, the
    /// version of a compiler). Take it before making the product: what is edited meanwhile counts as new.
    pub(crate) fn of(file: PathBuf, root: &Path, paths: &[&str], other: &str) -> Result<Self> {
        let mut hasher = Sha256::new();
        hasher.update(other);
        for path in paths {
            add(&mut hasher, root, Path::new(path))?;
        }
        Ok(Self { file, inputs: hex(&hasher.finalize()) })
    }

    /// Whether the products are there and were made of the same inputs.
    pub(crate) fn is_current(&self, products: &[PathBuf]) -> bool {
        let written = fs::read_to_string(&self.file);
        written.is_ok_and(|inputs| inputs.trim() == self.inputs) && products.iter().all(|file| file.exists())
    }

    /// Remembers the inputs, once the product was made.
    pub(crate) fn write(&self) -> Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.file, &self.inputs)
            .with_context(|| format!("{} cannot be written", self.file.display()))
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds a file, or a folder's files in order of their names, to the hash; a missing one counts as such.
fn add(hasher: &mut Sha256, root: &Path, path: &Path) -> Result<()> {
    let full = root.join(path);
    if full.is_dir() {
        return names(&full)?.iter().try_for_each(|name| add(hasher, root, &path.join(name)));
    }
    let name = path.to_string_lossy().replace('\\', "/");
    let contents = match fs::read(&full) {
        Ok(contents) => Some(contents),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", full.display())),
    };
    // Lengths first, so that no two different trees give the same bytes.
    let length = contents.as_ref().map_or(u64::MAX, |contents| contents.len() as u64);
    hasher.update((name.len() as u64).to_le_bytes());
    hasher.update(name);
    hasher.update(length.to_le_bytes());
    hasher.update(contents.unwrap_or_default());
    Ok(())
}

/// The names in a folder, in order, without products.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !NOT_INPUTS.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with an input tree and a product in it.
    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (file, contents) in [("in/a.rs", "a"), ("in/deep/b.rs", "b"), ("in/dist/c", "c"), ("product", "")]
        {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            fs::write(file, contents).expect("a file");
        }
        folder
    }

    fn stamp(folder: &Path, other: &str) -> Stamp {
        Stamp::of(folder.join("stamps/one"), folder, &["in", "missing"], other).expect("readable inputs")
    }

    /// Whether the product counts as current after a change to the tree.
    fn current_after(change: impl FnOnce(&Path)) -> bool {
        let folder = tree();
        stamp(folder.path(), "1").write().expect("a stamp");
        change(folder.path());
        stamp(folder.path(), "1").is_current(&[folder.path().join("product")])
    }

    #[test]
    fn a_product_is_current_only_once_stamped() {
        let folder = tree();
        assert!(!stamp(folder.path(), "1").is_current(&[]));
        assert!(current_after(|_| ()));
    }

    #[test]
    fn any_change_of_the_inputs_counts() {
        assert!(!current_after(|folder| fs::write(folder.join("in/deep/b.rs"), "c").expect("written")));
        assert!(!current_after(|folder| fs::write(folder.join("in/new.rs"), "").expect("written")));
        assert!(!current_after(|folder| fs::remove_file(folder.join("in/a.rs")).expect("removed")));
        assert!(!current_after(
            |folder| fs::rename(folder.join("in/a.rs"), folder.join("in/c.rs")).expect("moved")
        ));
        assert!(!current_after(|folder| fs::write(folder.join("missing"), "").expect("written")));
    }

    #[test]
    fn other_inputs_and_missing_products_count() {
        let folder = tree();
        stamp(folder.path(), "1").write().expect("a stamp");
        assert!(!stamp(folder.path(), "2").is_current(&[]));
        assert!(!stamp(folder.path(), "1").is_current(&[folder.path().join("lost")]));
    }

    #[test]
    fn products_beside_the_inputs_do_not_count() {
        assert!(current_after(|folder| fs::write(folder.join("in/dist/c"), "changed").expect("written")));
    }
}
