use super::{MOST_OBSERVED, Quantity};
use crate::statistics::Reason;

/// An observed quantity after a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observation {
    /// Which.
    pub quantity: Quantity,
    /// The size that this batch asks for, as a real number.
    pub size: Option<f64>,
    /// The smoothed one.
    pub smoothed: Option<f64>,
    /// Why one of the two is undefined.
    pub reason: Option<Reason>,
}

/// All observed quantities after a step. In files a map from their names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observations {
    rows: [Observation; MOST_OBSERVED],
    len: usize,
}

impl Observations {
    /// One after the other.
    #[must_use]
    pub fn rows(&self) -> &[Observation] {
        &self.rows[..self.len]
    }

    /// That of a quantity, if it is observed.
    #[must_use]
    pub fn of(&self, quantity: Quantity) -> Option<&Observation> {
        self.rows().iter().find(|row| row.quantity == quantity)
    }

    /// Whether nothing is observed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds one; what is beyond the largest number is dropped.
    pub(crate) fn push(&mut self, row: Observation) {
        if let Some(place) = self.rows.get_mut(self.len) {
            *place = row;
            self.len += 1;
        }
    }
}

#[cfg(feature = "serde")]
mod files {

    use serde::de::value::{Error, StrDeserializer};
    use serde::de::{Deserialize, IntoDeserializer};
    use serde::ser::{Serialize, SerializeMap, Serializer};

    use super::{Observation, Observations, Quantity, Reason};
    use crate::fields::{Fault, Setting, Value};

    #[derive(serde::Serialize)]
    struct Row {
        size: Option<f64>,
        smoothed: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    }

    impl Serialize for Observations {
        fn serialize<R: Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
            let mut map = serializer.serialize_map(Some(self.rows().len()))?;
            for &Observation { quantity, size, smoothed, reason } in self.rows() {
                map.serialize_entry(quantity.name(), &Row { size, smoothed, reason })?;
            }
            map.end()
        }
    }

    impl Setting for Observations {
        fn of(value: Value) -> Result<Self, Fault> {
            let mut observations = Self::default();
            for (name, row) in value.into_fields()?.entries {
                let quantity = Quantity::named(&name)
                    .ok_or_else(|| Fault::words(format_args!("{name} is not the name of a quantity")))?;
                let mut fields = row.into_fields()?;
                let mut reason = None;
                fields.take("reason", &mut reason)?;
                let [size, smoothed] = [fields.required("size")?, fields.required("smoothed")?];
                fields.finish(&["size", "smoothed", "reason"])?;
                observations.push(Observation { quantity, size, smoothed, reason });
            }
            Ok(observations)
        }
    }

    crate::fields::deserialize_setting!(Observations);

    impl Setting for Reason {
        fn of(value: Value) -> Result<Self, Fault> {
            let name = value.into_text()?;
            let known: StrDeserializer<'_, Error> = name.as_str().into_deserializer();
            Self::deserialize(known).map_err(|_| Fault::words(format_args!("{name} is not a valid reason")))
        }
    }
}
