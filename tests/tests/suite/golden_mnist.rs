//! `mnist_first_batch.json`: softmax regression from zero on real images.

use adadagrad_core::backend::{Backend, FastBackend, PlainBackend};
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::model::Model;
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::real::Real;
use adadagrad_tests::compare::{Check, all_close_to_largest, close, equal};
use adadagrad_tests::engine::measure;
use adadagrad_tests::golden::{self, MnistBatch, MnistFile, batch_test};
use adadagrad_tests::mnist;

fn check_batch<F: Real<Sum = f64>>(
    images: &adadagrad_core::images::LabelledImages<Vec<u8>>,
    expected: &MnistBatch,
    product: impl Backend<F> + Copy,
    unit: f64,
) -> Check {
    let samples: Vec<u32> = (expected.start..expected.start + expected.count).collect();
    let labels: Vec<u8> = samples.iter().map(|&sample| images.label(sample).unwrap()).collect();
    equal("labels", &labels, &expected.labels)?;
    let pixels = samples.iter().flat_map(|&sample| images.image(sample).unwrap());
    equal("pixel_sum", &pixels.map(|&pixel| u64::from(pixel)).sum(), &expected.pixel_sum)?;
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap().by_inputs();
    let parameters = vec![F::zero(); network.view().parameters()];
    let batch = measure(&network, product, &parameters, images, &samples, 24)?;
    let evidence = &batch.evidence;
    for (sample, &loss) in samples.iter().zip(&batch.losses) {
        close(&format!("loss of image {sample}"), loss, expected.losses_all_equal_to, unit)?;
    }
    close("mean_loss", evidence.loss, expected.mean_loss, unit)?;
    let norms = &expected.per_sample_squared_norms;
    all_close_to_largest("per_sample_squared_norms", &batch.square_norms, norms, unit)?;
    let products = &expected.per_sample_inner_products;
    all_close_to_largest("per_sample_inner_products", &batch.inner_products, products, unit)?;
    let relative =
        |what: &str, found: f64, expected: f64| close(what, found, expected, unit * expected.abs());
    relative("n", evidence.mean_norm_sq, expected.n)?;
    relative("S", evidence.sum_squared_norms.unwrap(), expected.S)?;
    relative("P2", evidence.inner.unwrap().sum_squared_inner_products, expected.P2)?;
    relative("v1", evidence.variance().unwrap(), expected.v1)?;
    relative("v_ip", evidence.variance_along().unwrap(), expected.v_ip)?;
    relative("v_orth", evidence.variance_orthogonal().unwrap(), expected.v_orth)?;
    relative("n_unb", evidence.debiased_norm_sq().unwrap(), expected.n_unb)?;
    equal("tests", &expected.required.len(), &4)?;
    for (test, row) in &expected.required {
        let any = batch_test(test, row.eta, row.theta, row.nu);
        let size = any.as_test().required(evidence).size().ok_or("no size")?;
        relative(test, size, row.value.unwrap())?;
        equal(&format!("ceiling of {test}"), &Some(size.ceil()), &row.ceil)?;
    }
    Ok(())
}

fn check_all<F: Real<Sum = f64>>(product: impl Backend<F> + Copy, unit: f64) -> Check {
    let Some(images) = mnist::training() else { return Ok(()) };
    let file: MnistFile = golden::read("mnist_first_batch.json");
    assert!(file.batches.len() >= 2);
    file.batches.iter().try_for_each(|batch| {
        check_batch(&images, batch, product, unit).map_err(|error| format!("from {}: {error}", batch.start))
    })
}

#[test]
fn every_number_in_f64() -> Check {
    check_all::<f64>(PlainBackend, 1e-10)?;
    check_all::<f64>(FastBackend, 1e-10)
}

#[test]
fn every_number_in_f32() -> Check {
    check_all::<f32>(PlainBackend, 1e-5)?;
    check_all::<f32>(FastBackend, 1e-5)
}
