//! Gradient noise scales: noise over signal, in the geometry that suits an optimizer.
//!
//! | sensor | noise | signal | suits |
//! |---|---|---|---|
//! | [`Sensor::Plain`] | Σⱼ Varⱼ = v | n − v/b | SGD |
//! | [`Sensor::Preconditioned`] | Σⱼ Varⱼ/dⱼ² | Σⱼ ḡⱼ²/dⱼ² − noise/b | AdaGrad, RMSProp, Adam: dⱼ = √v̂ⱼ + ε before the step |
//! | [`Sensor::Sign`] | (Σⱼ √Varⱼ)² | (Σⱼ \|ḡⱼ\|)² | sign methods, in the dual of the ℓ₁ norm |
//!
//! Varⱼ is the sample variance of coordinate j. The plain one needs two numbers ([`Evidence::noise`]), the others Σᵢ gᵢⱼ²
//! of every coordinate ([`Statistics::noise`]).
//!
//! [`Evidence::noise`]: crate::statistics::Evidence::noise
//! [`Statistics::noise`]: crate::statistics::Statistics::noise

mod measured;
mod noise;
mod sensor;

pub use measured::{MeasuredNoise, Sensors};
pub use noise::Noise;
pub(crate) use noise::{preconditioned, sign};
pub use sensor::Sensor;
