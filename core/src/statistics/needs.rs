use crate::noise_scale::{Sensor, Sensors};

/// What a batch-size test or a controller asks an engine to compute beyond loss and mean gradient. An engine computes
/// no more than this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needs {
    /// Σ sᵢ: free with the backward pass.
    pub norms: bool,
    /// Σ pᵢ², Σ sᵢpᵢ and Σ sᵢ²: a second sweep over the batch, because ḡ must be known first.
    pub inner: bool,
    /// Σᵢ gᵢⱼ² for every coordinate, reduced to this quantile of Varⱼ/ḡⱼ²: one buffer of D values.
    pub coordinate_quantile: Option<f64>,
    /// The batch is to be cut into at least this many parts, and their means compared.
    pub parts: u32,
    /// The batch is to be cut into exactly two halves, and their means compared.
    pub halves: bool,
    /// The sensors of the noise scale in addition to the plain one, from Σᵢ gᵢⱼ² for every coordinate: one buffer of D
    /// values.
    pub sensors: Sensors,
    /// Σ gᵢ over an epoch: one more slot of D values in the training memory.
    pub epoch: bool,
    /// Batches that can be extended before their step.
    pub extends: bool,
    /// How long steps take.
    pub step_time: bool,
    /// The gradient is summed as if no statistics were requested, and the statistics come from a separate backward
    /// pass: sums of samples' gradients are rounded in another order.
    pub apart: bool,
}

impl Needs {
    /// Nothing beyond loss and mean gradient.
    pub const NONE: Self = Self {
        norms: false,
        inner: false,
        coordinate_quantile: None,
        parts: 0,
        halves: false,
        sensors: Sensors::of(Sensor::Plain),
        epoch: false,
        extends: false,
        step_time: false,
        apart: false,
    };

    /// Σ sᵢ, as the norm test asks for.
    pub const NORMS: Self = Self { norms: true, ..Self::NONE };

    /// The needs of both. If both need a quantile, that of the first is used.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            norms: self.norms || other.norms,
            inner: self.inner || other.inner,
            coordinate_quantile: self.coordinate_quantile.or(other.coordinate_quantile),
            parts: self.parts.max(other.parts),
            halves: self.halves || other.halves,
            sensors: self.sensors.and(other.sensors),
            epoch: self.epoch || other.epoch,
            extends: self.extends || other.extends,
            step_time: self.step_time || other.step_time,
            apart: self.apart || other.apart,
        }
    }

    /// Whether Σᵢ gᵢⱼ² is needed for every coordinate.
    #[must_use]
    pub const fn moments(&self) -> bool {
        self.coordinate_quantile.is_some() || !self.sensors.is_empty()
    }

    /// Whether the means of parts are compared.
    #[must_use]
    pub const fn compares_parts(&self) -> bool {
        self.parts > 0 || self.halves
    }

    /// The smallest batch for which this can be computed. A batch of one sample could never grow.
    #[must_use]
    pub const fn least_batch(&self) -> u32 {
        if self.compares_samples() { 2 } else { 1 }
    }

    /// Whether a sample variance is needed: a single sample has none.
    #[must_use]
    pub const fn compares_samples(&self) -> bool {
        self.norms || self.inner || self.compares_parts() || self.moments()
    }
}

impl Sensor {
    /// The statistics that it needs.
    #[must_use]
    pub fn needs(self) -> Needs {
        Needs { norms: true, sensors: Sensors::of(self), ..Needs::NONE }
    }
}
