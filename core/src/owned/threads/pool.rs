//! Persistent threads that compute numbered jobs, and one caller that takes the results in order.

use std::any::Any;
use std::borrow::ToOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::format;
use std::hint;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::String;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::vec::Vec;

use crossbeam_channel::{Receiver, RecvError, Sender, TryRecvError, unbounded};

use super::available::available_threads;

/// How long a thread looks out for more before it sleeps: a sleeping one takes as long to wake as a step of a small
/// batch, and between two sweeps there is no more than the work on a step's parameters.
const AWAKE: Duration = Duration::from_micros(300);

/// One thread's share of the work, with the memory it keeps from job to job.
pub(super) trait Worker: Send + 'static {
    /// What is to be done.
    type Job: Send + 'static;
    /// What comes of it.
    type Output: Send + 'static;

    /// Does a job.
    fn work(&mut self, job: Self::Job) -> Self::Output;
}

/// Where jobs come from and results go to. Both happen on the caller's thread.
pub(super) trait InOrder<W: Worker> {
    /// Why it ends early.
    type Error: From<PoolError>;

    /// Job `index`. Asked for in ascending order.
    fn job(&mut self, index: u32) -> Result<W::Job, Self::Error>;

    /// The result of the next job. Given in ascending order, whatever order they were finished in.
    fn take(&mut self, output: W::Output) -> Result<(), Self::Error>;
}

/// Why the threads gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolError {
    /// A worker panicked; what it said.
    Panicked(String),
    /// The threads have ended.
    Gone,
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => {
                write!(f, "a worker thread panicked, which is a bug in this program: {message}")
            }
            Self::Gone => f.write_str("the worker threads have ended"),
        }
    }
}

impl std::error::Error for PoolError {}

/// A job and its number.
type Numbered<J> = (u32, J);

/// A finished job: its number and what came of it.
type Finished<O> = Numbered<Result<O, PoolError>>;

/// The threads. The caller's own is one of them: it takes results in order, and does jobs while there are none.
pub(super) struct Pool<W: Worker> {
    own: W,
    threads: Vec<JoinHandle<()>>,
    ends: Ends<W>,
}

/// The caller's ends of the channels.
struct Ends<W: Worker> {
    jobs: Sender<Numbered<W::Job>>,
    /// Jobs that nobody has begun.
    waiting: Receiver<Numbered<W::Job>>,
    finished: Receiver<Finished<W::Output>>,
    awake: Duration,
}

impl<W: Worker> Pool<W> {
    /// Starts so many threads that with the caller's there are `threads`.
    pub(super) fn new<E: From<io::Error>>(
        threads: NonZero<usize>,
        mut worker: impl FnMut() -> Result<W, E>,
    ) -> Result<Self, E> {
        let (finish, finished) = unbounded();
        // Where threads share processors, one that looks out takes the time of one that works.
        let awake = if threads <= available_threads() { AWAKE } else { Duration::ZERO };
        let mut pool = Self::of_one(worker()?);
        pool.ends.finished = finished;
        pool.ends.awake = awake;
        for index in 1..threads.get() {
            let (worker, waiting, finish) = (worker()?, pool.ends.waiting.clone(), finish.clone());
            let name = format!("adadagrad-{index}");
            let serve = move || serve(worker, &waiting, &finish, awake);
            pool.threads.push(thread::Builder::new().name(name).spawn(serve)?);
        }
        Ok(pool)
    }

    /// The caller's thread alone.
    pub(super) fn of_one(own: W) -> Self {
        let ((jobs, waiting), finished) = (unbounded(), unbounded().1);
        Self { own, threads: Vec::new(), ends: Ends { jobs, waiting, finished, awake: Duration::ZERO } }
    }

    /// How many threads compute.
    pub(super) fn threads(&self) -> usize {
        self.threads.len() + 1
    }

    /// Runs the jobs `0..count`. At most two a thread are on their way at any time, finished or not, so that
    /// memory does not grow with their number.
    ///
    /// # Errors
    /// The first error, once every job that was begun has ended.
    pub(super) fn run<C: InOrder<W>>(&mut self, count: u32, caller: &mut C) -> Result<(), C::Error> {
        let window = u32::try_from(2 * self.threads()).unwrap_or(u32::MAX);
        let Self { own, ends, .. } = self;
        if count == 1 {
            // To wake another thread for it would take longer than a small job.
            let output = guarded(own, caller.job(0)?)?;
            return caller.take(output);
        }
        Flow { own, ends, window, elsewhere: 0 }.run(count, caller)
    }
}

impl<W: Worker> Drop for Pool<W> {
    fn drop(&mut self) {
        // No more jobs will come.
        self.ends.jobs = unbounded().0;
        for thread in self.threads.drain(..) {
            // A panic in a job has been reported; there is no other.
            let _ = thread.join();
        }
    }
}

/// The next message, looked out for during `awake`, then slept for.
fn receive<T>(messages: &Receiver<T>, awake: Duration) -> Result<T, RecvError> {
    let mut began = None;
    loop {
        match messages.try_recv() {
            Ok(message) => return Ok(message),
            Err(TryRecvError::Disconnected) => return Err(RecvError),
            Err(TryRecvError::Empty) if began.get_or_insert_with(Instant::now).elapsed() >= awake => {
                return messages.recv();
            }
            Err(TryRecvError::Empty) => hint::spin_loop(),
        }
    }
}

/// One run of jobs over the threads.
struct Flow<'a, W: Worker> {
    own: &'a mut W,
    ends: &'a Ends<W>,
    window: u32,
    /// Jobs in the queue or with other threads.
    elsewhere: u32,
}

