//! The trainer decides; engines compute. One training step:
//!
//! 1. [`Trainer::plan`] says which samples, which evidence, which learning rate;
//! 2. an engine sums over the parts of [`Plan::cut`] and merges them in order;
//!    (a rule may ask for more samples of the same batch: [`Trainer::extension`]);
//! 3. [`Trainer::weigh`] turns the evidence into the update's scalars and the next batch size, or refuses;
//! 4. the engine updates the parameters;
//! 5. [`Trainer::commit`] completes the step and returns [`Telemetry`].
//!
//! Nothing changes before step 5, so a failed step can be tried again.

mod batch_order;
mod coupled;
mod cut;
mod error;
mod memory;
mod plan;
mod progress;
mod telemetry;
mod trainer;

pub use batch_order::BatchOrder;
pub use cut::{Cut, MicroBatch, Walk};
pub use error::StepError;
pub use plan::{Decided, Plan};
pub use progress::Progress;
pub use telemetry::{Reasons, Telemetry};
pub use trainer::{Pending, Trainer};
