//! Adapter, device, and everything that can go wrong with them, as values.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adadagrad_core::network::SweepError;
use futures_channel::oneshot;

use super::cost::Cost;
use super::kernel::{Dispatch, Kernels};
use super::patience::{self, OPENING, Patience};
use super::profile::{Profile, Stopwatch};
use super::variants::Variants;

/// Why the GPU cannot be used, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuError {
    /// There is no adapter, or none of that name.
    NoAdapter(String),
    /// The adapter gave no device. What the driver said of it is no text for a user.
    NoDevice(String),
    /// The device is gone: a driver reset, an unplugged card, a tab in the background.
    Lost(String),
    /// Nothing was heard of the driver for so long that nothing is expected any more.
    Silent {
        /// How long that was.
        seconds: u64,
    },
    /// There is not enough device memory.
    OutOfMemory,
    /// Not even one sample fits the memory that may be used.
    Budget {
        /// Bytes that one sample takes.
        needed: u64,
        /// Bytes that may be used.
        budget: u64,
        /// What takes most of it.
        what: String,
        /// Bytes of that.
        of_it: u64,
    },
    /// A buffer for a single sample is larger than the device allows.
    Binding {
        /// What it is for.
        what: String,
        /// Its bytes.
        needed: u64,
        /// Bytes of the largest that the device allows.
        available: u64,
    },
    /// The device refused a command: a defect of this program, of the driver or of the browser. What was said of
    /// it is no text for a user.
    Validation(String),
    /// It was asked to end.
    Cancelled,
    /// Something that this engine does not do.
    Unsupported(String),
    /// The data set could not be read.
    Data(SweepError),
}

impl fmt::Display for GpuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAdapter(why) => write!(f, "no GPU can be used here: {why}"),
            Self::NoDevice(_) => f.write_str("the GPU's driver refused to open the device"),
            Self::Silent { seconds } => write!(f, "the GPU has not answered for {seconds} seconds"),
            Self::Lost(why) => write!(f, "the GPU was lost: {why}"),
            Self::OutOfMemory => f.write_str("the GPU does not have enough memory"),
            Self::Budget { needed, budget, what, of_it } => write!(
                f,
                "a single sample needs {} MiB of GPU memory ({} MiB of it for {what}), but only {} MiB may be used",
                needed.div_ceil(1 << 20),
                of_it.div_ceil(1 << 20),
                budget >> 20
            ),
            Self::Binding { what, needed, available } => write!(
                f,
                "{what} needs {} MiB of GPU memory in one piece, but this GPU allows {} MiB",
                needed.div_ceil(1 << 20),
                available >> 20
            ),
            Self::Validation(_) => f.write_str("the GPU refused a command"),
            Self::Cancelled => f.write_str("interrupted"),
            Self::Unsupported(what) => write!(f, "the GPU engine does not support this: {what}"),
            Self::Data(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GpuError {}

impl GpuError {
    /// What the driver or the browser said: for a report of the defect, not for a user.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::NoDevice(what) | Self::Validation(what) => Some(what),
            _ => None,
        }
    }
}

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
    work: Arc<Mutex<Work>>,
    patience: Arc<Mutex<Patience>>,
    kernels: Kernels,
    variants: Variants,
    profile: Option<Profile>,
}

/// The number of commands that the host has given to a device so far.
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

/// What the device was given to do since it was opened.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    submitted: Cost,
    /// How much of it is known to be done.
    done: Cost,
}

/// What the driver reported. A device that is lost refuses everything else too, so the loss counts first.
#[derive(Debug, Default)]
struct Faults {
    /// Or silent, which is final too.
    lost: Option<GpuError>,
    /// The first refusal.
    refused: Option<GpuError>,
}

/// All adapters of this machine.
///
/// # Errors
/// When a driver does not answer.
pub async fn adapters() -> Result<Vec<wgpu::Adapter>, GpuError> {
    opening(|| async { instance().enumerate_adapters(wgpu::Backends::PRIMARY).await }).await
}

