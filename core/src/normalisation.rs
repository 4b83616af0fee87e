//! Normalisation of image values: mean and deviation per channel.

use crate::dataset::Encoding;
use crate::real::Real;
use crate::shape::Shape;

/// How images are normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Normalisation {
    /// None: a value is byte/255.
    #[default]
    None,
    /// The mean and the standard deviation of each channel over all training images.
    Training,
}

#[cfg(feature = "serde")]
crate::fields::name_setting!(Normalisation { None, Training });

impl Normalisation {
    /// Its name in settings and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Training => "training",
        }
    }
}

/// The encoding that gives each channel of these images mean 0 and variance 1: of byte/255, the mean and the root of the
/// mean squared difference from it (divided by the number of values, not one less). Sums are of whole numbers and exact;
/// the results are rounded to `f64`, then to `f32`. A channel of one value only is divided by 1.
///
/// `images`: planes of bytes, one image after the other. Channels from the fifth on are left as they are.
#[must_use]
pub fn channel_statistics(images: &[u8], shape: Shape) -> Encoding {
    let plane = shape.plane();
    let (mut mean, mut deviation) = ([0.0; 4], [1.0; 4]);
    if shape.is_empty() {
        return Encoding::BYTES;
    }
    for (channel, (mean, deviation)) in mean.iter_mut().zip(&mut deviation).enumerate() {
        let (mut count, mut sum, mut squares) = (0_u128, 0_u128, 0_u128);
        for image in images.chunks_exact(shape.len()) {
            let Some(bytes) = image.chunks_exact(plane).nth(channel) else { break };
            // 2⁶⁴ holds more squares of bytes than there are bytes in memory.
            let (of_plane, squares_of_plane) = bytes
                .iter()
                .map(|&byte| u64::from(byte))
                .fold((0_u64, 0_u64), |(sum, squares), byte| (sum + byte, squares + byte * byte));
            count += bytes.len() as u128;
            sum += u128::from(of_plane);
            squares += u128::from(squares_of_plane);
        }
        // n·Σb² − (Σb)² is never negative.
        let scatter = (count * squares).saturating_sub(sum * sum);
        if count == 0 {
            continue;
        }
        #[allow(clippy::cast_precision_loss)]
        let [count, sum, scatter] = [count, sum, scatter].map(|whole| whole as f64);
        #[allow(clippy::cast_possible_truncation)]
        let narrowed = |value: f64| (value / count / 255.0) as f32;
        *mean = narrowed(sum);
        if scatter > 0.0 {
            *deviation = narrowed(Real::root(scatter));
        }
    }
    Encoding::Bytes { mean, deviation }
}
