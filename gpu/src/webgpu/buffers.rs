//! The device memory of an engine: O(parameters + micro-batch), never batch × parameters.

use std::fmt;

use adadagrad_core::layer::Operation;
use adadagrad_core::network::Network;
use adadagrad_core::statistics::Needs;

use super::device::{Gpu, GpuError};
use super::engine::{FOLDED, SHARES};
use super::graph::steps;
use super::layers::Scratch;
use super::liveness::{Sharing, lifetimes};
use super::program::ROWS;
use super::update::slot_len;

/// A step's buffers. Steps share them where one's values are dead before the other's are born, so that a dispatch never
/// writes what it reads.
#[derive(Debug)]
pub(super) struct StepBuffers {
    pub(super) output: wgpu::Buffer,
    pub(super) gradient: wgpu::Buffer,
    /// What its forward pass leaves for its backward pass beside the output.
    pub(super) kept: wgpu::Buffer,
}

/// What a buffer is for, in the words of a refusal.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Owner {
    /// A node of the tape.
    Layer(usize, Operation),
    /// All of them.
    Model,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer(node, operation) => write!(f, "layer {node} ({operation})"),
            Self::Model => f.write_str("the model as a whole"),
        }
    }
}

/// A size in words, and the layer that asks for it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Size {
    words: usize,
    owner: Owner,
}

impl From<usize> for Size {
    fn from(words: usize) -> Self {
        Self { words, owner: Owner::Model }
    }
}

