//! Data sets on the device, and the dispatches that draw micro-batches from them.
//!
//! Images are uploaded as they are stored, one byte per value, and decoded, cropped and mirrored by the shader: see
//! `draw.wgsl`. A data set that does not fit a binding lies in several buffers, so that its size is limited by the
//! device's memory alone: CIFAR-10's 153.6 MB are more than the 128 MiB that every WebGPU device binds. There are
//! several buffers instead of a copy of each batch's bytes, because a copy would have to be made for every micro-batch
//! of every sweep, and because steps that are submitted ahead would need theirs before their samples are known.

use std::sync::atomic::{AtomicU64, Ordering};

use adadagrad_core::augmentation::Placements;
use adadagrad_core::dataset::{Dataset, Encoding, Targets};
use adadagrad_core::images::LabelledImages;
use adadagrad_core::layer::Embedding;
use adadagrad_core::loss::Loss;
use adadagrad_core::network::{Shape, SweepError};
use adadagrad_core::shuffle::Shuffle;
use adadagrad_core::training::BatchOrder;

use super::buffers::word;
use super::device::{Gpu, GpuError};
use super::kernel::{Dispatch, Grid, Launch, Shader};
use super::uniforms::Draw;

/// A data set on the device.
#[derive(Debug)]
pub struct DeviceImages {
    chunks: Vec<Chunk>,
    labels: wgpu::Buffer,
    /// What bytes are decoded by.
    table: wgpu::Buffer,
    layout: Layout,
    id: u64,
}

/// Neighbouring samples.
#[derive(Debug)]
struct Chunk {
    values: wgpu::Buffer,
    first: u32,
    held: u32,
}

/// What a data set is, as far as drawing from it needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Number of samples.
    pub(super) count: u32,
    /// Shape of one of them.
    pub(super) shape: Shape,
    pub(super) format: Format,
    /// How images are cropped and mirrored.
    pub(super) placements: Placements,
    /// Labels of one of them.
    pub(super) labels: u32,
}

/// How values lie on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Bytes {
        /// Whether the channels are normalised, each by numbers of its own.
        per_channel: bool,
    },
    Floats,
}

