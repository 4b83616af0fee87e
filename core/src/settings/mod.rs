//! The table of settings: the name, the allowed values and the meaning of each, next to the struct that contains it.
//!
//! Ranges, what may change during a run, the program's flags, the page's form and the tables of the documentation are
//! derived from it.

mod choice;
mod field;
mod range;
mod table;

pub use choice::{Choice, Choices};
pub use field::{DefaultValue, Field, Rounding};
pub use range::{LARGEST_EXACT, Range};
pub use table::{About, Settings};

pub(crate) use choice::{about, named_settings, named_variants};
#[cfg(feature = "serde")]
pub(crate) use choice::{choice_of, choose};
pub(crate) use range::Short;
pub(crate) use table::{default_value, number_of, settings, table};
