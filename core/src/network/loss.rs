//! Softmax cross-entropy on integer labels.

use crate::real::Real;

/// For one sample: the loss log Σ exp z − z_label in nats, the gradient softmax(z) − onehot(label) of that
/// *unscaled* loss, and whether the first largest output is the label. `None` when there is no such class.
pub(super) fn softmax_cross_entropy<F: Real>(z: &[F], label: u32, dz: &mut [F]) -> Option<(F, bool)> {
    let label = usize::try_from(label).ok().filter(|&label| label < z.len())?;
    let mut largest = 0;
    for (class, &value) in z.iter().enumerate() {
        if value > z[largest] {
            largest = class;
        }
    }
    let mut sum = F::zero();
    for (dz, &value) in dz.iter_mut().zip(z) {
        *dz = (value - z[largest]).exponential();
        sum += *dz;
    }
    dz.iter_mut().for_each(|dz| *dz /= sum);
    dz[label] -= F::one();
    Some((sum.logarithm() + (z[largest] - z[label]), largest == label))
}
