//! What each kernel computes and moves, from its shapes: the head of each shader explains it.
//!
//! Bytes are what must move to and from memory if every value stays in a cache for as long as it is needed;
//! operations are floating-point ones, comparisons included, a transcendental function counted as one. Achieved
//! figures set against a device's peaks are its roofline.

use std::ops::AddAssign;

use adadagrad_core::optimizer::AnyOptimizer;
use serde::{Deserialize, Serialize};

use super::uniforms::{
    Attention, AveragePool2d, Batch, Draw, Embedding, Epoch, GroupNorm, LayerNorm, MaxPool2d, Noise,
    PositionEmbedding, Step, Uniform, Values,
};

/// Arithmetic and memory traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Floating-point operations.
    pub operations: u64,
    /// Bytes to and from memory.
    pub bytes: u64,
}

impl Cost {
    /// So many operations, and so many values of four bytes read or written.
    pub(super) const fn new(operations: u64, values: u64) -> Self {
        Self { operations, bytes: 4 * values }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.bytes += other.bytes;
    }
}

/// A uniform block from which a kernel's cost follows.
pub trait Costed: Uniform {
    /// That of one dispatch of an entry point.
    fn cost(&self, entry: &str) -> Cost;
}

impl Costed for MaxPool2d {
    fn cost(&self, entry: &str) -> Cost {
        let [planes, kernel] = [self.planes, self.kernel].map(u64::from);
        let pixels = planes * u64::from(self.height) * u64::from(self.width);
        let windows = planes * u64::from(self.out_height) * u64::from(self.out_width);
        let window = kernel * kernel;
        match entry {
            "max_pool2d_forward" => Cost::new(windows * window, pixels + windows),
            "max_pool2d_backward_apart" => Cost::new(windows * window, 2 * pixels + windows),
            // Each of a window's pixels looks for the winner again.
            _ => Cost::new(windows * window * (window + 1), 2 * pixels + windows),
        }
    }
}

impl Costed for AveragePool2d {
    fn cost(&self, _: &str) -> Cost {
        let planes = u64::from(self.planes);
        let pixels = planes * u64::from(self.height) * u64::from(self.width);
        let windows = planes * u64::from(self.out_height) * u64::from(self.out_width);
        let window = u64::from(self.kernel_height) * u64::from(self.kernel_width);
        Cost::new(windows * (window + 1), pixels + windows)
    }
}

impl Costed for GroupNorm {
    fn cost(&self, entry: &str) -> Cost {
        let [samples, channels] = [self.samples, self.channels].map(u64::from);
        let values = samples * channels * u64::from(self.plane);
        let moments = 4 * samples * u64::from(self.groups);
        match entry.trim_end_matches("_by_group") {
            "group_norm_moments" => Cost::new(4 * values, values + moments),
            "group_norm_forward" => Cost::new(4 * values, 2 * values + moments + 2 * channels),
            "group_norm_sample_gradients" => {
                Cost::new(6 * values, 2 * values + 2 * moments + channels + 2 * samples * channels)
            }
            // group_norm_input_gradient.
            _ => Cost::new(7 * values, 3 * values + moments + channels),
        }
    }
}

impl Costed for LayerNorm {
    fn cost(&self, entry: &str) -> Cost {
        let [samples, channels, plane] = [self.samples, self.channels, self.plane].map(u64::from);
        let values = samples * channels * plane;
        let moments = 4 * samples * plane;
        match entry {
            "layer_norm_moments" => Cost::new(4 * values, values + moments),
            "layer_norm_forward" => Cost::new(4 * values, 2 * values + moments + 2 * channels),
            "layer_norm_sample_gradients" => {
                Cost::new(6 * values, 2 * values + moments + 2 * samples * channels)
            }
            "layer_norm_means" => Cost::new(6 * values, 2 * values + 2 * moments + channels),
            // layer_norm_input_gradient.
            _ => Cost::new(7 * values, 3 * values + moments + channels),
        }
    }
}

impl Costed for Embedding {
    fn cost(&self, entry: &str) -> Cost {
        let [samples, positions, width] = [self.samples, self.positions, self.width].map(u64::from);
        let (values, tokens) = (samples * positions * width, samples * positions);
        let parameters = u64::from(self.vocabulary) * width;
        match entry {
            "embedding_forward" => Cost::new(0, 2 * values + tokens),
            "embedding_rows" => Cost::new(values * positions.div_ceil(2), 2 * values + tokens),
            "embedding_inner_products" => Cost::new(2 * values, 2 * values + tokens + 2 * samples),
            // embedding_sums.
            _ => Cost::new(values, values + tokens * parameters + 2 * parameters),
        }
    }
}

impl Costed for PositionEmbedding {
    fn cost(&self, entry: &str) -> Cost {
        let [samples, channels] = [self.samples, self.channels].map(u64::from);
        let [values, parameters] = [self.positions, self.rows].map(|rows| channels * u64::from(rows));
        match entry {
            "position_embedding_forward" => Cost::new(samples * values, 2 * samples * values + values),
            // position_embedding_gradients.
            _ => Cost::new(0, samples * (values + parameters)),
        }
    }
}

