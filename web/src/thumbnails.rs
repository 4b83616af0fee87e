//! Images made smaller.

use adadagrad_core::network::Shape;

/// What an image becomes when squares of `shrink` × `shrink` pixels become one.
pub(crate) fn shrunk(shape: Shape, shrink: u32) -> Shape {
    let shrink = shrink.max(1);
    Shape::image(shape.channels, shape.height.div_ceil(shrink), shape.width.div_ceil(shrink))
}

/// Appends an image whose pixels are the rounded means of the squares of `shrink` × `shrink` pixels that they cover, fewer
/// at the right and lower edges; plane by plane, row by row. Nothing where the image has another size.
pub(crate) fn append(image: &[u8], shape: Shape, shrink: u32, to: &mut Vec<u8>) {
    let shrink = shrink.max(1) as usize;
    if image.len() != shape.len() || shape.is_empty() {
        return;
    }
    if shrink == 1 {
        to.extend_from_slice(image);
        return;
    }
    let width = shape.width as usize;
    for plane in image.chunks_exact(shape.plane()) {
        for rows in plane.chunks(shrink * width) {
            for column in (0..width).step_by(shrink) {
                let covered = rows.chunks_exact(width).map(|row| &row[column..width.min(column + shrink)]);
                let (sum, area) = covered
                    .flatten()
                    .fold((0, 0), |(sum, area), &pixel| (sum + usize::from(pixel), area + 1));
                // A mean of bytes is a byte.
                #[allow(clippy::cast_possible_truncation)]
                to.push(((sum + area / 2) / area) as u8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_is_the_rounded_mean_of_those_that_it_covers() {
        for (channels, height, width) in [(1, 28, 28), (3, 32, 32), (2, 7, 11)] {
            let shape = Shape::image(channels, height, width);
            let image: Vec<u8> = (0..shape.len()).map(|pixel| (pixel * 31 % 256) as u8).collect();
            for shrink in [1, 2, 4, 7] {
                let small = shrunk(shape, shrink);
                let mut found = Vec::new();
                append(&image, shape, shrink, &mut found);
                assert_eq!(found.len(), small.len());
                for (place, &found) in found.iter().enumerate() {
                    let [height, width, shrink] = [height, width, shrink].map(|size| size as usize);
                    let (plane, pixel) = (place / small.plane(), place % small.plane());
                    let [row, column] =
                        [pixel / small.width as usize, pixel % small.width as usize].map(|at| at * shrink);
                    let covered: Vec<f64> = (row..height.min(row + shrink))
                        .flat_map(|row| (column..width.min(column + shrink)).map(move |column| (row, column)))
                        .map(|(row, column)| f64::from(image[(plane * height + row) * width + column]))
                        .collect();
                    let mean = covered.iter().sum::<f64>() / covered.len() as f64;
                    assert!((f64::from(found) - mean).abs() <= 0.5, "{shape}, {shrink}, {place}");
                }
            }
        }
    }

    #[test]
    fn other_sizes_give_nothing() {
        let mut small = Vec::new();
        append(&[1; 100], Shape::image(1, 28, 28), 4, &mut small);
        append(&[], Shape::image(1, 0, 28), 4, &mut small);
        assert!(small.is_empty());
    }
}
