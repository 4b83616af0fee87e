use super::Place;
use crate::backend::Backend;
use crate::real::Real;

/// What a forward pass reads: a micro-batch, sample by sample.
pub(crate) struct Forward<'a, F: Real> {
    /// Who multiplies.
    pub(crate) backend: &'a dyn Backend<F>,
    /// The layer's place in the network.
    pub(crate) place: Place,
    /// m.
    pub(crate) samples: usize,
    /// The layer's own.
    pub(crate) parameters: &'a [F],
    /// The inputs \[m, …\]; the second one is empty but for layers that take two.
    pub(crate) x: [&'a [F]; 2],
}

/// What a backward pass reads.
pub(crate) struct Backward<'a, F: Real> {
    /// Who multiplies.
    pub(crate) backend: &'a dyn Backend<F>,
    /// The layer's place in the network.
    pub(crate) place: Place,
    /// m.
    pub(crate) samples: usize,
    /// The layer's own.
    pub(crate) parameters: &'a [F],
    /// The inputs \[m, …\].
    pub(crate) x: [&'a [F]; 2],
    /// The outputs \[m, …\].
    pub(crate) y: &'a [F],
    /// Their gradient.
    pub(crate) dy: &'a [F],
    /// Whether the gradient of the first input takes the place of what is there: only where the layer says that it can.
    pub(crate) overwrites: bool,
}
