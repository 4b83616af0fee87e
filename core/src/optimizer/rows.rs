//! Settings that several optimizers share.

use crate::settings::{Field, Range, Rounding};

/// λ.
pub(super) const WEIGHT_DECAY: Field = Field::new(
    "weight decay",
    "L2 regularisation, added to the gradient; AdamW decouples it from the gradient.",
)
.symbol("λ")
.range(Range::NOT_NEGATIVE)
.rounding(Rounding::Value);

/// ε.
pub(super) const EPSILON: Field = Field::new("epsilon", "Added to the square root in the denominator.")
    .symbol("ε")
    .range(Range::POSITIVE)
    .because("it is the divisor where the gradient is zero")
    .rounding(Rounding::Value);

/// μ.
pub(super) const MOMENTUM: Field = Field::new("momentum", "The momentum factor.")
    .symbol("μ")
    .range(Range::BELOW_ONE)
    .rounding(Rounding::Value);

/// β₁.
pub(super) const BETA1: Field = Field::new("beta1", "The decay rate of the first moment.")
    .symbol("β₁")
    .range(Range::BELOW_ONE)
    .rounding(Rounding::Value);

/// β₂.
pub(super) const BETA2: Field = Field::new("beta2", "The decay rate of the second moment.")
    .symbol("β₂")
    .range(Range::BELOW_ONE)
    .rounding(Rounding::Value);
