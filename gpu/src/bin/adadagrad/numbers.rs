//! Numbers for people.

use std::time::Duration;

/// 60,000.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A non-negative real number, rounded to a whole one and grouped.
pub(crate) fn rounded(number: f64) -> String {
    // A negative number or NaN becomes 0, a huge one the largest.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    grouped(number.round() as u64)
}

/// Four significant digits, in powers of ten where that is shorter.
pub(crate) fn significant(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e6).contains(&size) {
        format!("{number:.3e}")
    } else if size >= 1000.0 {
        format!("{number:.0}")
    } else {
        // The digits before the point, or minus the zeros after it.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let decimals = (3.0 - size.log10().floor()).max(0.0) as usize;
        format!("{number:.decimals$}")
    }
}

/// All digits, in powers of ten where that would take many zeros.
pub(crate) fn short(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && size.is_finite() && !(1e-6..1e21).contains(&size) {
        format!("{number:e}")
    } else {
        number.to_string()
    }
}

/// 95.7 %.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// 1 h 02 min, 3 min 07 s, 12.3 s.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(["0", "999", "60,000", "6,003,797"], [0, 999, 60_000, 6_003_797].map(grouped).as_ref());
        assert_eq!(
            ["0", "0.01234", "1.235", "123.5", "12346", "1.235e-5", "1.235e7"],
            [0.0, 0.012_34, 1.2346, 123.46, 12_345.6, 1.2346e-5, 1.2346e7].map(significant).as_ref()
        );
        assert_eq!(duration(Duration::from_secs(3725)), "1 h 02 min");
        assert_eq!(duration(Duration::from_secs(187)), "3 min 07 s");
        assert_eq!(duration(Duration::from_millis(12_340)), "12.3 s");
    }
}
