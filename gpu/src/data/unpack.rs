//! A file's bytes: unpacked, without padding, labels as single bytes, and EMNIST's images upright.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::DataError;
use crate::file_kind;

/// Largest file that is read, unpacked: in a browser, more than five times MNIST's; elsewhere, almost twice the largest of
/// EMNIST's. Protects against a packed file that never ends.
pub const LARGEST_FILE: u64 = if cfg!(target_family = "wasm") { 1 << 28 } else { 1 << 30 };

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The bytes of an IDX file, unpacked where it is packed, whatever its name.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, DataError> {
    read_with(file, unpacked)
}

/// The same of a file that does not declare its length.
pub(super) fn read_of_any_length(file: &Path) -> Result<Vec<u8>, DataError> {
    read_with(file, unpacked_of_any_length)
}

fn read_with(
    file: &Path,
    unpacked: impl FnOnce(Vec<u8>, bool) -> io::Result<Vec<u8>>,
) -> Result<Vec<u8>, DataError> {
    let failed = |error| DataError::Read { file: file.to_owned(), error };
    let mut bytes = Vec::new();
    let source = open(file).map_err(failed)?;
    source.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    let is_named_so = file.extension().is_some_and(|extension| extension == "gz");
    let bytes = unpacked(bytes, is_named_so).map_err(failed)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(DataError::TooLarge { file: file.to_owned() });
    }
    Ok(bytes)
}

/// Opens a regular file. A pipe or a device may never end, and to open a pipe may take forever.
pub(super) fn open(file: &Path) -> io::Result<File> {
    let found = fs::metadata(file)?;
    if found.is_file() {
        File::open(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, file_kind::unexpected(found.file_type())))
    }
}

/// The bytes of an IDX file, decompressed if they are compressed, or if the file's name says so. It stops just after
/// [`LARGEST_FILE`] bytes, so that the caller sees that there are more, and at a header that is not valid, which the
/// caller reports.
///
/// # Errors
/// Where the compressed bytes are damaged, or continue far beyond the length that the header declares.
pub fn unpacked(bytes: Vec<u8>, is_named_so: bool) -> io::Result<Vec<u8>> {
    if bytes.starts_with(&GZIP) || is_named_so && !is_idx(&bytes) {
        unpack(&bytes, most_of_idx)
    } else {
        Ok(bytes)
    }
}

/// The same of a file that does not declare its length.
///
/// # Errors
/// Why it cannot be decompressed.
pub fn unpacked_of_any_length(bytes: Vec<u8>, is_named_so: bool) -> io::Result<Vec<u8>> {
    if is_named_so || bytes.starts_with(&GZIP) {
        unpack(&bytes, |_| Most::MoreIsSeen(LARGEST_FILE + 1))
    } else {
        Ok(bytes)
    }
}

/// How many bytes are unpacked, as far as those so far say.
enum Most {
    /// This number, and the caller sees that there are more.
    MoreIsSeen(u64),
    /// This number, of which the header declares the second; more are an error.
    Declared(u64, usize),
}

/// Bytes of the longest header.
const LONGEST_HEADER: u64 = 4 + 4 * 255;
/// Zero bytes that may follow the values of a packed file.
const MOST_PADDING: u64 = 1 << 20;

fn most_of_idx(bytes: &[u8]) -> Most {
    match Header::read(bytes) {
        Some(Header { values: [_, end], .. }) if end as u64 + MOST_PADDING <= LARGEST_FILE => {
            Most::Declared(end as u64 + MOST_PADDING, end)
        }
        Some(_) => Most::MoreIsSeen(LARGEST_FILE + 1),
        None => Most::MoreIsSeen(LONGEST_HEADER),
    }
}

/// A server may have unpacked it on its way.
fn is_idx(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0, 0])
}

/// All members of a gzip file; zero bytes may follow, as tapes and archives pad files.
fn unpack(packed: &[u8], most: impl Fn(&[u8]) -> Most) -> io::Result<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), packed);
    loop {
        let mut member = GzDecoder::new(rest);
        // What was read may say how much there is to read.
        loop {
            let begin = bytes.len();
            let (limit, declared) = match most(&bytes) {
                Most::MoreIsSeen(limit) => (limit, None),
                Most::Declared(limit, declared) => (limit + 1, Some(declared)),
            };
            let room = limit.saturating_sub(begin as u64);
            if room == 0 {
                return match declared {
                    None => Ok(bytes),
                    Some(declared) => Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!(
                            "the header declares {declared} bytes, but there are more than {begin} decompressed bytes"
                        ),
                    )),
                };
            }
            let read = member.by_ref().take(room).read_to_end(&mut bytes);
            read.map_err(|error| {
                let text = match packed.len() - rest.len() {
                    end @ 1.. if !rest.starts_with(&GZIP) => {
                        format!("the gzip data ends at byte {end}, but is followed by bytes other than zero")
                    }
                    _ => format!("after {} decompressed bytes: {error}", bytes.len()),
                };
                io::Error::new(error.kind(), text)
            })?;
            if bytes.len() as u64 != begin as u64 + room {
                break;
            }
        }
        rest = member.into_inner();
        if rest.iter().all(|&byte| byte == 0) {
            return Ok(bytes);
        }
    }
}

