//! The binary form of CIFAR-10 and CIFAR-100, read from a byte slice without copying.
//!
//! A file is records without a header. A record is one label (CIFAR-10), or a coarse and a fine label (CIFAR-100), of a
//! byte each, then 32×32 red, 32×32 green and 32×32 blue values, row by row.

use core::fmt;

use crate::shape::Shape;

/// The shape of every image.
pub const SHAPE: Shape = Shape::image(3, 32, 32);

/// Bytes of an image.
pub const IMAGE_BYTES: usize = 3 * 32 * 32;

/// The data set, and which of its labels are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// CIFAR-10's ten classes.
    Ten,
    /// CIFAR-100's 100 classes.
    Fine,
    /// CIFAR-100's 20 groups of classes.
    Coarse,
}

impl Labels {
    /// How many classes there are.
    #[must_use]
    pub const fn classes(self) -> u32 {
        match self {
            Self::Ten => 10,
            Self::Fine => 100,
            Self::Coarse => 20,
        }
    }

    /// Bytes of a record.
    #[must_use]
    pub const fn record(self) -> usize {
        IMAGE_BYTES + self.limits().len()
    }

    /// Of each label of a record, the number of classes.
    const fn limits(self) -> &'static [u8] {
        match self {
            Self::Ten => &[10],
            Self::Fine | Self::Coarse => &[20, 100],
        }
    }

    /// Which of a record's labels is the class.
    const fn place(self) -> usize {
        match self {
            Self::Ten | Self::Coarse => 0,
            Self::Fine => 1,
        }
    }
}

/// What is wrong with the bytes of a batch file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CifarError {
    /// The file is empty.
    Empty,
    /// The last record is cut off, or the file is not a batch file.
    Length {
        /// Bytes in the file.
        found: usize,
        /// Bytes of a record.
        record: usize,
    },
    /// A label that is not below the number of classes.
    Label {
        /// Which byte of the file.
        byte: usize,
        /// Which record, counted from 0.
        record: usize,
        /// The label.
        label: u8,
        /// Number of classes.
        classes: u8,
    },
}

impl fmt::Display for CifarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("the file is empty"),
            Self::Length { found, record } => write!(
                f,
                "the file has {found} bytes, which is not a whole number of records of {record} bytes: it is truncated \
                 after {} records, or not a batch file",
                found / record
            ),
            Self::Label { byte, record, label, classes } => write!(
                f,
                "byte {byte}: label {label} of record {record} is out of range: labels must be below {classes}"
            ),
        }
    }
}

impl core::error::Error for CifarError {}

/// The records of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Records<'a> {
    bytes: &'a [u8],
    labels: Labels,
}

impl<'a> Records<'a> {
    /// Reads and checks a whole file: its length, and every label.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(bytes: &'a [u8], labels: Labels) -> Result<Self, CifarError> {
        let size = labels.record();
        if bytes.is_empty() {
            return Err(CifarError::Empty);
        }
        if !bytes.len().is_multiple_of(size) {
            return Err(CifarError::Length { found: bytes.len(), record: size });
        }
        for (record, start) in (0..bytes.len()).step_by(size).enumerate() {
            for (byte, &classes) in (start..).zip(labels.limits()) {
                let label = bytes[byte];
                if label >= classes {
                    return Err(CifarError::Label { byte, record, label, classes });
                }
            }
        }
        Ok(Self { bytes, labels })
    }

    /// Number of records.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len() / self.labels.record()
    }

    /// Whether there are no records; a file that was parsed has at least one.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The class and the image of each.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let (place, end) = (self.labels.place(), self.labels.limits().len());
        self.bytes.chunks_exact(self.labels.record()).map(move |record| (record[place], &record[end..]))
    }
}
