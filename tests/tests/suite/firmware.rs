//! The digits of `tests/firmware` are MNIST's. With `WRITE_GENERATED=1` they are written, otherwise compared.

use std::fs;
use std::path::Path;

use adadagrad_tests::mnist;

/// Digits of 8×8 pixels, and of 28×28.
const COUNTS: [u32; 2] = [400, 200];

#[test]
fn the_firmwares_digits_are_mnists() {
    let Some(training) = mnist::training() else { return };
    let images = |count: u32| (0..count).map(|index| training.image(index).expect("an image"));
    let whole: Vec<u8> = images(COUNTS[1]).flatten().copied().collect();
    let small: Vec<u8> = images(COUNTS[0]).flat_map(pooled).collect();
    check("images-28x28", &whole);
    check("images-8x8", &small);
    check("labels", &training.labels()[..COUNTS[0] as usize]);
}

/// The means of 3×3 pixels of the inner 24×24, rounded to whole numbers.
fn pooled(image: &[u8]) -> [u8; 64] {
    std::array::from_fn(|place| {
        let (row, column) = (2 + place / 8 * 3, 2 + place % 8 * 3);
        let pixels = (0..9).map(|k| u32::from(image[(row + k / 3) * 28 + column + k % 3]));
        u8::try_from((pixels.sum::<u32>() + 4) / 9).expect("a mean of bytes")
    })
}

fn check(name: &str, wanted: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware/data").join(name);
    if std::env::var_os("WRITE_GENERATED").is_some_and(|value| value == "1") {
        fs::write(&path, wanted).unwrap();
    }
    assert!(fs::read(&path).unwrap_or_default() == wanted, "{name}: run the tests with WRITE_GENERATED=1");
}
