//! A batch's evidence, with what the optimizer's memory makes of it.

use super::BatchSums;
use crate::noise_scale::MeasuredNoise;
use crate::real::Real;
use crate::statistics::{Evidence, Inner, LengthMismatch, Needs};
use crate::training::Trainer;

/// The evidence of summed parts. A noise scale by coordinates is measured before the second moment's memory is used for
/// anything else; the optimizer's memory is as it stands before the step.
pub(crate) fn evidence<F: Real>(
    sums: &mut BatchSums<F>,
    trainer: &Trainer<F>,
    needs: &Needs,
    inner: Option<Inner<F::Sum>>,
    memory: &[F],
) -> Result<Evidence<F::Sum>, LengthMismatch> {
    let optimizer = trainer.config().optimizer.as_optimizer::<F>();
    let parameters = memory.len().checked_div(trainer.config().slots()).unwrap_or_default();
    let preconditioner = optimizer.preconditioner(&trainer.progress().shared);
    let divisor = |coordinate| {
        let preconditioner = preconditioner?;
        let square: &F = memory.get(preconditioner.slot * parameters + coordinate)?;
        Some(preconditioner.divisor(square.widen()))
    };
    let mut measured_noise = MeasuredNoise::default();
    for sensor in needs.sensors.iter() {
        measured_noise = measured_noise.with(sensor, sums.noise(sensor, divisor)?);
    }
    Ok(Evidence { measured_noise, ..sums.evidence(needs, inner)? })
}
