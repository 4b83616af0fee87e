//! The page's side of training: run descriptions in, telemetry out, in slices of time. Conversions only; the
//! mathematics is `adadagrad-core`'s.

mod answers;
mod clock;
mod cpu_run;
mod data;
mod gpu_run;
mod look;
mod models;
mod own_files;
mod records;
mod run_state;
mod safetensors;
mod session;
mod start;
mod team;
mod thumbnails;
mod writing;

use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::schedule::Decay;
use adadagrad_core::settings::Choices;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

pub use models::models;
pub use own_files::{choose_own_files, read_own_files};
pub use session::Session;
pub use start::{initial_parameters, visited_samples};
pub use team::TeamMember;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("../typescript/session.d.ts");

/// Written from the core's table of settings.
#[wasm_bindgen(typescript_custom_section)]
const SETTINGS: &str = include_str!("../typescript/settings.d.ts");

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
struct Defaults {
    optimizers: [AnyOptimizer; AnyOptimizer::CHOICES.len()],
    tests: [AnyTest; AnyTest::CHOICES.len()],
    decays: [Decay; Decay::CHOICES.len()],
}

/// One of each thing that settings name, with its default settings.
///
/// # Errors
/// None in practice.
#[wasm_bindgen(unchecked_return_type = "Defaults")]
pub fn defaults() -> Result<JsValue, JsError> {
    to_js(&Defaults { optimizers: AnyOptimizer::all(), tests: AnyTest::all(), decays: Decay::all() })
}

/// Checks settings against a number of training samples and, where that is known, what one of them is.
///
/// # Errors
/// Which setting is wrong and what it may be.
#[wasm_bindgen]
pub fn validate(
    #[wasm_bindgen(unchecked_param_type = "RunConfig")] config: JsValue,
    training_samples: u32,
    #[wasm_bindgen(unchecked_param_type = "SampleShape | null")] shape: JsValue,
) -> Result<(), JsError> {
    let config = from_js::<RunConfig>(config)?;
    config.validate(training_samples)?;
    from_js::<Option<models::Sample>>(shape)?
        .map_or(Ok(()), |sample| models::check(config.model, sample.into()))
}

/// A count that JavaScript holds as a number.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> Option<u64> {
    /// Beyond it not every whole number is one.
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    ((0.0..=LARGEST).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsError> {
    Ok(value.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}

fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, JsError> {
    read_js(value).map_err(|error| JsError::new(&error))
}

/// Errors of settings name the field.
fn read_js<T: DeserializeOwned>(value: JsValue) -> Result<T, String> {
    serde_wasm_bindgen::from_value(value)
        .map_err(|error| JsValue::from(error).unchecked_into::<js_sys::Error>().message().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_counts_are_counts() {
        assert_eq!(whole(0.0), Some(0));
        assert_eq!(whole(60_000.0), Some(60_000));
        for number in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e16] {
            assert_eq!(whole(number), None, "{number}");
        }
    }
}
