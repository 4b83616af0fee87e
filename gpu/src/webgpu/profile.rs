//! Time by kernel, from the device's own clock.
//!
//! Each dispatch becomes a separate compute pass, with a timestamp before and after it. Without a profile, none of this
//! happens, and there is no overhead.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::cost::Cost;
use super::kernel::Dispatch;

/// What one kernel took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KernelTime {
    /// Its entry point.
    pub kernel: String,
    /// Dispatches.
    pub calls: u64,
    /// Their time on the device.
    pub seconds: f64,
    /// What they computed and moved.
    #[serde(flatten)]
    pub cost: Cost,
}

impl KernelTime {
    /// Billions of operations per second.
    #[must_use]
    pub fn gflops(&self) -> f64 {
        self.cost.operations as f64 / self.seconds / 1e9
    }

    /// Billions of bytes per second.
    #[must_use]
    pub fn gbytes(&self) -> f64 {
        self.cost.bytes as f64 / self.seconds / 1e9
    }
}

/// Times by kernel, summed up as they come back from the device. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    times: Arc<Mutex<BTreeMap<&'static str, KernelTime>>>,
}

impl Profile {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, KernelTime>> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kernels so far, the one that took longest first.
    #[must_use]
    pub fn times(&self) -> Vec<KernelTime> {
        let mut times: Vec<_> = self.lock().values().cloned().collect();
        times.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        times
    }

    /// Clears the measurements.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn add(&self, kernel: &'static str, cost: Cost, seconds: f64) {
        let mut times = self.lock();
        let time =
            times.entry(kernel).or_insert_with(|| KernelTime { kernel: kernel.into(), ..Default::default() });
        time.calls += 1;
        time.seconds += seconds;
        time.cost += cost;
    }
}

/// Dispatches that one query set times.
const DISPATCHES: u32 = 512;
const BYTES: u64 = wgpu::QUERY_SIZE as u64;

/// Measures the dispatches of one list of commands.
#[derive(Debug)]
pub(super) struct Stopwatch {
    device: wgpu::Device,
    profile: Profile,
    /// Seconds of a tick.
    tick: f64,
    sheets: Vec<Sheet>,
}

/// A query set and what it times.
#[derive(Debug)]
struct Sheet {
    queries: wgpu::QuerySet,
    dispatches: Vec<(&'static str, Cost)>,
}

impl Stopwatch {
    pub(super) fn new(device: &wgpu::Device, queue: &wgpu::Queue, profile: &Profile) -> Self {
        let tick = f64::from(queue.get_timestamp_period()) * 1e-9;
        Self { device: device.clone(), profile: profile.clone(), tick, sheets: Vec::new() }
    }

    /// Records a dispatch between two timestamps.
    pub(super) fn run(&mut self, encoder: &mut wgpu::CommandEncoder, dispatch: &Dispatch) {
        let is_full = |sheet: &Sheet| sheet.dispatches.len() >= DISPATCHES as usize;
        if self.sheets.last().is_none_or(is_full) {
            let queries = self.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * DISPATCHES,
            });
            self.sheets.push(Sheet { queries, dispatches: Vec::new() });
        }
        let Some(sheet) = self.sheets.last_mut() else { return };
        let first = 2 * u32::try_from(sheet.dispatches.len()).unwrap_or(0);
        sheet.dispatches.push((dispatch.entry(), dispatch.cost()));
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some(dispatch.entry()),
            timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                query_set: &sheet.queries,
                beginning_of_pass_write_index: Some(first),
                end_of_pass_write_index: Some(first + 1),
            }),
        });
        dispatch.record(&mut pass);
    }

    /// Records the copies that bring the timestamps back, and says how to read them once they are submitted.
    pub(super) fn finish(self, encoder: &mut wgpu::CommandEncoder) -> impl FnOnce() + use<> {
        use wgpu::BufferUsages as Usage;
        let Self { device, profile, tick, sheets } = self;
        let buffer = |size, usage| {
            let label = Some("timestamps");
            device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false })
        };
        let mut pages = Vec::new();
        for Sheet { queries, dispatches } in sheets {
            let count = 2 * u32::try_from(dispatches.len()).unwrap_or(0);
            let size = BYTES * u64::from(count);
            let resolved = buffer(size, Usage::QUERY_RESOLVE | Usage::COPY_SRC);
            let page = buffer(size, Usage::MAP_READ | Usage::COPY_DST);
            encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, &page, 0, size);
            pages.push((page, dispatches));
        }
        move || {
            for (page, dispatches) in pages {
                let (mapped, profile) = (page.clone(), profile.clone());
                page.map_async(wgpu::MapMode::Read, .., move |result| {
                    // What a lost device measured is lost as well.
                    let Ok(view) =
                        result.map_err(drop).and_then(|()| mapped.get_mapped_range(..).map_err(drop))
                    else {
                        return;
                    };
                    let stamps: Vec<u64> =
                        view.as_chunks::<8>().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect();
                    for ([begin, end], (kernel, cost)) in stamps.as_chunks::<2>().0.iter().zip(dispatches) {
                        profile.add(kernel, cost, end.saturating_sub(*begin) as f64 * tick);
                    }
                });
            }
        }
    }
}