/// Waits for what a driver may take long to give, or for ever. Natively it does all of that in the call itself.
#[cfg(not(target_family = "wasm"))]
async fn opening<T: Send + 'static, F: Future<Output = T>>(
    open: impl FnOnce() -> F + Send + 'static,
) -> Result<T, GpuError> {
    patience::aside(OPENING, || pollster::block_on(open()))
}

#[cfg(target_family = "wasm")]
async fn opening<T, F: Future<Output = T>>(open: impl FnOnce() -> F) -> Result<T, GpuError> {
    patience::within(OPENING, open()).await
}

fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle())
}

/// Whether an adapter computes on the CPU.
#[must_use]
pub fn is_software(info: &wgpu::AdapterInfo) -> bool {
    info.device_type == wgpu::DeviceType::Cpu
}

/// The adapter that the system prefers for heavy work.
/// Those whose names contain this: at least one.
async fn adapters_named(name: &str) -> Result<Vec<wgpu::Adapter>, GpuError> {
    let wanted = name.to_ascii_lowercase();
    let mut named = adapters().await?;
    named.retain(|adapter| adapter.get_info().name.to_ascii_lowercase().contains(&wanted));
    if named.is_empty() {
        return Err(GpuError::NoAdapter(format!("no adapter's name contains “{name}”")));
    }
    Ok(named)
}

async fn fastest_adapter() -> Result<wgpu::Adapter, GpuError> {
    let request = || async {
        let power_preference = wgpu::PowerPreference::HighPerformance;
        let options = wgpu::RequestAdapterOptions { power_preference, ..Default::default() };
        instance().request_adapter(&options).await
    };
    // What wgpu was compiled with and without is no user's concern.
    let none = |_| GpuError::NoAdapter("Vulkan, Metal and DirectX 12 find no adapter".into());
    opening(request).await?.map_err(none)
}

/// Bytes of the largest buffer that is asked for: shaders count bytes in 32 bits, and drivers have one more.
const LARGEST_BUFFER: u64 = 1 << 31;

async fn request_device(adapter: &wgpu::Adapter) -> Result<(wgpu::Device, wgpu::Queue), GpuError> {
    let adapter = adapter.clone();
    let request = move || async move {
        let required_features = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let label = Some("adadagrad");
        // Large layers need large buffers. All else is what every device grants.
        let granted = adapter.limits();
        let defaults = wgpu::Limits::default();
        let larger = |granted: u64, default: u64| granted.min(LARGEST_BUFFER).max(default);
        let required_limits = wgpu::Limits {
            max_buffer_size: larger(granted.max_buffer_size, defaults.max_buffer_size),
            max_storage_buffer_binding_size: larger(
                granted.max_storage_buffer_binding_size,
                defaults.max_storage_buffer_binding_size,
            ),
            ..defaults
        };
        let descriptor =
            wgpu::DeviceDescriptor { label, required_features, required_limits, ..Default::default() };
        adapter.request_device(&descriptor).await
    };
    opening(request).await?.map_err(|error| GpuError::NoDevice(error.to_string()))
}

/// Why a device was lost, as a part of a sentence: what the driver says, where that is one plain clause.
fn clause(why: &str) -> &str {
    const LONGEST: usize = 120;
    let why = why.trim_end_matches(['.', ' ']);
    let is_plain = why.len() <= LONGEST && !why.contains(['\n', '(', '{', '[', ':', '_', '"', '.']);
    if is_plain && !why.is_empty() { why } else { "its driver gave no readable reason" }
}

impl Gpu {
    /// Opens the adapter whose name contains `name`, or the fastest one.
    ///
    /// # Errors
    /// When there is none, or it gives no device.
    pub async fn open(name: Option<&str>) -> Result<Self, GpuError> {
        let adapter = match name {
            None => fastest_adapter().await?,
            Some(name) => adapters_named(name).await?.swap_remove(0),
        };
        Self::of_adapter(&adapter).await
    }

