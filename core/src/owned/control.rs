//! The progress of a step, and requests to stop it.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Shared with the code that watches a step: how much of the step is done, and requests to wait or to end.
#[derive(Debug, Default)]
pub struct Control {
    done: AtomicU64,
    cancelled: AtomicBool,
    paused: AtomicBool,
    /// A step that waits.
    waiting: Mutex<Option<Waker>>,
}

impl Control {
    /// Number of sample visits that the current step has made, in all its sweeps.
    #[must_use]
    pub fn visits(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Asks the engine to end the current step, and any later one, with an error that says so.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Withdraws the request.
    pub fn go_on(&self) {
        self.cancelled.store(false, Ordering::Relaxed);
    }

    /// Whether the step is to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Asks a step that is awaited to wait between two of its micro-batches. The engine on threads does not.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Lets it continue.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::Relaxed);
        self.wake();
    }

    /// Another step begins: none of its visits is made yet.
    pub fn begin(&self) {
        self.done.store(0, Ordering::Relaxed);
    }

    /// Counts `visits` more sample visits.
    pub fn add(&self, visits: u64) {
        self.done.fetch_add(visits, Ordering::Relaxed);
    }

    /// Returns at once, or when a requested pause is over.
    pub async fn wait_while_paused(&self) {
        poll_fn(|context| {
            // Before the look at the flag, so that a call of `resume` in between is not missed.
            *self.waiting() = Some(context.waker().clone());
            let waits = self.paused.load(Ordering::Relaxed) && !self.is_cancelled();
            if waits { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    fn wake(&self) {
        if let Some(waker) = self.waiting().take() {
            waker.wake();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
