use crate::real::{Real, count};

/// The means of the parts that a batch was cut into.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts<S> {
    /// J.
    pub count: u32,
    /// Σⱼ mⱼ ‖gⱼ‖² over parts of mⱼ samples with mean gradient gⱼ.
    pub sum_squared_means: S,
    /// m₁ and m₁ ‖g₁‖² of the first part: with two parts, the rest belongs to the other one.
    pub first: (u32, S),
}

impl<S: Real> Parts<S> {
    /// A single part, by the number of its samples and ‖Σ gᵢ‖².
    pub(crate) fn of_one(samples: u32, sum_norm_sq: S) -> Self {
        let squared_mean = sum_norm_sq / count(samples.max(1).into());
        Self { count: 1, sum_squared_means: squared_mean, first: (samples, squared_mean) }
    }

    /// Adds the part that follows, by the number of its samples and ‖Σ gᵢ‖².
    pub fn push(&mut self, samples: u32, sum_norm_sq: S) {
        self.merge(&Self::of_one(samples, sum_norm_sq));
    }

    /// Adds the parts that follow.
    pub(super) fn merge(&mut self, next: &Self) {
        if self.count == 0 {
            self.first = next.first;
        }
        self.count = self.count.saturating_add(next.count);
        self.sum_squared_means += next.sum_squared_means;
    }
}
