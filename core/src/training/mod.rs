//! The trainer decides; engines compute. A training step is a state machine, [`Step`], that every engine drives:
//!
//! 1. [`Step::begin`] plans it ([`Trainer::plan`]): which samples, which evidence, which learning rate;
//! 2. [`Step::next`] says which parts are to be swept. A [`Sweeper`] does it on a CPU. The machine takes the parts in their
//!    order, and the engine merges their sums;
//! 3. [`Step::weigh`] turns the evidence into the update's scalars and the next batch size, or refuses, or extends the
//!    batch, which goes back to 2;
//! 4. the engine updates the parameters;
//! 5. [`Trainer::commit`] completes the step and returns [`Telemetry`].
//!
//! On a CPU, [`Step::conclude`] is 3 to 5. Nothing changes before step 5, so a failed step can be tried again.

mod batch;
mod batch_order;
mod coupled;
mod cut;
mod error;
mod memory;
mod part;
mod plan;
mod progress;
mod step;
mod sweeper;
mod telemetry;
mod trainer;

pub use batch::{Batch, Next};
pub use batch_order::BatchOrder;
pub use cut::{Cut, MicroBatch, Walk};
pub use error::StepError;
pub use part::{Part, PartError, Round, Task};
pub use plan::{Decided, Plan};
pub use progress::Progress;
pub use step::Step;
pub use sweeper::{Sweeper, Work, Workspaces};
pub use telemetry::{Reasons, Telemetry};
pub use trainer::{Pending, Trainer};
