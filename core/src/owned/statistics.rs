//! Sums over samples, with their memory.

use std::vec::Vec;

use super::error::RunError;
use super::zeros::zeros;
use crate::real::Real;
use crate::statistics::{LengthMismatch, Needs, Statistics, Totals};

/// [`Statistics`] with their memory.
#[derive(Clone, Debug)]
pub struct OwnedStatistics<F: Real> {
    pub(super) totals: Totals<F::Sum>,
    pub(super) gradient_sum: Vec<F>,
    pub(super) second_moment: Vec<F>,
}

impl<F: Real> OwnedStatistics<F> {
    /// Zero sums over `parameters` parameters, with the memory for `needs`.
    ///
    /// # Errors
    /// When there is not that much memory.
    pub fn new(parameters: usize, needs: &Needs) -> Result<Self, RunError> {
        let moments = if needs.moments() { parameters } else { 0 };
        Ok(Self {
            totals: Totals::default(),
            gradient_sum: zeros(parameters)?,
            second_moment: zeros(moments)?,
        })
    }

    /// Calls `act` with the sums.
    ///
    /// # Errors
    /// Those of `act`.
    pub fn with<T, E: From<LengthMismatch>>(
        &mut self,
        act: impl FnOnce(&mut Statistics<'_, F>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut view = Statistics::resume(self.totals, &mut self.gradient_sum, &mut self.second_moment)?;
        let result = act(&mut view);
        self.totals = view.totals;
        result
    }

    /// Sets all sums to zero.
    pub fn clear(&mut self) {
        self.totals = Totals::default();
        self.gradient_sum.fill(F::zero());
        self.second_moment.fill(F::zero());
    }

    /// Closes a part if `needs` asks for the parts' means.
    pub(in crate::owned) fn close(&mut self, needs: &Needs) -> Result<(), LengthMismatch> {
        self.with(|part| {
            if needs.compares_parts() {
                part.close_part();
            }
            Ok(())
        })
    }
}
