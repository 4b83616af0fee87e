//! Softmax cross-entropy of sequences in `f32`: [`LANES`] positions side by side, class after class.

use super::exponential::exponential;
use crate::loss::SampleLoss;
use crate::subnormal::flush;
use crate::vectors::{Work, on_vectors};

const LANES: usize = 16;

/// The mean loss over the positions of outputs \[K, T\] with T labels, and its gradient. `None` when there is no such class.
pub(super) fn cross_entropy(z: &[f32], labels: &[u32], dz: &mut [f32]) -> Option<SampleLoss<f32>> {
    let classes = z.len() / labels.len();
    if labels.iter().any(|&label| label as usize >= classes) {
        return None;
    }
    let mut sample = SampleLoss { loss: 0.0, correct: 0 };
    on_vectors(OfPositions { z, labels, dz, sample: &mut sample });
    sample.loss /= labels.len() as f32;
    Some(sample)
}

struct OfPositions<'a> {
    z: &'a [f32],
    labels: &'a [u32],
    dz: &'a mut [f32],
    sample: &'a mut SampleLoss<f32>,
}

impl Work for OfPositions<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { z, labels, dz, sample } = self;
        for (block, first) in labels.chunks(LANES).zip((0..).step_by(LANES)) {
            // Known lengths let the compiler keep sums in registers.
            let found = match block.len() {
                LANES => of_block(z, dz, labels.len(), first, LANES),
                count => of_block(z, dz, labels.len(), first, count),
            };
            for (lane, &label) in block.iter().enumerate() {
                let place = label as usize * labels.len() + first + lane;
                // From its probability, of which a share has been rounded: of a label that is nearly certain little is left.
                let probability = exponential(z[place] - found.tops[lane]) / found.sums[lane];
                dz[place] = flush((probability - 1.0) / labels.len() as f32);
                // The logarithm of the reference: one for each position.
                sample.loss += libm::logf(found.sums[lane]) + (found.tops[lane] - z[place]);
                sample.correct += u32::from(found.largest[lane] == label);
            }
        }
    }
}

/// What is found at some positions.
struct Found {
    /// The first largest output, and its class.
    tops: [f32; LANES],
    largest: [u32; LANES],
    /// Σ exp(z − largest).
    sums: [f32; LANES],
}

/// Fills the softmax of `count` positions from `first` on, as a share of a mean over `positions`.
#[inline(always)]
fn of_block(z: &[f32], dz: &mut [f32], positions: usize, first: usize, count: usize) -> Found {
    let mut found = Found { tops: [0.0; LANES], largest: [0; LANES], sums: [0.0; LANES] };
    for (z, class) in z.chunks_exact(positions).zip(0..) {
        let tops = found.tops.iter_mut().zip(&mut found.largest);
        for ((top, largest), &z) in tops.zip(&z[first..first + count]) {
            // The first is the largest so far even if it is a NaN.
            let is_larger = (class == 0) | (z > *top);
            *top = if is_larger { z } else { *top };
            *largest = if is_larger { class } else { *largest };
        }
    }
    for (z, dz) in z.chunks_exact(positions).zip(dz.chunks_exact_mut(positions)) {
        let values = dz[first..first + count].iter_mut().zip(&z[first..first + count]);
        for ((dz, &z), (&top, sum)) in values.zip(found.tops.iter().zip(&mut found.sums)) {
            *dz = exponential(z - top);
            *sum += *dz;
        }
    }
    let shares = found.sums.map(|sum| 1.0 / (sum * positions as f32));
    for dz in dz.chunks_exact_mut(positions) {
        for (dz, &share) in dz[first..first + count].iter_mut().zip(&shares) {
            // The tail is 0 before it is subnormal, so that the whole backward pass need not be slow for it.
            let value = *dz * share;
            *dz = if value < f32::MIN_POSITIVE { 0.0 } else { value };
        }
    }
    found
}
