//! Ctrl-C: once to end the run with a checkpoint, twice to quit at once.

use std::error::Error;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adadagrad_gpu::engine::Control;

/// The exit code of a program that Ctrl-C has ended: 128 + SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// From now on Ctrl-C (or a request to terminate) cancels the engine's step.
pub(crate) fn listen(control: Arc<Control>) -> Result<(), Box<dyn Error>> {
    let before = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if before.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED.into());
        }
        control.cancel();
        eprintln!("\nInterrupted: saving a checkpoint. Once more to quit at once, without it.");
    })?;
    Ok(())
}
