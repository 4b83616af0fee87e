//! The first sweep: loss, gradient and statistics.

use num_traits::Zero;

use super::Sweep;
use crate::backend::Backend;
use crate::dataset::{Dataset, Visit};
use crate::network::backward::{backward, scale_gradients};
use crate::network::pass::Pass;
use crate::network::{Score, SweepError};
use crate::real::{Real, power_of_two};
use crate::sink::Sink;
use crate::statistics::{Needs, Statistics, check_length};

/// What takes memory of its own.
const MOMENTS: Needs = Needs { coordinate_quantile: Some(1.0), ..Needs::NORMS };

impl<F: Real, B: Backend<F>> Sweep<'_, F, B> {
    /// Adds a micro-batch's loss, gradient and the statistics in `needs` to `statistics`. Without samples, nothing is
    /// added.
    ///
    /// # Errors
    /// When lengths do not fit, or there is no such sample or class; then `statistics` is as it was.
    pub fn accumulate(
        &mut self,
        parameters: &[F],
        dataset: &dyn Dataset<F>,
        samples: impl IntoIterator<Item = impl Into<Visit>>,
        needs: &Needs,
        statistics: &mut Statistics<'_, F>,
    ) -> Result<(), SweepError> {
        let parameters_len = self.network.parameters();
        check_length("the gradient", parameters_len, statistics.gradient_sum.len())?;
        if !statistics.second_moment.is_empty() {
            check_length("the second moment", parameters_len, statistics.second_moment.len())?;
            self.check_workspace(&MOMENTS)?;
        }
        let (count, score) = self.forward(parameters, dataset, samples)?;
        if count > 0 {
            self.accumulate_forwarded(parameters, count, &score, needs, statistics);
        }
        Ok(())
    }

    /// The same for the micro-batch of which `forward` has given the score.
    fn accumulate_forwarded(
        &mut self,
        parameters: &[F],
        count: usize,
        score: &Score<F::Sum>,
        needs: &Needs,
        statistics: &mut Statistics<'_, F>,
    ) {
        let norms = if needs.norms { count } else { 0 };
        let exponent = statistics.exponent_for(self.largest_error(count));
        let (square_norms, _) = self.workspace.sums.split_at_mut(norms);
        square_norms.fill(F::Sum::zero());
        let values = &mut *self.workspace.values;
        let mut sink = Sink {
            gradient_sum: statistics.gradient_sum,
            second_moment: statistics.second_moment,
            square_norms,
            ..Sink::default()
        };
        if (exponent == 0 && !needs.apart) || sink.only_sum() {
            backward(self.network, &self.backend, Pass::Full, count, parameters, values, sink);
        } else {
            // First the sum of gradients that are so small, or that nothing may change, then their squares, from gradients
            // that are not small.
            let only_sum = Sink { gradient_sum: sink.gradient_sum, ..Sink::default() };
            backward(self.network, &self.backend, Pass::Full, count, parameters, values, only_sum);
            sink.gradient_sum = &mut [];
            scale_gradients(self.network, count, values, exponent);
            backward(self.network, &self.backend, Pass::FromCache, count, parameters, values, sink);
            scale_gradients(self.network, count, values, -exponent);
            let unscale = power_of_two::<F::Sum>(-exponent);
            for norm in &mut self.workspace.sums[..norms] {
                *norm = *norm * unscale * unscale;
            }
        }
        statistics.totals.loss += score.loss;
        let totals = &mut statistics.totals;
        totals.correct = totals.correct.saturating_add(score.correct);
        totals.samples = totals.samples.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        statistics.totals.sum_squared_norms += self.workspace.sums[..norms].iter().copied().sum();
    }
}
