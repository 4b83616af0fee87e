use super::Sensors;
use crate::statistics::Needs;

/// How a noise scale is measured. See the [module](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Sensor {
    /// In the Euclidean geometry of SGD.
    #[default]
    Plain,
    /// With gradients divided by the root of the optimizer's second moments.
    Preconditioned,
    /// In the geometry of signs.
    Sign,
}

#[cfg(feature = "serde")]
crate::fields::name_setting!(Sensor { Plain, Preconditioned, Sign });

impl Sensor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Preconditioned, Self::Sign];

    /// What settings call them.
    pub const NAMES: &'static [&'static str] =
        &[Self::Plain.name(), Self::Preconditioned.name(), Self::Sign.name()];

    /// What settings call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Preconditioned => "preconditioned",
            Self::Sign => "sign",
        }
    }

    /// The statistics that it needs.
    #[must_use]
    pub fn needs(self) -> Needs {
        Needs { norms: true, sensors: Sensors::of(self), ..Needs::default() }
    }
}
