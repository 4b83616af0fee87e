//! Images made smaller.

/// Pixels along an image's side.
const SIDE: usize = 28;

/// Appends a 28×28 image with `side` pixels along its side, each the mean of those that it covers. Nothing where
/// `side` does not divide 28, or the image has another size.
pub(crate) fn append(image: &[u8], side: usize, to: &mut Vec<u8>) {
    if !SIDE.is_multiple_of(side) || image.len() != SIDE * SIDE {
        return;
    }
    let cell = SIDE / side;
    if cell == 1 {
        to.extend_from_slice(image);
        return;
    }
    for rows in image.chunks_exact(SIDE * cell) {
        for column in 0..side {
            let covered = rows.chunks_exact(SIDE).map(|row| &row[column * cell..][..cell]);
            let sum: usize = covered.flatten().map(|&pixel| usize::from(pixel)).sum();
            let area = cell * cell;
            // A mean of bytes is a byte.
            #[allow(clippy::cast_possible_truncation)]
            to.push(((sum + area / 2) / area) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_is_the_rounded_mean_of_those_that_it_covers() {
        let image: Vec<u8> = (0..784_u32).map(|pixel| (pixel * 31 % 256) as u8).collect();
        for side in [28, 14, 7, 4] {
            let mut small = Vec::new();
            append(&image, side, &mut small);
            assert_eq!(small.len(), side * side);
            let cell = 28 / side;
            for (place, &found) in small.iter().enumerate() {
                let (row, column) = (place / side * cell, place % side * cell);
                let covered = (0..cell * cell).map(|k| image[(row + k / cell) * 28 + column + k % cell]);
                let mean = covered.map(f64::from).sum::<f64>() / (cell * cell) as f64;
                assert!((f64::from(found) - mean).abs() <= 0.5, "{side}, {place}: {found} for {mean}");
            }
        }
    }

    #[test]
    fn other_sizes_give_nothing() {
        let mut small = Vec::new();
        append(&[1; 784], 5, &mut small);
        append(&[1; 784], 0, &mut small);
        append(&[1; 100], 4, &mut small);
        assert!(small.is_empty());
    }
}
