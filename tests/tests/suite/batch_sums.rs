//! A batch's sums, of which the last part's are added on the way to ḡ, are those of parts that are merged one by one.

use adadagrad_core::owned::{BatchSums, OwnedStatistics};
use adadagrad_core::statistics::{Evidence, LengthMismatch, Needs, Statistics, Totals};
use adadagrad_tests::compare::close;

const PARAMETERS: usize = 1003;

/// Different for every `seed`.
fn part(seed: u32, needs: &Needs) -> OwnedStatistics<f32> {
    let mut part = OwnedStatistics::new(PARAMETERS, needs).unwrap();
    part.with::<_, LengthMismatch>(|sums| {
        for (place, sum) in sums.gradient_sum.iter_mut().enumerate() {
            *sum = (place as f32 * 0.7 + seed as f32).sin() / (1.0 + place as f32);
        }
        for (place, sum) in sums.second_moment.iter_mut().enumerate() {
            *sum = (place as f32 * 0.3 + seed as f32).cos().abs() + 1.0;
        }
        sums.totals = Totals {
            samples: 37 + seed,
            correct: 11,
            loss: 51.3,
            sum_squared_norms: 7.1,
            ..Totals::default()
        };
        Ok(())
    })
    .unwrap();
    part
}

/// Evidence and ḡ of parts.
type Told = (Evidence<f64>, Vec<u32>);

fn bits(mean: Vec<f32>) -> Vec<u32> {
    mean.into_iter().map(f32::to_bits).collect()
}

/// The second of two batches: what the first left does not count.
fn told(earlier: u32, parts: u32, needs: &Needs) -> Told {
    let mut sums = BatchSums::<f32>::new(PARAMETERS, needs).unwrap();
    let mut mean = vec![0.0; PARAMETERS];
    for (first, parts) in [(50, earlier), (0, parts)] {
        sums.begin(&mut part(99, needs));
        for seed in first..first + parts {
            sums.take(&mut part(seed, needs), needs).unwrap();
        }
        sums.mean_gradient(&mut mean).unwrap();
    }
    (sums.evidence(needs, None).unwrap(), bits(mean))
}

fn merged(parts: u32, needs: &Needs) -> Told {
    let mut total = OwnedStatistics::<f64>::new(PARAMETERS, needs).unwrap();
    let mut mean = vec![0.0_f32; PARAMETERS];
    let evidence = total.with::<_, LengthMismatch>(|total| {
        for seed in 0..parts {
            part(seed, needs).with::<_, LengthMismatch>(|part| {
                let part = Statistics::resume(part.totals, part.gradient_sum, part.second_moment)?;
                if needs.parts > 0 { total.merge(&part.into_part()) } else { total.merge(&part) }
            })?;
        }
        total.mean_gradient(&mut mean)?;
        Ok(total.evidence(needs, None))
    });
    (evidence.unwrap(), bits(mean))
}

#[test]
fn a_batchs_sums_are_those_of_its_parts() {
    for needs in [
        Needs { norms: true, ..Needs::NONE },
        Needs { norms: true, parts: 1, ..Needs::NONE },
        Needs { coordinate_quantile: Some(0.5), ..Needs::NONE },
    ] {
        for parts in 1..5 {
            let (expected, mean) = merged(parts, &needs);
            for earlier in [1, 3] {
                let (found, found_mean) = told(earlier, parts, &needs);
                assert_eq!(found_mean, mean, "{parts} parts, {needs:?}");
                // Its squares are summed in another order.
                close("‖ḡ‖²", found.mean_norm_sq, expected.mean_norm_sq, 1e-14 * expected.mean_norm_sq)
                    .unwrap();
                let found = Evidence { mean_norm_sq: expected.mean_norm_sq, ..found };
                assert_eq!(found, expected, "{parts} parts, {needs:?}");
                assert!(
                    found.samples > 37 * parts - 1
                        && (needs.coordinate_quantile.is_some() == found.coordinate_ratio.is_some())
                );
            }
        }
    }
}

#[test]
fn a_part_of_another_length_is_refused() {
    let needs = Needs::NONE;
    let mut sums = BatchSums::<f32>::new(PARAMETERS, &needs).unwrap();
    let mut short = OwnedStatistics::<f32>::new(PARAMETERS - 1, &needs).unwrap();
    let error = sums.take(&mut short, &needs).unwrap_err();
    assert_eq!((error.expected, error.found), (PARAMETERS, PARAMETERS - 1));
    assert!(sums.mean_gradient(&mut [0.0; 3]).is_err());
}
