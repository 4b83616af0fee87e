//! Adapter, device, and everything that can go wrong with them, as values.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

use super::kernel::Dispatch;

/// Why the GPU cannot be used, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuError {
    /// There is no adapter, or none of that name.
    NoAdapter(String),
    /// The adapter gave no device.
    NoDevice(String),
    /// The device is gone: a driver reset, an unplugged card, a tab in the background.
    Lost(String),
    /// There is not enough device memory.
    OutOfMemory,
    /// The device refused a command: a defect of ours.
    Validation(String),
    /// It was asked to end.
    Cancelled,
    /// Something that this engine does not do.
    Unsupported(String),
}

impl fmt::Display for GpuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAdapter(why) => write!(f, "no GPU can be used here: {why}"),
            Self::NoDevice(why) => write!(f, "the GPU's driver gave no device: {why}"),
            Self::Lost(why) => write!(f, "the GPU was lost: {why}"),
            Self::OutOfMemory => f.write_str("the GPU has not enough memory"),
            Self::Validation(what) => {
                write!(f, "the GPU refused a command (a defect of this program): {what}")
            }
            Self::Cancelled => f.write_str("interrupted"),
            Self::Unsupported(what) => write!(f, "the GPU engine does not do this: {what}"),
        }
    }
}

impl std::error::Error for GpuError {}

/// An open device. Clones share it.
#[derive(Clone, Debug)]
pub struct Gpu {
    pub(super) device: wgpu::Device,
    queue: wgpu::Queue,
    info: wgpu::AdapterInfo,
    faults: Arc<Mutex<Faults>>,
}

/// What the driver reported. A device that is lost refuses everything else too, so the loss counts first.
#[derive(Debug, Default)]
struct Faults {
    lost: Option<GpuError>,
    /// The first refusal.
    refused: Option<GpuError>,
}

/// All adapters of this machine.
pub async fn adapters() -> Vec<wgpu::Adapter> {
    instance().enumerate_adapters(wgpu::Backends::PRIMARY).await
}

fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle())
}

/// Whether an adapter computes on the CPU.
#[must_use]
pub fn is_software(info: &wgpu::AdapterInfo) -> bool {
    info.device_type == wgpu::DeviceType::Cpu
}

