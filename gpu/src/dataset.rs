//! Data sets that threads share.

use std::sync::Arc;

use adadagrad_core::dataset::Dataset;
use adadagrad_core::images::LabelledImages;
use sha2::{Digest, Sha256};

use crate::checkpoint::DataDigest;

/// A data set that several threads read.
pub type SharedDataset = Arc<dyn Dataset<f32> + Send + Sync>;

/// An image file and a label file in memory.
pub type Images = LabelledImages<Vec<u8>>;

/// What tells this data set apart from others.
#[must_use]
pub fn digest(images: &Images) -> DataDigest {
    let samples = 0..Dataset::<f32>::len(images);
    let mut digest = Sha256::new();
    samples.clone().filter_map(|sample| images.image(sample)).for_each(|image| digest.update(image));
    let labels: Vec<u8> = samples.filter_map(|sample| images.label(sample)).collect();
    digest.update(labels);
    DataDigest(digest.finalize().into())
}
