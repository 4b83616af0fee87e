//! Images and labels on the device, and the shuffle's uniform block.

use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};

use adadagrad_core::dataset::Dataset;
use adadagrad_core::shuffle::Shuffle;

use super::buffers::word;
use super::device::{Gpu, GpuError};
use super::kernel::{Grid, Launch, Shader};
use super::uniforms::Draw;

/// Images and labels as they lie on the device: pixels as bytes, four a word, or values of any kind as floats.
#[derive(Debug)]
pub struct DeviceImages {
    images: wgpu::Buffer,
    labels: wgpu::Buffer,
    count: u32,
    words: u32,
    format: Format,
    id: u64,
}

/// How values lie on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Bytes,
    Floats,
}

/// Tells data sets apart.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl DeviceImages {
    /// Copies a data set of images whose values are bytes/255 to the device.
    ///
    /// # Errors
    /// When a value is no byte/255: on the device pixels are bytes.
    pub fn of_dataset(gpu: &Gpu, dataset: &dyn Dataset<f32>) -> Result<Self, GpuError> {
        if !dataset.placements().augmentation.is_none() {
            return Err(GpuError::Unsupported("images that are cropped or flipped at random".to_owned()));
        }
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
        let labels: Vec<u32> = labels.iter().map(|&label| label.into()).collect();
        Ok(Self::of_words(gpu, images, &labels, Format::Bytes))
    }

    /// Copies samples of floats, all of one size, and their labels, to the device.
    ///
    /// # Errors
    /// When the values are not as many for each sample.
    pub fn of_floats(gpu: &Gpu, values: &[f32], labels: &[u32]) -> Result<Self, GpuError> {
        if labels.is_empty() || !values.len().is_multiple_of(labels.len()) {
            let (values, samples) = (values.len(), labels.len());
            return Err(GpuError::Unsupported(format!("{values} values for {samples} samples")));
        }
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(Self::of_words(gpu, &bytes, labels, Format::Floats))
    }

    fn of_words(gpu: &Gpu, samples: &[u8], labels: &[u32], format: Format) -> Self {
        let images = gpu.storage("images", samples.len() / 4);
        gpu.write_bytes(&images, samples);
        let device_labels = gpu.storage("labels", labels.len());
        let label_bytes: Vec<u8> = labels.iter().flat_map(|label| label.to_le_bytes()).collect();
        gpu.write_bytes(&device_labels, &label_bytes);
        let [count, words] = [labels.len(), samples.len() / 4 / labels.len()].map(word);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self { images, labels: device_labels, count, words, format, id }
    }

    /// Number of samples.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.count
    }

    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    /// The kernel that draws `samples` of them.
    pub(super) fn draw_launch(&self, samples: u32) -> Launch {
        draw_launch(self.format, self.words, samples)
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

/// Words that an invocation draws.
const WORDS_EACH: u32 = 8;

/// The kernel that draws `samples` images of `words` words.
pub(super) fn draw_launch(format: Format, words: u32, samples: u32) -> Launch {
    Launch {
        shader: Shader::Draw,
        entry: match format {
            Format::Bytes => "draw_samples",
            Format::Floats => "draw_floats",
        },
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
