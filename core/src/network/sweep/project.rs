//! The second sweep: inner products with ḡ.

use num_traits::Zero;

use super::Sweep;
use crate::backend::Backend;
use crate::dataset::{Dataset, Visit};
use crate::network::SweepError;
use crate::network::backward::{backward, scale_gradients};
use crate::network::pass::Pass;
use crate::real::{Real, power_of_two};
use crate::sink::Sink;
use crate::statistics::{Inner, Needs, check_length, comfortable_exponent};

/// What takes memory of its own.
const INNER: Needs = Needs { inner: true, ..Needs::NORMS };

impl<F: Real, B: Backend<F>> Sweep<'_, F, B> {
    /// The second sweep: adds a micro-batch's inner products with ḡ to `inner`. Without samples, nothing is added.
    ///
    /// # Errors
    /// When lengths do not fit, there is no such sample or class, or samples cannot be read again; then `inner` is as it
    /// was.
    pub fn project(
        &mut self,
        parameters: &[F],
        mean_gradient: &[F],
        dataset: &dyn Dataset<F>,
        samples: impl IntoIterator<Item = impl Into<Visit>>,
        inner: &mut Inner<F::Sum>,
    ) -> Result<(), SweepError> {
        check_length("the mean gradient", self.network.parameters(), mean_gradient.len())?;
        self.check_workspace(&INNER)?;
        if !dataset.repeats() {
            return Err(SweepError::Stream);
        }
        let (count, _) = self.forward(parameters, dataset, samples)?;
        self.project_by(Pass::Full, parameters, mean_gradient, count, inner);
        Ok(())
    }

    /// The second sweep over the `samples` samples that were accumulated last, from their activations and gradients
    /// that are still in this memory. The result has the same bits as [`Self::project`]'s, for a third of its work.
    ///
    /// # Errors
    /// When lengths do not fit; then `inner` is as it was.
    pub fn project_from_cache(
        &mut self,
        parameters: &[F],
        mean_gradient: &[F],
        samples: usize,
        inner: &mut Inner<F::Sum>,
    ) -> Result<(), SweepError> {
        check_length("the parameters", self.network.parameters(), parameters.len())?;
        check_length("the mean gradient", self.network.parameters(), mean_gradient.len())?;
        self.check_workspace(&INNER)?;
        let capacity = self.capacity;
        if samples > capacity {
            return Err(SweepError::TooManySamples { capacity });
        }
        self.project_by(Pass::FromCache, parameters, mean_gradient, samples, inner);
        Ok(())
    }

    fn project_by(
        &mut self,
        pass: Pass,
        parameters: &[F],
        mean_gradient: &[F],
        count: usize,
        inner: &mut Inner<F::Sum>,
    ) {
        if count == 0 {
            return;
        }
        self.workspace.sums.fill(F::Sum::zero());
        let exponent = comfortable_exponent(self.largest_error(count));
        let (network, backend, values) = (self.network, &self.backend, &mut *self.workspace.values);
        let (square_norms, inner_products) = self.workspace.sums.split_at_mut(self.capacity);
        let sink = Sink {
            mean_gradient,
            square_norms: &mut square_norms[..count],
            inner_products: &mut inner_products[..count],
            ..Sink::default()
        };
        if exponent == 0 {
            backward(network, backend, pass, count, parameters, values, sink);
        } else {
            if pass == Pass::Full {
                backward(network, backend, pass, count, parameters, values, Sink::default());
            }
            scale_gradients(network, count, values, exponent);
            backward(network, backend, Pass::FromCache, count, parameters, values, sink);
            scale_gradients(network, count, values, -exponent);
        }
        let unscale = power_of_two::<F::Sum>(-exponent);
        for (&square_norm, &inner_product) in square_norms[..count].iter().zip(&inner_products[..count]) {
            inner.add(square_norm * unscale * unscale, inner_product * unscale);
        }
    }
}
