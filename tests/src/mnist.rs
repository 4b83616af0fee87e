//! The real MNIST, where `cargo xtask data` has packed it.

use std::io::Read;
use std::path::Path;
use std::{env, fs};

use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::images::LabelledImages;
use adadagrad_core::owned::OwnedNetwork;
use flate2::read::GzDecoder;

/// The training set; `None`, with a message, when it is not packed yet.
///
/// # Panics
/// When it is missing although the environment says `REQUIRE_DATA=1`, or when it is broken.
#[must_use]
pub fn training() -> Option<LabelledImages<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/public/data/mnist");
    let read = |name: &str| {
        let packed = fs::read(folder.join(format!("{name}.gz"))).ok()?;
        let mut bytes = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).expect("a whole gzip file");
        Some(bytes)
    };
    let (Some(images), Some(labels)) = (read("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte"))
    else {
        let required = env::var_os("REQUIRE_DATA").is_some_and(|value| value == "1");
        assert!(!required, "MNIST is missing: `cargo xtask data` packs it");
        eprintln!("SKIPPED: MNIST is missing, `cargo xtask data` packs it");
        return None;
    };
    Some(LabelledImages::parse(images, labels, [28, 28], 10).expect("the published files"))
}

/// The network of a run over samples of MNIST's shape.
///
/// # Panics
/// When it does not fit.
#[must_use]
pub fn network(config: &RunConfig) -> OwnedNetwork {
    OwnedNetwork::of_model(config.model, SampleShape::MNIST).expect("a model for MNIST")
}
