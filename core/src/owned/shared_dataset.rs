//! Data sets that threads share.

use std::sync::Arc;

use crate::dataset::Dataset;

/// A data set that several threads read.
pub type SharedDataset = Arc<dyn Dataset<f32> + Send + Sync>;
