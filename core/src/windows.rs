use crate::shape::Shape;

/// What a window slides over, for convolution and pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(crate) input: Shape,
    pub(crate) output: Shape,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl Windows {
    pub(crate) const fn new(input: Shape, output: Shape, kernel: u32, stride: u32, padding: u32) -> Self {
        let (kernel, stride, padding) = (kernel as usize, stride as usize, padding as usize);
        Self { input, output, kernel, stride, padding }
    }

    /// Whether a window is one value, and each value a window.
    pub(crate) const fn is_pointwise(self) -> bool {
        matches!((self.kernel, self.stride, self.padding), (1, 1, 0))
    }
}
