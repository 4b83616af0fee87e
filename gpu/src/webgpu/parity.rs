//! Every kernel in every variant against a reference in `f64`: for the tests, and for `adadagrad selftest` on
//! hardware that no test has seen.
//!
//! A case holds one dispatch, its buffers and what must be in them afterwards. Outputs are filled with NaN
//! before, so that a value that is not written, written twice or out of place shows; kernels that add start from
//! known sums. Bounds are derived for each value: a sum of k products may be wrong by k ε Σ|a||b|, and everything
//! else by what WGSL allows its operations.

mod approx;
mod attention;
mod case;
mod cases;
mod convolution;
mod coordinates;
mod dense;
mod embedding;
mod group_norm;
mod layer_norm;
mod layers;
mod pooling;
mod value_by_value;

use serde::Serialize;

pub use approx::Approx;
pub use cases::cases;

use super::cost::Cost;
use super::device::{Gpu, GpuError};
use super::kernel::Launch;
use super::variants::Variant;

/// Fills what a kernel is to write. A NaN that no arithmetic gives.
const POISON: u32 = 0x7fc5_a5a5;
/// Words behind every output that must stay as they are.
const GUARD: usize = 5;

/// A storage buffer.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Its binding.
    pub binding: u32,
    /// Its contents before the dispatch.
    pub words: Vec<u32>,
}

/// What a buffer must hold afterwards.
#[derive(Clone, Debug)]
enum Expected {
    Floats(Vec<Approx>),
    Words(Vec<u32>),
}

/// One dispatch and what it must do.
#[derive(Clone, Debug)]
pub struct Case {
    /// The entry point.
    pub kernel: &'static str,
    /// Its variant, if the kernel has variants.
    pub variant: Option<Variant>,
    /// The sizes, in words.
    pub shape: String,
    /// The uniform block. Tests break it on purpose.
    pub uniform: Vec<u32>,
    /// The buffers. Tests break them on purpose.
    pub slots: Vec<Slot>,
    launch: Launch,
    /// By place in `slots`.
    expected: Vec<(usize, Expected)>,
}

/// The result of a case.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The entry point.
    pub kernel: &'static str,
    /// Its variant, if the kernel has variants.
    pub variant: Option<Variant>,
    /// The sizes.
    pub shape: String,
    /// Values compared.
    pub values: usize,
    /// The largest difference, as a fraction of the allowed one.
    pub worst: f64,
    /// The first value that is wrong, if one is.
    pub failure: Option<String>,
}

/// Runs cases one after the other on a device.
#[derive(Debug)]
pub struct Bench {
    gpu: Gpu,
}

impl Bench {
    /// On this device.
    #[must_use]
    pub const fn new(gpu: Gpu) -> Self {
        Self { gpu }
    }

    /// Runs one case.
    ///
    /// # Errors
    /// When the device is lost or refused something.
    pub async fn run(&self, case: &Case) -> Result<Check, GpuError> {
        let gpu = &self.gpu;
        let buffers: Vec<_> = case
            .slots
            .iter()
            .map(|slot| {
                let buffer = gpu.storage(case.kernel, slot.words.len());
                gpu.write_bytes(&buffer, &bytes(&slot.words));
                buffer
            })
            .collect();
        let bindings: Vec<_> = case.slots.iter().map(|slot| slot.binding).zip(&buffers).collect();
        let dispatch =
            gpu.kernels().bind(gpu, &case.launch, &bytes(&case.uniform), Cost::default(), &bindings);
        let mut commands = gpu.commands();
        commands.run([&dispatch]);
        commands.submit();
        let (mut values, mut worst, mut failure) = (0, 0.0_f64, None);
        for (place, expected) in &case.expected {
            let words = gpu.read(&buffers[*place], case.slots[*place].words.len()).await?;
            let found = compare(expected, &words);
            values += words.len();
            worst = worst.max(found.0);
            let binding = case.slots[*place].binding;
            failure = failure.or(found.1.map(|what| format!("binding {binding}, {what}")));
        }
        let Case { kernel, variant, ref shape, .. } = *case;
        Ok(Check { kernel, variant, shape: shape.clone(), values, worst, failure })
    }
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The largest share of a bound, and the first value that is out of it.
fn compare(expected: &Expected, found: &[f32]) -> (f64, Option<String>) {
    match expected {
        Expected::Words(words) => {
            let wrong = words.iter().zip(found).position(|(word, value)| *word != value.to_bits());
            (0.0, wrong.map(|k| format!("word {k}: {} instead of {}", found[k].to_bits(), words[k])))
        }
        Expected::Floats(values) => {
            let mut worst = 0.0_f64;
            for (k, (expected, &found)) in values.iter().zip(found).enumerate() {
                let share = expected.share(found);
                // A NaN is not below it either.
                let is_right = share <= 1.0;
                if !is_right {
                    return (f64::INFINITY, Some(format!("value {k}: {found:e} instead of {expected}")));
                }
                worst = worst.max(share);
            }
            (worst, None)
        }
    }
}
