//! Which labels of IDX files are which classes.

use adadagrad_core::dataset::SampleShape;
use adadagrad_core::idx::image_file;

/// The bytes before a label file's labels.
pub const LABELS_START: usize = 8;

/// The classes that labels name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classes {
    /// The label of class 0.
    pub first: u8,
    /// Their number.
    pub count: u32,
}

impl Classes {
    /// MNIST's, and Fashion-MNIST's.
    pub const MNIST: Self = Self { first: 0, count: SampleShape::MNIST.classes };

    /// The classes that the training labels name, with what the user should know about them: sentences. Labels that begin
    /// at 1 (EMNIST's letters) are counted from there. What could be MNIST has ten classes, whichever of them occur.
    /// `images` and `labels` are IDX files.
    #[must_use]
    pub fn of(images: &[u8], labels: &[u8]) -> (Self, Vec<String>) {
        let labels = labels.get(LABELS_START..).unwrap_or_default();
        let mut occurs = [false; 256];
        labels.iter().for_each(|&label| occurs[usize::from(label)] = true);
        let (Some(least), Some(most)) = (labels.iter().min(), labels.iter().max()) else {
            return (Self { first: 0, count: 0 }, Vec::new());
        };
        let is_like_mnist = image_file(images).is_ok_and(|(_, shape, _)| shape == SampleShape::MNIST.input);
        if is_like_mnist && u32::from(*most) < Self::MNIST.count {
            return (Self::MNIST, Vec::new());
        }
        let mut notes = Vec::new();
        let first = u8::from(*least == 1);
        let classes = Self { first, count: u32::from(most - first) + 1 };
        if first == 1 {
            notes.push(format!(
                "The labels 1 to {most} are the classes 0 to {}.",
                classes.count.saturating_sub(1)
            ));
        }
        let gaps: Vec<_> = (first..*most)
            .filter(|&label| !occurs[usize::from(label)])
            .map(|label| (label - first).to_string())
            .collect();
        if !gaps.is_empty() {
            let classes = if gaps.len() == 1 { "class" } else { "classes" };
            notes.push(format!("No training image has the {classes} {}.", gaps.join(", ")));
        }
        (classes, notes)
    }

    /// Turns the labels of an IDX file into classes.
    ///
    /// # Errors
    /// The byte of a label that is below the first.
    pub fn number(self, labels: &mut [u8]) -> Result<(), usize> {
        if self.first > 0 {
            for (byte, label) in labels.iter_mut().enumerate().skip(LABELS_START) {
                *label = label.checked_sub(self.first).ok_or(byte)?;
            }
        }
        Ok(())
    }
}
