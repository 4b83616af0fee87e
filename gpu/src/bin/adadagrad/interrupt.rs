//! Signals that ask a run to end. It ends with a checkpoint, and the exit code names the signal.

use std::error::Error;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use adadagrad_core::owned::Control;

use crate::output;

/// Of Ctrl-C, with the same number on every system.
const SIGINT: u8 = 2;
/// Of a request to end, the same.
const SIGTERM: u8 = 15;
/// Programs that run others, such as `timeout`, send them the same signal twice in a row. A person takes longer.
const SAME: Duration = Duration::from_millis(500);

/// The first signal that came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupts(Arc<AtomicU8>);

impl Interrupts {
    /// The exit code of a program that the signal has ended: 128 and the signal's number. Where none came, it was another
    /// rank that was asked to end.
    pub(crate) fn exit_code(&self) -> u8 {
        let signal = self.0.load(Ordering::Relaxed);
        128 + if signal == 0 { SIGTERM } else { signal }
    }

    /// What a signal does: the first cancels the engine's step, a second Ctrl-C quits at once.
    fn handler(
        &self,
        control: Arc<Control>,
        [doing, instead]: [&'static str; 2],
    ) -> impl FnMut(u8) + Send + 'static {
        let received = Arc::clone(&self.0);
        let mut first: Option<Instant> = None;
        move |signal| match first {
            None => {
                first = Some(Instant::now());
                received.store(signal, Ordering::Relaxed);
                control.cancel();
                if signal == SIGINT {
                    output::message(format_args!(
                        "\nInterrupted: {doing}. Press Ctrl-C again to quit at once {instead}."
                    ));
                } else {
                    output::message(format_args!("Received signal {signal}: {doing}."));
                }
            }
            Some(first) if signal == SIGINT && first.elapsed() >= SAME => {
                process::exit((128 + SIGINT).into());
            }
            Some(_) => {}
        }
    }
}

/// From now on SIGINT (Ctrl-C), SIGTERM, SIGHUP (the terminal is closed), SIGXCPU (the processor time that `ulimit -t` or a
/// batch system grants is used up), SIGUSR1 and SIGUSR2 (which batch systems send before they end a job) cancel the engine's step, unless they were ignored when the
/// program was started, as `nohup` does with SIGHUP and a shell script with SIGINT. `doing`: what then happens, and how a
/// second Ctrl-C ends instead.
#[cfg(unix)]
pub(crate) fn listen(control: Arc<Control>, doing: [&'static str; 2]) -> Result<Interrupts, Box<dyn Error>> {
    use signal_hook::consts::{SIGHUP, SIGTERM};
    use signal_hook::iterator::Signals;

    let interrupts = Interrupts::default();
    let mut handle = interrupts.handler(control, doing);
    let all = [SIGINT.into(), SIGTERM, SIGHUP, libc::SIGXCPU, libc::SIGUSR1, libc::SIGUSR2];
    let taken = all.into_iter().filter(|&signal| !is_ignored(signal));
    let mut signals = Signals::new(taken)?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        signals.forever().for_each(|signal| handle(u8::try_from(signal).unwrap_or_default()));
    })?;
    Ok(interrupts)
}

/// From now on Ctrl-C, and the end of the console or the session, cancel the engine's step.
#[cfg(not(unix))]
pub(crate) fn listen(control: Arc<Control>, doing: [&'static str; 2]) -> Result<Interrupts, Box<dyn Error>> {
    let interrupts = Interrupts::default();
    let mut handle = interrupts.handler(control, doing);
    ctrlc::set_handler(move || handle(SIGINT))?;
    Ok(interrupts)
}

/// Whether a signal was ignored when the program was started. Only Linux says so; elsewhere SIGHUP is left as it is,
/// so that `nohup` works.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    match mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        Some(mask) => mask >> (signal - 1) & 1 == 1,
        None => signal == signal_hook::consts::SIGHUP,
    }
}

/// Writing beyond a limit on the size of files (`ulimit -f`) becomes an error of that write. By default the signal
/// ends the program.
#[cfg(unix)]
pub(crate) fn survive_file_size_limits() {
    // Without it the default stays.
    let _ = signal_hook::flag::register(libc::SIGXFSZ, Arc::default());
}

#[cfg(not(unix))]
pub(crate) fn survive_file_size_limits() {}
