//! Text files that people write with any program.

/// The text of a file: UTF-8, with or without a byte-order mark.
///
/// # Errors
/// That it is in another encoding, in a sentence.
pub fn decode(bytes: &[u8]) -> Result<&str, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if UTF_16_MARKS.iter().any(|mark| bytes.starts_with(mark)) || bytes.contains(&0) {
        return Err("not UTF-8 text, perhaps UTF-16: save the file as UTF-8".to_owned());
    }
    str::from_utf8(bytes)
        .map_err(|error| format!("byte {} is not UTF-8 text: save the file as UTF-8", error.valid_up_to()))
}

const UTF_16_MARKS: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];
