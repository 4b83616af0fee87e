//! Parameters as bytes: what was written is read, and whatever else is there is refused.

use adadagrad_core::parameter_bytes::{ParameterBytesError, encoded_len, read, write};
use adadagrad_core::random::Key;
use adadagrad_core::real::{Real, Single};
use adadagrad_tests::table::uniform;

fn written<F: Real>(parameters: &[F]) -> Vec<u8> {
    let mut bytes = vec![0; encoded_len::<F>(parameters.len())];
    write(parameters, &mut bytes).unwrap();
    bytes
}

fn is_read_as_written<F: Real>() {
    let parameters: Vec<F> = uniform(Key::new(1, 0), 37, 3.0).into_iter().map(F::of).collect();
    // Flash behind it is erased.
    let bytes = [written(&parameters), vec![0xff; 9]].concat();
    let mut found = vec![F::zero(); 37];
    read(&bytes, &mut found).unwrap();
    assert_eq!(found, parameters);
}

#[test]
fn what_was_written_is_read() {
    is_read_as_written::<f32>();
    is_read_as_written::<f64>();
    is_read_as_written::<Single>();
}

/// The format, byte by byte. The checksum of "123456789" is the published one of CRC-32.
#[test]
fn the_format_is_as_documented() {
    let bytes = written(&[1.0_f32, -2.5]);
    assert_eq!(
        bytes[..20],
        [b'A', b'D', b'A', b'P', 1, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]
    );
    // A plain CRC-32, bit by bit.
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8)
                .fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
        })
    };
    assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    assert_eq!(bytes[20..], crc(&bytes[..20]).to_le_bytes());
}

/// Whichever bit is flipped, and wherever the bytes end.
#[test]
fn damage_is_noticed_and_changes_nothing() {
    let bytes = written(&[0.5_f32, 1.5, -3.0]);
    let mut parameters = [7.0_f32; 3];
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        read(&damaged, &mut parameters).unwrap_err();
        assert_eq!(parameters, [7.0; 3], "bit {bit}");
    }
    for len in 0..bytes.len() {
        read(&bytes[..len], &mut parameters).unwrap_err();
        assert_eq!(parameters, [7.0; 3], "{len} bytes");
    }
    read(&bytes, &mut parameters).unwrap();
    assert_eq!(parameters, [0.5, 1.5, -3.0]);
}

#[test]
fn errors_say_what_is_wrong() {
    let message = |bytes: &[u8], parameters: &mut [f32]| read(bytes, parameters).unwrap_err().to_string();
    assert_eq!(message(&[0xff; 40], &mut [0.0; 3]), "these bytes do not contain parameters");
    assert_eq!(message(b"ADAP", &mut [0.0; 3]), "these bytes do not contain parameters");
    let bytes = written(&[0.5_f32; 3]);
    assert_eq!(message(&bytes, &mut [0.0; 4]), "3 parameters were written, but the network has 4");
    assert_eq!(
        message(&bytes[..20], &mut [0.0; 3]),
        "the bytes of the parameters: expected 28 values, found 20"
    );
    assert_eq!(
        message(&written(&[0.5_f64; 3]), &mut [0.0; 3]),
        "the parameters were written with 8 bytes per value, not 4"
    );
    let mut later = bytes.clone();
    later[4] = 2;
    assert_eq!(
        message(&later, &mut [0.0; 3]),
        "the parameters have version 2, but this program reads version 1"
    );
    let mut damaged = bytes;
    damaged[15] ^= 0x10;
    assert!(message(&damaged, &mut [0.0; 3]).starts_with("the parameters are damaged: their checksum is "));
    // What is not finite is neither written nor read.
    let mut page = vec![0; encoded_len::<f32>(2)];
    let refused = write(&[1.0, f32::NAN], &mut page).unwrap_err();
    assert_eq!(refused, ParameterBytesError::NotFinite { parameter: 1 });
    assert!(page.iter().all(|&byte| byte == 0));
    assert!(matches!(write(&[1.0_f32], &mut page), Err(ParameterBytesError::Length(_))));
}
