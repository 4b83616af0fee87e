//! Settings that are one of several, distinguished by a name.

use super::{About, Field, Settings};

/// One of several structs of settings, by its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Its name in files and addresses.
    pub name: &'static str,
    /// Its title within a sentence.
    pub title: &'static str,
    /// A description.
    pub doc: &'static str,
    /// Its source; empty if it is common knowledge.
    pub source: &'static str,
    /// Its settings.
    pub fields: &'static [Field],
}

impl Choice {
    pub(crate) const fn new(name: &'static str, About { title, doc, source, fields }: About) -> Self {
        Self { name, title, doc, source, fields }
    }
}

/// An enum of structs of settings, distinguished by a name.
pub trait Choices: Copy + Sized + 'static {
    /// All of them.
    const CHOICES: &'static [Choice];

    /// The one of this name, with its default settings.
    fn named(name: &str) -> Option<Self>;

    /// The name of this one.
    fn name(&self) -> &'static str;

    /// The value of the setting in this row, if it is a number.
    fn number(&self, row: usize) -> Option<f64>;

    /// Whether a run with these settings may continue with `next`.
    fn may_become(&self, next: &Self) -> bool;

    /// This one's place in the table.
    fn choice(&self) -> Option<&'static Choice> {
        Self::CHOICES.iter().find(|choice| choice.name == self.name())
    }

    /// The settings of this one.
    fn fields(&self) -> &'static [Field] {
        self.choice().map_or(&[], |choice| choice.fields)
    }

    /// Its title within a sentence.
    fn title(&self) -> &'static str {
        self.choice().map_or("", |choice| choice.title)
    }
}

/// The table of a variant's settings.
pub(crate) const fn about<T: Settings, E>(_: fn(T) -> E) -> About {
    T::ABOUT
}

/// The one of this name in a file, with its default settings.
#[cfg(feature = "serde")]
pub(crate) fn choice_of<T: Choices>(name: &str) -> Result<T, crate::fields::Fault> {
    T::named(name).ok_or_else(|| {
        let known: alloc::vec::Vec<_> = T::CHOICES.iter().map(|choice| choice.name).collect();
        crate::fields::Fault::name(name, &known).within("name")
    })
}

/// The one of this name where it is another one; this one where none is given.
#[cfg(feature = "serde")]
pub(crate) fn choose<T: Choices>(
    choice: &mut T,
    name: Option<alloc::string::String>,
) -> Result<(), crate::fields::Fault> {
    if let Some(name) = name
        && name != choice.name()
    {
        *choice = choice_of(&name)?;
    }
    Ok(())
}

/// Implements [`Choices`], reading and a list of all for an enum whose variants each hold a struct of settings.
macro_rules! named_settings {
    ($settings:ident { $($name:literal => $variant:ident),* $(,)? }) => {
        impl $crate::settings::Choices for $settings {
            const CHOICES: &'static [$crate::settings::Choice] =
                &[$($crate::settings::Choice::new($name, $crate::settings::about(Self::$variant))),*];

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant(Default::default())),)*
                    _ => None,
                }
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),* }
            }

            fn number(&self, row: usize) -> Option<f64> {
                match self {
                    $(Self::$variant(settings) => $crate::settings::Settings::number(settings, row)),*
                }
            }

            fn may_become(&self, next: &Self) -> bool {
                match (self, next) {
                    $((Self::$variant(settings), Self::$variant(next)) => {
                        $crate::settings::Settings::fixed_change(settings, next).is_none()
                    })*
                    _ => false,
                }
            }
        }

        impl $settings {
            /// One of each, with its default settings.
            #[must_use]
            pub fn all() -> [Self; const { [$($name),*].len() }] {
                [$(Self::$variant(Default::default())),*]
            }
        }

        #[cfg(feature = "serde")]
        impl $crate::fields::Setting for $settings {
            fn of(value: $crate::fields::Value) -> Result<Self, $crate::fields::Fault> {
                let mut fields = value.into_fields_of("an object with a name")?;
                let mut settings: Self = $crate::settings::choice_of(&fields.required::<alloc::string::String>("name")?)?;
                match &mut settings {
                    $(Self::$variant(settings) => fields.settings(settings)?,)*
                }
                Ok(settings)
            }

            fn read_over(&mut self, value: $crate::fields::Value) -> Result<(), $crate::fields::Fault> {
                let mut fields = value.into_fields_of("an object with a name")?.over();
                $crate::settings::choose(self, fields.required("name")?)?;
                match self {
                    $(Self::$variant(settings) => fields.settings(settings),)*
                }
            }
        }

        #[cfg(feature = "serde")]
        $crate::fields::deserialize_setting!($settings);
    };
}
pub(crate) use named_settings;

/// The same for an enum whose variants hold the settings themselves; all of them may change during a run, and so may
/// which one it is.
macro_rules! named_variants {
    ($settings:ident { $($name:literal => $variant:ident {
        title: $title:expr,
        doc: $doc:expr,
        fields: { $($field:ident: $kind:ident = $default:expr => $row:expr),* $(,)? } $(,)?
    }),* $(,)? }) => {
        impl $crate::settings::Choices for $settings {
            const CHOICES: &'static [$crate::settings::Choice] = &[$($crate::settings::Choice {
                name: $name,
                title: $title,
                doc: $doc,
                source: "",
                fields: &[$($row.retunable().of(
                    stringify!($field),
                    $crate::settings::default_value!($kind, $default)
                )),*],
            }),*];

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant { $($field: $default),* }),)*
                    _ => None,
                }
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),* }
            }

            fn number(&self, row: usize) -> Option<f64> {
                match *self {
                    $(Self::$variant { $($field),* } => {
                        let numbers: &[Option<f64>] = &[$($crate::settings::number_of!($kind, $field)),*];
                        numbers.get(row).copied().flatten()
                    })*
                }
            }

            fn may_become(&self, _: &Self) -> bool {
                true
            }
        }

        impl $settings {
            /// One of each, with its default settings.
            #[must_use]
            pub const fn all() -> [Self; const { [$($name),*].len() }] {
                [$(Self::$variant { $($field: $default),* }),*]
            }

            #[cfg(feature = "serde")]
            fn take_fields(&mut self, mut fields: $crate::fields::Fields) -> Result<(), $crate::fields::Fault> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(fields.take(stringify!($field), $field)?;)*
                        fields.finish(&[$(stringify!($field)),*])
                    })*
                }
            }
        }

        #[cfg(feature = "serde")]
        impl $crate::fields::Setting for $settings {
            fn of(value: $crate::fields::Value) -> Result<Self, $crate::fields::Fault> {
                let mut fields = value.into_fields_of("an object with a name")?;
                let mut settings: Self = $crate::settings::choice_of(&fields.required::<alloc::string::String>("name")?)?;
                settings.take_fields(fields)?;
                Ok(settings)
            }

            fn read_over(&mut self, value: $crate::fields::Value) -> Result<(), $crate::fields::Fault> {
                let mut fields = value.into_fields_of("an object with a name")?.over();
                $crate::settings::choose(self, fields.required("name")?)?;
                self.take_fields(fields)
            }
        }

        #[cfg(feature = "serde")]
        $crate::fields::deserialize_setting!($settings);
    };
}
pub(crate) use named_variants;
