//! An MLP on MNIST with burn, whose batches are accumulated over micro-batches.
//!
//! burn differentiates the mean loss of a micro-batch and gives no gradients of single samples. The test compares the
//! means of the micro-batches. (Layers without biases keep the example short.)
//!
//!     cargo run --release --manifest-path tests/loops/burn/Cargo.toml

use std::error::Error;

use adadagrad_core::batch_test::WorkerNormTest;
use adadagrad_core::controller::{AdAdaGrad, Limits};
use adadagrad_core::sizer::BatchSizer;
use adadagrad_core::statistics::Evidence;
use adadagrad_loops::{CLASSES, Mnist, PIXELS, Step, print};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsAccumulator, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};

const HIDDEN: usize = 32;
const MICRO_BATCH: u32 = 16;
const LEARNING_RATE: f64 = 0.002;

#[derive(Module, Debug)]
struct Network {
    first: Linear,
    second: Linear,
}

impl Network {
    fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        self.second.forward(relu(self.first.forward(images)))
    }
}

fn train(mnist: &Mnist, budget: u32) -> Result<Vec<Step>, Box<dyn Error>> {
    let device = Device::flex().autodiff();
    device.seed(0);
    let mut network = Network {
        first: LinearConfig::new(PIXELS, HIDDEN).with_bias(false).init(&device),
        second: LinearConfig::new(HIDDEN, CLASSES).with_bias(false).init(&device),
    };
    let mut optimizer = AdamConfig::new().init();
    let cross_entropy = CrossEntropyLossConfig::new().init(&device);
    let test = WorkerNormTest { eta: 0.5, ..WorkerNormTest::default() }; // added
    let mut sizer = BatchSizer::new(Some(test), AdAdaGrad::default(), Limits { min: 32, max: 4096 }, 32); // added
    let (mut steps, mut seen) = (Vec::new(), 0);
    while seen < budget {
        let batch = sizer.batch(); // added
        let mut parts = Vec::new(); // added
        let mut accumulator = GradientsAccumulator::new();
        let mut mean_loss = 0.0;
        for start in (0..batch).step_by(MICRO_BATCH as usize) {
            let samples = MICRO_BATCH.min(batch - start);
            let share = f64::from(samples) / f64::from(batch);
            let (images, labels) = mnist.batch((seen + start) as usize, samples);
            let images = TensorData::new(images, [samples as usize, PIXELS]);
            let labels = TensorData::new(labels.into_iter().map(i64::from).collect(), [samples as usize]);
            let outputs = network.forward(Tensor::from_data(images, &device));
            let loss = cross_entropy.forward(outputs, Tensor::<1, Int>::from_data(labels, &device)) * share;
            mean_loss += f64::from(loss.clone().into_scalar::<f32>());
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            parts.push((samples, square_norm(&network, &gradients) / share.powi(2))); // added
            accumulator.accumulate(&network, gradients);
        }
        let mean_gradient = accumulator.grads();
        sizer.advise(&Evidence::from_part_norms(square_norm(&network, &mean_gradient), &parts)?); // added
        network = optimizer.step(LEARNING_RATE, network, mean_gradient);
        steps.push(Step { batch, loss: mean_loss });
        seen += batch;
    }
    Ok(steps)
}

fn square_norm(network: &Network, gradients: &GradientsParams) -> f64 {
    // added
    let layers = [&network.first, &network.second].map(|layer| gradients.get::<2>(layer.weight.id)); // added
    layers.into_iter().flatten().map(|gradient| f64::from(gradient.square().sum().into_scalar::<f32>())).sum() // added
} // added

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
