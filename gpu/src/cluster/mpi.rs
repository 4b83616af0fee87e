//! Messages between the ranks of an MPI job.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use adadagrad_core::owned::Control;
use adadagrad_core::owned::cluster::{Collective, CollectiveError};
use mpi::Threading;
use mpi::request;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Source};

use super::launch::Launch;

/// Runs a program within the job that `mpirun` has started: joins it, and leaves it at the end, which waits for the other
/// ranks. A panic ends all ranks at once, with exit code 101: `last_words` is called before.
///
/// # Errors
/// When MPI cannot be used, or knows of another number of processes than the launcher, which belongs to another MPI library;
/// then the program has not run.
pub fn within_job<T>(
    launch: &Launch,
    program: impl FnOnce() -> T,
    last_words: impl FnOnce(),
) -> Result<T, String> {
    // Several threads compute, but one at a time exchanges messages. Kept until the end: dropped by a panic, it would wait
    // for the others.
    let (_universe, threading) = mpi::initialize_with_threading(Threading::Serialized)
        .ok_or_else(|| "MPI was started already".to_owned())?;
    if threading < Threading::Serialized {
        return Err("this MPI library does not work with threads".to_owned());
    }
    let known = number(SimpleCommunicator::world().size());
    if known != launch.size {
        return Err(format!(
            "the launcher has started {} processes, but {}, which this program was built with, knows of {known}, so each would \
             train alone: start it with the mpirun of that library",
            launch.size,
            library()
        ));
    }
    catch_unwind(AssertUnwindSafe(program)).map_err(|_| {
        last_words();
        SimpleCommunicator::world().abort(PANICKED)
    })
}

/// Name and version of the MPI library.
fn library() -> String {
    let text = mpi::environment::library_version().unwrap_or_default();
    let name = text.split([',', '\n', '\0']).next().unwrap_or_default().trim();
    if name.is_empty() { "the MPI library".to_owned() } else { name.to_owned() }
}

/// MPI counts in signed numbers.
fn number(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// The exit code of a Rust program that has panicked.
const PANICKED: i32 = 101;

/// A message is sent in pieces of at most this many bytes: MPI counts with 32 bits.
const PIECE: usize = 1 << 30;
/// A rank that waits looks again at once for so long: messages take no longer, and what others compute does.
const AWAKE: Duration = Duration::from_millis(5);
/// Then it leaves the processor to others for so long each time.
const ASLEEP: Duration = Duration::from_micros(100);
/// The launcher ends a job of which a rank is gone with a signal, and kills it a second later. So soon after a signal
/// without an answer, there may be no answer.
const NO_ANSWER: Duration = Duration::from_millis(400);

impl std::fmt::Debug for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Messages of rank {} of {}", self.rank, self.size)
    }
}

/// The messages between the ranks of the job, for a program [`within_job`].
pub struct Messages {
    rank: usize,
    size: usize,
    control: Arc<Control>,
    /// What to do once when a signal has come and the others do not answer.
    no_answer: fn(),
    has_told: bool,
}

impl Messages {
    /// Of a run under this control. `no_answer` is called, at most once, when the run was cancelled and other ranks do not
    /// answer: the launcher may be about to kill this process. `None` outside of a job.
    #[must_use]
    pub fn new(control: Arc<Control>, no_answer: fn()) -> Option<Self> {
        if !mpi::environment::is_initialized() {
            return None;
        }
        let world = SimpleCommunicator::world();
        let (rank, size) = (number(world.rank()), number(world.size()));
        Some(Self { rank, size, control, no_answer, has_told: false })
    }
}

impl Collective for Messages {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(&mut self, messages: &[&[u8]], received: &mut [Vec<u8>]) -> Result<(), CollectiveError> {
        let rank = self.rank;
        let [expected, found] = [received[rank].len(), messages[rank].len()];
        if expected != found {
            return Err(CollectiveError::Length { rank, expected, found });
        }
        received[rank].copy_from_slice(messages[rank]);
        let world = SimpleCommunicator::world();
        let process = |other: usize| world.process_at_rank(i32::try_from(other).unwrap_or_default());
        request::scope(|scope| {
            let mut under_way = Vec::new();
            for (other, message) in received.iter_mut().enumerate().filter(|&(other, _)| other != rank) {
                for piece in message.chunks_mut(PIECE) {
                    under_way.push(process(other).immediate_receive_into(scope, piece));
                }
            }
            // Not all to the first one at a time.
            for other in (rank + 1..self.size).chain(0..rank) {
                for piece in messages[other].chunks(PIECE) {
                    under_way.push(process(other).immediate_send(scope, piece));
                }
            }
            let begun = Instant::now();
            let mut cancelled = None;
            loop {
                under_way = under_way.into_iter().filter_map(|request| request.test().err()).collect();
                if under_way.is_empty() {
                    return;
                }
                if begun.elapsed() < AWAKE {
                    thread::yield_now();
                } else {
                    thread::sleep(ASLEEP);
                }
                if !self.has_told && self.control.is_cancelled() {
                    let since = cancelled.get_or_insert_with(Instant::now);
                    if since.elapsed() > NO_ANSWER {
                        self.has_told = true;
                        (self.no_answer)();
                    }
                }
            }
        });
        Ok(())
    }
}
