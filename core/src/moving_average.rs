use crate::real::Real;

/// The exponential moving average with another value, of which `keep` of what it was is kept.
pub(crate) fn moving_average<S: Real>(old: S, new: S, keep: f64) -> S {
    S::of(keep) * old + S::of(1.0 - keep) * new
}
