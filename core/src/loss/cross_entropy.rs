//! Softmax, and its cross-entropy on integer labels.

use super::SampleLoss;
use crate::real::Real;
use crate::subnormal::flush;

/// Writes softmax(z) and returns the place of the first largest output, and Σ exp(z − largest).
pub(crate) fn softmax<F: Real>(z: &[F], probabilities: &mut [F]) -> (usize, F) {
    let mut largest = 0;
    for (class, &value) in z.iter().enumerate() {
        if value > z[largest] {
            largest = class;
        }
    }
    let mut sum = F::zero();
    for (probability, &value) in probabilities.iter_mut().zip(z) {
        // The tail is 0 before it is subnormal, so that the whole backward pass need not be slow for it.
        *probability = flush((value - z[largest]).exponential());
        sum += *probability;
    }
    probabilities.iter_mut().for_each(|probability| *probability = flush(*probability / sum));
    (largest, sum)
}

/// For one sample: the loss log Σ exp z − z_label in nats, the gradient softmax(z) − onehot(label) of that
/// *unscaled* loss, and whether the first largest output is the label. `None` when there is no such class.
pub(super) fn softmax_cross_entropy<F: Real>(z: &[F], label: u32, dz: &mut [F]) -> Option<SampleLoss<F>> {
    let label = usize::try_from(label).ok().filter(|&label| label < z.len())?;
    let (largest, sum) = softmax(z, dz);
    dz[label] -= F::one();
    Some(SampleLoss { loss: sum.logarithm() + (z[largest] - z[label]), correct: largest == label })
}
