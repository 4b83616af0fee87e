//! This program as one of several that `mpirun` has started. The first rank alone shows and writes anything.

use std::error::Error;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use adadagrad_gpu::cluster::{self, Common, Launch, launched};

use crate::output;
use crate::resume_command::ResumeCommand;
use crate::usage::Usage;

/// What the launcher has said.
fn launch() -> Option<&'static Launch> {
    static LAUNCH: OnceLock<Option<Launch>> = OnceLock::new();
    LAUNCH.get_or_init(launched).as_ref()
}

/// Whether this rank shows and writes: the first, and a program that was started alone.
pub(crate) fn is_first() -> bool {
    launch().is_none_or(|launch| launch.rank == 0)
}

/// Number of ranks.
pub(crate) fn ranks() -> usize {
    launch().map_or(1, |launch| launch.size)
}

/// Number of those on this machine.
pub(crate) fn ranks_of_machine() -> usize {
    launch().map_or(1, |launch| launch.local_size)
}

/// This rank among those on this machine, where a launcher has started it.
pub(crate) fn local_rank() -> Option<usize> {
    launch().map(|launch| launch.local_rank)
}

/// Threads of this rank, where a launcher has started it.
pub(crate) fn threads() -> Option<NonZero<usize>> {
    launch().map(Launch::threads)
}

/// The last checkpoint, and how to go on from one.
static LAST: Mutex<Option<(PathBuf, Vec<u8>)>> = Mutex::new(None);

/// A checkpoint was written while the run goes on.
pub(crate) fn saved(file: &Path, resume: &ResumeCommand) {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some((file.to_owned(), resume.text(file)));
}

/// Says where the run was saved last, when this may be the last that it can say.
#[cfg_attr(not(feature = "mpi"), allow(dead_code))]
fn last_words(what: &str) {
    let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        None => output::message(format_args!("{what} No checkpoint was saved.")),
        Some((file, resume)) => {
            let continue_with = [b"Continue with: ", resume.as_slice()].concat();
            output::raw_message(&continue_with);
            output::message(format_args!("{what} The last checkpoint is {}.", file.display()));
        }
    }
}

/// Ends a process that cannot be one of several.
fn refused(launch: &Launch, error: String) -> ExitCode {
    output::error(error);
    // The others say nothing, and the launcher must not end the first before it has spoken.
    if launch.rank == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Why a program without MPI cannot be one of several that a launcher has started.
#[cfg(any(test, not(feature = "mpi")))]
fn without_mpi(launch: &Launch) -> Option<String> {
    (launch.size > 1).then(|| {
        format!(
            "this program was started {} times by a launcher such as mpirun, but was built without MPI, so each would train \
             alone: build it with --features mpi, or start it once",
            launch.size
        )
    })
}

#[cfg(not(feature = "mpi"))]
mod messages {
    use adadagrad_core::owned::Control;
    use adadagrad_core::owned::cluster::Collective;

    use super::{Arc, ExitCode, launch, refused, without_mpi};

    /// There are none.
    pub(crate) fn collective(_: &Arc<Control>) -> Option<Box<dyn Collective>> {
        None
    }

    /// Runs the program, unless several were started that would not know of each other.
    pub(crate) fn within(program: impl FnOnce() -> ExitCode) -> ExitCode {
        match launch().and_then(|launch| Some((launch, without_mpi(launch)?))) {
            Some((launch, error)) => refused(launch, error),
            None => program(),
        }
    }
}

#[cfg(feature = "mpi")]
mod messages {
    use adadagrad_core::owned::Control;
    use adadagrad_core::owned::cluster::Collective;
    use adadagrad_gpu::cluster::{Messages, within_job};

    use super::{Arc, ExitCode, last_words, launch, refused};

    /// Runs the program within the job, if there is one. A panic ends all of its ranks.
    pub(crate) fn within(program: impl FnOnce() -> ExitCode) -> ExitCode {
        let Some(launch) = launch() else { return program() };
        let last_words = || last_words("This program has panicked, which is a bug.");
        within_job(launch, program, last_words).unwrap_or_else(|error| refused(launch, error))
    }

    /// The messages between the ranks, where a launcher has started them.
    pub(crate) fn collective(control: &Arc<Control>) -> Option<Box<dyn Collective>> {
        let messages = Messages::new(Arc::clone(control), || last_words("The other ranks do not answer."))?;
        Some(Box::new(messages))
    }
}

pub(crate) use messages::{collective, within};

/// Waits until all ranks are ready and have the same before them: what is `ready`, or why the run cannot begin, which is the
/// same on all ranks.
pub(crate) fn agree<T>(
    ready: Result<T, Box<dyn Error>>,
    common: impl FnOnce(&mut T) -> Result<Common, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let Some(mut collective) = collective(&Arc::default()) else { return ready };
    let is_usage = ready.as_ref().is_err_and(|error| error.is::<Usage>());
    let mut ready = ready.map_err(|error| error.to_string());
    let own = match &mut ready {
        Ok(ready) => common(ready).map_err(|error| error.to_string()),
        Err(error) => Err(error.clone()),
    };
    let agreed = cluster::agree(&mut *collective, own);
    if is_usage {
        // All ranks have the same settings: what is wrong with them is so on each.
        agreed.map_err(|error| Usage(error.to_string()))?;
    } else {
        agreed?;
    }
    Ok(ready?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_mpi_a_program_is_alone() {
        let one_of = |size| without_mpi(&Launch { rank: 0, size, local_size: size, local_rank: 0 });
        assert_eq!(one_of(1), None);
        assert!(
            one_of(2).is_some_and(|error| error.contains("started 2 times") && error.contains("without MPI"))
        );
    }
}
