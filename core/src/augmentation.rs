//! Random crops and flips of training images, as a function of seed, pass and sample: no state, so that both sweeps of
//! a step, a resumed run, every thread and a GPU see the same pixels.

use crate::dataset::Visit;
use crate::random::Key;
use crate::settings::{Field, Range};

/// How training images are varied. Test images never are, nor are images on which a loss or an accuracy is measured.
///
/// This is what torchvision does with `RandomCrop(size, padding)` and then `RandomHorizontalFlip(0.5)`, before anything
/// else: the image is padded with `padding` pixels of byte 0 on each side, and a window of the image's size is cut out.
/// Normalisation comes afterwards, so a padded pixel is what byte 0 is normalised to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Augmentation {
    /// Pixels around the image that a crop may take in, 0 to [`LARGEST_PADDING`](Self::LARGEST_PADDING); 0 for no
    /// crop.
    pub padding: u32,
    /// Whether every other visit, on average, shows the image mirrored left to right.
    pub flip: bool,
}

#[cfg(feature = "serde")]
crate::fields::readable!(Augmentation { padding, flip });

crate::settings::table!(Augmentation {
    title: "augmentation",
    doc: "How training images are varied at random.",
    source: "",
    fields: {
        padding: u32 = 0 => Field::new(
            "crop padding",
            "Training images are padded with this number of black pixels on each side and cropped at random; 0 for no \
             crop.",
        )
        .range(Range::whole(0, Self::LARGEST_PADDING as u64))
        .flag("crop-padding")
        .placeholder("PIXELS"),
        flip: bool = false => Field::new("random flip", "Mirrors training images left to right at random, with probability ½."),
    }
});

/// Streams of random numbers from here on, one per pass, belong to augmentation. Those below are the shuffle's passes,
/// those from 2⁶³ on the initial parameters'.
const FIRST_STREAM: u64 = 1 << 62;
/// Random bits of each offset.
const OFFSET_BITS: u32 = 15;

impl Augmentation {
    /// Images as they are.
    pub const NONE: Self = Self { padding: 0, flip: false };
    /// The largest padding. Up to here, no offset is 0.2 % more likely than another.
    pub const LARGEST_PADDING: u32 = 32;

    /// Whether images stay as they are.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.padding == 0 && !self.flip
    }

    /// The key of a pass: [`Key::bits`] of a sample determine its [`Placement`].
    #[must_use]
    pub fn key(seed: u64, pass: u64) -> Key {
        Key::new(seed, FIRST_STREAM.wrapping_add(pass))
    }

    /// The placement of a visit's image. All offsets and both orientations are equally likely, and independent of each
    /// other.
    #[must_use]
    pub fn placement(self, seed: u64, visit: Visit) -> Placement {
        if self.is_none() {
            return Placement::IDENTITY;
        }
        self.placement_of(Self::key(seed, visit.pass).bits(visit.sample))
    }

    /// The placement made of 32 random bits: the offset from the top is of bits 0 to 14, that from the left of bits 15
    /// to 29, and bit 31 mirrors. An offset is ⌊bits·(2·padding + 1)/2¹⁵⌋ − padding. 32-bit arithmetic, as in a shader.
    #[must_use]
    pub const fn placement_of(self, bits: u32) -> Placement {
        // Larger settings are refused; no bits make this overflow.
        let padding = if self.padding < Self::LARGEST_PADDING { self.padding } else { Self::LARGEST_PADDING };
        Placement {
            top: offset(bits, padding),
            left: offset(bits >> OFFSET_BITS, padding),
            flipped: self.flip && bits >> 31 == 1,
        }
    }
}

#[allow(clippy::cast_possible_wrap)]
const fn offset(bits: u32, padding: u32) -> i32 {
    let bits = bits & ((1 << OFFSET_BITS) - 1);
    ((bits * (2 * padding + 1)) >> OFFSET_BITS) as i32 - padding as i32
}

/// What a visit sees of an image: pixel (row, column) is the image's pixel (row + top, column′ + left), where column′ is
/// column, or width − 1 − column where it is flipped. Beyond the image's edges all bytes are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Placement {
    /// Rows that are cut off at the top; negative for rows of padding.
    pub top: i32,
    /// Columns that are cut off at the left, before the flip; negative for columns of padding.
    pub left: i32,
    /// Whether the image is mirrored left to right.
    pub flipped: bool,
}

impl Placement {
    /// The image as it is.
    pub const IDENTITY: Self = Self { top: 0, left: 0, flipped: false };
}

/// An augmentation with the seed of a run: what a data set needs to place its images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placements {
    /// How images are varied.
    pub augmentation: Augmentation,
    /// The run's seed.
    pub seed: u64,
}

impl Placements {
    /// Images as they are.
    pub const NONE: Self = Self { augmentation: Augmentation::NONE, seed: 0 };

    /// The placement of a visit's image.
    #[must_use]
    pub fn of(self, visit: Visit) -> Placement {
        self.augmentation.placement(self.seed, visit)
    }

    /// The key of a pass, for a shader that computes the same placements.
    #[must_use]
    pub fn key(self, pass: u64) -> Key {
        Augmentation::key(self.seed, pass)
    }
}
