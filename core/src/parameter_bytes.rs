//! Parameters as plain bytes, to flash memory and back.
//!
//! | bytes | contents, little-endian |
//! |---|---|
//! | 4 | `ADAP` |
//! | 2 | version of the format: 1 |
//! | 2 | bytes per value: 4 (`f32`) or 8 (`f64`) |
//! | 4 | number of values, D |
//! | 4·D or 8·D | the values, in the network's order |
//! | 4 | CRC-32 (ISO-HDLC, as in zip and Ethernet) of everything before it |
//!
//! A CRC finds every burst of up to 32 wrong bits, and all but one in 2³² of other errors. The format does not identify
//! the network of the values, beyond their number. For files that other programs open: `owned::checkpoint`.
//!
//! ```
//! use adadagrad_core::parameter_bytes::{self, encoded_len};
//!
//! let parameters = [0.5_f32, -1.25, 3.0];
//! let mut page = [0; encoded_len::<f32>(3)];
//! parameter_bytes::write(&parameters, &mut page)?;
//! let mut read = [0.0_f32; 3];
//! parameter_bytes::read(&page, &mut read)?;
//! assert_eq!(read, parameters);
//! page[13] ^= 1;
//! assert!(parameter_bytes::read(&page, &mut read).is_err());
//! # Ok::<(), parameter_bytes::ParameterBytesError>(())
//! ```

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc, Table};

use crate::length::{LengthMismatch, check_length};
use crate::real::Real;

const MAGIC: [u8; 4] = *b"ADAP";
const VERSION: u16 = 1;
const HEADER: usize = 12;
const CHECKSUM: usize = 4;
/// A table of 1 KB, in flash.
const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// Why bytes are not a network's parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParameterBytesError {
    /// The number of bytes does not fit the parameters.
    Length(LengthMismatch),
    /// They do not begin with `ADAP`: nothing was written there, or something else.
    NoParameters,
    /// They were written by another version.
    Version(u16),
    /// They hold floats of other bytes per value.
    Width {
        /// Bytes per value that the parameters have.
        expected: u16,
        /// Bytes per value that were written.
        found: u16,
    },
    /// They hold another number of parameters.
    Count {
        /// Number of the network's parameters.
        expected: usize,
        /// Number of parameters that were written.
        found: u32,
    },
    /// They were damaged.
    Checksum {
        /// The checksum that was written.
        written: u32,
        /// That of the bytes as they are.
        computed: u32,
    },
    /// A value is not finite, although the checksum fits: it was written like this.
    NotFinite {
        /// Which one.
        parameter: usize,
    },
}

impl fmt::Display for ParameterBytesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(error) => error.fmt(f),
            Self::NoParameters => f.write_str("these bytes do not contain parameters"),
            Self::Version(found) => {
                write!(f, "the parameters have version {found}, but this program reads version {VERSION}")
            }
            Self::Width { expected, found } => {
                write!(f, "the parameters were written with {found} bytes per value, not {expected}")
            }
            Self::Count { expected, found } => {
                write!(f, "{found} parameters were written, but the network has {expected}")
            }
            Self::Checksum { written, computed } => {
                write!(f, "the parameters are damaged: their checksum is {computed:08x}, not {written:08x}")
            }
            Self::NotFinite { parameter } => write!(f, "parameter {parameter} is not finite"),
        }
    }
}

impl core::error::Error for ParameterBytesError {}

impl From<LengthMismatch> for ParameterBytesError {
    fn from(error: LengthMismatch) -> Self {
        Self::Length(error)
    }
}

/// Bytes per value: floats of up to four bytes are written as `f32`, others as `f64`.
const fn width<F>() -> usize {
    if size_of::<F>() <= 4 { 4 } else { 8 }
}

/// How many bytes D parameters take.
#[must_use]
pub const fn encoded_len<F: Real>(parameters: usize) -> usize {
    HEADER.saturating_add(parameters.saturating_mul(width::<F>())).saturating_add(CHECKSUM)
}

