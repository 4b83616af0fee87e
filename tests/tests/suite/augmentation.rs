//! Crops, flips and normalisation: a function of seed, pass and sample, and what torchvision would make.

use std::thread;

use adadagrad_core::augmentation::{Augmentation, Placement, Placements};
use adadagrad_core::dataset::{Dataset, Encoding, Targets, Visit};
use adadagrad_core::images::LabelledImages;
use adadagrad_core::network::Shape;
use adadagrad_core::normalisation::channel_statistics;
use proptest::prelude::*;

use crate::properties::settings;

const SAMPLES: u32 = 40;
const SHAPE: Shape = Shape::image(3, 6, 5);

/// Images in which every byte tells its place.
fn images() -> LabelledImages<Vec<u8>> {
    let len = SAMPLES as usize * SHAPE.len();
    let pixels = (0..len).map(|place| (place * 37 % 251 + 1) as u8).collect();
    let labels = (0..SAMPLES).map(|sample| (sample % 7) as u8).collect();
    LabelledImages::new(pixels, labels, SHAPE, 7).unwrap()
}

fn placed(augmentation: Augmentation, seed: u64) -> LabelledImages<Vec<u8>> {
    images().with_placements(Placements { augmentation, seed })
}

fn read(images: &impl Dataset<f32>, visit: Visit) -> Vec<f32> {
    let (mut input, mut label) = (vec![f32::NAN; SHAPE.len()], [u32::MAX]);
    images.read(visit, &mut input, &mut Targets::labels(&mut label)).unwrap();
    assert_eq!(label[0], visit.sample % 7);
    input
}

