//! A test set for data that have none: a part of the training images, the same whenever it is drawn.

use std::path::Path;

use adadagrad_core::shuffle::Shuffle;

use super::DataError;
use crate::dataset::Images;

/// The seed of the draw. It is fixed, so that `train`, `--resume` and `evaluate` agree on the test images.
const SEED: u64 = 0;
/// Streams of random numbers from here on belong to classes; those below are passes of runs with the same seed.
const FIRST_STREAM: u64 = 1 << 62;

/// Where the test images come from.
pub(super) enum Test<T> {
    /// The data have them.
    Given(T),
    /// They are a part of the training images.
    HeldOut {
        /// Above 0 and below 1.
        fraction: f64,
    },
}

/// Divides images into training and test images: a fraction of each class is for testing, rounded, but at least one of its
/// images and not all of them. Both halves keep the order of the images. `notes` gets a sentence about it.
///
/// # Errors
/// When no class has two images.
pub(super) fn hold_out(
    images: &Images,
    fraction: f64,
    folder: &Path,
    notes: &mut Vec<String>,
) -> Result<[Images; 2], DataError> {
    let shape = images.sample_shape();
    let mut is_test = vec![false; images.labels().len()];
    for (class, stream) in (0..shape.classes).zip(FIRST_STREAM..) {
        let of_class = images.labels().iter().enumerate().filter(|&(_, &label)| u32::from(label) == class);
        let places: Vec<usize> = of_class.map(|(place, _)| place).collect();
        let count = u32::try_from(places.len()).unwrap_or(u32::MAX);
        if count < 2 {
            continue;
        }
        // Between 0 and the count.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let drawn = ((f64::from(count) * fraction).round() as u32).clamp(1, count - 1);
        let shuffle = Shuffle::new(count, SEED, stream);
        for position in 0..drawn {
            is_test[places[shuffle.index(position) as usize]] = true;
        }
    }
    let half = |wanted: bool| {
        let (mut bytes, mut labels) = (Vec::new(), Vec::new());
        let samples = images.bytes().chunks_exact(shape.input.len()).zip(images.labels());
        for ((image, &label), _) in samples.zip(&is_test).filter(|&(_, &is_test)| is_test == wanted) {
            bytes.extend_from_slice(image);
            labels.push(label);
        }
        Images::new(bytes.into(), labels.into(), shape.input, shape.classes)
    };
    let (Some(training), Some(test)) = (half(false), half(true)) else {
        return Err(DataError::NothingToHoldOut { folder: folder.to_owned() });
    };
    let [all, of_training, of_test] = [images, &training, &test].map(|half| half.labels().len());
    notes.push(format!(
        "The data set has no test set: of {all} images, {of_test} are used for testing ({fraction} of each class, drawn with \
         seed {SEED}) and {of_training} for training."
    ));
    Ok([training, test])
}
