//! Labelled images of bytes, as in most data sets.

use core::fmt;

use crate::augmentation::{Placement, Placements};
use crate::dataset::{Dataset, Encoding, ReadError, SampleShape, Targets, Visit};
use crate::decode::decode;
use crate::idx::{Idx, IdxError, image_file};
use crate::normalisation::channel_statistics;
use crate::real::Real;
use crate::shape::Shape;

/// Images of one shape, each with a label. The values of an image are its planes, row by row: all red, then all green,
/// then all blue. `B` holds the bytes: a slice, or your own buffer.
#[derive(Clone, Copy, Debug)]
pub struct LabelledImages<B> {
    images: B,
    labels: B,
    /// Where the values begin in either.
    starts: [usize; 2],
    count: u32,
    shape: SampleShape,
    placements: Placements,
}

/// Where the values begin in a label file.
const LABELS_START: usize = 8;

/// Which of the two files an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImagesError {
    /// The image file.
    Images(IdxError),
    /// The label file.
    Labels(IdxError),
}

impl fmt::Display for ImagesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Images(error) => write!(f, "image file: {error}"),
            Self::Labels(error) => write!(f, "label file: {error}"),
        }
    }
}

impl core::error::Error for ImagesError {}

impl<B: AsRef<[u8]>> LabelledImages<B> {
    /// Reads and checks two IDX files: sizes, counts, and every label. The images are grey and of this size (rows,
    /// columns).
    ///
    /// # Errors
    /// Which file is wrong, what, and where.
    pub fn parse(images: B, labels: B, size: [u32; 2], classes: u32) -> Result<Self, ImagesError> {
        let file = Idx::<3>::parse(images.as_ref()).map_err(ImagesError::Images)?;
        let [_, rows, columns] = file.dimensions;
        if [rows, columns] != size {
            let found = [rows, columns];
            return Err(ImagesError::Images(IdxError::ImageSize { expected: size, found }));
        }
        Self::parse_any(images, labels, classes)
    }

    /// The same for images of any size, with one to four channels, as [`image_file`] reads them.
    ///
    /// # Errors
    /// Which file is wrong, what, and where.
    pub fn parse_any(images: B, labels: B, classes: u32) -> Result<Self, ImagesError> {
        let (count, shape, start) = image_file(images.as_ref()).map_err(ImagesError::Images)?;
        let label_file = Idx::<1>::parse(labels.as_ref()).map_err(ImagesError::Labels)?;
        if label_file.dimensions != [count] {
            let [labels] = label_file.dimensions;
            return Err(ImagesError::Labels(IdxError::Count { images: count, labels }));
        }
        if let Some(index) = label_file.values.iter().position(|&label| u32::from(label) >= classes) {
            let (byte, label) = (LABELS_START + index, label_file.values[index]);
            return Err(ImagesError::Labels(IdxError::Label { byte, label, classes }));
        }
        let shape = SampleShape::image(shape, classes);
        Ok(Self { images, labels, starts: [start, LABELS_START], count, shape, placements: Placements::NONE })
    }

    /// Images without any header, one after the other, and a byte for each label. `None` if there is no image, the
    /// numbers of images and labels differ, or a label is not below the number of classes.
    #[must_use]
    pub fn new(images: B, labels: B, shape: Shape, classes: u32) -> Option<Self> {
        let count = labels.as_ref().len();
        let fits = count > 0
            && !shape.is_empty()
            && count.checked_mul(shape.len()) == Some(images.as_ref().len())
            && labels.as_ref().iter().all(|&label| u32::from(label) < classes);
        let count = u32::try_from(count).ok().filter(|_| fits)?;
        let shape = SampleShape::image(shape, classes);
        Some(Self { images, labels, starts: [0; 2], count, shape, placements: Placements::NONE })
    }

    /// The same images, read by another encoding of bytes.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.shape.encoding = encoding;
        self
    }

    /// The same images, placed in this way.
    #[must_use]
    pub fn with_placements(mut self, placements: Placements) -> Self {
        self.placements = placements;
        self
    }

    /// The encoding that gives each channel mean 0 and variance 1: see [`channel_statistics`].
    #[must_use]
    pub fn channel_statistics(&self) -> Encoding {
        channel_statistics(self.bytes(), self.shape.input)
    }

    /// What a sample is.
    #[must_use]
    pub const fn sample_shape(&self) -> SampleShape {
        self.shape
    }

    /// The bytes of all images, one after the other.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.images.as_ref().get(self.starts[0]..).unwrap_or_default()
    }

    /// All labels.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        self.labels.as_ref().get(self.starts[1]..).unwrap_or_default()
    }

    /// One image's bytes, plane by plane, row by row; `None` where there is no such image.
    #[must_use]
    pub fn image(&self, index: u32) -> Option<&[u8]> {
        // Within the bytes, which were checked, so that nothing overflows.
        let pixels = self.shape.input.len();
        let index = (index < self.count).then_some(index as usize)?;
        self.bytes().get(index * pixels..)?.get(..pixels)
    }

    /// One image's label; `None` where there is no such image.
    #[must_use]
    pub fn label(&self, index: u32) -> Option<u8> {
        self.labels().get((index < self.count).then_some(index as usize)?).copied()
    }
}

impl<F: Real, B: AsRef<[u8]>> Dataset<F> for LabelledImages<B> {
    fn len(&self) -> u32 {
        self.count
    }

    fn shape(&self) -> SampleShape {
        self.shape
    }

    fn read(&self, visit: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError> {
        let (Some(image), Some(label)) = (self.image(visit.sample), self.label(visit.sample)) else {
            return Err(ReadError::new("there is no such image"));
        };
        decode(image, self.shape.input, self.shape.encoding, self.placements.of(visit), input);
        targets.labels.fill(label.into());
        Ok(())
    }

    fn placements(&self) -> Placements {
        self.placements
    }

    fn raw(&self) -> Option<&[u8]> {
        Some(self.bytes())
    }

    fn prefetch(&self, index: u32) {
        // A byte of each cache line: nobody waits for it, so that many images' are under way at once.
        let touched =
            self.image(index).unwrap_or_default().iter().step_by(CACHE_LINE).fold(0, |all, byte| all ^ byte);
        core::hint::black_box(touched);
    }
}

/// Bytes.
const CACHE_LINE: usize = 64;

/// One image without a label.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// Its planes, row by row.
    pub bytes: &'a [u8],
    /// What it is, and how it is encoded.
    pub shape: SampleShape,
}

impl<F: Real> Dataset<F> for Picture<'_> {
    fn len(&self) -> u32 {
        1
    }

    fn shape(&self) -> SampleShape {
        self.shape
    }

    fn read(&self, _: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError> {
        let SampleShape { input: shape, encoding, .. } = self.shape;
        decode(self.bytes, shape, encoding, Placement::IDENTITY, input);
        targets.labels.fill(0);
        Ok(())
    }
}
