//! The values that a setting may take.

use core::fmt;

/// Numbers beyond this are infinite in `f32`, which runs are computed in.
const LARGEST: f64 = f32::MAX as f64;

/// Whole numbers up to here survive a float, and so JavaScript: the largest that settings take.
pub const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// The values that a number may take. Displayed as "above 0 and at most 1".
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// least ≤ x ≤ most.
    Closed(f64, f64),
    /// least < x ≤ most.
    Above(f64, f64),
    /// least ≤ x < most.
    Below(f64, f64),
    /// least < x < most.
    Between(f64, f64),
    /// Any at all.
    Any,
}

impl Range {
    /// x > 0.
    pub const POSITIVE: Self = Self::above(0.0);
    /// x ≥ 0.
    pub const NOT_NEGATIVE: Self = Self::not_below(0.0);
    /// 0 ≤ x < 1.
    pub const BELOW_ONE: Self = Self::Below(0.0, 1.0);
    /// 0 < x ≤ 1.
    pub const SHARE: Self = Self::Above(0.0, 1.0);

    /// x > least.
    #[must_use]
    pub const fn above(least: f64) -> Self {
        Self::Above(least, LARGEST)
    }

    /// x ≥ least.
    #[must_use]
    pub const fn not_below(least: f64) -> Self {
        Self::Below(least, LARGEST)
    }

    /// Whole numbers from `least` to `most`.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "no setting is larger than LARGEST_EXACT")]
    pub const fn whole(least: u64, most: u64) -> Self {
        Self::Closed(least as f64, most as f64)
    }

    /// Whole numbers from `least` on.
    #[must_use]
    pub const fn at_least(least: u64) -> Self {
        Self::whole(least, LARGEST_EXACT)
    }

    /// False for NaN.
    #[must_use]
    pub fn contains(self, x: f64) -> bool {
        match self {
            Self::Closed(least, most) => least <= x && x <= most,
            Self::Above(least, most) => least < x && x <= most,
            Self::Below(least, most) => least <= x && x < most,
            Self::Between(least, most) => least < x && x < most,
            Self::Any => !x.is_nan(),
        }
    }

    /// Whether the upper end is only that of the float type.
    fn is_open(self) -> bool {
        matches!(self, Self::Above(_, LARGEST) | Self::Below(_, LARGEST))
    }

    /// In words, to one who gave `found`: the end of the float type is of interest only to those who passed it.
    pub(crate) fn said_of(self, found: f64) -> impl fmt::Display {
        SaidOf(self, found)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Any => Ok(()),
            Self::Closed(least, most) if least == most => write!(f, "{}", Short(least)),
            Self::Closed(least, most) => write!(f, "from {} to {}", Short(least), Short(most)),
            Self::Above(least, _) if self.is_open() => write!(f, "above {}", Short(least)),
            Self::Above(least, most) => write!(f, "above {} and at most {}", Short(least), Short(most)),
            Self::Below(least, _) if self.is_open() => write!(f, "at least {}", Short(least)),
            Self::Below(least, most) => write!(f, "at least {} and below {}", Short(least), Short(most)),
            Self::Between(least, most) => write!(f, "above {} and below {}", Short(least), Short(most)),
        }
    }
}

struct SaidOf(Range, f64);

impl fmt::Display for SaidOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(range, found) = *self;
        match range {
            _ if range.is_open() && (found.is_nan() || found < LARGEST) => match range {
                Range::Above(..) => write!(f, "a number {range}"),
                _ => write!(f, "a number of {range}"),
            },
            Range::Above(least, most) => write!(f, "above {} and at most {}", Short(least), Short(most)),
            Range::Below(least, most) => write!(f, "at least {} and below {}", Short(least), Short(most)),
            Range::Closed(..) | Range::Between(..) | Range::Any => range.fmt(f),
        }
    }
}

/// A number, in powers of ten where it would take many zeros. Whole numbers that settings take are written out.
pub(crate) struct Short(pub(crate) f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size != 0.0 && size.is_finite() && !(1e-6..1e21).contains(&size) {
            write!(f, "{:e}", self.0)
        } else {
            write!(f, "{}", self.0)
        }
    }
}
