//! The training memory: vectors of D values. First the optimizer's slots, and then, for rules that look at whole
//! epochs, one more: Σ gᵢ over the current epoch.

use num_traits::Zero;

use super::plan::Decided;
use crate::config::RunConfig;
use crate::network::Network;
use crate::real::{Real, count};
use crate::statistics::{LengthMismatch, Needs, check_length};
use crate::subnormal::Factor;
use crate::vectors::on_vectors;

impl RunConfig {
    /// What an engine must compute in every step: for the test, for the rule, and for what is observed.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let own = self.own_needs();
        let measures = self.observe.quantities().iter().map(|quantity| quantity.in_run(self));
        let needs = measures.fold(own, |needs, measure| needs.and(measure.needs()));
        let is_own_only_sum = !own.norms && !own.moments();
        Needs { apart: is_own_only_sum && (needs.norms || needs.moments()), ..needs }
    }

    /// The same for test and rule alone: what decides.
    #[must_use]
    pub fn own_needs(&self) -> Needs {
        // The answer does not depend on the float type.
        let of_test = self.test.map_or(Needs::NONE, |test| test.as_test::<f64>().needs());
        of_test.and(self.controller.needs())
    }

    /// Values of training memory per parameter: the optimizer's slots, and one for an epoch's sum.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.optimizer.as_optimizer::<f32>().slots() + usize::from(self.needs().epoch)
    }

    /// Initialises the training memory of `parameters` parameters before the first step.
    pub fn start<F: Real>(&self, parameters: usize, memory: &mut [F]) {
        let optimizer = self.optimizer.as_optimizer::<F>();
        let [own, epoch] = split(memory, optimizer.slots() * parameters);
        optimizer.start(own);
        epoch.fill(F::zero());
    }

    /// Applies a decided step of a run over `samples` training samples to the parameters and the training memory of a
    /// network. Where the gradient is clipped, ḡ becomes `clip` · ḡ before the optimizer takes it, but an epoch's sum is of
    /// gradients as they are.
    ///
    /// # Errors
    /// When the gradient does not have as many values as the parameters, or the memory [`Self::slots`] times as many;
    /// then nothing has changed.
    pub fn update<F: Real>(
        &self,
        Decided { plan, scalars }: &Decided<F>,
        samples: u32,
        network: Network<'_>,
        parameters: &mut [F],
        mean_gradient: &mut [F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        check_length("the training memory", self.slots() * parameters.len(), memory.len())?;
        check_length("the gradient", parameters.len(), mean_gradient.len())?;
        let optimizer = self.optimizer.as_optimizer::<F>();
        let [own, epoch] = split(memory, optimizer.slots() * parameters.len());
        if plan.ends_epoch(samples) {
            epoch.fill(F::zero());
        } else {
            let b: F::Sum = count(plan.cut.samples().into());
            for (sum, &g) in epoch.iter_mut().zip(&*mean_gradient) {
                *sum = F::narrow(sum.widen() + b * g.widen());
            }
        }
        if scalars.clip != F::one() {
            let clip = Factor::new(scalars.clip);
            on_vectors(|| mean_gradient.iter_mut().for_each(|g| *g = clip.times(*g)));
        }
        let mut exempt = network.exempt(self.decay_on);
        optimizer.update_except(scalars, &mut exempt, parameters, mean_gradient, own)
    }
}

/// ‖Σ gᵢ‖² over the epoch so far with a batch of `b` samples, from the sum before it. `None` where none is kept.
pub(super) fn epoch_norm_sq<F: Real>(
    memory: &[F],
    slots: usize,
    mean_gradient: &[F],
    b: u32,
) -> Option<F::Sum> {
    let b: F::Sum = count(b.into());
    let epoch = memory.get(slots * mean_gradient.len()..).filter(|epoch| !epoch.is_empty())?;
    let values = epoch.iter().zip(mean_gradient);
    Some(
        values.map(|(sum, g)| (sum.widen() + b * g.widen()).squared()).fold(F::Sum::zero(), |sum, x| sum + x),
    )
}

fn split<F>(memory: &mut [F], own: usize) -> [&mut [F]; 2] {
    let (own, epoch) = memory.split_at_mut(own.min(memory.len()));
    [own, epoch]
}
