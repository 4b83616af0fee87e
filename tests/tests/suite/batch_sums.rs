//! A batch's sums are the same to the bit whether its one part takes the total's place or is added to a total.

use adadagrad_core::local::{BatchSums, OwnedStatistics};
use adadagrad_core::statistics::{Evidence, Needs, Totals};

const PARAMETERS: usize = 1003;

fn part(needs: &Needs) -> OwnedStatistics<f32> {
    let mut part = OwnedStatistics::new(PARAMETERS, needs).unwrap();
    part.with::<_, adadagrad_core::statistics::LengthMismatch>(|sums| {
        for (place, sum) in sums.gradient_sum.iter_mut().enumerate() {
            *sum = (place as f32 * 0.7).sin() / (1.0 + place as f32);
        }
        for (place, sum) in sums.second_moment.iter_mut().enumerate() {
            *sum = (place as f32 * 0.3).cos().abs();
        }
        sums.totals =
            Totals { samples: 37, correct: 11, loss: 51.3, sum_squared_norms: 7.1, ..Totals::default() };
        Ok(())
    })
    .unwrap();
    part
}

/// Evidence and ḡ, when so many parts are announced and one comes.
fn told(announced: u32, needs: &Needs) -> (Evidence<f64>, Vec<u32>) {
    let mut sums = BatchSums::<f32>::new(PARAMETERS, needs).unwrap();
    let mut mean = vec![0.0; PARAMETERS];
    // What an earlier batch left does not count.
    sums.take(&mut part(needs), 3 - announced, needs).unwrap();
    sums.begin();
    sums.take(&mut part(needs), announced, needs).unwrap();
    sums.mean_gradient(&mut mean).unwrap();
    let evidence = sums.evidence(needs, None).unwrap();
    (evidence, mean.into_iter().map(f32::to_bits).collect())
}

#[test]
fn one_part_is_the_total_to_the_bit() {
    for needs in [
        Needs { norms: true, ..Needs::default() },
        Needs { norms: true, parts: 1, ..Needs::default() },
        Needs { coordinate_quantile: Some(0.5), ..Needs::default() },
    ] {
        let (one, total) = (told(1, &needs), told(2, &needs));
        assert_eq!(one, total, "{needs:?}");
        assert!(one.0.mean_norm_sq > 0.0 && one.0.samples == 37);
    }
}
