//! How far a run is, while it runs.
//!
//! On a terminal a thread of its own redraws a bar, so that it moves inside a step too; elsewhere there is a
//! line each time accuracy is measured.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use adadagrad_core::config::RunConfig;
use adadagrad_core::owned::Control;
use adadagrad_core::training::Progress;
use adadagrad_gpu::telemetry::Line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::numbers::{duration, grouped, percent, rounded};
use crate::output;

const REDRAW: Duration = Duration::from_millis(100);

/// Tells the user how far the run is.
pub(crate) struct Display {
    kind: Kind,
    state: Arc<Mutex<State>>,
}

enum Kind {
    Quiet,
    Lines,
    Bar { stop: Arc<AtomicBool>, thread: Option<JoinHandle<()>> },
}

/// What there is to tell.
#[derive(Clone, Copy)]
struct State {
    begin: Instant,
    /// Samples seen before this program went on with the run.
    before: u64,
    budget: u64,
    progress: Progress<f64>,
    /// Sweeps over the batch in each step.
    sweeps: u64,
    loss: Option<f64>,
    accuracy: Option<f64>,
}

impl State {
    /// Samples seen, with the share of the step under way.
    fn samples(&self, visits: u64) -> u64 {
        let inside = (visits / self.sweeps).min(u64::from(self.progress.next_batch));
        let is_running = self.progress.samples_seen < self.budget;
        self.progress.samples_seen + if is_running { inside } else { 0 }
    }

    fn samples_per_second(&self, samples: u64) -> f64 {
        let seconds = self.begin.elapsed().as_secs_f64().max(1e-3);
        // Far below 2^53.
        #[allow(clippy::cast_precision_loss)]
        let images = samples.saturating_sub(self.before) as f64;
        images / seconds
    }

    fn message(&self, samples: u64) -> String {
        let speed = self.samples_per_second(samples);
        #[allow(clippy::cast_precision_loss)]
        let left = self.budget.saturating_sub(samples) as f64 / speed;
        let left = Duration::try_from_secs_f64(left).map_or_else(|_| "–".to_owned(), duration);
        let loss = self.loss.map_or_else(|| "–".to_owned(), |loss| format!("{loss:.4}"));
        let accuracy = self.accuracy.map_or_else(|| "–".to_owned(), percent);
        format!(
            "step {} · batch {} · loss {loss} · accuracy {accuracy} · {} samples/s · {left} left",
            grouped(self.progress.steps + 1),
            grouped(self.progress.next_batch.into()),
            rounded(speed),
        )
    }
}

impl Display {
    /// Begins with where the run stands.
    pub(crate) fn new(
        quiet: bool,
        config: &RunConfig,
        progress: &Progress<f64>,
        sweeps: u64,
        control: &Arc<Control>,
    ) -> Self {
        let state = Arc::new(Mutex::new(State {
            begin: Instant::now(),
            before: progress.samples_seen,
            budget: config.sample_budget,
            progress: *progress,
            sweeps,
            loss: None,
            accuracy: None,
        }));
        let kind = if quiet {
            Kind::Quiet
        } else if is_drawable() {
            bar(&state, control)
        } else {
            Kind::Lines
        };
        Self { kind, state }
    }

    /// A step was made.
    pub(crate) fn step(&self, line: &Line, progress: &Progress<f64>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.progress = *progress;
        state.loss = Some(line.telemetry.loss);
        state.accuracy = line.accuracy.or(state.accuracy);
        if let (Kind::Lines, Some(accuracy)) = (&self.kind, line.accuracy) {
            let samples = progress.samples_seen;
            output::message(format_args!(
                "step {}: {} samples, batch {}, loss {:.4}, accuracy {}, {} samples/s",
                grouped(line.telemetry.step),
                grouped(samples),
                grouped(line.telemetry.samples.into()),
                line.telemetry.loss,
                percent(accuracy),
                rounded(state.samples_per_second(samples)),
            ));
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Kind::Bar { stop, thread } = &mut self.kind {
            stop.store(true, Ordering::Relaxed);
            if let Some(thread) = thread.take() {
                thread.thread().unpark();
                // It only draws; what it did not draw is no loss.
                let _ = thread.join();
            }
        }
    }
}

/// Whether a bar would be seen: not where standard error is no terminal, or one that cannot redraw a line
/// (`TERM=dumb`).
fn is_drawable() -> bool {
    stderr().is_terminal() && !ProgressDrawTarget::stderr().is_hidden()
}

/// The bar, and the thread that redraws it.
fn bar(state: &Arc<Mutex<State>>, control: &Arc<Control>) -> Kind {
    let stop = Arc::new(AtomicBool::new(false));
    let (state, control, stopped) = (Arc::clone(state), Arc::clone(control), Arc::clone(&stop));
    let draw = move || {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {percent:>3} % {wide_msg}") {
            bar.set_style(style.progress_chars("━╸ "));
        }
        while !stopped.load(Ordering::Relaxed) {
            // The lock outlives the reading of the visits, so that a step is not counted twice.
            let (state, samples) = {
                let state = state.lock().unwrap_or_else(PoisonError::into_inner);
                (*state, state.samples(control.visits()))
            };
            bar.set_length(state.budget);
            bar.set_position(samples.min(state.budget));
            bar.set_message(state.message(samples));
            thread::park_timeout(REDRAW);
        }
        bar.finish_and_clear();
    };
    match thread::Builder::new().name("progress".to_owned()).spawn(draw) {
        Ok(thread) => Kind::Bar { stop, thread: Some(thread) },
        Err(_) => Kind::Lines,
    }
}
