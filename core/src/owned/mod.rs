//! What needs `std`: runs, workers and files that own their memory.

mod activation_cache;
mod batch_sums;
#[cfg(feature = "checkpoint")]
pub mod checkpoint;
pub mod cluster;
mod confusion;
mod control;
mod error;
mod evaluation;
mod evidence;
mod network;
mod part_worker;
mod predictor;
mod run;
mod shared_dataset;
mod statistics;
mod sweep_memory;
pub mod text;
pub mod threads;
pub mod wire;
mod workspaces;
mod writer;
mod zeros;

pub use activation_cache::ActivationCache;
pub use batch_sums::BatchSums;
pub use confusion::Confusion;
pub use control::Control;
pub use error::RunError;
pub use evaluation::{Evaluated, Evaluation};
pub(crate) use evidence::evidence;
pub use network::OwnedNetwork;
pub use part_worker::{PartWorker, Swept};
pub use predictor::{Prediction, Predictor};
pub use run::{Advance, LocalRun, Shared};
pub use shared_dataset::SharedDataset;
pub use statistics::OwnedStatistics;
pub use sweep_memory::SweepMemory;
pub use writer::{WriteError, Writer};