    /// Opens an adapter for one of several processes of a machine: those whose names contain `name`, or those of the
    /// fastest one's kind, are given to them in turns.
    ///
    /// # Errors
    /// When there is none, or it gives no device.
    pub async fn open_for_rank(name: Option<&str>, local_rank: usize) -> Result<Self, GpuError> {
        let mut candidates = match name {
            None => {
                let fastest = fastest_adapter().await?.get_info();
                let is_like_it = |info: &wgpu::AdapterInfo| {
                    (info.device_type, info.backend) == (fastest.device_type, fastest.backend)
                };
                let mut all = adapters().await?;
                all.retain(|adapter| is_like_it(&adapter.get_info()));
                all
            }
            Some(name) => adapters_named(name).await?,
        };
        if candidates.is_empty() {
            return Self::open(name).await;
        }
        let adapter = candidates.swap_remove(local_rank % candidates.len());
        Self::of_adapter(&adapter).await
    }

    async fn of_adapter(adapter: &wgpu::Adapter) -> Result<Self, GpuError> {
        let (device, queue) = request_device(adapter).await?;
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
            lock(&lost).lost.get_or_insert(GpuError::Lost(clause(&why).into()));
        });
        let info = adapter.get_info();
        Ok(Self {
            device,
            queue,
            variants: Variants::untried(is_software(&info)),
            patience: Arc::new(Mutex::new(Patience::of_adapter(is_software(&info)))),
            work: Arc::default(),
            info,
            faults,
            staging: Arc::default(),
            traffic: Arc::default(),
            kernels: Kernels::default(),
            profile: None,
        })
    }

    /// The compiled shaders.
    pub(super) const fn kernels(&self) -> &Kernels {
        &self.kernels
    }

    /// How many shaders are compiled, each variant of each entry point counted.
    #[doc(hidden)]
    #[must_use]
    pub fn compiled(&self) -> usize {
        self.kernels.len()
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

    /// Sets how long the device may take to answer, instead of [`Patience::of_adapter`].
    pub fn set_patience(&self, patience: Patience) {
        *lock(&self.patience) = patience;
    }

    /// How long to wait for the end of the work up to `due`.
    fn limit(&self, due: Cost) -> Duration {
        let done = lock(&self.work).done;
        let operations = due.operations.saturating_sub(done.operations);
        let bytes = due.bytes.saturating_sub(done.bytes);
        lock(&self.patience).limit(Cost { operations, bytes })
    }

    /// Gives up on a device that does not answer. Dropped, it would be waited for, so it stays open.
    fn give_up(&self, silent: GpuError) {
        if lock(&self.faults).lost.replace(silent).is_none() {
            std::mem::forget((self.device.clone(), self.queue.clone()));
        }
    }

    /// What the adapter reports about itself.
    #[must_use]
    pub const fn info(&self) -> &wgpu::AdapterInfo {
        &self.info
    }

    /// Bytes of the largest storage buffer that can be bound to a shader.
    #[must_use]
    pub fn largest_binding(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// Whether the device was lost, else the first thing that it refused since the last call.
    ///
    /// # Errors
    /// That.
    pub fn check(&self) -> Result<(), GpuError> {
        if lock(&self.faults).refused.is_some() {
            // A loss is only reported once the queue is empty, and a lost device has nothing to wait for.
            let due = lock(&self.work).submitted;
            let timeout = Some(self.limit(due));
            let _ = self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout });
        }
        let Faults { lost, refused } = &mut *lock(&self.faults);
        lost.clone().or_else(|| refused.take()).map_or(Ok(()), Err)
    }

    /// The commands given to the device so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        *lock(&self.traffic)
    }

    /// Destroys the device and its memory: it can no longer be used.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Reports that memory ran out, as a driver would at the next command: for tests.
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
        Commands { gpu: self, encoder, cost: Cost::default(), stopwatch }
    }

    /// Waits until a submission is done.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    pub(super) async fn finished(&self, submission: Submission) -> Result<(), GpuError> {
        self.check()?;
        let due = submission.due;
        self.heard(submission.wait(self).await, due)?;
        self.check()
    }

    /// Notes what is done once the device has answered, or that it has not.
    fn heard<T>(&self, answer: Result<T, GpuError>, due: Cost) -> Result<T, GpuError> {
        match answer {
            Ok(value) => {
                let done = &mut lock(&self.work).done;
                done.operations = done.operations.max(due.operations);
                done.bytes = done.bytes.max(due.bytes);
                Ok(value)
            }
            Err(silent) => {
                self.give_up(silent.clone());
                Err(silent)
            }
        }
    }

    /// Writes bytes to the beginning of a buffer, with zeros behind them to the end of a word.
    pub(super) fn write_bytes(&self, buffer: &wgpu::Buffer, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<4>();
        let whole = words.as_flattened();
        self.queue.write_buffer(buffer, 0, whole);
        if !rest.is_empty() {
            let mut last = [0; 4];
            last[..rest.len()].copy_from_slice(rest);
            self.queue.write_buffer(buffer, whole.len() as u64, &last);
        }
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
    cost: Cost,
    stopwatch: Option<Stopwatch>,
}

