//! Handwritten digits that lie in the program: the first images of MNIST's training set, by Y. LeCun, C. Cortes and
//! C. Burges. A
//! test of `adadagrad-tests` makes the files from the published ones.

use adadagrad_core::images::LabelledImages;
use adadagrad_core::network::Shape;

use crate::Failure;

/// Digits in flash.
pub type Digits = LabelledImages<&'static [u8]>;

const LABELS: &[u8] = include_bytes!("../../data/labels");
const SMALL: &[u8] = include_bytes!("../../data/images-8x8");
const WHOLE: &[u8] = include_bytes!("../../data/images-28x28");

/// Bytes of the small digits and of all labels.
pub const SMALL_LEN: usize = SMALL.len() + LABELS.len();

/// Bytes of the whole digits and of all labels.
pub const WHOLE_LEN: usize = WHOLE.len() + LABELS.len();

/// 400 digits of 8×8 pixels.
///
/// # Errors
/// When the files do not belong together.
pub fn small() -> Result<Digits, Failure> {
    of(SMALL, 8)
}

/// 200 digits of 28×28 pixels.
///
/// # Errors
/// When the files do not belong together.
pub fn whole() -> Result<Digits, Failure> {
    of(WHOLE, 28)
}

fn of(images: &'static [u8], side: u32) -> Result<Digits, Failure> {
    let shape = Shape::image(1, side, side);
    let labels = LABELS.get(..images.len() / shape.len()).ok_or(Failure::Digits)?;
    LabelledImages::new(images, labels, shape, 10).ok_or(Failure::Digits)
}
