use super::{Noise, Sensor};
use crate::statistics::Reason;

/// Sensors beside the plain one, which needs no more than the samples' norms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sensors {
    /// [`Sensor::Preconditioned`].
    pub preconditioned: bool,
    /// [`Sensor::Sign`].
    pub sign: bool,
}

impl Sensors {
    /// This one; none where it is the plain one.
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

/// What sensors found that look at single coordinates, or why they found nothing; `None` where they were not asked for.
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
    /// With what a sensor found. The plain one is not among them.
    #[must_use]
    pub const fn with(self, sensor: Sensor, found: Result<Noise<S>, Reason>) -> Self {
        match sensor {
            Sensor::Plain => self,
            Sensor::Preconditioned => Self { preconditioned: Some(found), ..self },
            Sensor::Sign => Self { sign: Some(found), ..self },
        }
    }

    /// What a sensor found, if it was asked for.
    #[must_use]
    pub const fn get(&self, sensor: Sensor) -> Option<Result<Noise<S>, Reason>> {
        match sensor {
            Sensor::Plain => None,
            Sensor::Preconditioned => self.preconditioned,
            Sensor::Sign => self.sign,
        }
    }
}
