//! Writes a data set in another form: as CIFAR-10's binary files if it fits that format, else as four IDX files.

use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use adadagrad_core::cifar::{Labels, SHAPE};
use adadagrad_core::config::DatasetName;
use tempfile::NamedTempFile;

use super::cifar::Names;
use super::idx_header::header;
use super::names::Part;
use super::{Kind, Splits, kinds_in};
use crate::dataset::Images;
use crate::output_file::{temporary, told};

/// Writes both halves into a folder, which is created if it does not exist. Existing files are not replaced, and the
/// new ones get their names once all of them are written: after an error nothing is left. Returns the format and the
/// files.
///
/// # Errors
/// What cannot be written, and why; or that the folder already contains a data set.
pub fn write(splits: &Splits, folder: &Path) -> io::Result<(Kind, Vec<PathBuf>)> {
    let made = make(folder)?;
    let written = write_into(splits, folder);
    if written.is_err() {
        // Innermost first. What is not empty is another's by now.
        made.iter().for_each(|folder| drop(fs::remove_dir(folder)));
    }
    written
}

fn write_into(splits: &Splits, folder: &Path) -> io::Result<(Kind, Vec<PathBuf>)> {
    let images = splits.images().ok_or_else(|| told(ErrorKind::InvalidInput, "only images can be packed"))?;
    let (kind, files) = files(splits, images);
    for (name, _) in &files {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_ok() {
            return Err(about(&path, told(ErrorKind::AlreadyExists, "exists already, and is not replaced")));
        }
    }
    if let Some(kind) = kinds_in(DatasetName::Own, folder).first() {
        let text = format!("already contains {kind}: give another folder");
        return Err(about(folder, told(ErrorKind::AlreadyExists, &text)));
    }
    let mut staged = Vec::new();
    for (name, content) in files {
        let path = folder.join(name);
        let temporary = stage(&path, splits, content).map_err(|error| about(&path, error))?;
        staged.push((path, temporary));
    }
    let mut placed = Vec::new();
    for (path, temporary) in staged {
        if let Err(failed) = temporary.persist_noclobber(&path) {
            placed.iter().for_each(|path| drop(fs::remove_file(path)));
            return Err(about(&path, failed.error));
        }
        placed.push(path);
    }
    Ok((kind, placed))
}

/// Makes a folder and those that it is in. Returns those that were not there, the innermost first.
fn make(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new = folder.ancestors().take_while(is_new).map(Path::to_owned).collect();
    fs::create_dir_all(folder).map_err(|error| about(folder, error))?;
    Ok(new)
}

/// What a file holds.
enum Content<'s> {
    /// Records of CIFAR-10: some of these images, from the first of them on.
    Records(&'s Images, usize, usize),
    /// The names of the classes, one a line.
    ClassNames,
    /// The images or their labels, as an IDX file.
    Idx(&'s Images, Part),
}

/// The form that fits a data set, and the files of it.
fn files<'s>(splits: &Splits, [training, test]: &'s [Images; 2]) -> (Kind, Vec<(&'static str, Content<'s>)>) {
    let shape = splits.shape();
    let count = training.labels().len();
    let is_cifar = shape.input == SHAPE && shape.classes == Labels::Ten.classes();
    // A batch file without a record is none.
    if let Some(names) = Names::of(Kind::Cifar10).filter(|names| is_cifar && count >= names.training.len()) {
        let each = count / names.training.len();
        let last = names.training.len() - 1;
        // The last one takes what is left over.
        let batches = names.training.iter().enumerate().map(|(k, name)| {
            let records = if k == last { count - last * each } else { each };
            (*name, Content::Records(training, k * each, records))
        });
        let others = [
            (names.test, Content::Records(test, 0, test.labels().len())),
            (names.classes, Content::ClassNames),
        ];
        return (Kind::Cifar10, batches.chain(others).collect());
    }
    let files = Part::ALL.into_iter().zip([training, training, test, test]);
    (Kind::Idx, files.map(|(part, images)| (part.name(), Content::Idx(images, part))).collect())
}

/// Writes what a file will hold into a temporary one beside it, on the disk.
fn stage(path: &Path, splits: &Splits, content: Content<'_>) -> io::Result<NamedTempFile> {
    let temporary = temporary(path)?;
    let mut out = BufWriter::new(temporary.as_file());
    match content {
        Content::Records(images, first, count) => {
            let samples = images.labels().iter().zip(images.bytes().chunks_exact(SHAPE.len()));
            for (&label, image) in samples.skip(first).take(count) {
                out.write_all(&[label])?;
                out.write_all(image)?;
            }
        }
        Content::ClassNames => {
            for class in 0..Labels::Ten.classes() as usize {
                writeln!(out, "{}", splits.class_name(class))?;
            }
        }
        Content::Idx(images, part) => {
            let is_labels = matches!(part, Part::TrainingLabels | Part::TestLabels);
            out.write_all(&header(images, is_labels)?)?;
            out.write_all(if is_labels { images.labels() } else { images.bytes() })?;
        }
    }
    out.flush()?;
    drop(out);
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

fn about(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
