//! How long a GPU may not answer before it is given up: every wait for a GPU goes through this file.
//!
//! A driver or browser that hangs does not answer: a device is never opened, a submission never finishes, a buffer is
//! never mapped. A run must not hang with it. The limits are far above any honest wait, because a GPU that is given up
//! does not come back in the same run:
//!
//! - A driver that is loaded for the first time takes seconds to open: a minute each for adapter and device.
//! - An answer may have to wait for kernels to be compiled and for the work that was submitted before it: 30 seconds,
//!   and in addition the time that the work takes at a fifth of the slowest rate seen.
//! - A software adapter compiles and computes on the processor, which other programs may keep busy: next to compilers
//!   and other tests lavapipe took more than 30 seconds for what takes it 2 alone. It gets 5 minutes.
//!
//! Time is counted in ticks of at most a second, each as no more than it was meant to last. So a laptop that
//! sleeps, a process that is stopped or a tab that the browser freezes loses one tick, not its GPU.

use std::iter;
use std::time::Duration;

use super::cost::Cost;
use super::device::GpuError;

/// How long an adapter or a device may take to be opened.
pub(super) const OPENING: Duration = Duration::from_secs(60);
/// How long an answer of hardware may take that waits for no work.
const HARDWARE_ANSWER: Duration = Duration::from_secs(30);
/// The same for a software adapter.
const SOFTWARE_ANSWER: Duration = Duration::from_secs(300);
/// Operations per second, and bytes per second: a fifth of what lavapipe and SwiftShader make on two shared cores.
const SLOWEST_SOFTWARE: u64 = 200_000_000;
/// The same for hardware. It also lets software adapters pass that do not say what they are.
const SLOWEST_HARDWARE: u64 = 1_000_000_000;
/// Longest tick.
const TICK: Duration = Duration::from_secs(1);

/// How long a device may take to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For an answer that waits for no work. Zero: nothing is waited for at all.
    pub answer: Duration,
    /// Operations, and bytes moved, per second of further patience.
    pub rate: u64,
}

impl Patience {
    /// The default for an adapter.
    #[must_use]
    pub const fn of_adapter(is_software: bool) -> Self {
        if is_software {
            Self { answer: SOFTWARE_ANSWER, rate: SLOWEST_SOFTWARE }
        } else {
            Self { answer: HARDWARE_ANSWER, rate: SLOWEST_HARDWARE }
        }
    }

    /// How long to wait for the end of this work.
    #[must_use]
    pub fn limit(self, work: Cost) -> Duration {
        if self.answer.is_zero() {
            return Duration::ZERO;
        }
        self.answer + Duration::from_secs(work.operations.max(work.bytes) / self.rate.max(1))
    }
}

/// The ticks that add up to a limit.
fn ticks(limit: Duration) -> impl Iterator<Item = Duration> {
    let mut left = limit;
    iter::from_fn(move || {
        let tick = left.min(TICK);
        left -= tick;
        (!tick.is_zero()).then_some(tick)
    })
}

/// That nothing came within the limit.
pub(super) const fn silent(limit: Duration) -> GpuError {
    GpuError::Silent { seconds: limit.as_secs() }
}

/// Waits tick by tick until `wait` gives something. A driver's own waits take such a tick.
///
/// # Errors
/// When nothing came within the limit.
#[cfg(not(target_family = "wasm"))]
pub(super) fn tick_by_tick<T>(
    limit: Duration,
    wait: impl FnMut(Duration) -> Option<T>,
) -> Result<T, GpuError> {
    ticks(limit).find_map(wait).ok_or_else(|| silent(limit))
}

/// Does what a driver may never return from on a thread of its own, which is left behind if it does not.
///
/// # Errors
/// When it did not return within the limit, or there is no thread to be had.
#[cfg(not(target_family = "wasm"))]
pub(super) fn aside<T: Send + 'static>(
    limit: Duration,
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, GpuError> {
    use std::sync::mpsc::{RecvTimeoutError, channel};

    let (sender, receiver) = channel();
    let acts = move || {
        // The receiver may have given up.
        let _ = sender.send(act());
    };
    let started = std::thread::Builder::new().name("gpu-opening".into()).spawn(acts);
    started.map_err(|error| GpuError::NoDevice(format!("no thread could be started: {error}")))?;
    let wait = |tick| match receiver.recv_timeout(tick) {
        Ok(value) => Some(Ok(value)),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Err(GpuError::NoDevice("its driver crashed".into()))),
    };
    tick_by_tick(limit, wait)?
}

/// What a promise of the browser gives.
///
/// # Errors
/// When it gave nothing within the limit.
#[cfg(target_family = "wasm")]
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = T>) -> Result<T, GpuError> {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use gloo_timers::future::sleep;

    let mut answer = pin!(answer);
    for tick in ticks(limit) {
        let mut tick = pin!(sleep(tick));
        let answered = poll_fn(|context| match answer.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => tick.as_mut().poll(context).map(|()| None),
        });
        if let Some(value) = answered.await {
            return Ok(value);
        }
    }
    Err(silent(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_add_up_to_the_limit_and_none_is_longer_than_a_second() {
        for limit in [0, 1, 999, 1000, 1001, 30_500].map(Duration::from_millis) {
            assert_eq!(ticks(limit).sum::<Duration>(), limit);
            assert!(ticks(limit).all(|tick| tick <= TICK));
        }
    }

    #[test]
    fn limits_grow_with_the_work() {
        let patience = Patience::of_adapter(true);
        assert_eq!(patience.limit(Cost::default()), SOFTWARE_ANSWER);
        let work = Cost { operations: 10 * SLOWEST_SOFTWARE, bytes: 3 };
        assert_eq!(patience.limit(work), SOFTWARE_ANSWER + Duration::from_secs(10));
        assert!(Patience::of_adapter(false).limit(work) < patience.limit(work));
        assert_eq!(Patience { answer: Duration::ZERO, ..patience }.limit(work), Duration::ZERO);
    }

    #[test]
    #[cfg(not(target_family = "wasm"))]
    fn a_driver_that_does_not_return_is_left_behind() {
        let (_held, never) = std::sync::mpsc::channel::<()>();
        let limit = Duration::from_millis(1);
        assert_eq!(aside(limit, move || never.recv()), Err(silent(limit)));
        assert_eq!(aside(OPENING, || 7), Ok(7));
    }
}
