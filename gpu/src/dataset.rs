//! Data sets that threads share.

use std::sync::Arc;

use adadagrad_core::augmentation::Placements;
use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::Encoding;
use adadagrad_core::digest::Digest as DataDigest;
use adadagrad_core::images::LabelledImages;
use adadagrad_core::normalisation::Normalisation;
use adadagrad_core::owned::text::{TextSequences, Vocabulary};
use sha2::{Digest, Sha256};

/// Bytes that copies share.
#[derive(Clone, Debug, Default)]
pub struct Bytes(Arc<Vec<u8>>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(bytes))
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Images and labels in memory; copies share them.
pub type Images = LabelledImages<Bytes>;

/// Identifies this data set.
#[must_use]
pub fn digest(images: &Images) -> DataDigest {
    let mut digest = Sha256::new();
    digest.update(images.bytes());
    digest.update(images.labels());
    DataDigest(digest.finalize().into())
}

/// Identifies the training part of a text: the SHA-256 of its bytes.
#[must_use]
pub fn text_digest(vocabulary: &Vocabulary, training: &TextSequences) -> DataDigest {
    // No token is outside of its vocabulary.
    let bytes = vocabulary.bytes_of(training.tokens()).unwrap_or_default();
    DataDigest(Sha256::digest(bytes).into())
}

/// How values are encoded with this setting: as in the earlier run that `stored` comes from, else from the training
/// images.
#[must_use]
pub fn encoding(training: &Images, normalisation: Normalisation, stored: Option<Encoding>) -> Encoding {
    match normalisation {
        Normalisation::None => Encoding::BYTES,
        Normalisation::Training => stored.unwrap_or_else(|| training.channel_statistics()),
    }
}

/// Training and test images as a run reads them: both normalised, the former placed by its seed.
#[must_use]
pub fn for_run([training, test]: [&Images; 2], config: &RunConfig, stored: Option<Encoding>) -> [Images; 2] {
    let encoding = encoding(training, config.normalisation, stored);
    let placements = Placements { augmentation: config.augmentation, seed: config.seed };
    [
        training.clone().with_encoding(encoding).with_placements(placements),
        test.clone().with_encoding(encoding),
    ]
}
