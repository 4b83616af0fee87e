//! What a run begins with, for others that are to compute the same one beside it.

use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::network::initialise;
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::shuffle::Order;
use wasm_bindgen::prelude::*;

use crate::{from_js, whole};

/// The parameters that a run over samples like MNIST's starts from, layer by layer: weights (`[out, in]` or `[out, in, height, width]`),
/// then biases.
///
/// # Errors
/// What is wrong with the settings.
#[wasm_bindgen]
pub fn initial_parameters(
    #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
) -> Result<Vec<f32>, JsError> {
    let config: RunConfig = from_js(config)?;
    let network = OwnedNetwork::of_model(config.model, SampleShape::MNIST)?;
    let mut parameters = vec![0.0; network.view().parameters()];
    initialise(network.view(), config.seed, &mut parameters)?;
    Ok(parameters)
}

/// The training samples that a run visits after `position` others.
///
/// # Errors
/// What is wrong with the settings, or that `position` is no count.
#[wasm_bindgen]
pub fn visited_samples(
    #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
    training_samples: u32,
    position: f64,
    count: u32,
) -> Result<Vec<u32>, JsError> {
    let config: RunConfig = from_js(config)?;
    let first = whole(position).ok_or_else(|| JsError::new("the position is not a whole number"))?;
    let mut order = Order::new(training_samples, config.seed);
    Ok((first..first + u64::from(count)).map(|position| order.visit(position).sample).collect())
}
