//! The table of a struct of settings.

use super::Field;

/// A struct of settings with its table.
pub trait Settings {
    /// What the struct is, and its settings in their order.
    const ABOUT: About;

    /// The value of the setting in this row, if it is a number.
    fn number(&self, row: usize) -> Option<f64>;

    /// The first setting that differs in `next`, and may not change during a run.
    fn fixed_change(&self, next: &Self) -> Option<&'static str>;
}

/// The description of a struct of settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct About {
    /// Its title within a sentence: "norm test".
    pub title: &'static str,
    /// A description.
    pub doc: &'static str,
    /// Its source; empty if it is common knowledge.
    pub source: &'static str,
    /// Its settings.
    pub fields: &'static [Field],
}

/// Implements [`Settings`], [`Default`] and reading for a struct. It names all of its fields, or it does not compile:
///
/// ```text
/// settings!(NormTest {
///     title: "norm test",
///     doc: "Bounds the noise of the mean gradient.",
///     source: "Byrd, Chin, Nocedal, Wu 2012",
///     fields: {
///         eta: f64 = 0.1 => Field::new("threshold", "A smaller one requires larger batches.").symbol("η"),
///         debiased: bool = false => Field::new("debiased", "…"),
///     },
/// });
/// ```
///
/// A field's type is `f64`, `u32`, `u64`, `bool`, `Option<f64>`, or a type of the rule's own that is written as a text;
/// its row then names the default with [`Field::text`].
macro_rules! settings {
    ($settings:ident {
        title: $title:expr,
        doc: $doc:expr,
        source: $source:expr,
        fields: { $($field:ident: $kind:ident $(<$inner:ident>)? = $default:expr => $row:expr),* $(,)? } $(,)?
    }) => {
        $crate::settings::table!($settings {
            title: $title,
            doc: $doc,
            source: $source,
            fields: { $($field: $kind = $default => $row),* }
        });

        impl Default for $settings {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        #[cfg(feature = "serde")]
        $crate::fields::readable!($settings { $($field),* });
    };
}
pub(crate) use settings;

/// Implements [`Settings`] alone, for some of a struct's fields.
macro_rules! table {
    ($settings:ident {
        title: $title:expr,
        doc: $doc:expr,
        source: $source:expr,
        fields: { $($field:ident: $kind:ident = $default:expr => $row:expr),* $(,)? }
    }) => {
        impl $crate::settings::Settings for $settings {
            const ABOUT: $crate::settings::About = $crate::settings::About {
                title: $title,
                doc: $doc,
                source: $source,
                fields: &[$($row.of(stringify!($field), $crate::settings::default_value!($kind, $default))),*],
            };

            fn number(&self, row: usize) -> Option<f64> {
                let numbers: &[Option<f64>] = &[$($crate::settings::number_of!($kind, self.$field)),*];
                numbers.get(row).copied().flatten()
            }

            #[allow(unused_variables, unused_mut, reason = "there may be no fields")]
            fn fixed_change(&self, next: &Self) -> Option<&'static str> {
                let mut fields = Self::ABOUT.fields.iter();
                $(if fields.next().is_some_and(|row| !row.retunable) && self.$field != next.$field {
                    return Some(stringify!($field));
                })*
                None
            }
        }
    };
}
pub(crate) use table;

/// The default of a field in its table, by the field's type; none for types that are written as a text.
macro_rules! default_value {
    (f64, $default:expr) => {
        Some($crate::settings::DefaultValue::Number($default))
    };
    (u32, $default:expr) => {
        Some($crate::settings::DefaultValue::Size($default))
    };
    (u64, $default:expr) => {
        Some($crate::settings::DefaultValue::Count($default))
    };
    (bool, $default:expr) => {
        Some($crate::settings::DefaultValue::Switch($default))
    };
    (Option, $default:expr) => {
        Some($crate::settings::DefaultValue::Optional($default))
    };
    ($own:ident, $default:expr) => {
        None
    };
}
pub(crate) use default_value;

/// A field as a number, by its type.
macro_rules! number_of {
    (f64, $value:expr) => {
        Some($value)
    };
    (u32, $value:expr) => {
        Some(f64::from($value))
    };
    (u64, $value:expr) => {{
        // Those that settings take are exact.
        #[allow(clippy::cast_precision_loss)]
        Some($value as f64)
    }};
    (Option, $value:expr) => {
        $value
    };
    ($own:ident, $value:expr) => {
        None
    };
}
pub(crate) use number_of;
