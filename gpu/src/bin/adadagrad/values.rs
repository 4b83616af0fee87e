//! Numbers on the command line: never another number than was meant.

use std::str::FromStr;

use adadagrad_core::network::Shape;

/// A finite number.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| wrong("expected a number, such as 0.001", text))?;
    if !number.is_finite() {
        return Err("expected a finite number".to_owned());
    }
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    if number == 0.0 && digits.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        return Err("the number is too small: it would be rounded to 0".to_owned());
    }
    Ok(number)
}

/// A finite number of at least 0.
pub(crate) fn not_negative(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    if number >= 0.0 { Ok(number) } else { Err("expected a number of at least 0".to_owned()) }
}

/// A fraction: above 0 and below 1.
pub(crate) fn fraction(text: &str) -> Result<f64, String> {
    let fraction = number(text)?;
    if fraction > 0.0 && fraction < 1.0 {
        Ok(fraction)
    } else {
        Err("expected a number above 0 and below 1".to_owned())
    }
}

/// A whole number of at least 0.
pub(crate) fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    // As a float some would become another number.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let is_exact = text.parse::<u64>().is_ok_and(|number| number as f64 as u128 == u128::from(number));
    if let Some(number) = text.parse().ok().filter(|_| is_exact) {
        return Ok(number);
    }
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Err(match text.parse::<f64>() {
        _ if is_whole => "the number is too large".to_owned(),
        Ok(number) if number.is_finite() && number < 0.0 => "expected a number of at least 0".to_owned(),
        _ => wrong("expected a whole number, such as 60000", text),
    })
}

/// A whole number of at least 1.
pub(crate) fn positive<T: FromStr, P: TryFrom<T>>(text: &str) -> Result<P, String> {
    P::try_from(whole::<T>(text)?).map_err(|_| "expected a number of at least 1".to_owned())
}

/// Rows and columns of an image, such as 32x32.
pub(crate) fn image_size(text: &str) -> Result<[u32; 2], String> {
    let (rows, columns) =
        text.split_once(['x', '×']).ok_or("expected rows x columns, such as 32x32".to_owned())?;
    let size = |text| match whole::<u32>(text)? {
        0 => Err("expected numbers of at least 1".to_owned()),
        pixels if pixels > LARGEST_SIDE => Err(format!("expected numbers of at most {LARGEST_SIDE}")),
        pixels => Ok(pixels),
    };
    Ok([size(rows)?, size(columns)?])
}

/// Pixels: a larger image is a slip of the hand.
const LARGEST_SIDE: u32 = 4096;

/// A whole number in a list with commas. In `1,024` a comma groups digits: that is not a list of 1 and 24.
pub(crate) fn whole_in_list<T: FromStr>(text: &str) -> Result<T, String> {
    if text.len() > 1 && text.starts_with('0') {
        return Err(
            "a comma separates two numbers: write no commas within one, and no leading zeros".to_owned()
        );
    }
    whole(text)
}

/// The shape of a sample, such as `3x32x32`.
pub(crate) fn shape(text: &str) -> Result<Shape, String> {
    let expected = || "expected channels x height x width, such as 3x32x32".to_owned();
    let sizes: Vec<u32> =
        text.split(['x', '×']).map(whole).collect::<Result<_, _>>().map_err(|_| expected())?;
    match *sizes.as_slice() {
        [0, ..] | [_, 0, _] | [.., 0] => Err(format!("{}, with no size of 0", expected())),
        [channels, height, width] => Ok(Shape::image(channels, height, width)),
        _ => Err(expected()),
    }
}

/// What is expected, and which habit of writing is not understood.
fn wrong(expected: &str, text: &str) -> String {
    let hint = if text.contains(',') {
        ": write a decimal point, and no commas between digits"
    } else if text.contains('_') || text.contains(char::is_whitespace) {
        ": write the digits without separators"
    } else if text.contains(['\u{2212}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{ff0d}']) {
        ": write the minus sign as -"
    } else if text.to_ascii_lowercase().contains("0x") {
        ": write it in decimal"
    } else {
        ""
    };
    format!("{expected}{hint}")
}
