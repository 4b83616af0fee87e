//! Adapter, device, and everything that can go wrong with them, as values.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

use super::kernel::Dispatch;
use super::profile::{Profile, Stopwatch};
use super::variants::Variants;

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
    /// Not even one sample fits the memory that may be used.
    Budget {
        /// Bytes that one sample takes.
        needed: u64,
        /// Bytes that may be used.
        budget: u64,
    },
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
            Self::Budget { needed, budget } => write!(
                f,
                "even one sample takes {} MiB of GPU memory, and {} MiB may be used",
                needed.div_ceil(1 << 20),
                budget >> 20
            ),
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
    /// Buffers to copy back through that nobody reads at present.
    staging: Arc<Mutex<Vec<wgpu::Buffer>>>,
    traffic: Arc<Mutex<Traffic>>,
    variants: Variants,
    profile: Option<Profile>,
}

/// What the host has asked of a device so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Lists of commands.
    pub submissions: u64,
    /// Kernels in them.
    pub dispatches: u64,
    /// Buffers copied back.
    pub read_backs: u64,
    /// Bytes of these.
    pub bytes_back: u64,
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
        let required_features = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let label = Some("adadagrad");
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor { label, required_features, ..Default::default() })
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
            // It becomes a part of a sentence.
            let why = why.trim_end_matches(['.', ' ']);
            let why = if why.is_empty() { "its driver gave no reason" } else { why };
            lock(&lost).lost.get_or_insert(GpuError::Lost(why.to_owned()));
        });
        let info = adapter.get_info();
        Ok(Self {
            device,
            queue,
            variants: Variants::untried(is_software(&info)),
            info,
            faults,
            staging: Arc::default(),
            traffic: Arc::default(),
            profile: None,
        })
    }

    /// With these variants of the heavy kernels, for engines made from now on.
    #[must_use]
    pub fn with_variants(self, variants: Variants) -> Self {
        Self { variants, ..self }
    }

    /// The variants of the heavy kernels.
    #[must_use]
    pub const fn variants(&self) -> Variants {
        self.variants
    }

    /// Whether kernels can be timed by the device's own clock.
    #[must_use]
    pub fn has_timestamps(&self) -> bool {
        self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// With every dispatch timed and added to a profile. Without timestamps nothing is.
    #[must_use]
    pub fn with_profile(self, profile: Profile) -> Self {
        let profile = self.has_timestamps().then_some(profile);
        Self { profile, ..self }
    }

    /// What the device grants.
    #[must_use]
    pub fn limits(&self) -> wgpu::Limits {
        self.device.limits()
    }

    /// Waits until all that was submitted is done, its times in the profile included.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    pub async fn idle(&self) -> Result<(), GpuError> {
        let submission = self.commands().submit();
        self.finished(submission).await
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

    /// What was asked of the device so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        *lock(&self.traffic)
    }

    /// Gives the device and all of its memory up: nobody can use it any more.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Reports that memory ran out, as a driver would at its next chance: for tests.
    pub fn exhaust(&self) {
        lock(&self.faults).refused.get_or_insert(GpuError::OutOfMemory);
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

    /// A storage buffer that can be copied from and to. Shaders may read it as vectors of four.
    pub(super) fn storage(&self, label: &str, words: usize) -> wgpu::Buffer {
        use wgpu::BufferUsages as Usage;
        let words = words.max(1).next_multiple_of(4);
        self.buffer(label, words, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)
    }

    /// An empty list of commands.
    pub(super) fn commands(&self) -> Commands<'_> {
        let encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let stopwatch =
            self.profile.as_ref().map(|profile| Stopwatch::new(&self.device, &self.queue, profile));
        Commands { gpu: self, encoder, stopwatch }
    }

    /// Waits until a submission is done.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    pub(super) async fn finished(&self, submission: Submission) -> Result<(), GpuError> {
        submission.wait(self).await;
        self.check()
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
        let mut commands = self.commands();
        let staging = commands.copy_back(buffer, words);
        let submission = commands.submit();
        self.map(staging, &submission).values(self).await
    }

    /// Asks for what a submission copied back.
    pub(super) fn map(&self, staging: Staging, submission: &Submission) -> ReadBack {
        let (sender, mapped) = oneshot::channel();
        staging.buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only when nobody waits any more.
            let _ = sender.send(result);
        });
        ReadBack { staging, mapped, submission: submission.clone() }
    }

    /// A buffer to copy back through; those that were read are used again.
    fn staging(&self, words: usize) -> Staging {
        use wgpu::BufferUsages as Usage;
        let size = words.max(1).next_power_of_two();
        let mut free = lock(&self.staging);
        let known = free.iter().position(|buffer| buffer.size() == 4 * size as u64);
        let buffer = match known {
            Some(index) => free.swap_remove(index),
            None => self.buffer("read-back", size, Usage::MAP_READ | Usage::COPY_DST),
        };
        Staging { buffer, words }
    }
}

