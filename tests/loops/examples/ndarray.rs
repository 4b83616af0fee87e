//! An MLP on MNIST with ndarray's matrix products, its gradients by hand.
//!
//!     cargo run --release -p adadagrad-loops --example ndarray

use std::error::Error;

use adadagrad_core::batch_test::NormTest;
use adadagrad_core::controller::{AdAdaGrad, Limits};
use adadagrad_core::random::Key;
use adadagrad_core::sizer::BatchSizer;
use adadagrad_core::statistics::Evidence;
use adadagrad_loops::{CLASSES, Mnist, PIXELS, Step, print};
use ndarray::{Array1, Array2, Axis, Zip};

const HIDDEN: usize = 32;
const LEARNING_RATE: f32 = 0.2;

/// y = x W + c.
struct Dense {
    weights: Array2<f32>,
    bias: Array1<f32>,
}

impl Dense {
    fn new(inputs: usize, outputs: usize, seed: u64) -> Self {
        let bound = 1.0 / (inputs as f32).sqrt();
        let uniform = |(i, j)| Key::new(seed, 0).uniform((i * outputs + j) as u32, bound);
        Self { weights: Array2::from_shape_fn((inputs, outputs), uniform), bias: Array1::zeros(outputs) }
    }

    fn forward(&self, inputs: &Array2<f32>) -> Array2<f32> {
        inputs.dot(&self.weights) + &self.bias
    }

    /// A step against the mean gradient, whose squared norm it returns.
    fn step(&mut self, inputs: &Array2<f32>, errors: &Array2<f32>) -> f32 {
        let samples = inputs.nrows() as f32;
        let weights = inputs.t().dot(errors) / samples;
        let bias = errors.sum_axis(Axis(0)) / samples;
        self.weights.scaled_add(-LEARNING_RATE, &weights);
        self.bias.scaled_add(-LEARNING_RATE, &bias);
        weights.pow2().sum() + bias.pow2().sum() // added
    }
}

fn train(mnist: &Mnist, budget: usize) -> Result<Vec<Step>, Box<dyn Error>> {
    let (mut first, mut second) = (Dense::new(PIXELS, HIDDEN, 1), Dense::new(HIDDEN, CLASSES, 2));
    let test = NormTest { eta: 0.5, debiased: false }; // added
    let mut sizer = BatchSizer::new(Some(test), AdAdaGrad::default(), Limits { min: 2, max: 4096 }, 16); // added
    let (mut steps, mut seen) = (Vec::new(), 0);
    while seen < budget {
        let batch = sizer.batch(); // added
        let (images, labels) = mnist.batch(seen, batch);
        let images = Array2::from_shape_vec((batch as usize, PIXELS), images)?;
        let hidden = first.forward(&images).mapv_into(|value| value.max(0.0));
        let (errors, loss) = softmax_cross_entropy(second.forward(&hidden), &labels);
        let mut hidden_errors = errors.dot(&second.weights.t());
        Zip::from(&mut hidden_errors).and(&hidden).for_each(|error, &value| {
            if value == 0.0 {
                *error = 0.0;
            }
        });
        // Of a sample, a dense layer's gradient is the outer product of the errors at its outputs and its inputs; a bias
        // has the input 1.
        let squares = |rows: &Array2<f32>| rows.pow2().sum_axis(Axis(1)); // added
        let norms = squares(&errors) * (squares(&hidden) + 1.0); // added
        let norms = norms + squares(&hidden_errors) * (squares(&images) + 1.0); // added
        let mean_norm_sq = second.step(&hidden, &errors) + first.step(&images, &hidden_errors); // added
        sizer.advise(&Evidence::from_norms(batch, mean_norm_sq, norms.sum())?); // added
        steps.push(Step { batch, loss });
        seen += batch as usize;
    }
    Ok(steps)
}

/// The gradients of the samples' losses with respect to the outputs, one row per sample, and the mean loss.
fn softmax_cross_entropy(mut outputs: Array2<f32>, labels: &[u32]) -> (Array2<f32>, f64) {
    let mut loss = 0.0;
    for (mut row, &label) in outputs.rows_mut().into_iter().zip(labels) {
        let largest = row.iter().copied().fold(f32::MIN, f32::max);
        row.mapv_inplace(|output| (output - largest).exp());
        let sum = row.sum();
        row /= sum;
        loss -= f64::from(row[label as usize].ln()) / labels.len() as f64;
        row[label as usize] -= 1.0;
    }
    (outputs, loss)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mnist = Mnist::load().ok_or("`cargo xtask data` packs MNIST")?;
    print(&train(&mnist, 120_000)?);
    Ok(())
}

#[test]
fn the_batch_grows_and_the_loss_falls() {
    let Some(mnist) = Mnist::load() else { return };
    adadagrad_loops::check(&train(&mnist, 10_000).expect("a run"));
}
