//! Settings that several tests share.

use crate::settings::{Field, Range};

/// η.
pub(super) const ETA: Field = threshold(
    "η",
    "The noise that is allowed, relative to the gradient's norm; a smaller threshold requires larger batches.",
);

/// ϑ.
pub(super) const THETA: Field = threshold("ϑ", "Limits the noise along the mean gradient.");

/// ν.
pub(super) const NU: Field = threshold("ν", "Limits the noise orthogonal to the mean gradient.");

/// Whether a sample's gradient is compared with the others' mean.
pub(super) const LEAVE_ONE_OUT: Field = Field::new(
    "exclude each sample from its own mean",
    "Compares each sample's gradient with the mean of the other samples' gradients.",
);

const fn threshold(symbol: &'static str, doc: &'static str) -> Field {
    Field::new("threshold", doc).symbol(symbol).range(Range::POSITIVE).retunable()
}
