//! One setting.

use core::fmt;

use super::{Range, Short};

/// A setting: a row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name in files and addresses.
    pub name: &'static str,
    /// Its title within a sentence: "weight decay".
    pub title: &'static str,
    /// Its symbol in formulas; empty if it has none.
    pub symbol: &'static str,
    /// A description.
    pub doc: &'static str,
    /// Its type and default value.
    pub default: DefaultValue,
    /// The allowed texts; empty if any text is allowed.
    pub texts: &'static [&'static str],
    /// The allowed numbers.
    pub range: Range,
    /// Why other values are refused, if the range alone does not explain it.
    pub because: &'static str,
    /// What the run's float type does to it.
    pub rounding: Rounding,
    /// Whether it may change during a run, which [`Trainer::retune`](crate::training::Trainer::retune) does.
    pub retunable: bool,
    /// Whether a run that is resumed from a checkpoint may be given another value: only its length and what is measured
    /// during it.
    pub resumable: bool,
    /// The flag that sets it; empty if that is its name.
    pub flag: &'static str,
    /// The placeholder of its value in help texts, such as `SAMPLES`; empty for the flag's name.
    pub placeholder: &'static str,
}

/// The default value of a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// A number.
    Number(f64),
    /// A number, or none.
    Optional(Option<f64>),
    /// A whole number of 32 bits.
    Size(u32),
    /// A whole number up to [`LARGEST_EXACT`](crate::config::LARGEST_EXACT).
    Count(u64),
    /// Yes or no.
    Switch(bool),
    /// A word or a list, as a text.
    Text(&'static str),
}

impl fmt::Display for DefaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) | Self::Optional(Some(number)) => Short(*number).fmt(f),
            Self::Optional(None) => f.write_str("none"),
            Self::Size(number) => number.fmt(f),
            Self::Count(number) => number.fmt(f),
            Self::Switch(is_on) => is_on.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// What the run's float type does to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Nothing: it is used in the wider type.
    None,
    /// The number is rounded to it, and must stay in its range.
    Value,
    /// Its square is computed in the wider type, and must not be 0.
    Square,
}

impl Field {
    /// A setting that may be anything of its type. Name and default come from the struct's table.
    pub(crate) const fn new(title: &'static str, doc: &'static str) -> Self {
        Self {
            name: "",
            title,
            symbol: "",
            doc,
            default: DefaultValue::Text(""),
            texts: &[],
            range: Range::Any,
            because: "",
            rounding: Rounding::None,
            retunable: false,
            resumable: false,
            flag: "",
            placeholder: "",
        }
    }

    pub(crate) const fn symbol(self, symbol: &'static str) -> Self {
        Self { symbol, ..self }
    }

    pub(crate) const fn range(self, range: Range) -> Self {
        Self { range, ..self }
    }

    pub(crate) const fn because(self, because: &'static str) -> Self {
        Self { because, ..self }
    }

    pub(crate) const fn rounding(self, rounding: Rounding) -> Self {
        Self { rounding, ..self }
    }

    pub(crate) const fn retunable(self) -> Self {
        Self { retunable: true, ..self }
    }

    /// May change during a run, and when it is resumed.
    pub(crate) const fn resumable(self) -> Self {
        Self { retunable: true, resumable: true, ..self }
    }

    pub(crate) const fn flag(self, flag: &'static str) -> Self {
        Self { flag, ..self }
    }

    pub(crate) const fn placeholder(self, placeholder: &'static str) -> Self {
        Self { placeholder, ..self }
    }

    /// A setting of a type of its own, which is written as a text: its default, and what it may be, if that is one of
    /// several words.
    #[allow(dead_code, reason = "for rules with such settings")]
    pub(crate) const fn text(self, default: &'static str, texts: &'static [&'static str]) -> Self {
        Self { default: DefaultValue::Text(default), texts, ..self }
    }

    /// The row of a struct's field.
    pub(crate) const fn of(self, name: &'static str, default: Option<DefaultValue>) -> Self {
        match default {
            Some(default) => Self { name, default, ..self },
            None => Self { name, ..self },
        }
    }
}
