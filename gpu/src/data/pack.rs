//! Writes a data set in another form: as CIFAR-10's binary files where it fits them, else as four IDX files.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use adadagrad_core::cifar::{Labels, SHAPE};

use super::cifar::Names;
use super::idx_header::header;
use super::names::Part;
use super::{Kind, Splits};

/// Writes both halves into a folder, which is made where it is not there. Files that are there are not replaced.
/// Returns the form and the files.
///
/// # Errors
/// What cannot be written, and why.
pub fn write(splits: &Splits, folder: &Path) -> io::Result<(Kind, Vec<PathBuf>)> {
    fs::create_dir_all(folder)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
    let shape = splits.shape();
    if shape.input == SHAPE && shape.classes == Labels::Ten.classes() {
        Ok((Kind::Cifar10, cifar(splits, folder)?))
    } else {
        Ok((Kind::Idx, idx(splits, folder)?))
    }
}

fn cifar(splits: &Splits, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(names) = Names::of(Kind::Cifar10) else { return Ok(Vec::new()) };
    let [training, test] = splits.images();
    let count = training.labels().len();
    // The last batch file may hold fewer.
    let each = count.div_ceil(names.training.len());
    let mut files = Vec::new();
    let batches = names.training.iter().enumerate().map(|(k, name)| (*name, training, k * each, each));
    for (name, images, first, most) in batches.chain([(names.test, test, 0, usize::MAX)]) {
        let (file, mut out) = create(folder, name)?;
        let samples = images.labels().iter().zip(images.bytes().chunks_exact(SHAPE.len()));
        for (&label, image) in samples.skip(first).take(most) {
            out.write_all(&[label])?;
            out.write_all(image)?;
        }
        out.flush()?;
        files.push(file);
    }
    let (file, mut out) = create(folder, names.classes)?;
    for class in 0..Labels::Ten.classes() as usize {
        writeln!(out, "{}", splits.class_name(class))?;
    }
    out.flush()?;
    files.push(file);
    Ok(files)
}

fn idx(splits: &Splits, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let [training, test] = splits.images();
    let mut files = Vec::new();
    for (part, images) in Part::ALL.into_iter().zip([training, training, test, test]) {
        let is_labels = matches!(part, Part::TrainingLabels | Part::TestLabels);
        let (file, mut out) = create(folder, part.name())?;
        out.write_all(&header(images, is_labels)?)?;
        out.write_all(if is_labels { images.labels() } else { images.bytes() })?;
        out.flush()?;
        files.push(file);
    }
    Ok(files)
}

/// A new file.
fn create(folder: &Path, name: &str) -> io::Result<(PathBuf, BufWriter<fs::File>)> {
    let path = folder.join(name);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let file = fs::File::create_new(&path).map_err(named)?;
    Ok((path, BufWriter::new(file)))
}
