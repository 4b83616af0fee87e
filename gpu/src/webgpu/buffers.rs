//! The device memory of an engine: O(parameters + micro-batch), never batch × parameters.

use adadagrad_core::network::Network;
use adadagrad_core::statistics::Needs;

use super::device::{Gpu, GpuError};
use super::engine::{FOLDED, SHARES};
use super::graph::{Step, steps};
use super::layers::Scratch;
use super::program::ROWS;
use super::update::slot_len;

/// A step's own buffers, so that a dispatch may read one and write another.
#[derive(Debug)]
pub(super) struct StepBuffers {
    pub(super) output: wgpu::Buffer,
    pub(super) gradient: wgpu::Buffer,
    /// What its forward pass leaves for its backward pass beside the output.
    pub(super) kept: wgpu::Buffer,
}

/// Their sizes in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StepSizes {
    output: usize,
    kept: usize,
}

impl StepSizes {
    const fn each(self) -> [usize; 3] {
        [self.output, self.output, self.kept]
    }
}

/// One definition of every buffer: its name, its size in words, and the field that holds it.
macro_rules! buffers {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        /// Sizes in 32-bit words, known before anything is allocated.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(super) struct Sizes {
            steps: Vec<StepSizes>,
            $($name: usize,)+
        }

        #[derive(Debug)]
        pub(super) struct Buffers {
            pub(super) steps: Vec<StepBuffers>,
            $($(#[$meta])* pub(super) $name: wgpu::Buffer,)+
        }

        impl Sizes {
            fn each(&self) -> impl Iterator<Item = usize> {
                let of_steps = self.steps.iter().flat_map(|sizes| sizes.each());
                [$(self.$name),+].into_iter().chain(of_steps)
            }
        }

        impl Buffers {
            pub(super) fn new(gpu: &Gpu, sizes: &Sizes) -> Self {
                let of_step = |&StepSizes { output, kept }: &StepSizes| StepBuffers {
                    output: gpu.storage("outputs", output),
                    gradient: gpu.storage("output gradients", output),
                    kept: gpu.storage("kept", kept),
                };
                Self {
                    steps: sizes.steps.iter().map(of_step).collect(),
                    $($name: gpu.storage(stringify!($name), sizes.$name),)+
                }
            }
        }
    };
}

buffers! {
    input,
    labels,
    parameters,
    memory,
    /// Σ gᵢ of the batch, or of the part at hand while parts are summed one by one.
    gradient_sum,
    /// Σ gᵢ of the parts so far, where parts are asked for.
    total,
    second_moment,
    per_sample,
    tile_sums,
    tile_inner_products,
    slices,
    moment_slices,
    projected,
    sample_gradients,
    sums,
    /// One word: what the loss's gradient is multiplied by.
    loss_scale,
    /// One word: not 0 once a sum was not finite. Updates submitted before anybody has looked are then not made.
    refused,
}

impl Buffers {
    /// Where the network's outputs lie.
    pub(super) fn outputs(&self) -> &wgpu::Buffer {
        self.steps.last().map_or(&self.input, |step| &step.output)
    }
}

/// What decides how much memory an engine takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand<'a> {
    pub(super) network: Network<'a>,
    /// Optimizer memory values a parameter.
    pub(super) slots: usize,
    pub(super) needs: &'a Needs,
    /// The largest batch.
    pub(super) most_samples: u32,
}

