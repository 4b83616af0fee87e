//! Answers that JavaScript waits for, and those that hold bytes.

use futures_channel::oneshot::Receiver;
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

/// A promise that the holder of the sender keeps; null when the sender is dropped instead.
pub(crate) fn promise<T: 'static>(
    receiver: Receiver<T>,
    into_js: impl FnOnce(T) -> Result<JsValue, JsError> + 'static,
) -> Promise {
    future_to_promise(async move {
        match receiver.await {
            Ok(value) => into_js(value).map_err(JsValue::from),
            Err(_) => Ok(JsValue::NULL),
        }
    })
}

/// A plain object.
pub(crate) fn object(fields: &[(&str, JsValue)]) -> Result<JsValue, JsError> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &JsValue::from_str(name), value)
            .map_err(|_| JsError::new("a result cannot be passed to the page"))?;
    }
    Ok(object.into())
}

/// A count that JavaScript can hold as a number.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn number(count: u64) -> JsValue {
    JsValue::from_f64(count as f64)
}
