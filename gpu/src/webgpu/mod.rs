//! The WebGPU engine: the same training as on the CPU, over the same network, shuffle and settings.
//!
//! A step is one submission per micro-batch and one small read-back: each micro-batch leaves six sums, which are added
//! up in `f64` here. The trainer weighs them, and the update is submitted with its scalars, so that every formula that
//! is one number for all parameters stays in the core.

mod buffers;
mod convolution;
mod coordinates;
mod cost;
mod device;
mod engine;
mod graph;
mod images;
mod kernel;
mod layers;
mod liveness;
mod loss_scale;
#[doc(hidden)]
pub mod parity;
mod patience;
mod product;
mod profile;
mod program;
mod shader_text;
mod training;
mod trial;
mod uniforms;
mod update;
mod variants;

pub use cost::{Cost, Costed};
pub use device::{Gpu, GpuError, Traffic, adapters, is_software};
pub use engine::{DeviceEngine, Flight, Found, Left, PartSums, Samples, Scores, Work};
pub use images::{DeviceImages, DeviceOrder};
pub use kernel::Shader;
pub use patience::Patience;
pub use profile::{KernelTime, Profile};
#[cfg(not(target_family = "wasm"))]
pub(crate) use training::{MEMORY_BUDGET, most_samples};
pub use training::{Opening, Options, RunSnapshot, Training};
pub use trial::{Choice, Timing, Trial, adapter_key, choose, try_variants};
pub use uniforms::{
    Attention, AveragePool2d, Batch, Conv2d, Draw, Embedding, Epoch, GroupNorm, LayerNorm, MaxPool2d, Noise,
    PositionEmbedding, Product, Step, Uniform, Values,
};
pub use variants::{Heavy, Variant, Variants};
