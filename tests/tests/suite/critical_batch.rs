//! The logic of the critical batch size by measurement.

use adadagrad_core::coupling::Coupling;
use adadagrad_core::critical_batch::{Answer, Search, SmoothedLoss, rate_factor, usual_scaling};
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::settings::Choices;

#[test]
fn the_search_ends_at_the_first_branch_that_falls_behind() {
    let answer = |losses: &[f64]| {
        let mut search = Search::new(0.01, 1.0);
        for (index, &loss) in losses.iter().enumerate() {
            search.take(1 << index, loss);
        }
        search.answer()
    };
    let found = |factor, behind| Some(Answer { factor, behind });
    assert_eq!(answer(&[]), None);
    assert_eq!(answer(&[f64::NAN]), None);
    assert_eq!(answer(&[f64::INFINITY, 1.0]), None);
    // Finite, but far above the loss from which it started.
    assert_eq!(answer(&[1.5]), None);
    assert_eq!(answer(&[1e30, 1e30]), None);
    assert_eq!(answer(&[1.49]), found(1, None));
    assert_eq!(answer(&[0.5]), found(1, None));
    assert_eq!(answer(&[0.5, 0.51, 0.51]), found(4, None));
    assert_eq!(answer(&[0.5, 0.52]), found(1, Some(2)));
    // The best so far counts, not the first; and what comes after changes nothing.
    assert_eq!(answer(&[0.5, 0.4, 0.42, 0.3]), found(2, Some(4)));
    assert_eq!(answer(&[0.5, 0.495, 0.5, f64::NAN]), found(4, Some(8)));
}

/// Batches of twice the size forget twice as much, so that branches with the same losses have the same average.
#[test]
fn losses_are_smoothed_over_samples() {
    let smooth = |samples: u32, steps: u32| {
        let mut smoothed = SmoothedLoss::new(0.9, 8);
        assert_eq!(smoothed.loss(), None);
        for step in 0..steps {
            smoothed.take(samples, if step < steps / 2 { 2.0 } else { 1.0 });
        }
        smoothed.loss().unwrap()
    };
    let small = smooth(8, 40);
    assert!((small - smooth(16, 20)).abs() < 1e-12 && (small - smooth(80, 4)).abs() < 1e-12);
    let kept = 0.9_f64.powi(20);
    assert!((small - (1.0 + kept * (1.0 - kept) / (1.0 - kept * kept))).abs() < 1e-12);
    let mut last = SmoothedLoss::new(0.0, 8);
    last.take(8, 3.0);
    last.take(8, 5.0);
    assert_eq!(last.loss(), Some(5.0));
}

#[test]
fn the_learning_rate_follows_by_the_kind_of_optimizer() {
    for optimizer in AnyOptimizer::all() {
        let is_plain = ["sgd", "momentum", "nesterov"].contains(&optimizer.name());
        let expected = if is_plain { Coupling::Linear } else { Coupling::SquareRoot };
        assert_eq!(usual_scaling(&optimizer), expected, "{optimizer:?}");
    }
    assert_eq!(rate_factor(Coupling::Linear, 4), Ok(4.0));
    assert_eq!(rate_factor(Coupling::SquareRoot, 4), Ok(2.0));
}
