//! Gradient statistics of a batch: accumulate, merge, summarise.
//!
//! Letters, here and everywhere: b samples, D parameters, per-sample gradients gᵢ of the *unscaled*
//! per-sample loss, their mean ḡ, sᵢ = ‖gᵢ‖², pᵢ = ⟨gᵢ, ḡ⟩.

mod coordinates;
mod evidence;
mod inner;
mod made_elsewhere;
mod needs;
mod parts;
mod sums;
mod totals;

pub(crate) use self::coordinates::comfortable_exponent;
pub use self::evidence::Evidence;
pub use self::inner::Inner;
pub use self::made_elsewhere::{EvidenceError, Part};
pub use self::needs::Needs;
pub use self::parts::Parts;
pub use self::sums::Statistics;
pub use self::totals::{Totals, check_some_samples};
pub use crate::length::LengthMismatch;
pub(crate) use crate::length::{check_least, check_length};
pub use crate::reason::Reason;