/// An IDX header, as far as it is valid.
struct Header {
    kind: u8,
    dimensions: Vec<usize>,
    /// Where the values begin and end.
    values: [usize; 2],
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (&[0, 0, kind, count], rest) = bytes.split_first_chunk::<4>()? else { return None };
        let words = rest.get(..4 * usize::from(count))?.as_chunks::<4>().0;
        let dimensions: Vec<_> = words.iter().map(|&word| u32::from_be_bytes(word) as usize).collect();
        let size = value_size(kind)?;
        let begin = 4 + 4 * dimensions.len();
        let len = dimensions.iter().try_fold(size, |len, &dimension| len.checked_mul(dimension))?;
        Some(Self { kind, dimensions, values: [begin, begin.checked_add(len)?] })
    }
}

/// Bytes per value.
const fn value_size(kind: u8) -> Option<usize> {
    match kind {
        8 | 9 => Some(1),
        0xb => Some(2),
        0xc | 0xd => Some(4),
        0xe => Some(8),
        _ => None,
    }
}

/// Without the zero bytes that follow the values that the header declares.
#[must_use]
pub fn without_padding(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(Header { values: [_, end], .. }) = Header::read(&bytes)
        && bytes.get(end..).is_some_and(|padding| padding.iter().all(|&byte| byte == 0))
    {
        bytes.truncate(end);
    }
    bytes
}

/// A label that does not fit a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongLabel {
    /// Which label, counted from 0.
    pub index: usize,
    /// Where it begins in the file.
    pub byte: usize,
    /// What it says.
    pub label: i64,
}

/// Labels as in MNIST, a byte each. QMNIST has eight 32-bit numbers per image, of which the first is the class.
///
/// # Errors
/// The first label that does not fit a byte.
pub fn labels_as_bytes(bytes: Vec<u8>) -> Result<Vec<u8>, WrongLabel> {
    let Some(Header { kind, dimensions, values: [begin, end] }) = Header::read(&bytes) else {
        return Ok(bytes);
    };
    let (columns, size) = match (kind, &dimensions[..], value_size(kind)) {
        (9 | 0xb | 0xc, [_], Some(size)) => (1, size),
        (0xc, [_, QMNIST_COLUMNS], Some(size)) => (QMNIST_COLUMNS, size),
        _ => return Ok(bytes),
    };
    let Some(values) = bytes.get(begin..end).filter(|_| bytes.len() == end) else { return Ok(bytes) };
    let mut labels = vec![0, 0, 8, 1];
    labels.extend_from_slice(&bytes[4..8]);
    for (index, value) in values.chunks_exact(columns * size).enumerate() {
        let sign = if value[0] < 0x80 { 0 } else { -1 };
        let label = value[..size].iter().fold(sign, |label: i64, &byte| label << 8 | i64::from(byte));
        let wrong = WrongLabel { index, byte: begin + index * columns * size, label };
        labels.push(u8::try_from(label).map_err(|_| wrong)?);
    }
    Ok(labels)
}

const QMNIST_COLUMNS: usize = 8;

/// EMNIST's images are stored transposed: exchanges rows and columns.
pub fn transpose_images(bytes: &mut [u8]) {
    let Some(Header { kind: 8, dimensions, values: [begin, _] }) = Header::read(bytes) else { return };
    let [_, rows, columns] = dimensions[..] else { return };
    if rows != columns || rows == 0 {
        return;
    }
    for image in bytes.get_mut(begin..).unwrap_or_default().chunks_exact_mut(rows * columns) {
        for row in 0..rows {
            for column in 0..row {
                image.swap(row * columns + column, column * columns + row);
            }
        }
    }
}

/// Images of four dimensions with their channels last, images × rows × columns × channels, become images × channels ×
/// rows × columns. They are recognised by a second dimension above four and a last dimension from one to four.
pub fn channels_first(bytes: &mut [u8]) {
    let Some(Header { kind: 8, dimensions, values: [begin, end] }) = Header::read(bytes) else { return };
    let [count, rows, columns, channels] = dimensions[..] else { return };
    if count == 0 || bytes.len() != end || rows <= MOST_CHANNELS || !(1..=MOST_CHANNELS).contains(&channels) {
        return;
    }
    let words = [bytes[8..12].to_vec(), bytes[12..16].to_vec(), bytes[16..20].to_vec()];
    for (place, word) in [8, 12, 16].into_iter().zip([&words[2], &words[0], &words[1]]) {
        bytes[place..place + 4].copy_from_slice(word);
    }
    let plane = rows * columns;
    let mut image = vec![0; plane * channels];
    for values in bytes[begin..].chunks_exact_mut(image.len().max(1)) {
        image.copy_from_slice(values);
        for (pixel, channels) in image.chunks_exact(channels).enumerate() {
            channels.iter().enumerate().for_each(|(channel, &value)| values[channel * plane + pixel] = value);
        }
    }
}

/// Channels of an image.
const MOST_CHANNELS: usize = 4;
