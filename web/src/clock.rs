use wasm_bindgen::{JsCast, JsError, JsValue};
use web_sys::Performance;

/// The worker's monotonic clock.
pub(crate) struct Clock(Performance);

impl Clock {
    /// The clock of the global scope that this module runs in.
    pub(crate) fn new() -> Result<Self, JsError> {
        js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("performance"))
            .and_then(|clock| clock.dyn_into().map(Self))
            .map_err(|_| JsError::new("this scope has no performance clock"))
    }

    /// Milliseconds since some fixed moment.
    pub(crate) fn now(&self) -> f64 {
        self.0.now()
    }
}
