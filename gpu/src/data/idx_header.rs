//! What an IDX file begins with.

use std::io;

use crate::dataset::Images;

/// An IDX header: grey images have three dimensions, those of more channels four.
///
/// # Errors
/// When there are more images than a header can say.
pub fn header(images: &Images, is_labels: bool) -> io::Result<Vec<u8>> {
    let shape = images.sample_shape().input;
    let count = u32::try_from(images.labels().len()).map_err(io::Error::other)?;
    let dimensions = match (is_labels, shape.channels) {
        (true, _) => vec![count],
        (false, 1) => vec![count, shape.height, shape.width],
        (false, channels) => vec![count, channels, shape.height, shape.width],
    };
    let mut header = vec![0, 0, 8, u8::try_from(dimensions.len()).map_err(io::Error::other)?];
    header.extend(dimensions.iter().flat_map(|dimension| dimension.to_be_bytes()));
    Ok(header)
}
