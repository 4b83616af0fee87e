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
    pub(super) fn new(input: Shape, output: Shape, kernel: u32, stride: u32, padding: u32) -> Self {
        let [kernel, stride, padding] = [kernel, stride, padding].map(|size| size as usize);
        Self { input, output, kernel, stride, padding }
    }
}

/// How many windows of a square kernel lie in rows and columns: `channels` of them.
pub(super) fn slide(
    input: Shape,
    channels: u32,
    kernel: u32,
    stride: u32,
    padding: u32,
) -> Result<Shape, ShapeError> {
    let count = |len| window_count(len, kernel, stride, padding);
    Ok(Shape { channels, height: count(input.height)?, width: count(input.width)? })
}

fn window_count(len: u32, kernel: u32, stride: u32, padding: u32) -> Result<u32, ShapeError> {
    if kernel == 0 || stride == 0 {
        return Err(ShapeError::Zero);
    }
    if padding >= kernel {
        return Err(ShapeError::PaddingTooLarge);
    }
    let padded = padding.checked_mul(2).and_then(|both| both.checked_add(len)).ok_or(ShapeError::TooLarge)?;
    Ok(padded.checked_sub(kernel).ok_or(ShapeError::WindowTooLarge)? / stride + 1)
}
