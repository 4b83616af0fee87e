//! What the examples of this package share: MNIST as floats, and what a run came to.
//!
//! Each example is a training loop as its library's users write it. The lines that let this project choose the batch
//! size end in `// added` (a function's first line is followed by it); a test counts them.

use adadagrad_core::dataset::{Dataset, Targets};
use adadagrad_tests::mnist;

/// Values of an image.
pub const PIXELS: usize = 784;
/// Kinds of images.
pub const CLASSES: usize = 10;

/// The training images, from 0 to 1, and their labels.
#[derive(Clone, Debug)]
pub struct Mnist {
    images: Vec<f32>,
    labels: Vec<u32>,
}

impl Mnist {
    /// `None`, with a message, where the data are not packed yet.
    ///
    /// # Panics
    /// When they are missing although the environment says `REQUIRE_DATA=1`, or broken.
    #[must_use]
    pub fn load() -> Option<Self> {
        let packed = mnist::training()?;
        let count = Dataset::<f32>::len(&packed);
        let mut images = vec![0.0; PIXELS * count as usize];
        let mut labels = vec![0; count as usize];
        let values = images.chunks_exact_mut(PIXELS).zip(labels.chunks_exact_mut(1));
        for (sample, (image, label)) in (0_u32..).zip(values) {
            let read = packed.read(sample.into(), image, &mut Targets::labels(label));
            read.expect("a sample of the packed data");
        }
        Some(Self { images, labels })
    }

    /// The images and labels of `count` samples after the first `seen`, again from the start after the last.
    #[must_use]
    pub fn batch(&self, seen: usize, count: u32) -> (Vec<f32>, Vec<u32>) {
        let samples = (seen..).take(count as usize).map(|position| position % self.labels.len());
        let images = samples.clone().flat_map(|sample| &self.images[sample * PIXELS..][..PIXELS]);
        (images.copied().collect(), samples.map(|sample| self.labels[sample]).collect())
    }
}

/// A step of a run.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Samples of its batch.
    pub batch: u32,
    /// Mean loss before it, in nats.
    pub loss: f64,
}

/// Prints a run, for the examples' programs.
pub fn print(steps: &[Step]) {
    let mut seen = 0;
    for Step { batch, loss } in steps {
        seen += u64::from(*batch);
        println!("{seen:>7} samples  batch {batch:>5}  loss {loss:.3}");
    }
}

/// What every example must show: the batch grows, and the loss falls.
///
/// # Panics
/// Where it does not.
pub fn check(steps: &[Step]) {
    let (first, last) = (steps.first().expect("a step"), steps.last().expect("a step"));
    assert!(last.batch > 2 * first.batch, "{first:?} {last:?}");
    assert!(last.loss < 0.5 * first.loss, "{first:?} {last:?}");
    assert!(steps.is_sorted_by_key(|step| step.batch), "AdAdaGrad never shrinks a batch");
}