impl Gpu {
    /// Opens the adapter whose name contains `name`, or the fastest one.
    ///
    /// # Errors
    /// When there is none, or it gives no device.
    pub async fn open(name: Option<&str>) -> Result<Self, GpuError> {
        let adapter = match name {
            None => {
                let power_preference = wgpu::PowerPreference::HighPerformance;
                let options = wgpu::RequestAdapterOptions { power_preference, ..Default::default() };
                let request = instance().request_adapter(&options).await;
                request.map_err(|error| GpuError::NoAdapter(error.to_string()))?
            }
            Some(name) => {
                let matches = |adapter: &wgpu::Adapter| {
                    adapter.get_info().name.to_lowercase().contains(&name.to_lowercase())
                };
                let none = || GpuError::NoAdapter(format!("no adapter's name contains “{name}”"));
                adapters().await.into_iter().find(matches).ok_or_else(none)?
            }
        };
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor { label: Some("adadagrad"), ..Default::default() })
            .await
            .map_err(|error| GpuError::NoDevice(error.to_string()))?;
        let faults = Arc::new(Mutex::new(Faults::default()));
        let refused = Arc::clone(&faults);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&refused).refused.get_or_insert(match error {
                wgpu::Error::OutOfMemory { .. } => GpuError::OutOfMemory,
                other => GpuError::Validation(other.to_string()),
            });
        }));
        let lost = Arc::clone(&faults);
        device.set_device_lost_callback(move |_, why| {
            lock(&lost).lost.get_or_insert(GpuError::Lost(why));
        });
        Ok(Self { device, queue, info: adapter.get_info(), faults })
    }

    /// What the adapter says of itself.
    #[must_use]
    pub const fn info(&self) -> &wgpu::AdapterInfo {
        &self.info
    }

    /// Bytes of the largest storage buffer that a shader may see.
    #[must_use]
    pub fn largest_binding(&self) -> u64 {
        self.device.limits().max_storage_buffer_binding_size
    }

    /// Whether the device was lost, else the first thing that it refused since the last call.
    ///
    /// # Errors
    /// That.
    pub fn check(&self) -> Result<(), GpuError> {
        if lock(&self.faults).refused.is_some() {
            // A loss is only reported once the queue is empty, and a lost device has nothing to wait for.
            let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
        }
        let Faults { lost, refused } = &mut *lock(&self.faults);
        lost.clone().or_else(|| refused.take()).map_or(Ok(()), Err)
    }

    /// Gives the device up, as a driver reset would: for tests.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// A buffer of `words` 32-bit words, zeroed.
    pub(super) fn buffer(&self, label: &str, words: usize, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: 4 * words.max(1) as u64,
            usage,
            mapped_at_creation: false,
        })
    }

    /// A storage buffer that can be copied from and to.
    pub(super) fn storage(&self, label: &str, words: usize) -> wgpu::Buffer {
        use wgpu::BufferUsages as Usage;
        self.buffer(label, words, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)
    }

    /// Records and submits dispatches, in order.
    pub(super) fn run<'d>(
        &self,
        dispatches: impl IntoIterator<Item = &'d Dispatch>,
    ) -> wgpu::SubmissionIndex {
        self.submit(|encoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for dispatch in dispatches {
                dispatch.record(&mut pass);
            }
        })
    }

    /// Fills a buffer with zeros.
    pub(super) fn clear(&self, buffer: &wgpu::Buffer) {
        self.submit(|encoder| encoder.clear_buffer(buffer, 0, None));
    }

    /// Copies the first `words` words.
    pub(super) fn copy(&self, from: &wgpu::Buffer, to: &wgpu::Buffer, words: usize) {
        self.copy_to(from, to, 0, words);
    }

    /// Copies the first `words` words to the place `first`.
    pub(super) fn copy_to(&self, from: &wgpu::Buffer, to: &wgpu::Buffer, first: usize, words: usize) {
        self.submit(|encoder| {
            encoder.copy_buffer_to_buffer(from, 0, to, 4 * first as u64, 4 * words as u64);
        });
    }

    fn submit(&self, record: impl FnOnce(&mut wgpu::CommandEncoder)) -> wgpu::SubmissionIndex {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        record(&mut encoder);
        self.queue.submit([encoder.finish()])
    }

    /// Waits, natively, until a submission is done, or everything where none is named; a browser's event loop
    /// does not wait.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    pub(super) fn wait(&self, submission_index: Option<wgpu::SubmissionIndex>) -> Result<(), GpuError> {
        let polled = self.device.poll(wgpu::PollType::Wait { submission_index, timeout: None });
        self.check()?;
        polled.map(|_| ()).map_err(|error| GpuError::Lost(error.to_string()))
    }

    /// Writes bytes to the beginning of a buffer.
    pub(super) fn write_bytes(&self, buffer: &wgpu::Buffer, bytes: &[u8]) {
        self.queue.write_buffer(buffer, 0, bytes);
    }

    /// Writes floats to the beginning of a buffer.
    pub(super) fn write(&self, buffer: &wgpu::Buffer, values: &[f32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.write_bytes(buffer, &bytes);
    }

    /// Reads the first `words` floats of a buffer: waits for all that was submitted before.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    pub(super) async fn read(&self, buffer: &wgpu::Buffer, words: usize) -> Result<Vec<f32>, GpuError> {
        use wgpu::BufferUsages as Usage;
        let staging = self.buffer("read-back", words, Usage::MAP_READ | Usage::COPY_DST);
        self.copy(buffer, &staging, words);
        let (sender, receiver) = oneshot::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only when nobody waits any more.
            let _ = sender.send(result);
        });
        // Natively this runs the callback; in a browser the event loop does.
        self.wait(None)?;
        let mapped = receiver.await.map_err(|_| GpuError::Lost("no answer".into()))?;
        self.check()?;
        mapped.map_err(|error| GpuError::Lost(error.to_string()))?;
        let view = staging.get_mapped_range(..).map_err(|error| GpuError::Validation(error.to_string()))?;
        Ok(view.as_chunks::<4>().0.iter().map(|&word| f32::from_le_bytes(word)).collect())
    }
}

fn lock(faults: &Mutex<Faults>) -> MutexGuard<'_, Faults> {
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}
