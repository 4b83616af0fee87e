//! Softmax, and its cross-entropy on integer labels.

use super::SampleLoss;
use crate::real::{Real, count};
use crate::subnormal::flush;

/// Writes softmax(z) and returns the place of the first largest output, and Σ exp(z − largest).
pub(crate) fn softmax<F: Real>(z: &[F], probabilities: &mut [F]) -> (usize, F) {
    softmax_at(0, 1, z, probabilities)
}

/// The same for outputs \[K, positions\], over the classes of each position.
pub(crate) fn softmax_of_positions<F: Real>(z: &[F], positions: usize, probabilities: &mut [F]) {
    for position in 0..positions {
        softmax_at(position, positions, z, probabilities);
    }
}

/// The same over the outputs of one of `positions` positions.
#[inline(always)]
fn softmax_at<F: Real>(position: usize, positions: usize, z: &[F], probabilities: &mut [F]) -> (usize, F) {
    let outputs = || z.iter().skip(position).step_by(positions);
    let (mut largest, mut top) = (0, F::neg_infinity());
    for (class, &value) in outputs().enumerate() {
        // The first is the largest so far even if it is a NaN.
        if class == 0 || value > top {
            (largest, top) = (class, value);
        }
    }
    let mut sum = F::zero();
    for (probability, &value) in probabilities.iter_mut().skip(position).step_by(positions).zip(outputs()) {
        // The tail is 0 before it is subnormal, so that the whole backward pass need not be slow for it.
        *probability = flush((value - top).exponential());
        sum += *probability;
    }
    for probability in probabilities.iter_mut().skip(position).step_by(positions) {
        *probability = flush(*probability / sum);
    }
    (largest, sum)
}

/// For one sample: the loss log Σ exp z − z_label in nats, the gradient softmax(z) − onehot(label) of that
/// *unscaled* loss, and whether the first largest output is the label.
///
/// With T labels the outputs are those of T positions, \[K, T\]: the loss and its gradient are then the means of the positions',
/// and each position is an answer. `None` when there is no such class.
pub(super) fn softmax_cross_entropy<F: Real>(z: &[F], labels: &[u32], dz: &mut [F]) -> Option<SampleLoss<F>> {
    let positions = labels.len();
    let mut sample = SampleLoss { loss: F::zero(), correct: 0 };
    for (position, &label) in labels.iter().enumerate() {
        let (largest, sum) = softmax_at(position, positions, z, dz);
        let label = usize::try_from(label).ok().filter(|&label| label < z.len() / positions)?;
        let at = |class: usize| class * positions + position;
        dz[at(label)] -= F::one();
        sample.loss += sum.logarithm() + (z[at(largest)] - z[at(label)]);
        sample.correct += u32::from(largest == label);
    }
    if positions > 1 {
        let share = F::one() / count(positions as u64);
        sample.loss *= share;
        dz.iter_mut().for_each(|dz| *dz = flush(*dz * share));
    }
    Some(sample)
}
