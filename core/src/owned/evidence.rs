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
    let mut measured_noise = MeasuredNoise::default();
    for sensor in needs.sensors.iter() {
        let (slots, optimizer) = (trainer.config().slots(), trainer.config().optimizer.as_optimizer::<F>());
        // The optimizer's slots without those behind them.
        let own = memory.len().checked_div(slots).unwrap_or_default() * optimizer.slots();
        let (memory, shared) = (&memory[..own], trainer.progress().shared);
        let noise = sums.noise(sensor, |coordinate| optimizer.divisor(&shared, memory, coordinate))?;
        measured_noise = measured_noise.with(sensor, noise);
    }
    Ok(Evidence { measured_noise, ..sums.evidence(needs, inner)? })
}