impl Costed for Attention {
    fn cost(&self, entry: &str) -> Cost {
        let [samples, width, heads, positions] =
            [self.samples, self.width, self.heads, self.positions].map(u64::from);
        let values = samples * width * positions;
        // Of a head's output with a position that it sees.
        let pairs = samples * heads * (positions * (positions + 1) / 2);
        let products = samples * width * (positions * (positions + 1) / 2);
        match entry {
            "attention_weights" => Cost::new(2 * products + 6 * pairs, 2 * values + pairs),
            "attention_forward" => Cost::new(2 * products, 2 * values + pairs),
            "attention_score_gradients" => Cost::new(2 * products + 5 * pairs, 2 * values + 2 * pairs),
            // attention_input_gradient.
            _ => Cost::new(6 * products, 6 * values + 2 * pairs),
        }
    }
}

impl Costed for Values {
    fn cost(&self, entry: &str) -> Cost {
        let count = u64::from(self.count);
        match entry {
            "relu_forward" => Cost::new(count, 2 * count),
            "tanh_forward" => Cost::new(3 * count, 2 * count),
            "tanh_backward" => Cost::new(3 * count, 3 * count),
            "gelu_forward" => Cost::new(9 * count, 2 * count),
            "gelu_backward" => Cost::new(14 * count, 3 * count),
            "add_backward" => Cost::new(0, 2 * count),
            // relu_mask, relu_backward, add_forward.
            _ => Cost::new(count, 3 * count),
        }
    }
}

impl Costed for Draw {
    /// As if the buffer held all of the micro-batch's samples.
    fn cost(&self, entry: &str) -> Cost {
        let values = u64::from(self.samples) * u64::from(self.values);
        let labels = u64::from(self.samples) * (1 + u64::from(self.labels));
        if entry == "draw_floats" {
            return Cost::new(0, 2 * values + labels);
        }
        // Four bytes become four floats; an index and a label a sample.
        Cost::new(values, values.div_ceil(4) + values + labels)
    }
}

impl Costed for Batch {
    fn cost(&self, entry: &str) -> Cost {
        let [samples, inputs, outputs] = [self.samples, self.inputs, self.outputs].map(u64::from);
        let [tiles, count] = [self.tiles, self.count].map(u64::from);
        match entry.trim_end_matches("_by_group") {
            // Largest; subtract, exponential, sum; share, one less, scaled.
            "softmax_cross_entropy" => Cost::new(samples * (7 * outputs + 4), samples * (2 * outputs + 5)),
            // Of `count` positions.
            "sequence_cross_entropy" => {
                Cost::new(samples * count * (7 * outputs + 6), samples * (count * (2 * outputs + 1) + 4))
            }
            "dense_norms" => {
                Cost::new(samples * (2 * (inputs + outputs) + 3), samples * (inputs + outputs + 2))
            }
            "inner_products" => Cost::new(samples * (2 * outputs + 1), samples * (2 * outputs + 2)),
            "sum_tiles" => Cost::new(samples * (tiles + 1), samples * (tiles + 2)),
            "sum_samples" => Cost::new(outputs * (samples + 1), outputs * (samples + 2)),
            "add_slices" => Cost::new(count * (tiles + 1), count * (tiles + 2)),
            "fold_samples" => Cost::new(9 * samples, 4 * samples + 6),
            "square_norm" => Cost::new(2 * count, count + 64),
            // add_part.
            _ => Cost::new(count, 3 * count),
        }
    }
}

impl Costed for Noise {
    fn cost(&self, entry: &str) -> Cost {
        let count = u64::from(self.count);
        match entry {
            "preconditioned_noise" => Cost::new(15 * count, 3 * count + 128),
            // sign_noise.
            _ => Cost::new(10 * count, 2 * count + 128),
        }
    }
}

impl Costed for Epoch {
    fn cost(&self, entry: &str) -> Cost {
        let count = u64::from(self.count);
        match entry {
            "epoch_norm" => Cost::new(4 * count, 2 * count + 64),
            // add_to_epoch.
            _ => Cost::new(2 * count, 3 * count),
        }
    }
}

impl Costed for Step {
    fn cost(&self, entry: &str) -> Cost {
        let count = u64::from(self.count);
        // All optimizers of a kernel have the same memory.
        let optimizer = AnyOptimizer::all().into_iter().find(|optimizer| optimizer.kernel().name == entry);
        let Some(optimizer) = optimizer else { return Cost::default() };
        let slots = optimizer.as_optimizer::<f32>().slots() as u64;
        // Parameters and memory are read and written, the gradient is read.
        Cost::new(u64::from(optimizer.kernel().operations) * count, (3 + 2 * slots) * count)
    }
}
