//! Data sets that threads share.

use std::sync::Arc;

use adadagrad_core::dataset::Dataset;
use adadagrad_core::idx::LabelledImages;

/// A data set that several threads read.
pub type SharedDataset = Arc<dyn Dataset<f32> + Send + Sync>;

/// An image file and a label file in memory.
pub type Images = LabelledImages<Vec<u8>>;
