//! The IDX format of MNIST, read from a byte slice without copying.
//!
//! A file is: two zero bytes, a type byte (8: unsigned bytes), the number of dimensions, each dimension as a
//! big-endian 32-bit number, then the values, the last dimension varying fastest.

use core::fmt;

use crate::dataset::{Dataset, SampleShape, Visit};
use crate::real::Real;
use crate::shape::Shape;
use crate::vectors::on_vectors;

/// What is wrong with IDX bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdxError {
    /// Fewer bytes than the header needs.
    Header {
        /// Bytes needed.
        needed: usize,
        /// Bytes in the file.
        found: usize,
    },
    /// Does not start with two zero bytes: not an IDX file (perhaps still compressed, or a web page).
    Magic([u8; 2]),
    /// The values are not unsigned bytes.
    Type(u8),
    /// The number of dimensions is not the expected one.
    Dimensions {
        /// Expected.
        expected: u8,
        /// In the header, at byte 3.
        found: u8,
    },
    /// The product of the dimensions is too large.
    TooLarge,
    /// The file is shorter or longer than its header declares.
    Length {
        /// Bytes of header and values.
        needed: usize,
        /// Bytes in the file.
        found: usize,
    },
    /// The image size is not the expected one.
    ImageSize {
        /// Rows and columns expected.
        expected: [u32; 2],
        /// Rows and columns in the header, at bytes 8 and 12.
        found: [u32; 2],
    },
    /// There are not as many labels as images.
    Count {
        /// Number of images.
        images: u32,
        /// Number of labels.
        labels: u32,
    },
    /// There are no samples.
    Empty,
    /// A label that is not below the number of classes.
    Label {
        /// Which byte of the label file.
        byte: usize,
        /// The label.
        label: u8,
        /// Number of classes.
        classes: u32,
    },
}

impl fmt::Display for IdxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Header { needed, found } => {
                write!(f, "the IDX header needs {needed} bytes, but the file has {found}")
            }
            Self::Magic([a, b]) => {
                write!(
                    f,
                    "byte 0: not a valid IDX file: it starts with {a:02x} {b:02x}, not with two zero bytes"
                )?;
                match [a, b] {
                    GZIP => f.write_str(" (it is still compressed)"),
                    [b'<', _] => f.write_str(" (is it a web page?)"),
                    _ => Ok(()),
                }
            }
            Self::Type(kind) => {
                write!(f, "byte 2: the values have type {kind:#04x}, but unsigned bytes (0x08) are expected")
            }
            Self::Dimensions { expected, found } => {
                write!(f, "byte 3: the number of dimensions is {found}, but must be {expected}")
            }
            Self::TooLarge => f.write_str("from byte 4: the product of the dimensions is too large"),
            Self::Length { needed, found } => {
                write!(f, "the header declares a file of {needed} bytes, but it has {found}")
            }
            Self::ImageSize { expected, found } => write!(
                f,
                "bytes 8 to 15: the images have {}×{} pixels, but {}×{} are expected",
                found[0], found[1], expected[0], expected[1]
            ),
            Self::Count { images, labels } => write!(f, "{images} images, but {labels} labels"),
            Self::Empty => f.write_str("bytes 4 to 7: the file contains no samples"),
            Self::Label { byte, label, classes } => {
                write!(f, "byte {byte}: label {label} is out of range: labels must be below {classes}")
            }
        }
    }
}

impl core::error::Error for IdxError {}

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An IDX file of unsigned bytes with `N` dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idx<'a, const N: usize> {
    /// The dimensions, slowest first.
    pub dimensions: [u32; N],
    /// The values.
    pub values: &'a [u8],
}

impl<'a, const N: usize> Idx<'a, N> {
    /// Reads a whole file.
    ///
    /// # Errors
    /// What is wrong, and at which byte.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, IdxError> {
        let needed = 4 + 4 * N;
        let (magic, _) =
            bytes.split_first_chunk::<4>().ok_or(IdxError::Header { needed, found: bytes.len() })?;
        let &[a, b, kind, found] = magic;
        if [a, b] != [0, 0] {
            return Err(IdxError::Magic([a, b]));
        }
        if kind != 8 {
            return Err(IdxError::Type(kind));
        }
        if usize::from(found) != N {
            #[allow(clippy::cast_possible_truncation)]
            return Err(IdxError::Dimensions { expected: N as u8, found });
        }
        let (header, values) =
            bytes.split_at_checked(needed).ok_or(IdxError::Header { needed, found: bytes.len() })?;
        let mut dimensions = [0; N];
        for (dimension, word) in dimensions.iter_mut().zip(header[4..].as_chunks::<4>().0) {
            *dimension = u32::from_be_bytes(*word);
        }
        let needed = dimensions
            .iter()
            .try_fold(1_usize, |count, &dimension| count.checked_mul(usize::try_from(dimension).ok()?))
            .and_then(|count| count.checked_add(needed))
            .ok_or(IdxError::TooLarge)?;
        if bytes.len() == needed {
            Ok(Self { dimensions, values })
        } else {
            Err(IdxError::Length { needed, found: bytes.len() })
        }
    }
}

