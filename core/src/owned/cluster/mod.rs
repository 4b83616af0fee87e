//! A run on several processes, the ranks of a cluster.
//!
//! Every rank holds the parameters and the training memory, and the training data. Of each batch it sweeps a contiguous
//! range of the parts ([`Cut`](crate::training::Cut)) on its own threads. Then:
//!
//! 1. The parts' plain sums are gathered.
//! 2. The parts' `Σ gᵢ` are exchanged by slices of the parameters: each rank gets its slice of every part, and adds them
//!    in the order of the parts.
//! 3. The slices of ḡ are gathered, with ‖Σ gᵢ‖² of each block of 1,024 values; where a test looks at coordinates, also
//!    the summed slices of `Σ gᵢ` and `Σ gᵢ²`.
//! 4. Where there is a second sweep, each part's inner products are gathered.
//!
//! Each value goes through the same operations in the same order as on one process, so the bits do not depend on the
//! number of ranks, and every rank makes the same update. [`Reduction::Fast`] adds a rank's parts before they are sent:
//! fewer bytes, but the bits depend on the number of ranks.
//!
//! What carries the messages is a [`Collective`]; [`Channels`] does it between threads of one process.

mod channels;
mod collective;
mod peers;
mod share;

pub use channels::Channels;
pub use collective::{Collective, CollectiveError};
pub(super) use peers::{Peers, as_one_part};
pub use peers::{Reduction, Traffic};
