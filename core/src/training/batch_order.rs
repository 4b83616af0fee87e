//! The samples of a batch.

use crate::dataset::Visit;
use crate::shuffle::Order;

/// Which training samples are at a batch's positions.
#[derive(Clone, Copy, Debug)]
pub enum BatchOrder {
    /// Those that a run visits after the first `start`.
    Shuffled {
        /// The run's order.
        order: Order,
        /// Samples visited before.
        start: u64,
    },
    /// File order, from this sample on.
    InFileOrder {
        /// The first.
        start: u32,
    },
}

impl BatchOrder {
    /// The visit at a position of the batch.
    #[must_use]
    pub fn visit(&mut self, position: u32) -> Visit {
        match self {
            Self::Shuffled { order, start } => order.visit(start.saturating_add(position.into())),
            Self::InFileOrder { start } => start.saturating_add(position).into(),
        }
    }
}
