//! Confusion matrices.

use std::vec;
use std::vec::Vec;

use crate::network::Network;

/// How often a sample of class `row` was classified as class `column`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u32>,
}

impl Confusion {
    /// Zero counts.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// The same for the answers of a network: over the positions of sequences, whose classes are tokens, nothing is counted.
    #[must_use]
    pub fn of(network: Network<'_>) -> Self {
        Self::new(if network.positions() == 1 { network.outputs() } else { 0 })
    }

    /// Counts samples by the network's outputs, where there are classes.
    pub fn add_all(&mut self, labels: &[u32], outputs: &[f32]) {
        if self.classes > 0 {
            for (&label, outputs) in labels.iter().zip(outputs.chunks_exact(self.classes)) {
                self.add(label, outputs);
            }
        }
    }

    /// Number of classes.
    pub(super) const fn classes(&self) -> usize {
        self.classes
    }

    /// Counts one sample by the network's outputs, and returns the answer: of equal ones the first. Labels beyond
    /// the classes are left out.
    #[allow(clippy::cast_possible_truncation)]
    pub fn add(&mut self, label: u32, outputs: &[f32]) -> u32 {
        let mut answer = 0;
        for (class, &value) in outputs.iter().enumerate() {
            if value > outputs[answer] {
                answer = class;
            }
        }
        let label = usize::try_from(label).unwrap_or(usize::MAX);
        if label < self.classes && answer < self.classes {
            self.counts[label * self.classes + answer] += 1;
        }
        answer as u32
    }

    /// Adds other samples' counts.
    pub fn merge(&mut self, other: &Self) {
        self.add_counts(other.counts.iter().copied());
    }

    /// All counts, row by row.
    pub(super) fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Adds other samples' counts, as [`Self::counts`] has them.
    pub(super) fn add_counts(&mut self, counts: impl IntoIterator<Item = u32>) {
        for (count, more) in self.counts.iter_mut().zip(counts) {
            *count += more;
        }
    }

    /// One row of counts per class.
    pub fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.counts.chunks_exact(self.classes.max(1))
    }
}
