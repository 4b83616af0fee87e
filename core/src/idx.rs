//! The IDX format of MNIST, read from a byte slice without copying.
//!
//! A file is: two zero bytes, a type byte (8: unsigned bytes), the number of dimensions, each dimension as a
//! big-endian 32-bit number, then the values, the last dimension varying fastest.

use core::fmt;

use crate::shape::Shape;

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
    /// An image file with another number of dimensions than images have: see [`image_file`].
    ImageDimensions(u8),
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
    /// Images of more channels than four, or of none.
    Channels(u32),
    /// The numbers of labels and images differ.
    Count {
        /// Number of images.
        images: u32,
        /// Number of labels.
        labels: u32,
    },
    /// There are no samples.
    Empty,
    /// The images have no pixels.
    NoPixels {
        /// Rows and columns in the header.
        size: [u32; 2],
    },
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
            Self::ImageDimensions(found) => {
                write!(f, "byte 3: images have 2, 3 or 4 dimensions, but the header has {found}")?;
                if found == 1 { f.write_str(", as a label file has") } else { Ok(()) }
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
            Self::Channels(found) => {
                write!(f, "bytes 8 to 11: the images have {found} channels, but one to four are expected")
            }
            Self::Count { images, labels } => write!(f, "{images} images, but {labels} labels"),
            Self::Empty => f.write_str("bytes 4 to 7: the file contains no samples"),
            Self::NoPixels { size: [rows, columns] } => {
                write!(f, "from byte 8: the images have {rows}×{columns} pixels, but need at least one")
            }
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

/// A file of images: how many there are, the shape of each, and where their bytes begin. Three dimensions are images ×
/// rows × columns, grey; four are images × channels × rows × columns, of one to four channels; two are images × columns,
/// one row each.
///
/// # Errors
/// What is wrong, and at which byte.
pub fn image_file(bytes: &[u8]) -> Result<(u32, Shape, usize), IdxError> {
    let (count, shape, values) = match bytes.get(3) {
        Some(2) => {
            let Idx { dimensions: [count, columns], values } = Idx::<2>::parse(bytes)?;
            (count, Shape::image(1, 1, columns), values)
        }
        Some(4) => {
            let Idx { dimensions: [count, channels, rows, columns], values } = Idx::<4>::parse(bytes)?;
            if !(1..=4).contains(&channels) {
                return Err(IdxError::Channels(channels));
            }
            (count, Shape::image(channels, rows, columns), values)
        }
        _ => {
            let parsed = Idx::<3>::parse(bytes).map_err(|error| match error {
                IdxError::Dimensions { found, .. } => IdxError::ImageDimensions(found),
                error => error,
            });
            let Idx { dimensions: [count, rows, columns], values } = parsed?;
            (count, Shape::image(1, rows, columns), values)
        }
    };
    if shape.checked_len().is_none() {
        return Err(IdxError::TooLarge);
    }
    if count == 0 {
        return Err(IdxError::Empty);
    }
    if shape.is_empty() {
        return Err(IdxError::NoPixels { size: [shape.height, shape.width] });
    }
    Ok((count, shape, bytes.len() - values.len()))
}
