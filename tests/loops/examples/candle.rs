//! An MLP on MNIST with candle, whose batches are accumulated over micro-batches.
//!
//! candle differentiates the mean loss of a micro-batch and gives no gradients of single samples. The test compares the
//! means of the micro-batches.
//!
//!     cargo run --release -p adadagrad-loops --example candle

use std::error::Error;

use adadagrad_core::batch_test::WorkerNormTest;
use adadagrad_core::controller::{AdAdaGrad, Limits};
use adadagrad_core::sizer::BatchSizer;
use adadagrad_core::statistics::Evidence;
use adadagrad_loops::{CLASSES, Mnist, PIXELS, Step, print};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::loss::cross_entropy;
use candle_nn::optim::{AdamW, Optimizer};
use candle_nn::{Module, VarBuilder, VarMap, linear, seq};

const HIDDEN: usize = 32;
const MICRO_BATCH: u32 = 16;

fn train(mnist: &Mnist, budget: u32) -> Result<Vec<Step>, Box<dyn Error>> {
    let device = Device::Cpu;
    let variables = VarMap::new();
    let build = VarBuilder::from_varmap(&variables, DType::F32, &device);
    let first = linear(PIXELS, HIDDEN, build.pp("first"))?;
    let network = seq().add(first).add_fn(Tensor::relu).add(linear(HIDDEN, CLASSES, build.pp("second"))?);
    let variables = variables.all_vars();
    let mut optimizer = AdamW::new_lr(variables.clone(), 0.002)?;
    let test = WorkerNormTest { eta: 0.5, ..WorkerNormTest::default() }; // added
    let mut sizer = BatchSizer::new(Some(test), AdAdaGrad::default(), Limits { min: 32, max: 4096 }, 32); // added
    let (mut steps, mut seen) = (Vec::new(), 0);
    while seen < budget {
        let batch = sizer.batch(); // added
        let mut parts = Vec::new(); // added
        let mut mean_gradient: Option<GradStore> = None;
        let mut mean_loss = 0.0;
        for start in (0..batch).step_by(MICRO_BATCH as usize) {
            let samples = MICRO_BATCH.min(batch - start);
            let share = f64::from(samples) / f64::from(batch);
            let (images, labels) = mnist.batch((seen + start) as usize, samples);
            let images = Tensor::from_vec(images, (samples as usize, PIXELS), &device)?;
            let labels = Tensor::from_vec(labels, samples as usize, &device)?;
            let loss = (cross_entropy(&network.forward(&images)?, &labels)? * share)?;
            let gradients = loss.backward()?;
            parts.push((samples, square_norm(&gradients, &variables)? / share.powi(2))); // added
            mean_gradient = Some(sum(mean_gradient, gradients, &variables)?);
            mean_loss += f64::from(loss.to_scalar::<f32>()?);
        }
        let mean_gradient = mean_gradient.ok_or("a batch without samples")?;
        optimizer.step(&mean_gradient)?;
        sizer.advise(&Evidence::from_part_norms(square_norm(&mean_gradient, &variables)?, &parts)?); // added
        steps.push(Step { batch, loss: mean_loss });
        seen += batch;
    }
    Ok(steps)
}

fn sum(
    sum: Option<GradStore>,
    mut gradients: GradStore,
    variables: &[Var],
) -> candle_core::Result<GradStore> {
    for variable in sum.iter().flat_map(|_| variables) {
        let earlier = sum.as_ref().and_then(|sum| sum.get(variable));
        if let (Some(earlier), Some(gradient)) = (earlier, gradients.get(variable)) {
            let both = (earlier + gradient)?;
            gradients.insert(variable, both);
        }
    }
    Ok(gradients)
}

fn square_norm(gradients: &GradStore, variables: &[Var]) -> candle_core::Result<f64> {
    // added
    let gradients = variables.iter().filter_map(|variable| gradients.get(variable)); // added
    gradients.map(|gradient| Ok(f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?))).sum() // added
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