impl Sizes {
    /// The sizes for micro-batches of up to `capacity` samples.
    pub(super) fn new(demand: &Demand<'_>, capacity: u32) -> Self {
        let &Demand { network, slots, needs, most_samples } = demand;
        let m = capacity as usize;
        let parameters = network.parameters();
        let steps = steps(network.nodes());
        let scratch = steps.iter().map(|step| step.layer.scratch(step.place, m));
        let scratch = scratch.fold(Scratch::default(), Scratch::max);
        let of_step =
            |step: &Step<'_>| StepSizes { output: m * step.place.output.len(), kept: m * step.layer.kept() };
        // A part ends a micro-batch early.
        let parts = if needs.parts > 0 { needs.parts.max(64) as usize } else { 0 };
        let micro_batches = most_samples.div_ceil(capacity) as usize + parts;
        let sweeps = 1 + usize::from(needs.inner);
        let when = |wanted: bool, words: usize| if wanted { words } else { 0 };
        let moments = needs.coordinate_quantile.is_some();
        Self {
            input: m * network.input().len(),
            labels: m,
            steps: steps.iter().map(of_step).collect(),
            parameters,
            memory: slots * slot_len(parameters),
            gradient_sum: parameters,
            total: when(parts > 0, parameters),
            second_moment: when(moments, parameters),
            per_sample: ROWS * m,
            tile_sums: scratch.tiles,
            tile_inner_products: when(needs.inner, scratch.tiles),
            slices: scratch.slices,
            moment_slices: when(moments, scratch.slices),
            projected: when(needs.inner, scratch.projected),
            sample_gradients: scratch.sample_gradients,
            sums: sweeps * FOLDED * micro_batches + SHARES * (1 + parts),
            loss_scale: 1,
            refused: 1,
        }
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        self.each().map(|words| 4 * words.max(1) as u64).sum()
    }

    fn largest(&self) -> u64 {
        self.each().max().map_or(0, |words| 4 * words as u64)
    }
}

/// The most samples, up to `most`, of which a micro-batch fits: no buffer larger than `binding` bytes, and all
/// of them together within `budget`.
///
/// # Errors
/// When not even one sample fits: how much that would take.
pub(super) fn fitting_micro_batch(
    demand: &Demand<'_>,
    most: u32,
    binding: u64,
    budget: u64,
) -> Result<u32, GpuError> {
    let fits = |capacity: u32| {
        let sizes = Sizes::new(demand, capacity);
        sizes.largest() <= binding && sizes.bytes() <= budget
    };
    // Halving keeps to sizes that workgroups fill.
    std::iter::successors(Some(most.max(1)), |&capacity| (capacity > 1).then(|| capacity.div_ceil(2)))
        .find(|&capacity| fits(capacity))
        .ok_or_else(|| GpuError::Budget {
            needed: Sizes::new(demand, 1).bytes(),
            budget: budget.min(binding),
        })
}

/// A size as a shader takes it. Sizes here are bounded by device memory, far below 2³².
pub(super) fn word(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use adadagrad_core::dataset::SampleShape;
    use adadagrad_core::local::OwnedNetwork;
    use adadagrad_core::model::Model;

    use super::*;

    /// WebGPU's default limit.
    const BINDING: u64 = 128 << 20;

    fn demand<'a>(network: &'a OwnedNetwork, needs: &'a Needs) -> Demand<'a> {
        Demand { network: network.view(), slots: 2, needs, most_samples: 60_000 }
    }

    #[test]
    fn every_model_takes_a_batch_of_60_000_within_default_limits() {
        let needs = Needs { norms: true, inner: true, coordinate_quantile: Some(0.5), parts: 4 };
        for model in Model::MNIST {
            let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
            let demand = demand(&network, &needs);
            let micro_batch = fitting_micro_batch(&demand, 1024, BINDING, 1 << 30).unwrap();
            let sizes = Sizes::new(&demand, micro_batch);
            assert!(
                micro_batch >= 512 && sizes.largest() <= BINDING && sizes.bytes() <= 1 << 30,
                "{model:?}"
            );
        }
    }

    #[test]
    fn a_budget_is_kept_and_one_that_holds_nothing_is_refused() {
        let (network, needs) =
            (OwnedNetwork::of_model(Model::Cnn, SampleShape::MNIST).unwrap(), Needs::default());
        let demand = demand(&network, &needs);
        let mut last = 1024;
        for budget in [100 << 20, 20 << 20, 2 << 20] {
            let micro_batch = fitting_micro_batch(&demand, 1024, BINDING, budget).unwrap();
            assert!(micro_batch < last, "{micro_batch} within {budget} bytes");
            assert!(Sizes::new(&demand, micro_batch).bytes() <= budget);
            last = micro_batch;
        }
        let refused = fitting_micro_batch(&demand, 1024, BINDING, 100_000);
        assert!(matches!(refused, Err(GpuError::Budget { needed, budget: 100_000 }) if needed > 100_000));
    }
}