/// Tells data sets apart.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl DeviceImages {
    /// Copies a data set to the device: its stored bytes, or where it has none the values that it reads.
    ///
    /// # Errors
    /// When it is empty or cannot be read, has a loss that there is no kernel for, or values that depend on the visit and no
    /// stored bytes.
    pub fn of_dataset(gpu: &Gpu, dataset: &dyn Dataset<f32>) -> Result<Self, GpuError> {
        Self::in_chunks(gpu, dataset, gpu.largest_binding())
    }

    /// The same in buffers of at most this number of bytes, or of one sample.
    ///
    /// # Errors
    /// As [`Self::of_dataset`].
    #[doc(hidden)]
    pub fn in_chunks(gpu: &Gpu, dataset: &dyn Dataset<f32>, most: u64) -> Result<Self, GpuError> {
        match dataset.loss() {
            Loss::SoftmaxCrossEntropy => {}
            loss @ (Loss::SquaredError | Loss::BinaryCrossEntropy | Loss::Own(_)) => {
                return Err(GpuError::Unsupported(format!(
                    "{loss} (it supports only softmax cross-entropy; the CPU engine supports every loss)"
                )));
            }
        }
        let sample = dataset.shape();
        let (shape, encoding, placements) = (sample.input, sample.encoding, dataset.placements());
        let mut image = vec![0.0; shape.len()];
        let mut targets = vec![0; sample.labels as usize];
        let mut numbers = vec![0.0; sample.values as usize];
        let mut labels = Vec::with_capacity(dataset.len() as usize);
        let raw = dataset.raw().zip(Layout::format_of(sample.encoding));
        let mut values = Vec::new();
        for sample in 0..dataset.len() {
            let mut targets = Targets { labels: &mut targets, values: &mut numbers };
            dataset
                .read(sample.into(), &mut image, &mut targets)
                .map_err(|error| GpuError::Data(SweepError::Read { sample, error }))?;
            if let Encoding::Tokens { vocabulary } = encoding {
                let takes = Embedding { vocabulary, width: 1 };
                if let Some(position) = image.iter().position(|&token| !takes.takes(token)) {
                    return Err(GpuError::Data(SweepError::Token { sample, position, vocabulary }));
                }
            }
            labels.extend_from_slice(targets.labels);
            if raw.is_none() {
                values.extend(image.iter().flat_map(|value| value.to_le_bytes()));
            }
        }
        let count = dataset.len();
        let layout = |format| Layout { count, shape, format, placements, labels: sample.labels };
        match raw {
            Some((bytes, format)) => {
                let table = table(sample.encoding, shape);
                Self::new(gpu, bytes, &labels, &table, layout(format), most)
            }
            None if placements.augmentation.is_none() => {
                Self::new(gpu, &values, &labels, &[], layout(Format::Floats), most)
            }
            None => Err(GpuError::Unsupported("crops and flips of data that are not stored as bytes".into())),
        }
    }

    /// Copies samples of floats, all of one size, and their labels, to the device.
    ///
    /// # Errors
    /// When there are none, or the values are not as many for each sample.
    pub fn of_floats(gpu: &Gpu, values: &[f32], labels: &[u32]) -> Result<Self, GpuError> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let layout = Layout {
            count: word(labels.len()),
            shape: Shape::vector(word(values.len() / labels.len().max(1))),
            format: Format::Floats,
            placements: Placements::NONE,
            labels: 1,
        };
        Self::new(gpu, &bytes, labels, &[], layout, gpu.largest_binding())
    }

    fn new(
        gpu: &Gpu,
        bytes: &[u8],
        labels: &[u32],
        table: &[f32],
        layout: Layout,
        most: u64,
    ) -> Result<Self, GpuError> {
        let of_sample = layout.format.bytes() * layout.shape.len();
        let samples = layout.count as usize;
        let fits = of_sample.checked_mul(samples) == Some(bytes.len())
            && samples.checked_mul(layout.labels as usize) == Some(labels.len());
        if labels.is_empty() || of_sample == 0 || !fits {
            let what = format!("{} bytes for {samples} samples of shape {}", bytes.len(), layout.shape);
            return Err(GpuError::Unsupported(what));
        }
        let held = usize::try_from(most).unwrap_or(usize::MAX) / of_sample;
        let mut first = 0;
        let chunks = bytes.chunks(held.max(1) * of_sample).map(|bytes| {
            let values = gpu.storage("images", bytes.len().div_ceil(4));
            gpu.write_bytes(&values, bytes);
            let held = word(bytes.len() / of_sample);
            first += held;
            Chunk { values, first: first - held, held }
        });
        let chunks = chunks.collect();
        let device_labels = gpu.storage("labels", labels.len());
        let label_bytes: Vec<u8> = labels.iter().flat_map(|label| label.to_le_bytes()).collect();
        gpu.write_bytes(&device_labels, &label_bytes);
        let device_table = gpu.storage("table", table.len());
        gpu.write(&device_table, table);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self { chunks, labels: device_labels, table: device_table, layout, id })
    }

    /// Number of samples.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.layout.count
    }

    /// Whether there is no sample.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    /// The dispatches that draw `samples` of them into these buffers.
    pub(super) fn drawing(
        &self,
        gpu: &Gpu,
        samples: u32,
        input: &wgpu::Buffer,
        labels: &wgpu::Buffer,
    ) -> Drawing {
        let launch = self.layout.launch(samples);
        let dispatches = self.chunks.iter().map(|chunk| {
            let mut bindings = vec![(1, &chunk.values), (2, &self.labels), (3, input), (4, labels)];
            if self.layout.format != Format::Floats {
                bindings.push((5, &self.table));
            }
            gpu.kernels().launch(gpu, &launch, &Draw::default(), &bindings)
        });
        Drawing { dispatches: dispatches.collect(), samples }
    }

    /// A micro-batch as it is drawn, values and labels: for tests.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    #[doc(hidden)]
    pub async fn drawn(
        &self,
        gpu: &Gpu,
        order: DeviceOrder,
        position: u64,
        samples: u32,
    ) -> Result<(Vec<f32>, Vec<u32>), GpuError> {
        let values = samples as usize * self.layout.shape.len();
        let count = samples as usize * self.layout.labels as usize;
        let [input, labels] = [values, count].map(|words| gpu.storage("drawn", words));
        let drawing = self.drawing(gpu, samples, &input, &labels);
        drawing.set(gpu, self, order, position);
        let mut commands = gpu.commands();
        commands.run(&drawing.dispatches);
        commands.submit();
        let labels = gpu.read(&labels, count).await?;
        Ok((gpu.read(&input, values).await?, labels.into_iter().map(f32::to_bits).collect()))
    }
}

/// What draws micro-batches of one size from a data set.
#[derive(Debug)]
pub(super) struct Drawing {
    /// One for each of its buffers.
    pub(super) dispatches: Vec<Dispatch>,
    samples: u32,
}