/// Commands that are submitted together.
pub(super) struct Commands<'g> {
    gpu: &'g Gpu,
    encoder: wgpu::CommandEncoder,
    stopwatch: Option<Stopwatch>,
}

impl Commands<'_> {
    /// Dispatches, in order.
    pub(super) fn run<'d>(&mut self, dispatches: impl IntoIterator<Item = &'d Dispatch>) {
        let mut count = 0;
        let dispatches = dispatches.into_iter().inspect(|_| count += 1);
        if let Some(stopwatch) = &mut self.stopwatch {
            dispatches.for_each(|dispatch| stopwatch.run(&mut self.encoder, dispatch));
        } else {
            let mut pass = self.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            dispatches.for_each(|dispatch| dispatch.record(&mut pass));
        }
        lock(&self.gpu.traffic).dispatches += count;
    }

    /// Fills a buffer with zeros.
    pub(super) fn clear(&mut self, buffer: &wgpu::Buffer) {
        self.encoder.clear_buffer(buffer, 0, None);
    }

    /// Copies the first `words` words to the place `first`.
    pub(super) fn copy(&mut self, from: &wgpu::Buffer, to: &wgpu::Buffer, first: usize, words: usize) {
        self.encoder.copy_buffer_to_buffer(from, 0, to, 4 * first as u64, 4 * words as u64);
    }

    /// Copies the first `words` words to where they can be read once this is submitted.
    pub(super) fn copy_back(&mut self, from: &wgpu::Buffer, words: usize) -> Staging {
        let staging = self.gpu.staging(words);
        self.copy(from, &staging.buffer, 0, words);
        let mut traffic = lock(&self.gpu.traffic);
        traffic.read_backs += 1;
        traffic.bytes_back += 4 * words as u64;
        staging
    }

    /// Sends them off.
    pub(super) fn submit(mut self) -> Submission {
        lock(&self.gpu.traffic).submissions += 1;
        let queue = &self.gpu.queue;
        let read = self.stopwatch.map(|stopwatch| stopwatch.finish(&mut self.encoder));
        let index = queue.submit([self.encoder.finish()]);
        if let Some(read) = read {
            read();
        }
        Submission::new(queue, index)
    }
}

/// Commands on their way. Natively one waits for them by polling, in a browser its event loop tells.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    #[cfg(not(target_family = "wasm"))]
    index: wgpu::SubmissionIndex,
    #[cfg(target_family = "wasm")]
    queue: wgpu::Queue,
}

#[cfg(not(target_family = "wasm"))]
impl Submission {
    fn new(_: &wgpu::Queue, index: wgpu::SubmissionIndex) -> Self {
        Self { index }
    }

    async fn wait(self, gpu: &Gpu) {
        let wait = wgpu::PollType::Wait { submission_index: Some(self.index), timeout: None };
        if let Err(error) = gpu.device.poll(wait) {
            lock(&gpu.faults).lost.get_or_insert(GpuError::Lost(error.to_string()));
        }
    }
}

#[cfg(target_family = "wasm")]
impl Submission {
    fn new(queue: &wgpu::Queue, _: wgpu::SubmissionIndex) -> Self {
        Self { queue: queue.clone() }
    }

    /// Waits for this and all that was submitted before the call.
    async fn wait(self, _: &Gpu) {
        let (sender, done) = oneshot::channel();
        self.queue.on_submitted_work_done(move || {
            let _ = sender.send(());
        });
        // Without an answer the device is gone, which `check` tells.
        let _ = done.await;
    }
}

/// A buffer that commands copy back to.
#[derive(Debug)]
pub(super) struct Staging {
    buffer: wgpu::Buffer,
    words: usize,
}

/// Values on their way back.
#[derive(Debug)]
pub(super) struct ReadBack {
    staging: Staging,
    mapped: oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
    submission: Submission,
}

impl ReadBack {
    /// Waits for them.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    pub(super) async fn values(self, gpu: &Gpu) -> Result<Vec<f32>, GpuError> {
        // Natively this runs the callback; in a browser the event loop does.
        #[cfg(not(target_family = "wasm"))]
        self.submission.wait(gpu).await;
        #[cfg(target_family = "wasm")]
        drop(self.submission);
        let mapped = self.mapped.await.map_err(|_| GpuError::Lost("no answer".into()));
        gpu.check()?;
        mapped?.map_err(|_| GpuError::Lost("its results could not be read back".into()))?;
        let Staging { buffer, words } = self.staging;
        let view = buffer
            .get_mapped_range(..4 * words as u64)
            .map_err(|error| GpuError::Validation(error.to_string()))?;
        let values = view.as_chunks::<4>().0.iter().map(|&word| f32::from_le_bytes(word)).collect();
        drop(view);
        buffer.unmap();
        lock(&gpu.staging).push(buffer);
        Ok(values)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
