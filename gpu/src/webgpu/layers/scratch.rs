/// Words that a layer's statistics take while they are computed. The buffers serve one layer after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Scratch {
    /// Square norms, and inner products, of tiles of every sample's gradient.
    pub(in super::super) tiles: usize,
    /// Gradients of slices of the samples.
    pub(in super::super) slices: usize,
    /// Inputs multiplied by the summed gradient.
    pub(in super::super) projected: usize,
    /// Every sample's own gradient, of layers that are small.
    pub(in super::super) sample_gradients: usize,
}
