//! Real numbers as batch sizes, held to 0 … 2³² − 1. A NaN is 0: rules ask before.

use crate::real::Real;

/// ⌈x⌉.
pub(super) fn ceiling<S: Real>(x: S) -> u32 {
    whole(x.ceil())
}

/// ⌊x⌋.
pub(super) fn floor<S: Real>(x: S) -> u32 {
    whole(x.floor())
}

/// The nearest whole number, halves to the even one.
pub(super) fn nearest<S: Real>(x: S) -> u32 {
    let below = x.floor();
    let half = S::of(0.5);
    let rest = x - below;
    let is_odd = (below * half).floor() != below * half;
    whole(if rest > half || (rest == half && is_odd) { below + S::one() } else { below })
}

fn whole<S: Real>(x: S) -> u32 {
    x.to_u32().unwrap_or(if x > S::zero() { u32::MAX } else { 0 })
}
