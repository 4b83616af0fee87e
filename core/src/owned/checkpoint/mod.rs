//! Checkpoints: safetensors files that PyTorch opens too.
//!
//! | name | shape | what |
//! |---|---|---|
//! | `<i>.weight` | \[out, in\] or \[out, in, kh, kw\] | weights of module i |
//! | `<i>.bias` | \[out\] | its biases |
//! | `optimizer.<slot>.<i>.weight`, `….bias` | as above | the optimizer's memory: slot 0 is AdaGrad's and RMSProp's sum or mean of squares, the momentum, Adam's first moment; slot 1 is Adam's second |
//!
//! i counts all modules from 0, as `torch.nn.Sequential` does: also ReLU, max-pooling and flattening. Where the
//! network's nodes have names, as those of ResNets (`layer1.0.conv1`, …, `fc`: torchvision's, with `norm` for `bn`) and
//! of custom networks, the name is used instead of i. All values are f32, little-endian. The entry `adadagrad` of the
//! metadata holds a [`State`] as JSON, from which a run continues as if it had not stopped; files with parameters alone
//! do not need it.
//!
//! Files from elsewhere are read too: with other paths instead of i (see [`Checkpoint::parameters`]), with values of
//! type F16, BF16 or F64, and with tensors that are neither weights nor biases, which are ignored.

mod contents;
mod error;
mod file;
mod floats;
mod header;
mod layers;
mod names;
mod network;
mod pieces;
mod state;
mod tensor;

pub use contents::Checkpoint;
pub use error::CheckpointError;
#[cfg(not(target_family = "wasm"))]
pub use file::{load, load_from};
pub use file::{read, write, write_parameters};
pub use floats::float_size;
pub use names::{STATE, STATE_VERSION};
pub use network::{OwnNetwork, SampleSize, network_of};
pub use pieces::{Piece, pieces, tensors};
pub use state::State;
pub use tensor::Tensor;
