use super::{Noise, Sensor};
use crate::reason::Reason;

/// The sensors other than the plain one, which needs only the samples' norms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sensors {
    /// [`Sensor::Preconditioned`].
    pub preconditioned: bool,
    /// [`Sensor::Sign`].
    pub sign: bool,
}

impl Sensors {
    /// Only this sensor; none if it is the plain one.
    #[must_use]
    pub const fn of(sensor: Sensor) -> Self {
        Self {
            preconditioned: matches!(sensor, Sensor::Preconditioned),
            sign: matches!(sensor, Sensor::Sign),
        }
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { preconditioned: self.preconditioned || other.preconditioned, sign: self.sign || other.sign }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        !self.preconditioned && !self.sign
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Sensor> {
        let all = [(self.preconditioned, Sensor::Preconditioned), (self.sign, Sensor::Sign)];
        all.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, sensor)| sensor)
    }
}

/// Results of the sensors that look at single coordinates, or why there are none; `None` if they were not requested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredNoise<S> {
    /// By [`Sensor::Preconditioned`].
    pub preconditioned: Option<Result<Noise<S>, Reason>>,
    /// By [`Sensor::Sign`].
    pub sign: Option<Result<Noise<S>, Reason>>,
}

impl<S> Default for MeasuredNoise<S> {
    fn default() -> Self {
        Self { preconditioned: None, sign: None }
    }
}

impl<S: Copy> MeasuredNoise<S> {
    /// With the result of a sensor. The plain one is not stored here.
    #[must_use]
    pub const fn with(self, sensor: Sensor, found: Result<Noise<S>, Reason>) -> Self {
        match sensor {
            Sensor::Plain => self,
            Sensor::Preconditioned => Self { preconditioned: Some(found), ..self },
            Sensor::Sign => Self { sign: Some(found), ..self },
        }
    }

    /// The result of a sensor, if it was requested.
    #[must_use]
    pub const fn get(&self, sensor: Sensor) -> Option<Result<Noise<S>, Reason>> {
        match sensor {
            Sensor::Plain => None,
            Sensor::Preconditioned => self.preconditioned,
            Sensor::Sign => self.sign,
        }
    }
}