/// The definition, pixel by pixel: pad with byte 0, cut out, flip, divide by 255, normalise.
fn reference(bytes: &[u8], placement: Placement, encoding: Encoding) -> Vec<f32> {
    let (height, width) = (SHAPE.height as i32, SHAPE.width as i32);
    let mut values = Vec::new();
    for channel in 0..SHAPE.channels as usize {
        for row in 0..height {
            for column in 0..width {
                let column = if placement.flipped { width - 1 - column } else { column };
                let (row, column) = (row + placement.top, column + placement.left);
                let is_inside = (0..height).contains(&row) && (0..width).contains(&column);
                let place = channel * SHAPE.plane() + (row * width + column).max(0) as usize;
                let byte = if is_inside { bytes[place] } else { 0 };
                let value = f32::from(byte) / 255.0;
                values.push(match encoding {
                    Encoding::Bytes { mean, deviation } => (value - mean[channel]) / deviation[channel],
                    Encoding::Floats | Encoding::Tokens { .. } => value,
                });
            }
        }
    }
    values
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn a_read_is_its_definition(
        padding in 0..=Augmentation::LARGEST_PADDING,
        flip in any::<bool>(),
        seed in any::<u64>(),
        sample in 0..SAMPLES,
        pass in any::<u64>(),
        is_normalised in any::<bool>(),
    ) {
        let augmentation = Augmentation { padding, flip };
        let encoding = if is_normalised { images().channel_statistics() } else { Encoding::BYTES };
        let visit = Visit { sample, pass };
        let placement = augmentation.placement(seed, visit);
        prop_assert!(placement.top.unsigned_abs() <= padding && placement.left.unsigned_abs() <= padding);
        prop_assert!(flip || !placement.flipped);
        let expected = reference(images().image(sample).unwrap(), placement, encoding);
        let found = read(&placed(augmentation, seed).with_encoding(encoding), visit);
        prop_assert_eq!(
            found.iter().map(|value| value.to_bits()).collect::<Vec<_>>(),
            // A zero is read as +0.
            expected.iter().map(|value| (value + 0.0).to_bits()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn without_padding_and_flip_nothing_changes() {
    for visit in (0..SAMPLES).flat_map(|sample| (0..3).map(move |pass| Visit { sample, pass })) {
        assert_eq!(Augmentation::NONE.placement(9, visit), Placement::IDENTITY);
        assert_eq!(read(&placed(Augmentation::NONE, 9), visit), read(&images(), visit));
    }
    // Normalised by means of 0 and deviations of 1, too.
    let same = images().with_encoding(Encoding::Bytes { mean: [0.0; 4], deviation: [1.0; 4] });
    assert_eq!(read(&same, 3.into()), read(&images(), 3.into()));
}

#[test]
fn a_visit_is_the_same_in_any_order_and_on_any_thread() {
    let images = placed(Augmentation { padding: 2, flip: true }, 5);
    let visits: Vec<_> =
        (0..4).flat_map(|pass| (0..SAMPLES).map(move |sample| Visit { sample, pass })).collect();
    let expected: Vec<_> = visits.iter().map(|&visit| read(&images, visit)).collect();
    thread::scope(|scope| {
        for stride in [3, 7, 11] {
            let (images, visits, expected) = (&images, &visits, &expected);
            scope.spawn(move || {
                for place in (0..visits.len()).map(|k| k * stride % visits.len()) {
                    assert_eq!(read(images, visits[place]), expected[place], "{:?}", visits[place]);
                }
            });
        }
    });
}

#[test]
fn another_pass_sample_or_seed_is_placed_otherwise() {
    let augmentation = Augmentation { padding: 4, flip: true };
    let placements = |seed, pass| -> Vec<_> {
        (0..200).map(|sample| augmentation.placement(seed, Visit { sample, pass })).collect()
    };
    let differ = |a: &[Placement], b: &[Placement]| a.iter().zip(b).filter(|(a, b)| a != b).count();
    let first = placements(1, 0);
    // Of 162 placements, two are equal once in 162 times.
    for other in [placements(1, 1), placements(2, 0), placements(1 << 40, 0), placements(1, 1 << 40)] {
        assert!(differ(&first, &other) > 190, "{}", differ(&first, &other));
    }
    assert!(differ(&first[1..], &first[..199]) > 185);
}

/// Pearson's statistic of counts that should be equal.
fn chi_squared(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum()
}

#[test]
fn offsets_and_flips_are_uniform_and_independent() {
    for padding in [1, 4, Augmentation::LARGEST_PADDING] {
        let augmentation = Augmentation { padding, flip: true };
        let offsets = 2 * padding as usize + 1;
        let (mut tops, mut lefts, mut flips) = (vec![0; offsets], vec![0; offsets], vec![0; 2]);
        // Both offsets and the flip together, where there are enough of each.
        let mut together = vec![0; 3 * 3 * 2];
        for visit in (0..2000).flat_map(|sample| (0..20).map(move |pass| Visit { sample, pass })) {
            let Placement { top, left, flipped } = augmentation.placement(7, visit);
            let [top, left] = [top, left].map(|offset| (offset + padding as i32) as usize);
            tops[top] += 1;
            lefts[left] += 1;
            flips[usize::from(flipped)] += 1;
            together[top * 3 / offsets * 6 + left * 3 / offsets * 2 + usize::from(flipped)] += 1;
        }
        let mut all = vec![tops, lefts, flips];
        if offsets.is_multiple_of(3) {
            all.push(together);
        }
        for counts in all {
            // Mean k − 1, standard deviation √(2(k − 1)): four of them are exceeded once in some 10,000 times.
            let freedom = counts.len() as f64 - 1.0;
            let (found, limit) = (chi_squared(&counts), freedom + 4.0 * (2.0 * freedom).sqrt() + 4.0);
            assert!(found < limit, "padding {padding}: {found} of at most {limit} in {counts:?}");
        }
    }
}

#[test]
fn known_placements_stay() {
    // Runs and checkpoints depend on them.
    let of = |sample, pass| {
        let Placement { top, left, flipped } =
            Augmentation { padding: 4, flip: true }.placement(0, Visit { sample, pass });
        (top, left, flipped)
    };
    let augmentation = Augmentation { padding: 4, flip: true };
    let bits = |sample, pass| Augmentation::key(0, pass).bits(sample);
    for (sample, pass) in [(0, 0), (1, 0), (0, 1), (59_999, 12)] {
        let word = bits(sample, pass);
        let offset = |bits: u32| (i64::from(bits & 0x7fff) * 9 / 32_768 - 4) as i32;
        assert_eq!(of(sample, pass), (offset(word), offset(word >> 15), word >> 31 == 1));
        let expected = augmentation.placement_of(word);
        assert_eq!(of(sample, pass), (expected.top, expected.left, expected.flipped));
    }
    assert_eq!([of(0, 0), of(1, 0), of(0, 1), of(59_999, 12)], KNOWN);
}

const KNOWN: [(i32, i32, bool); 4] = [(2, 2, true), (0, -1, true), (3, 2, false), (4, 3, false)];

#[test]
fn statistics_of_channels_are_exact() {
    let shape = Shape::image(2, 2, 2);
    let bytes = [0, 255, 0, 255, 10, 10, 10, 10, 255, 255, 255, 255, 10, 10, 10, 10];
    let Encoding::Bytes { mean, deviation } = channel_statistics(&bytes, shape) else { panic!("bytes") };
    // Six of eight are 255: the mean is 3/4, the variance 3/16. The other channel has one value.
    assert_eq!(mean, [0.75, 10.0 / 255.0, 0.0, 0.0]);
    assert_eq!(deviation, [(3.0_f64 / 16.0).sqrt() as f32, 1.0, 1.0, 1.0]);
    // What is read has mean 0 and variance 1.
    let images = images();
    let normalised = images.clone().with_encoding(images.channel_statistics());
    for channel in 0..3 {
        let values: Vec<f64> = (0..SAMPLES)
            .flat_map(|sample| {
                read(&normalised, sample.into())[channel * SHAPE.plane()..][..SHAPE.plane()].to_vec()
            })
            .map(f64::from)
            .collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "{mean} {variance}");
    }
}
