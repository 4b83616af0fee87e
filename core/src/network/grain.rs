//! How finely the batches of a network's runs are cut.

use core::ops::RangeInclusive;

use super::Network;

/// How finely batches are cut, unless a test needs more parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grain {
    /// Smallest number of samples in a part.
    pub samples: u32,
    /// Largest number of parts of a batch: each costs a pass over the parameters. A run may set another
    /// ([`RunConfig::parts`](crate::config::RunConfig::parts)).
    pub parts: u32,
}

impl Grain {
    /// For a network of `flops` operations per sample with `parameters` parameters. To add a part's gradient to the others' takes
    /// about as long as 30 operations for each parameter, and is to take less than a twentieth of the time; nor is a part
    /// to be so short that handing it to a thread counts, or shorter than the micro-batches that kernels prepare weights
    /// for.
    #[must_use]
    pub fn of_cost(flops: u64, parameters: usize) -> Self {
        const FLOPS_PER_PARAMETER: u64 = 600;
        const LEAST_FLOPS: u64 = 8_000_000;
        const SAMPLES: RangeInclusive<u64> = 4..=128;
        let work = FLOPS_PER_PARAMETER.saturating_mul(parameters as u64).max(LEAST_FLOPS);
        let samples = work.div_ceil(flops.max(1)).clamp(*SAMPLES.start(), *SAMPLES.end());
        // At most 128.
        #[allow(clippy::cast_possible_truncation)]
        let samples = samples as u32;
        Self { samples, parts: 32 }
    }

    /// For a network, by what it costs ([`Self::of_cost`]). Sequences are large samples: of a network of sequences a part has at
    /// least 8, so that the usual small batches are cut into few parts, and as many for each of two threads.
    #[must_use]
    pub fn of_network(network: Network<'_>) -> Self {
        const SEQUENCES: u32 = 8;
        let of_cost = Self::of_cost(network.flops(), network.parameters());
        let least = if network.positions() > 1 { SEQUENCES } else { 1 };
        Self { samples: of_cost.samples.max(least), ..of_cost }
    }
}

/// For an unknown model.
impl Default for Grain {
    fn default() -> Self {
        Self { samples: 64, parts: 32 }
    }
}
