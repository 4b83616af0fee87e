//! Report-only: what tests, noise scales and rules would say, while another rule decides.
//!
//! An observed quantity has its default settings, or those of the run's own test or rule where it is the same. Observing
//! changes no bit of the training. Of each there is the latest size and a smoothed one, which is a ratio of running
//! averages (each keeps [`EMA`] of itself per step):
//!
//! | quantity | latest size | numerator | denominator |
//! |---|---|---|---|
//! | test | T | T·n: for the norm test v/η² | n = ‖ḡ‖² |
//! | noise scale | noise/signal | noise | signal |
//! | rule | what it [wanted](crate::controller::Decision) | wanted·n | n |
//!
//! An average of ratios would be dominated by the batches whose gradient is nearly 0. Batches of which a quantity says
//! nothing change no average.
//!
//! What a rule would do to a run is not done: Big Batch SGD extends nothing, and a rule goes on from the sizes that the run
//! has. A batch is cut into parts as without observing, so the worker-gradient test needs a batch of several parts, and
//! SimiGrad one of exactly two.

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
