//! Labelled images that own their bytes, so that threads can share them.

use std::sync::Arc;

use adadagrad_core::dataset::Dataset;
use adadagrad_core::idx::{ImagesError, LabelledImages};

/// A data set that several threads read.
pub type SharedDataset = Arc<dyn Dataset<f32> + Send + Sync>;

/// Bytes before the first pixel of an IDX file of images.
const IMAGES_HEADER: usize = 16;
/// Bytes before the first label of an IDX file of labels.
const LABELS_HEADER: usize = 8;

/// An image file and a label file in memory, as [`LabelledImages`] over bytes of its own.
#[derive(Clone, Debug)]
pub struct Images {
    images: Vec<u8>,
    labels: Vec<u8>,
    len: u32,
    pixels: usize,
}

impl Images {
    /// Checks both files, whole as they were read.
    ///
    /// # Errors
    /// Which file is wrong, what, and where.
    pub fn new(images: Vec<u8>, labels: Vec<u8>, size: [u32; 2], classes: u32) -> Result<Self, ImagesError> {
        let view = LabelledImages::parse(&images, &labels, size, classes)?;
        let (len, pixels) = (Dataset::<f32>::len(&view), Dataset::<f32>::input_len(&view));
        Ok(Self { images, labels, len, pixels })
    }
}

impl Dataset<f32> for Images {
    fn len(&self) -> u32 {
        self.len
    }

    fn input_len(&self) -> usize {
        self.pixels
    }

    fn read(&self, index: u32, input: &mut [f32]) -> u32 {
        let index = index as usize;
        let image = &self.images[IMAGES_HEADER + index * self.pixels..][..self.pixels];
        for (value, &byte) in input.iter_mut().zip(image) {
            *value = f32::from(byte) / 255.0;
        }
        u32::from(self.labels[LABELS_HEADER + index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_core_reads() {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 16, 0, 0, 0, 16];
        images.extend((0..3 * 256).map(|k| (k * 7 % 256) as u8));
        let labels = [0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 1].to_vec();
        let view = LabelledImages::parse(&images, &labels, [16, 16], 3).expect("images");
        let owned = Images::new(images.clone(), labels.clone(), [16, 16], 3).expect("images");
        assert_eq!(owned.len(), 3);
        for index in 0..3 {
            let (mut a, mut b) = ([0.0_f32; 256], [1.0_f32; 256]);
            assert_eq!(view.read(index, &mut a), owned.read(index, &mut b));
            assert_eq!(a, b);
        }
    }
}
