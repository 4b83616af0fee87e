//! The page's side of training: run descriptions in, telemetry out, in slices of time. Conversions only; the
//! mathematics is `adadagrad-core`'s.

mod clock;
mod cpu_run;
mod gpu_run;
mod records;
mod session;
mod start;

use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::local::OwnedNetwork;
use adadagrad_core::network::Model;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

pub use session::Session;
pub use start::{initial_parameters, visited_samples};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("../typescript/session.d.ts");

/// A panic is a defect of ours; say where it happened before the module stops.
#[wasm_bindgen(start)]
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
}

#[derive(Serialize)]
struct PresetRow {
    name: &'static str,
    title: &'static str,
    config: RunConfig,
}

/// The ready-made runs.
///
/// # Errors
/// None in practice.
#[wasm_bindgen(unchecked_return_type = "Preset[]")]
pub fn presets() -> Result<JsValue, JsError> {
    let row =
        |preset: Preset| PresetRow { name: preset.name(), title: preset.title(), config: preset.config() };
    to_js(&Preset::ALL.map(row))
}

#[derive(Serialize)]
struct ModelRow {
    name: Model,
    parameters: usize,
    layers: Vec<String>,
}

/// The ready-made networks.
///
/// # Errors
/// None in practice.
#[wasm_bindgen(unchecked_return_type = "ModelDescription[]")]
pub fn models() -> Result<JsValue, JsError> {
    let row = |name: Model| {
        let network = OwnedNetwork::of_model(name)?;
        let nodes = network.view().nodes().iter();
        let layers =
            nodes.map(|node| format!("{}: {} → {}", node.operation, node.input, node.output)).collect();
        Ok(ModelRow { name, parameters: network.view().parameters(), layers })
    };
    to_js(&Model::ALL.into_iter().map(row).collect::<Result<Vec<_>, JsError>>()?)
}

/// Checks settings against a number of training samples.
///
/// # Errors
/// Which setting is wrong and what it may be.
#[wasm_bindgen]
pub fn validate(
    #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
    training_samples: u32,
) -> Result<(), JsError> {
    Ok(from_js::<RunConfig>(config)?.validate(training_samples)?)
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsError> {
    Ok(value.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}

fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, JsError> {
    Ok(serde_wasm_bindgen::from_value(value)?)
}