/// Writes the parameters.
///
/// # Errors
/// When `bytes` does not have [`encoded_len`] of them, or a parameter is not finite; then nothing is written.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a value of four bytes is an `f32`, and a width is 4 or 8"
)]
pub fn write<F: Real>(parameters: &[F], bytes: &mut [u8]) -> Result<(), ParameterBytesError> {
    check_length("the bytes of the parameters", encoded_len::<F>(parameters.len()), bytes.len())?;
    check_finite(parameters.iter().copied())?;
    let (content, checksum) = bytes.split_at_mut(bytes.len() - CHECKSUM);
    let (header, values) = content.split_at_mut(HEADER);
    let fields = MAGIC
        .into_iter()
        .chain(VERSION.to_le_bytes())
        .chain((width::<F>() as u16).to_le_bytes())
        .chain(u32::try_from(parameters.len()).unwrap_or(u32::MAX).to_le_bytes());
    header.iter_mut().zip(fields).for_each(|(place, byte)| *place = byte);
    for (place, value) in values.chunks_exact_mut(width::<F>()).zip(parameters) {
        let value = value.as_f64();
        if place.len() == 4 {
            place.copy_from_slice(&(value as f32).to_le_bytes());
        } else {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }
    checksum.copy_from_slice(&CRC.checksum(content).to_le_bytes());
    Ok(())
}

/// Reads parameters that [`write()`] wrote. Other bytes may follow them, as on a page of flash.
///
/// # Errors
/// What is wrong with the bytes; then the parameters are as they were.
pub fn read<F: Real>(bytes: &[u8], parameters: &mut [F]) -> Result<(), ParameterBytesError> {
    let Some((header, _)) =
        bytes.split_first_chunk::<HEADER>().filter(|(header, _)| header.starts_with(&MAGIC))
    else {
        return Err(ParameterBytesError::NoParameters);
    };
    let [_, _, _, _, version @ .., c0, c1, c2, c3] = *header;
    let [version, found] = [[version[0], version[1]], [version[2], version[3]]].map(u16::from_le_bytes);
    if version != VERSION {
        return Err(ParameterBytesError::Version(version));
    }
    let expected = if width::<F>() == 4 { 4 } else { 8 };
    if found != expected {
        return Err(ParameterBytesError::Width { expected, found });
    }
    let (expected, found) = (parameters.len(), u32::from_le_bytes([c0, c1, c2, c3]));
    if usize::try_from(found) != Ok(expected) {
        return Err(ParameterBytesError::Count { expected, found });
    }
    let len = encoded_len::<F>(expected);
    check_length("the bytes of the parameters", len, bytes.len().min(len))?;
    let (content, checksum) = bytes[..len].split_at(len - CHECKSUM);
    let written = u32::from_le_bytes([checksum[0], checksum[1], checksum[2], checksum[3]]);
    let computed = CRC.checksum(content);
    if written != computed {
        return Err(ParameterBytesError::Checksum { written, computed });
    }
    let values = || content[HEADER..].chunks_exact(width::<F>()).map(value::<F>);
    check_finite(values())?;
    for (parameter, value) in parameters.iter_mut().zip(values()) {
        *parameter = value;
    }
    Ok(())
}

fn value<F: Real>(bytes: &[u8]) -> F {
    match *bytes {
        [a, b, c, d] => F::of(f32::from_le_bytes([a, b, c, d]).into()),
        _ => F::of(bytes.try_into().map_or(f64::NAN, f64::from_le_bytes)),
    }
}

fn check_finite<F: Real>(values: impl Iterator<Item = F>) -> Result<(), ParameterBytesError> {
    match values.enumerate().find(|(_, value)| !value.is_finite()) {
        Some((parameter, _)) => Err(ParameterBytesError::NotFinite { parameter }),
        None => Ok(()),
    }
}