impl Commands<'_> {
    /// Dispatches, in order.
    pub(super) fn run<'d>(&mut self, dispatches: impl IntoIterator<Item = &'d Dispatch>) {
        let (mut count, mut cost) = (0, Cost::default());
        let dispatches = dispatches.into_iter().inspect(|dispatch| {
            count += 1;
            cost += dispatch.cost();
        });
        if let Some(stopwatch) = &mut self.stopwatch {
            dispatches.for_each(|dispatch| stopwatch.run(&mut self.encoder, dispatch));
        } else {
            let mut pass = self.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            dispatches.for_each(|dispatch| dispatch.record(&mut pass));
        }
        lock(&self.gpu.traffic).dispatches += count;
        self.cost += cost;
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
        let due = {
            let mut work = lock(&self.gpu.work);
            work.submitted += self.cost;
            work.submitted
        };
        Submission::new(queue, index, due)
    }
}

/// Commands on their way. Natively one waits for them by polling, in a browser its event loop tells.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    /// The device's work up to its end.
    due: Cost,
    #[cfg(not(target_family = "wasm"))]
    index: wgpu::SubmissionIndex,
    #[cfg(target_family = "wasm")]
    queue: wgpu::Queue,
}

#[cfg(not(target_family = "wasm"))]
impl Submission {
    fn new(_: &wgpu::Queue, index: wgpu::SubmissionIndex, due: Cost) -> Self {
        Self { due, index }
    }

    /// Waits for it, or until nothing is expected of the device any more.
    async fn wait(self, gpu: &Gpu) -> Result<(), GpuError> {
        let wait = |tick| {
            let submission_index = Some(self.index.clone());
            match gpu.device.poll(wgpu::PollType::Wait { submission_index, timeout: Some(tick) }) {
                Err(wgpu::PollError::Timeout) => None,
                Err(_) => {
                    let lost = GpuError::Lost("its driver no longer reports on the submitted work".into());
                    lock(&gpu.faults).lost.get_or_insert(lost);
                    Some(())
                }
                Ok(_) => Some(()),
            }
        };
        patience::tick_by_tick(gpu.limit(self.due), wait)
    }
}

#[cfg(target_family = "wasm")]
impl Submission {
    fn new(queue: &wgpu::Queue, _: wgpu::SubmissionIndex, due: Cost) -> Self {
        Self { due, queue: queue.clone() }
    }

    /// Waits for this and all that was submitted before the call, or until nothing is expected of the device any more.
    async fn wait(self, gpu: &Gpu) -> Result<(), GpuError> {
        let (sender, done) = oneshot::channel();
        self.queue.on_submitted_work_done(move || {
            let _ = sender.send(());
        });
        // Without an answer the device is gone, which `check` tells.
        patience::within(gpu.limit(self.due), done).await.map(|_| ())
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
        gpu.check()?;
        let due = self.submission.due;
        // Natively waiting runs the callback; in a browser the event loop does.
        #[cfg(not(target_family = "wasm"))]
        let mapped = {
            gpu.heard(self.submission.wait(gpu).await, due)?;
            self.mapped.await
        };
        #[cfg(target_family = "wasm")]
        let mapped = {
            drop(self.submission);
            gpu.heard(patience::within(gpu.limit(due), self.mapped).await, due)?
        };
        gpu.check()?;
        mapped
            .map_err(|_| GpuError::Lost("it returned no results".into()))?
            .map_err(|_| GpuError::Lost("its results could not be read back".into()))?;
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
