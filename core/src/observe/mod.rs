//! Observation: tests, noise scales and rules that are computed and reported while another rule decides.
//!
//! An observed quantity has its default settings, or those of the run's own test or rule if it is the same. Observing
//! changes no bit of the training. For each quantity the latest size is reported, and a smoothed one, which is a ratio
//! of running averages (with the decay factor [`EMA`] per step):
//!
//! | quantity | latest size | numerator | denominator |
//! |---|---|---|---|
//! | test | T | T·n: for the norm test v/η² | n = ‖ḡ‖² |
//! | noise scale | noise/signal | noise | signal |
//! | rule | what it [wanted](crate::controller::Decision) | wanted·n | n |
//!
//! An average of ratios would be dominated by the batches whose gradient is nearly 0. A batch without a value of a
//! quantity does not change its average.
//!
//! An observed rule does not affect the run: Big Batch SGD extends no batch, and every rule starts from the sizes that
//! the run has. A batch is cut into parts as without observing, so the worker-gradient test needs a batch of several
//! parts, and SimiGrad one of exactly two.

mod average;
mod list;
mod observation;
mod quantity;

pub(crate) use average::observe;
pub use average::{EMA, Watch, Watches};
pub use list::{MOST_OBSERVED, Observe, ObserveError};
pub use observation::{Observation, Observations};
pub(crate) use quantity::Measure;
pub use quantity::Quantity;
