//! Softmax regression on MNIST in plain loops.
//!
//!     cargo run --release -p adadagrad-loops --example by_hand

use std::error::Error;

use adadagrad_core::batch_test::NormTest;
use adadagrad_core::controller::{AdAdaGrad, Limits};
use adadagrad_core::real::square_norm;
use adadagrad_core::sizer::BatchSizer;
use adadagrad_core::statistics::Evidence;
use adadagrad_loops::{CLASSES, Mnist, PIXELS, Step, print};

const LEARNING_RATE: f32 = 0.1;

fn train(mnist: &Mnist, budget: usize) -> Result<Vec<Step>, Box<dyn Error>> {
    let mut weights = vec![0.0; CLASSES * PIXELS];
    let test = NormTest { eta: 0.5, debiased: false }; // added
    let mut sizer = BatchSizer::new(Some(test), AdAdaGrad::default(), Limits { min: 2, max: 4096 }, 16); // added
    let (mut steps, mut seen) = (Vec::new(), 0);
    while seen < budget {
        let batch = sizer.batch(); // added
        let (images, labels) = mnist.batch(seen, batch);
        let mut mean_gradient = vec![0.0; weights.len()];
        let mut sum_squared_norms = 0.0; // added
        let mut loss = 0.0;
        for (image, &label) in images.chunks_exact(PIXELS).zip(&labels) {
            let (errors, sample_loss) = softmax_cross_entropy(&weights, image, label);
            loss += sample_loss / f64::from(batch);
            for (row, error) in mean_gradient.chunks_exact_mut(PIXELS).zip(errors) {
                row.iter_mut().zip(image).for_each(|(mean, x)| *mean += error * x / batch as f32);
            }
            // A sample's gradient is the outer product of its errors and its image.
            sum_squared_norms += square_norm(&errors) * square_norm(image); // added
        }
        weights.iter_mut().zip(&mean_gradient).for_each(|(w, g)| *w -= LEARNING_RATE * g);
        sizer.advise(&Evidence::from_norms(batch, square_norm(&mean_gradient), sum_squared_norms)?); // added
        steps.push(Step { batch, loss });
        seen += batch as usize;
    }
    Ok(steps)
}

/// The loss of a sample, and its gradient with respect to the outputs.
fn softmax_cross_entropy(weights: &[f32], image: &[f32], label: u32) -> ([f32; CLASSES], f64) {
    let mut outputs = [0.0_f32; CLASSES];
    for (output, row) in outputs.iter_mut().zip(weights.chunks_exact(PIXELS)) {
        *output = row.iter().zip(image).map(|(w, x)| w * x).sum();
    }
    let largest = outputs.iter().copied().fold(f32::MIN, f32::max);
    let exponentials = outputs.map(|output| (output - largest).exp());
    let sum: f32 = exponentials.iter().sum();
    let mut errors = exponentials.map(|exponential| exponential / sum);
    let loss = -errors[label as usize].ln();
    errors[label as usize] -= 1.0;
    (errors, loss.into())
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