/// Grey images with labels, as in MNIST: pixels are read as byte/255. `B` holds the files' bytes: a
/// slice, or your own buffer.
#[derive(Clone, Copy, Debug)]
pub struct LabelledImages<B> {
    images: B,
    labels: B,
    count: u32,
    shape: SampleShape,
}

/// Where the values begin in an image file and in a label file.
const IMAGES_START: usize = 16;
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
    /// Reads and checks both files: sizes, counts, and every label.
    ///
    /// # Errors
    /// Which file is wrong, what, and where.
    pub fn parse(images: B, labels: B, size: [u32; 2], classes: u32) -> Result<Self, ImagesError> {
        let image_file = Idx::<3>::parse(images.as_ref()).map_err(ImagesError::Images)?;
        let label_file = Idx::<1>::parse(labels.as_ref()).map_err(ImagesError::Labels)?;
        let [count, rows, columns] = image_file.dimensions;
        if [rows, columns] != size {
            let found = [rows, columns];
            return Err(ImagesError::Images(IdxError::ImageSize { expected: size, found }));
        }
        if count == 0 {
            return Err(ImagesError::Images(IdxError::Empty));
        }
        if label_file.dimensions != [count] {
            let [labels] = label_file.dimensions;
            return Err(ImagesError::Labels(IdxError::Count { images: count, labels }));
        }
        if let Some(index) = label_file.values.iter().position(|&label| u32::from(label) >= classes) {
            let (byte, label) = (LABELS_START + index, label_file.values[index]);
            return Err(ImagesError::Labels(IdxError::Label { byte, label, classes }));
        }
        let shape = SampleShape::image(Shape::image(1, rows, columns), classes);
        Ok(Self { images, labels, count, shape })
    }

    /// One image's bytes, row by row; `None` where there is no such image.
    #[must_use]
    pub fn image(&self, index: u32) -> Option<&[u8]> {
        // Within the bytes, which were checked, so that nothing overflows.
        let pixels = self.shape.input.len();
        let index = (index < self.count).then_some(index as usize)?;
        self.images.as_ref().get(IMAGES_START + index * pixels..)?.get(..pixels)
    }

    /// One image's label; `None` where there is no such image.
    #[must_use]
    pub fn label(&self, index: u32) -> Option<u8> {
        self.labels.as_ref().get(LABELS_START + (index < self.count).then_some(index as usize)?).copied()
    }
}

impl<F: Real, B: AsRef<[u8]>> Dataset<F> for LabelledImages<B> {
    fn len(&self) -> u32 {
        self.count
    }

    fn shape(&self) -> SampleShape {
        self.shape
    }

    /// If there is no such image: zeros, with a label of no class.
    fn read(&self, visit: Visit, input: &mut [F], targets: &mut [u32]) {
        match (self.image(visit.sample), self.label(visit.sample)) {
            (Some(image), Some(label)) => {
                scale(image, input);
                targets.fill(label.into());
            }
            _ => {
                input.fill(F::zero());
                targets.fill(u32::MAX);
            }
        }
    }

    fn raw(&self) -> Option<&[u8]> {
        self.images.as_ref().get(IMAGES_START..)
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

/// One image without a label, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a>(pub &'a [u8]);

impl<F: Real> Dataset<F> for Picture<'_> {
    fn len(&self) -> u32 {
        1
    }

    fn shape(&self) -> SampleShape {
        SampleShape::image(Shape::vector(u32::try_from(self.0.len()).unwrap_or(u32::MAX)), 1)
    }

    fn read(&self, _: Visit, input: &mut [F], targets: &mut [u32]) {
        scale(self.0, input);
        targets.fill(0);
    }
}

/// byte/255, correctly rounded but without a division: 1/255 = 257/2¹⁶ + 1/(255·2¹⁶), and a byte times the first is
/// exact.
fn scale<F: Real>(bytes: &[u8], input: &mut [F]) {
    let [high, low] = [257.0 / 65_536.0, 1.0 / (255.0 * 65_536.0)].map(F::of);
    on_vectors(|| {
        for (value, &byte) in input.iter_mut().zip(bytes) {
            let byte = F::from(byte).unwrap_or_default();
            *value = byte * high + byte * low;
        }
    });
}