impl<W: Worker> Flow<'_, W> {
    fn run<C: InOrder<W>>(mut self, count: u32, caller: &mut C) -> Result<(), C::Error> {
        let result = self.in_order(count, caller);
        // After an error: nothing of this run may arrive in the next.
        while self.ends.waiting.try_recv().is_ok() {
            self.elsewhere -= 1;
        }
        while self.elsewhere > 0 && self.ends.finished.recv().is_ok() {
            self.elsewhere -= 1;
        }
        result
    }

    fn in_order<C: InOrder<W>>(&mut self, count: u32, caller: &mut C) -> Result<(), C::Error> {
        let mut early = BTreeMap::new();
        let (mut sent, mut taken) = (0, 0);
        while taken < count {
            while sent < count && sent - taken < self.window {
                let job = caller.job(sent)?;
                self.ends.jobs.send((sent, job)).map_err(|_| PoolError::Gone)?;
                self.elsewhere += 1;
                sent += 1;
            }
            let (index, output) = self.next()?;
            early.insert(index, output?);
            while let Some(output) = early.remove(&taken) {
                caller.take(output)?;
                taken += 1;
            }
        }
        Ok(())
    }

    /// A result that another thread has, or else one of this thread's own work, or else the next to come.
    fn next(&mut self) -> Result<Finished<W::Output>, PoolError> {
        let Ends { waiting, finished, awake, .. } = self.ends;
        let finished = match finished.try_recv() {
            Ok(finished) => finished,
            Err(_) => match waiting.try_recv() {
                Ok((index, job)) => (index, guarded(self.own, job)),
                Err(_) => receive(finished, *awake).map_err(|_| PoolError::Gone)?,
            },
        };
        self.elsewhere -= 1;
        Ok(finished)
    }
}

/// A thread's life: the next job from the common queue, until the pool is dropped.
fn serve<W: Worker>(
    mut worker: W,
    jobs: &Receiver<Numbered<W::Job>>,
    finish: &Sender<Finished<W::Output>>,
    awake: Duration,
) {
    while let Ok((index, job)) = receive(jobs, awake) {
        if finish.send((index, guarded(&mut worker, job))).is_err() {
            return;
        }
    }
}

/// Does a job; a panic becomes an error, because a thread that is gone would never answer.
fn guarded<W: Worker>(worker: &mut W, job: W::Job) -> Result<W::Output, PoolError> {
    catch_unwind(AssertUnwindSafe(|| worker.work(job)))
        .map_err(|payload| PoolError::Panicked(message(payload.as_ref())))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Squares;

    impl Worker for Squares {
        type Job = u32;
        type Output = u32;

        fn work(&mut self, job: u32) -> u32 {
            assert!(job != 13, "thirteen");
            // Later jobs finish first.
            thread::sleep(Duration::from_micros(u64::from(20 - job.min(20)) * 50));
            job * job
        }
    }

    #[derive(Default)]
    struct Caller {
        offset: u32,
        results: Vec<u32>,
        under_way: usize,
        most_under_way: usize,
    }

    impl InOrder<Squares> for Caller {
        type Error = PoolError;

        fn job(&mut self, index: u32) -> Result<u32, PoolError> {
            self.under_way += 1;
            self.most_under_way = self.most_under_way.max(self.under_way);
            Ok(index + self.offset)
        }

        fn take(&mut self, output: u32) -> Result<(), PoolError> {
            self.under_way -= 1;
            self.results.push(output);
            Ok(())
        }
    }

    fn pool(threads: usize) -> Pool<Squares> {
        let threads = NonZero::new(threads).expect("some thread");
        Pool::new(threads, || Ok::<_, io::Error>(Squares)).expect("threads")
    }

    #[test]
    fn results_come_in_order_and_few_are_under_way() {
        for threads in 1..4 {
            let mut caller = Caller::default();
            pool(threads).run(12, &mut caller).expect("no panic");
            assert_eq!(caller.results, (0..12).map(|k| k * k).collect::<Vec<_>>());
            assert!(caller.most_under_way <= 2 * threads);
        }
    }

    #[test]
    fn a_job_alone_is_done_by_the_callers_thread() {
        struct Here;

        impl Worker for Here {
            type Job = ();
            type Output = thread::ThreadId;

            fn work(&mut self, (): ()) -> thread::ThreadId {
                thread::current().id()
            }
        }

        impl InOrder<Here> for Vec<thread::ThreadId> {
            type Error = PoolError;

            fn job(&mut self, _: u32) -> Result<(), PoolError> {
                Ok(())
            }

            fn take(&mut self, output: thread::ThreadId) -> Result<(), PoolError> {
                self.push(output);
                Ok(())
            }
        }

        let threads = NonZero::new(3).expect("some thread");
        let mut pool = Pool::new(threads, || Ok::<_, io::Error>(Here)).expect("threads");
        for _ in 0..20 {
            let mut places = Vec::new();
            pool.run(1, &mut places).expect("no panic");
            assert_eq!(places, [thread::current().id()]);
        }
    }

    #[test]
    fn a_panic_is_an_error_and_the_next_run_is_sound() {
        for threads in 1..4 {
            let mut pool = pool(threads);
            let mut caller = Caller::default();
            let error = pool.run(20, &mut caller).expect_err("thirteen");
            assert_eq!(error, PoolError::Panicked("thirteen".to_owned()));
            let mut caller = Caller { offset: 30, ..Caller::default() };
            pool.run(5, &mut caller).expect("no panic");
            assert_eq!(caller.results, [900, 961, 1024, 1089, 1156]);
        }
    }
}