/// One definition of every buffer: its name, its size in words, and the field that holds it.
macro_rules! buffers {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        /// Sizes in 32-bit words, known before anything is allocated.
        #[derive(Clone, Debug, PartialEq)]
        pub(super) struct Sizes {
            /// What the steps share, and which of it is each step's outputs, gradient and kept values.
            shared: Vec<Size>,
            steps: Vec<[usize; 3]>,
            $($name: Size,)+
        }

        #[derive(Debug)]
        pub(super) struct Buffers {
            pub(super) steps: Vec<StepBuffers>,
            $($(#[$meta])* pub(super) $name: wgpu::Buffer,)+
        }

        impl Sizes {
            fn each(&self) -> impl Iterator<Item = Size> {
                [$(self.$name),+].into_iter().chain(self.shared.iter().copied())
            }
        }

        impl Buffers {
            pub(super) fn new(gpu: &Gpu, sizes: &Sizes) -> Self {
                let shared: Vec<_> =
                    sizes.shared.iter().map(|size| gpu.storage("shared values", size.words)).collect();
                let of_step = |&places: &[usize; 3]| {
                    let [output, gradient, kept] = places.map(|place| shared[place].clone());
                    StepBuffers { output, gradient, kept }
                };
                Self {
                    steps: sizes.steps.iter().map(of_step).collect(),
                    $($name: gpu.storage(stringify!($name), sizes.$name.words),)+
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
    /// Training memory values a parameter.
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
        let lifetimes = lifetimes(&steps, needs.inner);
        let values: Vec<_> = lifetimes.iter().flat_map(|of_step| of_step.each()).collect();
        let sharing = Sharing::new(&values);
        let of_step = |index: usize| {
            let step = &steps[index];
            Owner::Layer(step.node, step.place.operation)
        };
        let shared = sharing.lens.iter().zip(&sharing.longest);
        let shared = shared.map(|(&len, value)| Size { words: m * len, owner: of_step(value / 3) });
        let scratch: Vec<_> = steps.iter().map(|step| step.layer.scratch(step.place, m)).collect();
        // Serves one step after the other.
        let largest = |words: fn(&Scratch) -> usize| {
            let sizes = scratch.iter().map(words).enumerate();
            let size = sizes.max_by_key(|&(_, words)| words);
            size.map_or(Size::from(0), |(step, words)| Size { words, owner: of_step(step) })
        };
        let tiles = largest(|scratch| scratch.tiles);
        let slices = largest(|scratch| scratch.slices);
        let projected = largest(|scratch| scratch.projected);
        let sample_gradients = largest(|scratch| scratch.sample_gradients);
        // A part ends a micro-batch early.
        let parts = if needs.compares_parts() { needs.parts.max(64) as usize } else { 0 };
        let micro_batches = most_samples.div_ceil(capacity) as usize + parts;
        let sweeps = 1 + usize::from(needs.inner);
        // Square norms of the parts, of the whole and of the epoch, and the two sums of a noise scale.
        let shared_sums = parts + 1 + usize::from(needs.epoch) + 2 * needs.sensors.iter().count();
        let when = |wanted: bool, size: Size| if wanted { size } else { Size::from(0) };
        let moments = needs.moments();
        let of_parameters = Size::from(parameters);
        Self {
            input: (m * network.input().len()).into(),
            labels: (m * network.positions()).into(),
            shared: shared.collect(),
            steps: sharing.buffers.as_chunks().0.to_vec(),
            parameters: of_parameters,
            memory: (slots * slot_len(parameters)).into(),
            gradient_sum: of_parameters,
            total: when(parts > 0, of_parameters),
            second_moment: when(moments, of_parameters),
            per_sample: (ROWS * m).into(),
            tile_sums: tiles,
            tile_inner_products: when(needs.inner, tiles),
            slices,
            moment_slices: when(moments, slices),
            projected: when(needs.inner, projected),
            sample_gradients,
            sums: (sweeps * FOLDED * micro_batches + SHARES * shared_sums).into(),
            loss_scale: 1.into(),
            refused: 1.into(),
        }
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        self.each().map(|size| 4 * size.words.max(1) as u64).sum()
    }

    /// Bytes of the largest, and what it is for.
    fn largest(&self) -> (u64, Owner) {
        let largest = self.each().max_by_key(|size| size.words).unwrap_or(Size::from(0));
        (4 * largest.words as u64, largest.owner)
    }
}

/// The most samples, up to `most`, of which a micro-batch fits: no buffer larger than `binding` bytes, and all
/// of them together within `budget`.
///
/// # Errors
/// When not even one sample fits: how much that would take, and which layer most of it.
pub(super) fn fitting_micro_batch(
    demand: &Demand<'_>,
    most: u32,
    binding: u64,
    budget: u64,
) -> Result<u32, GpuError> {
    let fits = |capacity: u32| {
        let sizes = Sizes::new(demand, capacity);
        sizes.largest().0 <= binding && sizes.bytes() <= budget
    };
    // Halving keeps to sizes that workgroups fill.
    std::iter::successors(Some(most.max(1)), |&capacity| (capacity > 1).then(|| capacity.div_ceil(2)))
        .find(|&capacity| fits(capacity))
        .ok_or_else(|| {
            let sizes = Sizes::new(demand, 1);
            let (needed, owner) = sizes.largest();
            let what = owner.to_string();
            if needed > binding {
                GpuError::Binding { what, needed, available: binding }
            } else {
                GpuError::Budget { needed: sizes.bytes(), budget, what, of_it: needed }
            }
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
    use adadagrad_core::model::Model;
    use adadagrad_core::noise_scale::{Sensor, Sensors};
    use adadagrad_core::owned::OwnedNetwork;

    use super::*;

    /// WebGPU's default limit.
    const BINDING: u64 = 128 << 20;

    fn demand<'a>(network: &'a OwnedNetwork, needs: &'a Needs) -> Demand<'a> {
        Demand { network: network.view(), slots: 2, needs, most_samples: 60_000 }
    }

    #[test]
    fn every_model_takes_a_batch_of_60_000_within_default_limits() {
        let needs =
            Needs { norms: true, inner: true, coordinate_quantile: Some(0.5), parts: 4, ..Needs::NONE };
        for model in Model::MNIST {
            let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
            let demand = demand(&network, &needs);
            let micro_batch = fitting_micro_batch(&demand, 1024, BINDING, 1 << 30).unwrap();
            let sizes = Sizes::new(&demand, micro_batch);
            assert!(
                micro_batch >= 512 && sizes.largest().0 <= BINDING && sizes.bytes() <= 1 << 30,
                "{model:?}"
            );
        }
    }

    #[test]
    fn what_a_rule_asks_for_is_counted() {
        let network = OwnedNetwork::of_model(Model::MLP, SampleShape::MNIST).unwrap();
        let parameters = 4 * network.view().parameters() as u64;
        let bytes = |needs: Needs, slots| {
            let demand = Demand { network: network.view(), slots, needs: &needs, most_samples: 60_000 };
            Sizes::new(&demand, 64).bytes()
        };
        let plain = Needs { norms: true, ..Needs::NONE };
        let without = bytes(plain, 1);
        for (needs, slots) in [
            // The parts' total, and Σ gᵢ².
            (Needs { halves: true, ..plain }, 1),
            (Needs { sensors: Sensors::of(Sensor::Sign), ..plain }, 1),
            // The epoch's sum.
            (Needs { epoch: true, ..plain }, 2),
        ] {
            assert!(bytes(needs, slots) > without + parameters, "{needs:?}");
        }
        // A training memory that is larger than the device can bind is refused beforehand.
        let needs = Needs { epoch: true, ..plain };
        let demand = |slots| Demand { network: network.view(), slots, needs: &needs, most_samples: 64 };
        let (binding, _) = Sizes::new(&demand(1), 1).largest();
        assert!(fitting_micro_batch(&demand(1), 1, binding, 1 << 30).is_ok());
        let slots = usize::try_from(binding / parameters).unwrap() + 1;
        let refused = fitting_micro_batch(&demand(slots), 1, binding, 1 << 30);
        assert!(matches!(refused, Err(GpuError::Binding { needed, .. }) if needed > binding));
    }

    #[test]
    fn a_budget_is_kept_and_one_that_holds_nothing_is_refused() {
        let (network, needs) = (OwnedNetwork::of_model(Model::Cnn, SampleShape::MNIST).unwrap(), Needs::NONE);
        let demand = demand(&network, &needs);
        let mut last = 1024;
        for budget in [100 << 20, 20 << 20, 2 << 20] {
            let micro_batch = fitting_micro_batch(&demand, 1024, BINDING, budget).unwrap();
            assert!(micro_batch < last, "{micro_batch} within {budget} bytes");
            assert!(Sizes::new(&demand, micro_batch).bytes() <= budget);
            last = micro_batch;
        }
        let refused = fitting_micro_batch(&demand, 1024, BINDING, 100_000);
        assert!(matches!(refused, Err(GpuError::Budget { needed, budget: 100_000, .. }) if needed > 100_000));
    }

    #[test]
    fn a_refusal_names_the_layer_and_the_bytes() {
        use adadagrad_core::layer::{Conv2d, Dense, GlobalAveragePool};
        use adadagrad_core::network::{Node, Shape};

        let conv = |outputs| Conv2d { outputs, kernel: 3, stride: 1, padding: 1, bias: true }.into();
        let nodes = Node::chain([conv(2), conv(300), GlobalAveragePool.into(), Dense { outputs: 2 }.into()]);
        let network = OwnedNetwork::new(Shape::image(1, 64, 64), &nodes).unwrap();
        let needs = Needs { norms: true, ..Needs::NONE };
        let demand = demand(&network, &needs);
        let refused =
            |binding, budget| fitting_micro_batch(&demand, 1024, binding, budget).unwrap_err().to_string();
        let said = refused(1 << 20, 1 << 30);
        let layer = format!("layer 1 ({})", network.view().nodes()[1].operation);
        assert_eq!(
            said,
            format!("{layer} needs 5 MiB of GPU memory in one piece, but this GPU allows 1 MiB")
        );
        let said = refused(BINDING, 3 << 20);
        let start = "a single sample needs 7 MiB of GPU memory (5 MiB of it for ";
        assert!(said.starts_with(&format!("{start}{layer}), but only 3 MiB")), "{said}");
        // A model whose parameters alone are too many.
        let nodes = Node::chain([Dense { outputs: 40_000 }.into(), Dense { outputs: 2 }.into()]);
        let network = OwnedNetwork::new(Shape::vector(1000), &nodes).unwrap();
        let demand = super::tests::demand(&network, &needs);
        let said = fitting_micro_batch(&demand, 1024, BINDING, 1 << 40).unwrap_err().to_string();
        assert_eq!(
            said,
            "the model as a whole needs 307 MiB of GPU memory in one piece, but this GPU allows 128 MiB"
        );
    }
}
