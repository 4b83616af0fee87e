//! `adadagrad data`: what a data set is, whether it is whole, and the same in another form.

use std::error::Error;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use adadagrad_core::config::DatasetName;
use adadagrad_core::dataset::Encoding;
use adadagrad_core::digest::Digest as DataDigest;
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::owned::text::Vocabulary;
use adadagrad_core::text::TextSettings;
use adadagrad_gpu::data::cifar::Names;
use adadagrad_gpu::data::{self, Splits, pack as packing};
use adadagrad_gpu::dataset::Images;
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::Outcome;
use crate::arguments::{CheckArguments, PackArguments};
use crate::files::about;
use crate::numbers::grouped;
use crate::output;
use crate::table::table;

/// Of more files, none is listed.
const MOST_LISTED: usize = 20;

pub(crate) fn check(arguments: &CheckArguments) -> Outcome {
    let splits = arguments.load()?;
    output::result(report(&splits)?);
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn pack(arguments: &PackArguments) -> Outcome {
    let splits = arguments.input.load()?;
    if splits.vocabulary().is_some() {
        return Err(about(&splits.folder, "a text needs no other form: only images are packed").into());
    }
    splits.notes.iter().for_each(output::message);
    let (kind, files) = packing::write(&splits, &arguments.output)?;
    output::message(format_args!(
        "Wrote {} + {} images of {} values as {kind}: {} files in {}.",
        grouped(splits.training.len().into()),
        grouped(splits.test.len().into()),
        splits.shape().input,
        files.len(),
        arguments.output.display()
    ));
    Ok(ExitCode::SUCCESS)
}

impl CheckArguments {
    fn load(&self) -> Result<Splits, Box<dyn Error>> {
        let name = match self.dataset {
            Some(dataset) => dataset.into(),
            None => data::kind_in(DatasetName::Own, &self.folder)?.map_or(DatasetName::Own, data::name_of),
        };
        self.reading.load(name, Some(&self.folder), self.reading.text_over(TextSettings::default()))
    }
}

/// Everything about a data set that was read whole.
fn report(splits: &Splits) -> Result<String, Box<dyn Error>> {
    if let Some(vocabulary) = splits.vocabulary() {
        return text_report(splits, vocabulary);
    }
    let (shape, Some([training, test])) = (splits.shape(), splits.images()) else { return Ok(String::new()) };
    let summary = [
        ("data", splits.kind.to_string()),
        ("folder", splits.folder.display().to_string()),
        ("training images", grouped(splits.training.len().into())),
        ("test images", grouped(splits.test.len().into())),
        ("shape", shape.input.to_string()),
        ("classes", shape.classes.to_string()),
        ("channel means", statistics(training)[0].clone()),
        ("channel deviations", statistics(training)[1].clone()),
        ("training data SHA-256", splits.digest.to_string()),
    ];
    let mut text = table(&summary.map(|(name, value)| vec![name.to_owned(), value]));
    text += &files(splits)?;
    text += &classes(splits, [training, test]);
    // They may name files.
    splits.notes.iter().for_each(|note| text += &format!("\n{}", output::escaped(note, &[])));
    text += match splits.has_published_size {
        None => "\nThe data set is complete: every file was read to its end.\n",
        Some(true) if splits.folder.is_file() => {
            "\nThe data set is complete: every file was read to its end, and all published images are there.\n"
        }
        Some(true) => {
            "\nThe data set is complete: every file was read to its end, and all published images are there. Its \
             authors publish a digest of the archive only, so the content of extracted files cannot be verified.\n"
        }
        Some(false) => "\nEvery file was read to its end, but this is not the complete published data set.\n",
    };
    Ok(text)
}

/// Everything about a text that was read whole.
fn text_report(splits: &Splits, vocabulary: &Vocabulary) -> Result<String, Box<dyn Error>> {
    let positions = splits.shape().labels;
    let sequences = |half: &SharedDataset| {
        format!("{} sequences of {positions} {}", grouped(half.len().into()), vocabulary.kind().name())
    };
    let mut summary = vec![
        ("data", splits.kind.to_string()),
        ("file", splits.folder.display().to_string()),
        ("training part", sequences(&splits.training)),
        ("test part", sequences(&splits.test)),
        ("different tokens", grouped(vocabulary.len().into())),
    ];
    // In quotes, so that line breaks and the like can be seen.
    summary.extend(vocabulary.characters().map(|all| ("characters", format!("{all:?}"))));
    summary.push(("training data SHA-256", splits.digest.to_string()));
    let rows: Vec<_> = summary.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    Ok(table(&rows) + &files(splits)?)
}

/// Of values from 0 to 1.
fn statistics(training: &Images) -> [String; 2] {
    let Encoding::Bytes { mean, deviation } = training.channel_statistics() else {
        return Default::default();
    };
    let channels = training.sample_shape().input.channels as usize;
    [mean, deviation].map(|numbers| {
        let numbers: Vec<_> = numbers.iter().take(channels).map(|number| format!("{number:.4}")).collect();
        numbers.join(", ")
    })
}

/// The files with their sizes and digests.
fn files(splits: &Splits) -> Result<String, Box<dyn Error>> {
    if splits.files.len() > MOST_LISTED {
        return Ok(format!("\n{} files\n", grouped(splits.files.len() as u64)));
    }
    let mut rows = vec![["file", "bytes", "SHA-256"].map(str::to_owned).to_vec()];
    let mut published = String::new();
    for file in &splits.files {
        let within = file.strip_prefix(&splits.folder).ok().filter(|path| !path.as_os_str().is_empty());
        let name = within.unwrap_or(file).display().to_string();
        let [sha256, md5] = digests(file).map_err(|error| about(file, error))?;
        let size = file.metadata().map_err(|error| about(file, error))?.len();
        if let Some(names) = Names::of(splits.kind).filter(|names| file.ends_with(names.archive)) {
            if md5 == names.archive_md5 {
                published +=
                    "\nThe archive is the published one: its MD5 is the one that its authors give.\n";
            } else {
                let expected = names.archive_md5;
                return Err(about(
                    file,
                    format!("its MD5 is {md5}, but that of the published archive is {expected}"),
                )
                .into());
            }
        }
        rows.push(vec![name, grouped(size), sha256]);
    }
    Ok(format!("\n{}{published}", table(&rows)))
}

/// SHA-256 and MD5 of a file, in hexadecimal.
fn digests(file: &Path) -> io::Result<[String; 2]> {
    let (mut sha256, mut md5) = (Sha256::new(), Md5::new());
    let mut bytes = io::BufReader::with_capacity(1 << 16, File::open(file)?);
    loop {
        let read = io::BufRead::fill_buf(&mut bytes)?;
        if read.is_empty() {
            break;
        }
        sha256.update(read);
        md5.update(read);
        let len = read.len();
        io::BufRead::consume(&mut bytes, len);
    }
    let md5 = md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok([DataDigest(sha256.finalize().into()).to_string(), md5])
}

/// Images of each class.
fn classes(splits: &Splits, halves: [&Images; 2]) -> String {
    let count = splits.shape().classes as usize;
    let counts = halves.map(|half| {
        let mut counts = vec![0_u64; count];
        for &label in half.labels() {
            if let Some(count) = counts.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        counts
    });
    let mut rows = vec![["class", "training", "test"].map(str::to_owned).to_vec()];
    for class in 0..count {
        let of_class = counts.iter().filter_map(|counts| counts.get(class)).map(|&count| grouped(count));
        rows.push([splits.numbered_class(class)].into_iter().chain(of_class).collect());
    }
    format!("\n{}", table(&rows))
}
