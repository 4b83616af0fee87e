//! What a change of the batch size does to learning rate and β of a run.

use super::progress::Progress;
use crate::config::RunConfig;
use crate::coupling::{Coupled, CouplingError};
use crate::optimizer::Betas;
use crate::real::Real;

impl RunConfig {
    /// β₁ and β₂ as a run that stands here has them; `None` for optimizers without.
    pub(super) fn betas<S: Real>(&self, progress: &Progress<S>) -> Option<Betas<S>> {
        // The settings do not depend on the float type.
        let own = self.optimizer.as_optimizer::<f32>().betas();
        progress.shared.betas.or_else(|| own.map(Betas::unchanged))
    }
}

/// The progress with another size of the next batch, and what the run's coupling makes of it.
///
/// # Errors
/// When the coupling leaves no β.
pub(super) fn with_next_batch<S: Real>(
    progress: Progress<S>,
    config: &RunConfig,
    next: u32,
) -> Result<Progress<S>, CouplingError> {
    let batch = progress.next_batch;
    if next == batch {
        return Ok(progress);
    }
    let betas = config.betas(&progress);
    let [beta1, beta2] = betas.map_or([S::zero(); 2], |betas| [betas.beta1, betas.beta2]);
    let before = Coupled { learning_rate: S::of(progress.learning_rate_scale), beta1, beta2 };
    let after = config.coupling.follow(before, batch, next)?;
    let mut shared = progress.shared;
    if config.coupling.changes_betas() {
        shared.betas = betas.map(|betas| betas.changed(shared.steps, [after.beta1, after.beta2]));
    }
    let learning_rate_scale = after.learning_rate.as_f64();
    Ok(Progress { next_batch: next, learning_rate_scale, shared, ..progress })
}
