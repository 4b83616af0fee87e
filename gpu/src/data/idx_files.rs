//! Four IDX files, packed or not, checked against the digests next to them. Their names may be those of EMNIST or
//! QMNIST. EMNIST's images, which are stored transposed, are transposed back.

use std::path::{Path, PathBuf};

use adadagrad_core::config::DatasetName;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::idx::IdxError;
use adadagrad_core::images::ImagesError;
use adadagrad_core::network::Shape;

use super::classes::{Classes, LABELS_START};
use super::find::{self, Files};
use super::hold_out::{Test, hold_out};
use super::names::Part;
use super::packed::{self, Digests};
use super::unpack::{self, WrongLabel};
use super::{DataError, Kind, Options, Splits};
use crate::dataset::Images;

/// The parts that accuracy is measured on.
const TEST: [Part; 2] = [Part::TestImages, Part::TestLabels];

/// Reads a folder of the user's.
pub(super) fn load(name: DatasetName, folder: &Path, options: Options) -> Result<Splits, DataError> {
    read_files(name, find::in_folder_of_user(name, folder)?, options, true)
}

/// Reads what `cargo xtask data` made.
pub(super) fn load_packed(name: DatasetName, options: Options) -> Result<Splits, DataError> {
    read_files(name, packed_files(name)?, options, false)
}

fn read_files(
    name: DatasetName,
    files: Files,
    options: Options,
    is_of_user: bool,
) -> Result<Splits, DataError> {
    let digests = Digests::read(&files.folder, is_of_user)?;
    let training = Half::read(&files, [Part::TrainingImages, Part::TrainingLabels], &digests)?;
    let test = match (options.test_fraction, TEST.into_iter().find_map(|part| files.named.get(part))) {
        (None, _) => Test::Given(Half::read(&files, TEST, &digests)?),
        (Some(_), Some(file)) => return Err(DataError::HasTest { place: file.clone() }),
        (Some(fraction), None) => Test::HeldOut { fraction },
    };
    let mut read: Vec<_> = files.named.found().cloned().collect();
    read.extend(digests.file);
    let (classes, mut notes) = match name {
        DatasetName::Own => Classes::of(&training.images, &training.labels),
        _ => (Classes::MNIST, Vec::new()),
    };
    let expected = match name {
        DatasetName::Own => None,
        _ => Some(SampleShape::MNIST.input),
    };
    let training = training.images(classes, expected)?;
    let images = match test {
        Test::Given(test) => {
            let test_file = test.files[0].clone();
            let test = test.images(classes, expected)?;
            let [expected, found] = [&training, &test].map(|half| half.sample_shape().input);
            if found != expected {
                return Err(DataError::OtherShape { file: test_file, found, expected });
            }
            [training, test]
        }
        Test::HeldOut { fraction } => hold_out(&training, fraction, &files.folder, &mut notes)?,
    };
    let splits = Splits::new(Kind::Idx, files.folder, read, images);
    Ok(Splits { notes, ..splits })
}

/// The bytes of an image file and of its label file.
struct Half {
    files: [PathBuf; 2],
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Half {
    fn read(files: &Files, parts: [Part; 2], digests: &Digests) -> Result<Self, DataError> {
        let [images_file, labels_file] = [files.path(parts[0])?.to_owned(), files.path(parts[1])?.to_owned()];
        let mut images = read(&images_file, digests)?;
        if files.named.lie_on_their_sides() {
            unpack::transpose_images(&mut images);
        }
        unpack::channels_first(&mut images);
        let labels = unpack::labels_as_bytes(read(&labels_file, digests)?).map_err(
            |WrongLabel { byte, label, .. }| DataError::Label { file: labels_file.clone(), byte, label },
        )?;
        Ok(Self { files: [images_file, labels_file], images, labels })
    }

    fn images(mut self, classes: Classes, expected: Option<Shape>) -> Result<Images, DataError> {
        let [images_file, labels_file] = self.files;
        let range =
            self.labels.get(LABELS_START..).and_then(|all| Some([*all.iter().min()?, *all.iter().max()?]));
        classes
            .number(&mut self.labels)
            .map_err(|byte| DataError::BelowFirst { file: labels_file.clone(), byte })?;
        let (images, labels) = (self.images.into(), self.labels.into());
        let parsed = match expected {
            Some(shape) => Images::parse(images, labels, [shape.height, shape.width], classes.count),
            None => Images::parse_any(images, labels, classes.count),
        };
        parsed.map_err(|error| {
            let (file, labels) = match error {
                ImagesError::Images(_) => (images_file, None),
                ImagesError::Labels(wrong) => {
                    (labels_file, range.filter(|_| matches!(wrong, IdxError::Label { .. })))
                }
            };
            DataError::Content { file, error, labels, classes: classes.count, is_fixed: expected.is_some() }
        })
    }
}

/// In the first folder with the files.
fn packed_files(name: DatasetName) -> Result<Files, DataError> {
    for folder in packed::folders(name) {
        if let Some(files) = find::plain(&folder)? {
            return Ok(files);
        }
    }
    Err(DataError::NotPacked { folder: packed::in_current_folder(name) })
}

fn read(file: &Path, digests: &Digests) -> Result<Vec<u8>, DataError> {
    let bytes = unpack::read(file)?;
    digests.check(file, &bytes)?;
    let bytes = unpack::without_padding(bytes);
    let mut packed = file.as_os_str().to_owned();
    packed.push(".gz");
    let packed = PathBuf::from(packed);
    // What cannot be read contradicts nothing.
    let other = if packed.is_file() { unpack::read(&packed).ok() } else { None };
    match other.map(unpack::without_padding) {
        Some(other) if other != bytes => Err(DataError::Contradiction { file: file.to_owned(), packed }),
        _ => Ok(bytes),
    }
}
