//! Images and labels on the device, and the shuffle's uniform block.

use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};

use adadagrad_core::dataset::Dataset;
use adadagrad_core::shuffle::Shuffle;

use super::buffers::word;
use super::device::{Gpu, GpuError};
use super::kernel::{Grid, Launch, Shader};
use super::uniforms::Draw;

/// Images and labels as they lie on the device: pixels as bytes, four a word.
#[derive(Debug)]
pub struct DeviceImages {
    images: wgpu::Buffer,
    labels: wgpu::Buffer,
    count: u32,
    words: u32,
    id: u64,
}

/// Tells data sets apart.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl DeviceImages {
    /// Copies a data set of images whose values are bytes/255 to the device.
    ///
    /// # Errors
    /// When a value is no byte/255: on the device pixels are bytes.
    pub fn of_dataset(gpu: &Gpu, dataset: &dyn Dataset<f32>) -> Result<Self, GpuError> {
        let len = dataset.shape().input.len();
        let mut image = vec![0.0; len];
        let mut bytes = Vec::with_capacity(len * dataset.len() as usize);
        let mut labels = Vec::with_capacity(dataset.len() as usize);
        for sample in 0..dataset.len() {
            let mut label = 0;
            dataset.read(sample.into(), &mut image, slice::from_mut(&mut label));
            labels.push(u8::try_from(label).map_err(|_| unsupported(sample, "label", label))?);
            for &value in &image {
                // Saturates, and makes a NaN 0; either then differs from the value.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let byte = (value * 255.0).round() as u8;
                if f32::from(byte) / 255.0 != value {
                    return Err(unsupported(sample, "pixel", value));
                }
                bytes.push(byte);
            }
        }
        Self::new(gpu, &bytes, &labels)
    }

    /// Copies images of bytes, all of one size, and their labels, to the device.
    ///
    /// # Errors
    /// When an image is not a whole number of words.
    pub fn new(gpu: &Gpu, images: &[u8], labels: &[u8]) -> Result<Self, GpuError> {
        let pixels = images.len() / labels.len().max(1);
        if !pixels.is_multiple_of(4) || labels.is_empty() || pixels * labels.len() != images.len() {
            return Err(GpuError::Unsupported(format!("images of {pixels} pixels, not a multiple of four")));
        }
        let device_images = gpu.storage("images", images.len() / 4);
        gpu.write_bytes(&device_images, images);
        let device_labels = gpu.storage("labels", labels.len());
        let words: Vec<u8> = labels.iter().flat_map(|&label| u32::from(label).to_le_bytes()).collect();
        gpu.write_bytes(&device_labels, &words);
        let [count, words] = [labels.len(), pixels / 4].map(word);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self { images: device_images, labels: device_labels, count, words, id })
    }

    /// Number of samples.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.count
    }

    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    /// Words of one image.
    pub(super) const fn words(&self) -> u32 {
        self.words
    }

    /// The bindings of `draw.wgsl`.
    pub(super) fn bindings<'b>(
        &'b self,
        input: &'b wgpu::Buffer,
        labels: &'b wgpu::Buffer,
    ) -> [(u32, &'b wgpu::Buffer); 4] {
        [(1, &self.images), (2, &self.labels), (3, input), (4, labels)]
    }

    /// Whether there is no sample.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Which samples a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceOrder {
    /// In file order.
    File,
    /// By the keyed shuffle of this seed.
    Shuffled(u64),
}

/// Words of four pixels that an invocation draws.
const WORDS_EACH: u32 = 8;

/// The kernel that draws `samples` images of `words` words.
pub(super) fn draw_launch(words: u32, samples: u32) -> Launch {
    Launch {
        shader: Shader::Draw,
        entry: "draw_samples",
        constants: vec![("EACH", WORDS_EACH)],
        grid: Grid::Flat(samples * words.div_ceil(WORDS_EACH)),
    }
}

/// The uniform block that draws `samples` samples from a position of the run on.
pub(super) fn draw(images: &DeviceImages, order: DeviceOrder, position: u64, samples: u32) -> Draw {
    draw_of(images.count, images.words, order, position, samples)
}

/// The same for `count` images of `words` words.
pub(super) fn draw_of(count: u32, words: u32, order: DeviceOrder, position: u64, samples: u32) -> Draw {
    let length = u64::from(count);
    let (pass, start) = (position / length, (position % length) as u32);
    let seed = match order {
        DeviceOrder::File => 0,
        DeviceOrder::Shuffled(seed) => seed,
    };
    let [this, next] = [pass, pass + 1].map(|pass| Shuffle::new(count, seed, pass).ingredients());
    let ([this_key_0, this_key_1], [next_key_0, next_key_1]) = (this.0.words(), next.0.words());
    Draw {
        samples,
        start,
        length: count,
        words,
        this_key_0,
        this_key_1,
        next_key_0,
        next_key_1,
        low_bits: this.1,
        high_bits: this.2,
        shuffled: u32::from(order != DeviceOrder::File),
    }
}

fn unsupported(sample: u32, what: &str, value: impl std::fmt::Display) -> GpuError {
    GpuError::Unsupported(format!(
        "the {what} {value} of sample {sample}, which is not a byte divided by 255"
    ))
}
