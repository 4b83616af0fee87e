//! The members of a gzip file (RFC 1952), one after the other. flate2 reads them too, but with 16 KB of tables for
//! checksums, which the page would load with its module, and which no compression makes shorter.

use std::io::{self, Read};

use crc::{CRC_32_ISO_HDLC, Crc};
use flate2::bufread::DeflateDecoder;

/// What a gzip file begins with.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Appends the bytes of the member that a file begins with to `bytes`, `room` of them at most. Returns what is behind the
/// member, or where there was no room, behind what was read.
pub(super) fn read_member<'p>(packed: &'p [u8], room: u64, bytes: &mut Vec<u8>) -> io::Result<&'p [u8]> {
    let begin = bytes.len();
    let mut decoder = DeflateDecoder::new(behind_header(packed)?);
    decoder.by_ref().take(room).read_to_end(bytes)?;
    let (rest, bytes) = (decoder.into_inner(), &bytes[begin..]);
    if bytes.len() as u64 == room {
        return Ok(rest);
    }
    let (trailer, rest) = rest.split_first_chunk::<8>().ok_or(io::ErrorKind::UnexpectedEof)?;
    // The length modulo 2³².
    #[allow(clippy::cast_possible_truncation)]
    let expected = [CHECKSUM.checksum(bytes), bytes.len() as u32].map(u32::to_le_bytes);
    if expected.concat() == trailer { Ok(rest) } else { Err(invalid("its checksum or its length is wrong")) }
}

fn behind_header(member: &[u8]) -> io::Result<&[u8]> {
    const CHECKED: u8 = 2;
    const EXTRA: u8 = 4;
    const TEXTS: [u8; 2] = [8, 16];
    const RESERVED: u8 = 0xe0;
    const DEFLATE: u8 = 8;
    let (header, mut rest) = member.split_first_chunk::<10>().ok_or(io::ErrorKind::UnexpectedEof)?;
    let [first, second, method, flags, ..] = *header;
    if [first, second] != GZIP || method != DEFLATE || flags & RESERVED != 0 {
        return Err(invalid("its header is not valid"));
    }
    if flags & EXTRA != 0 {
        let (len, extra) = rest.split_first_chunk::<2>().ok_or(io::ErrorKind::UnexpectedEof)?;
        rest = extra.get(u16::from_le_bytes(*len).into()..).ok_or(io::ErrorKind::UnexpectedEof)?;
    }
    for _ in TEXTS.into_iter().filter(|text| flags & text != 0) {
        let end = rest.iter().position(|&byte| byte == 0).ok_or(io::ErrorKind::UnexpectedEof)?;
        rest = &rest[end + 1..];
    }
    if flags & CHECKED != 0 {
        let checksum = CHECKSUM.checksum(&member[..member.len() - rest.len()]).to_le_bytes();
        let (found, behind) = rest.split_first_chunk::<2>().ok_or(io::ErrorKind::UnexpectedEof)?;
        if checksum[..2] != *found {
            return Err(invalid("its header's checksum is wrong"));
        }
        rest = behind;
    }
    Ok(rest)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not a valid gzip file: {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::{CHECKSUM, read_member};

    const TEXT: &[u8] = b"a text, a text, a text";

    /// A member whose header has all that it may have, and where its header ends.
    fn member() -> (Vec<u8>, usize) {
        let builder = GzBuilder::new().filename("name").comment("comment").extra(*b"extra");
        let mut encoder = builder.write(Vec::new(), Compression::fast());
        encoder.write_all(TEXT).unwrap();
        let mut bytes = encoder.finish().unwrap();
        let end = 10 + 2 + "extra".len() + "name".len() + 1 + "comment".len() + 1;
        bytes[3] |= 2;
        let checksum = CHECKSUM.checksum(&bytes[..end]).to_le_bytes();
        bytes.splice(end..end, [checksum[0], checksum[1]]);
        (bytes, end + 2)
    }

    #[test]
    fn every_part_of_a_header_is_skipped_and_what_follows_is_left() {
        let (member, _) = member();
        let packed = [&member[..], b"rest"].concat();
        let mut bytes = b"before ".to_vec();
        assert_eq!(read_member(&packed, 100, &mut bytes).unwrap(), b"rest");
        assert_eq!(bytes, [b"before ", TEXT].concat());
    }

    #[test]
    fn no_more_is_read_than_there_is_room_for() {
        let (member, _) = member();
        let mut bytes = Vec::new();
        read_member(&member, 5, &mut bytes).unwrap();
        assert_eq!(bytes, TEXT[..5]);
    }

    #[test]
    fn a_damaged_member_is_refused_wherever_the_damage_is() {
        let (member, header) = member();
        let said = |bytes: &[u8]| read_member(bytes, 100, &mut Vec::new()).unwrap_err().to_string();
        for len in 0..member.len() {
            assert_eq!(said(&member[..len]), "unexpected end of file", "{len}");
        }
        for place in (0..header).chain(member.len() - 8..member.len()) {
            let mut damaged = member.clone();
            damaged[place] ^= 0x20;
            assert!(read_member(&damaged, 100, &mut Vec::new()).is_err(), "{place}");
        }
    }
}
