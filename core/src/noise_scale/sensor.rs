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
crate::fields::choice!(Sensor { "plain" => Plain, "preconditioned" => Preconditioned, "sign" => Sign });

impl Sensor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Preconditioned, Self::Sign];

    /// The statistics that it needs.
    #[must_use]
    pub fn needs(self) -> Needs {
        Needs { norms: true, sensor: self, ..Needs::default() }
    }
}
