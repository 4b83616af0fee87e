//! The data set of a session, and pictures of it.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::{Dataset, SampleShape};
use adadagrad_core::digest::Digest as DataDigest;
use adadagrad_core::shuffle::Order;
use adadagrad_gpu::dataset::{Images, digest, for_run};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::thumbnails;

/// The data set; copies share it.
#[derive(Clone)]
pub(crate) struct Data {
    pub(crate) train: Arc<Images>,
    pub(crate) test: Arc<Images>,
    digest: Rc<OnceCell<DataDigest>>,
}

#[wasm_bindgen]
extern "C" {
    /// The four decompressed IDX files, and the number of classes.
    #[wasm_bindgen(typescript_type = "DatasetFiles")]
    pub type DatasetFiles;
    #[wasm_bindgen(method, getter)]
    fn train_images(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn train_labels(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn test_images(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn test_labels(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn classes(this: &DatasetFiles) -> u32;
}

impl Data {
    /// Reads and checks the files.
    pub(crate) fn read(files: &DatasetFiles) -> Result<Self, JsError> {
        let classes = files.classes();
        let train = read("training", &files.train_images(), &files.train_labels(), classes)?;
        let test = read("test", &files.test_images(), &files.test_labels(), classes)?;
        Ok(Self { train, test, digest: Rc::default() })
    }

    /// The same data as a run reads them: normalised and placed as its settings say.
    pub(crate) fn for_run(&self, config: &RunConfig) -> Self {
        let [train, test] = for_run([&self.train, &self.test], config, None).map(Arc::new);
        Self { train, test, digest: Rc::clone(&self.digest) }
    }

    /// What a sample is, and how a run reads it.
    pub(crate) fn shape(&self) -> SampleShape {
        self.train.sample_shape()
    }

    pub(crate) fn training_samples(&self) -> u32 {
        samples(&self.train)
    }

    pub(crate) fn test_samples(&self) -> u32 {
        samples(&self.test)
    }

    /// What tells the training data apart from others. It takes a quarter of a second for MNIST, the first time.
    pub(crate) fn digest(&self) -> DataDigest {
        *self.digest.get_or_init(|| digest(&self.train))
    }

    /// The training images that are visited after `position` others, with squares of `shrink` × `shrink` pixels as one.
    pub(crate) fn visited(&self, seed: u64, position: u64, count: u32, shrink: u32) -> Vec<u8> {
        let mut order = Order::new(self.training_samples(), seed);
        let shape = self.shape().input;
        let mut pixels = Vec::with_capacity(count as usize * thumbnails::shrunk(shape, shrink).len());
        for position in position..position.saturating_add(count.into()) {
            let image = self.train.image(order.visit(position).sample).unwrap_or_default();
            thumbnails::append(image, shape, shrink, &mut pixels);
        }
        pixels
    }

    /// How many of the training images that are visited after `position` others have each label.
    pub(crate) fn classes(&self, seed: u64, position: u64, count: u32) -> Vec<u32> {
        let mut order = Order::new(self.training_samples(), seed);
        let mut classes = vec![0; self.shape().classes as usize];
        for position in position..position.saturating_add(count.into()) {
            let label = self.train.label(order.visit(position).sample).map(usize::from);
            if let Some(count) = label.and_then(|label| classes.get_mut(label)) {
                *count += 1;
            }
        }
        classes
    }

    /// A test image.
    pub(crate) fn test_image(&self, sample: u32) -> Option<&[u8]> {
        self.test.image(sample)
    }
}

fn read(which: &str, images: &Uint8Array, labels: &Uint8Array, classes: u32) -> Result<Arc<Images>, JsError> {
    Images::parse_any(images.to_vec().into(), labels.to_vec().into(), classes)
        .map(Arc::new)
        .map_err(|error| JsError::new(&format!("{which} data: {error}")))
}

fn samples(images: &Images) -> u32 {
    Dataset::<f32>::len(images)
}
