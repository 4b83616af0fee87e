use core::fmt;
use core::str::FromStr;

use super::Quantity;

/// The largest number of quantities that a run can observe: eight, or two without the feature `std`, because a step
/// keeps several copies of all of them on the stack, which is small on a microcontroller.
pub const MOST_OBSERVED: usize = if cfg!(feature = "std") { 8 } else { 2 };

/// What a run observes: up to [`MOST_OBSERVED`] quantities, as text with spaces or commas between the names.
///
/// ```
/// use adadagrad_core::observe::Observe;
///
/// let observe: Observe = "norm,noise_scale".parse()?;
/// assert_eq!(observe.to_string(), "norm noise_scale");
/// let error = "norm cab".parse::<Observe>().unwrap_err().to_string();
/// assert!(error.starts_with("entry 2 is not the name of a test, a noise scale or a rule; valid names: norm, "));
/// # Ok::<(), adadagrad_core::observe::ObserveError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observe {
    quantities: [Quantity; MOST_OBSERVED],
    len: usize,
}

impl Observe {
    /// Nothing.
    pub const NONE: Self = Self { quantities: [Quantity::FIRST; MOST_OBSERVED], len: 0 };

    /// Whether nothing is observed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The quantities.
    #[must_use]
    pub fn quantities(&self) -> &[Quantity] {
        &self.quantities[..self.len]
    }
}

/// Why a text is not a valid list of quantities. Places count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObserveError {
    /// An entry is no quantity's name.
    Unknown {
        /// Which.
        place: usize,
    },
    /// An entry is that of a constant batch.
    Constant {
        /// Which.
        place: usize,
    },
    /// An entry was there before.
    Twice {
        /// Which.
        place: usize,
    },
    /// More entries than [`MOST_OBSERVED`].
    Long,
}

impl fmt::Display for ObserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { place } => {
                write!(f, "entry {place} is not the name of a test, a noise scale or a rule; ")?;
            }
            Self::Constant { place } => {
                write!(f, "entry {place} is a constant batch, for which there is no size to report; ")?;
            }
            Self::Twice { place } => return write!(f, "entry {place} is the same as one before it"),
            Self::Long => return write!(f, "there are more than {MOST_OBSERVED} entries"),
        }
        f.write_str("valid names: ")?;
        for (index, quantity) in Quantity::all().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { ", " }, quantity.name())?;
        }
        Ok(())
    }
}

impl core::error::Error for ObserveError {}

impl FromStr for Observe {
    type Err = ObserveError;

    fn from_str(text: &str) -> Result<Self, ObserveError> {
        let mut observe = Self::NONE;
        let entries = text.split([' ', ',', '\t', '\n']).filter(|entry| !entry.is_empty());
        for (place, entry) in (1..).zip(entries) {
            let error = if entry == "constant" {
                ObserveError::Constant { place }
            } else {
                ObserveError::Unknown { place }
            };
            let quantity = Quantity::named(entry).ok_or(error)?;
            if observe.quantities().contains(&quantity) {
                return Err(ObserveError::Twice { place });
            }
            *observe.quantities.get_mut(observe.len).ok_or(ObserveError::Long)? = quantity;
            observe.len = place;
        }
        Ok(observe)
    }
}

impl fmt::Display for Observe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, quantity) in self.quantities().iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { " " }, quantity.name())?;
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Observe {
    fn serialize<R: serde::Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl crate::fields::Setting for Observe {
    fn of(value: crate::fields::Value) -> Result<Self, crate::fields::Fault> {
        crate::fields::parsed(value)
    }
}