impl Drawing {
    /// Says which micro-batch is drawn by what is submitted from now on: the one at a position of the run.
    pub(super) fn set(&self, gpu: &Gpu, images: &DeviceImages, order: DeviceOrder, position: u64) {
        let draw = images.layout.draw(order, position, self.samples);
        for (dispatch, &Chunk { first, held, .. }) in self.dispatches.iter().zip(&images.chunks) {
            dispatch.set(gpu, &Draw { first, held, ..draw });
        }
    }
}

/// The samples of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceOrder {
    /// In file order.
    File,
    /// By the keyed shuffle of this seed.
    Shuffled(u64),
}

impl DeviceOrder {
    /// The order of a batch's samples, and the position in it of the first one.
    pub(crate) fn of(visits: BatchOrder) -> (Self, u64) {
        match visits {
            BatchOrder::Shuffled { order, start } => (Self::Shuffled(order.seed()), start),
            BatchOrder::InFileOrder { start } => (Self::File, start.into()),
        }
    }
}

/// Blocks of four values, or floats, that an invocation draws.
const EACH: u32 = 8;

impl Format {
    /// Bytes of a value.
    const fn bytes(self) -> usize {
        match self {
            Self::Bytes { .. } => 1,
            Self::Floats => 4,
        }
    }
}

impl Layout {
    /// How stored bytes are decoded.
    fn format_of(encoding: Encoding) -> Option<Format> {
        match encoding {
            Encoding::Bytes { .. } => Some(Format::Bytes { per_channel: encoding != Encoding::BYTES }),
            Encoding::Floats | Encoding::Tokens { .. } => None,
        }
    }

    /// The kernel that draws `samples` samples from a buffer.
    pub(super) fn launch(&self, samples: u32) -> Launch {
        let values = word(self.shape.len());
        let (entry, blocks, mut constants) = match self.format {
            Format::Bytes { per_channel } => {
                let is_placed = !self.placements.augmentation.is_none();
                let constants = vec![("PER_CHANNEL", per_channel.into()), ("PLACED", is_placed.into())];
                ("draw_bytes", values.div_ceil(4), constants)
            }
            Format::Floats => ("draw_floats", values, Vec::new()),
        };
        constants.push(("EACH", EACH));
        Launch { shader: Shader::Draw, entry, constants, grid: Grid::Flat(samples * blocks.div_ceil(EACH)) }
    }

    /// The uniform block that draws `samples` samples from a position of the run on, from one buffer of all samples.
    pub(super) fn draw(&self, order: DeviceOrder, position: u64, samples: u32) -> Draw {
        let &Self { count, shape, placements, labels, .. } = self;
        let length = u64::from(count);
        let (pass, start) = (position / length, (position % length) as u32);
        let seed = match order {
            DeviceOrder::File => 0,
            DeviceOrder::Shuffled(seed) => seed,
        };
        let [this, next] = [pass, pass + 1].map(|pass| Shuffle::new(count, seed, pass).ingredients());
        let ([this_key_0, this_key_1], [next_key_0, next_key_1]) = (this.0.words(), next.0.words());
        let [[this_place_0, this_place_1], [next_place_0, next_place_1]] =
            [pass, pass + 1].map(|pass| placements.key(pass).words());
        Draw {
            samples,
            start,
            length: count,
            first: 0,
            held: count,
            values: word(shape.len()),
            plane: word(shape.plane()),
            width: shape.width,
            this_key_0,
            this_key_1,
            next_key_0,
            next_key_1,
            low_bits: this.1,
            high_bits: this.2,
            shuffled: u32::from(order != DeviceOrder::File),
            this_place_0,
            this_place_1,
            next_place_0,
            next_place_1,
            padding: placements.augmentation.padding,
            flip: placements.augmentation.flip.into(),
            labels,
        }
    }
}

/// What every byte is decoded to by the core, for each channel where they differ.
pub(super) fn table(encoding: Encoding, shape: Shape) -> Vec<f32> {
    let channels = if encoding == Encoding::BYTES { 1 } else { shape.channels };
    let bytes: Vec<u8> = (0..channels).flat_map(|_| 0..=u8::MAX).collect();
    let mut values = vec![0.0; bytes.len()];
    if let Some(image) = LabelledImages::new(&bytes[..], &[0][..], Shape::image(channels, 1, 256), 1) {
        // The only image there is, so that it can be read.
        let _ = image.with_encoding(encoding).read(0.into(), &mut values, &mut Targets::labels(&mut [0]));
    }
    values
}
