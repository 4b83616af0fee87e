use super::ShapeError;
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
    pub(super) const fn new(input: Shape, output: Shape, kernel: u32, stride: u32, padding: u32) -> Self {
        let (kernel, stride, padding) = (kernel as usize, stride as usize, padding as usize);
        Self { input, output, kernel, stride, padding }
    }
}

/// How many windows of a square kernel lie in rows and columns: `channels` of them.
pub(super) const fn slide(
    input: Shape,
    channels: u32,
    kernel: u32,
    stride: u32,
    padding: u32,
) -> Result<Shape, ShapeError> {
    let rows = window_count(input.height, kernel, stride, padding);
    match (rows, window_count(input.width, kernel, stride, padding)) {
        (Ok(height), Ok(width)) => Ok(Shape { channels, height, width }),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

const fn window_count(len: u32, kernel: u32, stride: u32, padding: u32) -> Result<u32, ShapeError> {
    if kernel == 0 || stride == 0 {
        return Err(ShapeError::Zero);
    }
    if padding >= kernel {
        return Err(ShapeError::PaddingTooLarge);
    }
    let padded = match padding.checked_mul(2) {
        Some(both) => both.checked_add(len),
        None => None,
    };
    let Some(padded) = padded else { return Err(ShapeError::TooLarge) };
    match padded.checked_sub(kernel) {
        Some(last) => Ok(last / stride + 1),
        None => Err(ShapeError::WindowTooLarge),
    }
}
