//! Images on which the paper's network has no near-tie: where two values of a max-pool's window, or a value and
//! ReLU's zero, lie so close that another order of sums may pass the gradient to the other one.

use std::sync::Arc;

use adadagrad_core::owned::SharedDataset;
use adadagrad_gpu::dataset::Images;

use super::{SIDE, idx};

/// Far beyond what the order of 400 terms changes in `f32`, relative to the largest value of a layer.
const MARGIN: f64 = 1e-5;
/// The two convolutions: side of their input, channels in and out. Kernels are 5×5, padded to keep the side.
const LAYERS: [(usize, usize, usize); 2] = [(SIDE, 1, 16), (SIDE / 2, 16, 32)];
const KERNEL: usize = 5;

/// `len` synthetic images on which the network with these parameters has no near-tie.
pub(crate) fn images(len: u32, seed: u32, parameters: &[f32]) -> SharedDataset {
    let [images, labels] = idx(2 * len, seed);
    let pixels = SIDE * SIDE;
    let (mut kept, mut kept_labels) = (images[..16].to_vec(), labels[..8].to_vec());
    let all = images[16..].chunks_exact(pixels).zip(&labels[8..]);
    for (image, &label) in all.filter(|(image, _)| !has_near_tie(image, parameters)).take(len as usize) {
        kept.extend(image);
        kept_labels.push(label);
    }
    let found = (kept_labels.len() - 8) as u32;
    assert_eq!(found, len, "more than half of the images hold a near-tie");
    kept[4..8].copy_from_slice(&len.to_be_bytes());
    kept_labels[4..8].copy_from_slice(&len.to_be_bytes());
    Arc::new(Images::parse(kept.into(), kept_labels.into(), [SIDE as u32; 2], 10).unwrap())
}

fn has_near_tie(image: &[u8], parameters: &[f32]) -> bool {
    let mut values: Vec<f64> = image.iter().map(|&byte| f64::from(byte) / 255.0).collect();
    let mut parameters = parameters;
    for (side, channels, outputs) in LAYERS {
        let (weights, rest) = parameters.split_at(outputs * channels * KERNEL * KERNEL);
        let (biases, rest) = rest.split_at(outputs);
        parameters = rest;
        let sums = convolution(&values, side, channels, weights, biases);
        match pooled(&sums, side) {
            Some(next) => values = next,
            None => return true,
        }
    }
    false
}

fn convolution(values: &[f64], side: usize, channels: usize, weights: &[f32], biases: &[f32]) -> Vec<f64> {
    let mut sums = Vec::with_capacity(biases.len() * side * side);
    for (bias, weights) in biases.iter().zip(weights.chunks_exact(channels * KERNEL * KERNEL)) {
        for place in 0..side * side {
            let mut sum = f64::from(*bias);
            for (tap, &weight) in weights.iter().enumerate() {
                let (channel, u, v) = (tap / (KERNEL * KERNEL), tap / KERNEL % KERNEL, tap % KERNEL);
                let (row, column) = (place / side + u, place % side + v);
                if (2..side + 2).contains(&row) && (2..side + 2).contains(&column) {
                    sum += f64::from(weight) * values[(channel * side + row - 2) * side + column - 2];
                }
            }
            sums.push(sum);
        }
    }
    sums
}

/// ReLU and 2×2 max-pooling, or `None` at a near-tie.
fn pooled(sums: &[f64], side: usize) -> Option<Vec<f64>> {
    let margin = MARGIN * sums.iter().fold(0.0_f64, |largest, sum| largest.max(sum.abs()));
    let mut result = Vec::with_capacity(sums.len() / 4);
    for plane in sums.chunks_exact(side * side) {
        for window in 0..side * side / 4 {
            let corner = 2 * (window / (side / 2) * side + window % (side / 2));
            let values = [0, 1, side, side + 1].map(|step| plane[corner + step]);
            let top = values.iter().fold(f64::NEG_INFINITY, |top, &value| top.max(value));
            let is_close = |&value: &f64| value < top && top - value <= margin;
            if top.abs() <= margin || (top > 0.0 && values.iter().any(is_close)) {
                return None;
            }
            result.push(top.max(0.0));
        }
    }
    Some(result)
}
