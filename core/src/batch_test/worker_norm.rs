use super::rows::ETA;
use super::{BatchTest, Required, ratio};
use crate::real::Real;
use crate::settings::{Field, Range};
use crate::statistics::{Evidence, Needs};

/// The norm test from the means of J parts alone, as data-parallel workers have them: T = v̂/(η² n) with
/// v̂ = Σⱼ mⱼ‖gⱼ − ḡ‖²/(J − 1), an unbiased estimate of v (for equal parts b Σⱼ‖gⱼ − ḡ‖²/(J (J − 1))).
///
/// DDP-Norm, arXiv 2406.13936 and 2412.21124.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WorkerNormTest {
    /// η > 0.
    pub eta: f64,
    /// A batch is cut into at least this many parts (more if it is large), but never into empty ones.
    pub workers: u32,
}

crate::settings::settings!(WorkerNormTest {
    title: "worker-gradient norm test",
    doc: "The norm test estimated from the mean gradients of several parts, as with data-parallel workers.",
    source: "DDP-Norm, arXiv 2406.13936 and 2412.21124",
    fields: {
        eta: f64 = 0.1 => ETA,
        workers: u32 = 4 => Field::new("parts", "The number of parts of the batch from which the noise is estimated.")
            .range(Range::whole(2, 1024))
            .placeholder("N"),
    },
});

impl<S: Real> BatchTest<S> for WorkerNormTest {
    fn needs(&self) -> Needs {
        Needs { parts: self.workers, ..Needs::NONE }
    }

    fn required(&self, evidence: &Evidence<S>) -> Required<S> {
        let size = || Ok(ratio(evidence.worker_variance()?, S::of(self.eta), evidence.nonzero_norm()?));
        size().into()
    }

    fn reference_threshold(&self) -> S {
        S::of(self.eta)
    }
}
