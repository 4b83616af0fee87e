//! Properties, on random cases. The cases are the same in every run, unless `PROPTEST_RNG_SEED` or
//! `PROPTEST_CASES` say otherwise.

use adadagrad_core::augmentation::Augmentation;
use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, OrthogonalityTest, Required,
    WorkerNormTest,
};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController, Constant, Limits};
use adadagrad_core::dataset::{Dataset, SampleShape, Targets};
use adadagrad_core::images::Picture;
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::normalisation::Normalisation;
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd,
};
use adadagrad_core::real::{dot, square_norm};
use adadagrad_core::schedule::{Decay, Schedule};
use adadagrad_core::shuffle::{Order, Shuffle};
use adadagrad_core::statistics::{Evidence, Inner, Needs, Reason, Statistics};
use adadagrad_core::training::Cut;
use adadagrad_tests::rules::next_batch;
use adadagrad_tests::thresholds::scaled;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError};

use crate::batch_tests::{own_evidence, rows};

/// Without files of failures beside the sources, and from a fixed seed unless another is given.
pub(crate) fn settings() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(2402),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    ProptestConfig { failure_persistence: None, rng_seed, ..default }
}

type Rows = Vec<Vec<f64>>;

/// A few gradients of a few coordinates.
fn gradients() -> impl Strategy<Value = Rows> {
    (1_usize..7).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(-9.0..9.0, width), 2..14))
}

/// `Ok` when two numbers differ by at most `bound`; a NaN does not.
fn close(found: f64, expected: f64, bound: f64) -> Result<(), TestCaseError> {
    adadagrad_tests::compare::close("the value", found, expected, bound).map_err(TestCaseError::fail)
}

/// The sums over some gradients, in parts of the given sizes (the rest in one more).
fn pooled(rows: &Rows, sizes: &[usize]) -> (Evidence<f64>, Vec<f64>, Vec<f64>) {
    let width = rows[0].len();
    let (mut sums, mut moments) = (vec![0.0; width], vec![0.0; width]);
    let mut total = Statistics::<f64>::new(&mut sums, &mut moments).unwrap();
    let mut rest = rows.as_slice();
    let mut parts = Vec::new();
    for &size in sizes.iter().chain([&usize::MAX]) {
        let (part, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        parts.push(part);
    }
    for part in &parts {
        let (mut sums, mut moments) = (vec![0.0; width], vec![0.0; width]);
        let mut statistics = Statistics::<f64>::new(&mut sums, &mut moments).unwrap();
        for row in *part {
            statistics.push(row, row[0]).unwrap();
        }
        total.merge(&statistics.into_part()).unwrap();
    }
    let mut mean = vec![0.0; width];
    total.mean_gradient(&mut mean).unwrap();
    let mut inner = Inner::default();
    for part in &parts {
        let mut sums = Inner::default();
        for row in *part {
            sums.add(square_norm(row), dot(row, &mean).unwrap());
        }
        inner.merge(&sums);
    }
    let variances = (0..width).map(|d| total.coordinate_variance(d).unwrap()).collect();
    let needs = Needs { norms: true, inner: true, coordinate_quantile: None, parts: 1, ..Needs::NONE };
    (total.evidence(&needs, Some(inner)), mean, variances)
}

fn same_evidence(a: &Evidence<f64>, b: &Evidence<f64>) -> Result<(), TestCaseError> {
    let s = a.sum_squared_norms.unwrap();
    prop_assert_eq!(a.samples, b.samples);
    close(a.loss, b.loss, 1e-12 * 9.0)?;
    close(a.mean_norm_sq, b.mean_norm_sq, 1e-12 * s)?;
    close(s, b.sum_squared_norms.unwrap(), 1e-12 * s)?;
    let (x, y) = (a.inner.unwrap(), b.inner.unwrap());
    close(x.sum_squared_inner_products, y.sum_squared_inner_products, 1e-12 * s * s)?;
    close(x.sum_norm_inner_products, y.sum_norm_inner_products, 1e-12 * s * s)?;
    close(x.sum_squared_square_norms, y.sum_squared_square_norms, 1e-12 * s * s)
}

/// Whether required sizes can be compared to rounding: not where the mean nearly vanishes.
fn well_conditioned(rows: &Rows) -> bool {
    let (evidence, mean, _) = pooled(rows, &[]);
    let s = evidence.sum_squared_norms.unwrap();
    let debiased = evidence.debiased_norm_sq().unwrap();
    evidence.mean_norm_sq > 1e-3 * s / evidence.batch()
        && debiased.abs() > 1e-3 * evidence.mean_norm_sq
        && mean.iter().all(|mean| mean.abs() > 1e-3)
}

fn same_required(found: Required<f64>, expected: Required<f64>, what: &str) -> Result<(), TestCaseError> {
    match (found, expected) {
        // Where T is 0 but for rounding there is nothing to compare relatively.
        (Required::Size(found), Required::Size(expected)) => {
            prop_assert!((found - expected).abs() <= 1e-7 * expected + 1e-7, "{what}: {found} {expected}");
        }
        (found, expected) => prop_assert_eq!(found, expected, "{}", what),
    }
    Ok(())
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn parts_pool_to_the_whole(rows in gradients(), sizes in prop::collection::vec(0_usize..5, 0..5)) {
        let (whole, mean, variances) = pooled(&rows, &[]);
        let (merged, merged_mean, merged_variances) = pooled(&rows, &sizes);
        same_evidence(&whole, &merged)?;
        for (a, b) in mean.iter().zip(&merged_mean).chain(variances.iter().zip(&merged_variances)) {
            close(*a, *b, 1e-12 * 1000.0)?;
        }
    }

    #[test]
    fn the_order_of_samples_does_not_matter(
        (rows, shuffled) in gradients().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        prop_assume!(well_conditioned(&rows));
        same_evidence(&pooled(&rows, &[]).0, &pooled(&shuffled, &[]).0)?;
        for row in crate::batch_tests::rows() {
            let required = |rows| row.test.as_test().required(&own_evidence(&row.test, rows));
            same_required(required(&shuffled), required(&rows), row.name)?;
        }
    }

    /// Required sizes do not depend on the unit of the loss.
    #[test]
    fn scaling_the_loss_leaves_required_sizes(rows_ in gradients(), scale in 1e-6..1e6_f64) {
        prop_assume!(well_conditioned(&rows_));
        let scaled: Rows = rows_.iter().map(|row| row.iter().map(|g| scale * g).collect()).collect();
        let (plain, large) = (pooled(&rows_, &[]).0, pooled(&scaled, &[]).0);
        let n = plain.mean_norm_sq * scale.powi(2);
        close(large.mean_norm_sq, n, 1e-12 * n)?;
        for row in rows() {
            let required = |rows| row.test.as_test().required(&own_evidence(&row.test, rows));
            same_required(required(&scaled), required(&rows_), row.name)?;
        }
    }

    /// The spread is the spread along the mean gradient and the spread across it.
    #[test]
    fn variance_splits_into_along_and_across(rows in gradients()) {
        let evidence = pooled(&rows, &[]).0;
        let s = evidence.sum_squared_norms.unwrap();
        let n = evidence.mean_norm_sq;
        prop_assume!(n > 1e-6 * s);
        let (along, across) = (evidence.variance_along().unwrap(), evidence.variance_orthogonal().unwrap());
        close(across + along / n, evidence.variance().unwrap(), 1e-12 * s * (s / n))?;
    }

    /// Every quantity against its definition, centred sums in two passes.
    #[test]
    fn closed_forms_are_the_definitions(rows in gradients()) {
        let (evidence, mean, variances) = pooled(&rows, &[]);
        let n = evidence.mean_norm_sq;
        let s = evidence.sum_squared_norms.unwrap();
        prop_assume!(n > 1e-4 * s);
        let b = rows.len() as f64;
        let variance = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / b;
            values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (b - 1.0)
        };
        let products: Vec<f64> = rows.iter().map(|row| dot(row, &mean).unwrap()).collect();
        let columns: Vec<f64> = (0..mean.len())
            .map(|d| variance(&rows.iter().map(|row| row[d]).collect::<Vec<_>>()))
            .collect();
        for (found, expected) in variances.iter().zip(&columns) {
            close(*found, *expected, 1e-12 * s)?;
        }
        close(evidence.variance().unwrap(), columns.iter().sum(), 1e-12 * s)?;
        close(evidence.variance_along().unwrap(), variance(&products), 1e-12 * s * s)?;
        let across: f64 = rows
            .iter()
            .zip(&products)
            .map(|(row, p)| row.iter().zip(&mean).map(|(g, m)| (g - p / n * m).powi(2)).sum::<f64>())
            .sum();
        close(evidence.variance_orthogonal().unwrap(), across / (b - 1.0), 1e-12 * s * s / n)?;
        // Leave one out: ⟨gᵢ, mean of the others⟩.
        let others: Vec<f64> = rows
            .iter()
            .map(|row| {
                let rest = |d: usize| (b * mean[d] - row[d]) / (b - 1.0);
                row.iter().enumerate().map(|(d, g)| g * rest(d)).sum()
            })
            .collect();
        close(evidence.variance_leave_one_out().unwrap(), variance(&others), 1e-11 * s * s)?;
        close(evidence.debiased_norm_sq().unwrap(), n - columns.iter().sum::<f64>() / b, 1e-12 * s)?;
    }

    /// v estimated from parts' means, against its definition.
    #[test]
    fn worker_variance_is_its_definition(rows in gradients(), cut in 1_usize..13) {
        let cut = cut.min(rows.len() - 1);
        let (evidence, mean, _) = pooled(&rows, &[cut]);
        let parts = [&rows[..cut], &rows[cut..]];
        let between: f64 = parts
            .iter()
            .map(|part| {
                let m = part.len() as f64;
                let off = |d: usize| part.iter().map(|row| row[d]).sum::<f64>() / m - mean[d];
                m * (0..mean.len()).map(|d| off(d).powi(2)).sum::<f64>()
            })
            .sum();
        prop_assume!(evidence.mean_norm_sq > 0.0);
        close(evidence.worker_variance().unwrap(), between, 1e-12 * evidence.sum_squared_norms.unwrap())?;
    }

    /// The nearest-rank quantile, against sorting.
    #[test]
    fn coordinate_ratios_are_quantiles(rows in gradients(), quantile in 0.01..=1.0_f64) {
        let width = rows[0].len();
        let (mut sums, mut moments) = (vec![0.0; width], vec![0.0; width]);
        let mut statistics = Statistics::<f64>::new(&mut sums, &mut moments).unwrap();
        for row in &rows {
            statistics.push(row, 0.0).unwrap();
        }
        let mut mean = vec![0.0_f64; width];
        statistics.mean_gradient(&mut mean).unwrap();
        let mut ratios: Vec<f64> = (0..width)
            .map(|d| statistics.coordinate_variance(d).unwrap() / mean[d].powi(2))
            .collect();
        ratios.sort_by(f64::total_cmp);
        let found = statistics.coordinate_ratio(quantile).unwrap();
        // The q-quantile: the least of them that at least a share q does not exceed.
        let rank = (quantile * width as f64).ceil() as usize;
        close(found, ratios[rank.max(1) - 1], 1e-12 * found)?;
    }

    /// A batch of b passes exactly when T ≤ b, by the inequality as it is written down.
    #[test]
    fn required_sizes_decide_the_inequality(rows in gradients(), threshold in 0.05..3.0_f64) {
        prop_assume!(well_conditioned(&rows));
        let evidence = pooled(&rows, &[]).0;
        let (b, n) = (evidence.batch(), evidence.mean_norm_sq);
        let sides = [
            (
                AnyTest::Norm(NormTest { eta: threshold, debiased: false }),
                evidence.variance().unwrap() / b,
                threshold.powi(2) * n,
            ),
            (
                AnyTest::InnerProduct(InnerProductTest { theta: threshold, leave_one_out: false }),
                evidence.variance_along().unwrap() / b,
                (threshold * n).powi(2),
            ),
            (
                AnyTest::Orthogonality(OrthogonalityTest { nu: threshold }),
                evidence.variance_orthogonal().unwrap() / b,
                threshold.powi(2) * n,
            ),
        ];
        for (test, noise, allowed) in sides {
            let size = test.as_test().required(&evidence).size().unwrap();
            close(size, noise / allowed * b, 1e-12 * size)?;
            if (noise / allowed - 1.0).abs() > 1e-9 {
                prop_assert_eq!(size <= b, noise <= allowed);
            }
        }
    }

    /// A batch of b samples just passes at the threshold that it is told.
    #[test]
    fn thresholds_just_pass(rows_ in gradients()) {
        prop_assume!(well_conditioned(&rows_));
        for row in rows() {
            let evidence = own_evidence(&row.test, &rows_);
            let Some(threshold) = row.test.as_test().threshold(&evidence) else { continue };
            if threshold < 1e-3 {
                continue;
            }
            let test = scaled(row.test, threshold / row.test.as_test::<f64>().reference_threshold());
            let size = test.as_test().required(&evidence).size().unwrap();
            close(size, evidence.batch(), 1e-9 * size)?;
            close(test.as_test().threshold(&evidence).unwrap(), threshold, 1e-9 * threshold)?;
        }
    }

    #[test]
    fn the_controller_keeps_its_promises(
        current in 1_u32..5000,
        (min, max) in (1_u32..5000, 1_u32..5000),
        sizes in (0.0..1e5_f64, 0.0..1e5_f64),
        cap in prop::option::of(1.0001..10.0_f64),
    ) {
        let limits = Limits { min, max };
        let rule = AdAdaGrad { growth_cap: cap, ..AdAdaGrad::default() };
        let decide = |current, required| next_batch(&rule, current, limits, required);
        let (small, large) = (sizes.0.min(sizes.1), sizes.0.max(sizes.1));
        let next = decide(current, Required::Size(large));
        prop_assert!(next <= max);
        prop_assert!(next >= min.min(max));
        prop_assert!(next >= current.min(max), "it shrank");
        prop_assert!(decide(current, Required::Size(small)) <= next, "not monotone in T");
        prop_assert!(decide(current + 1, Required::Size(large)) >= next, "not monotone in b");
        prop_assert!(decide(current, Required::Unbounded) >= next);
        let kept = decide(current, Required::Undefined(Reason::NonFinite));
        prop_assert_eq!(kept, limits.clip(current));
        if let Some(cap) = cap {
            let most = (cap * f64::from(current)).ceil() as u32;
            prop_assert!(next <= most.max(min), "{next} from {current} with cap {cap}");
            prop_assert!(decide(current, Required::Unbounded) <= most.max(min));
        } else {
            prop_assert_eq!(next, max.min(min.max(current).max(large.ceil() as u32)));
            prop_assert_eq!(decide(current, Required::Unbounded), max);
        }
        let next = next_batch(&Constant {}, current, limits, Required::Size(large));
        prop_assert_eq!(next, limits.clip(current));
    }

    #[test]
    fn a_pass_visits_every_sample_once(len in 1_u32..3000, seed: u64, pass in 0_u64..1000) {
        is_permutation(len, seed, pass)?;
    }

    #[test]
    fn cuts_cover_the_batch(samples in 1_u32..200_000, least in 0_u32..2000, micro_batch in 0_u32..300) {
        let cut = Cut::new(samples, least);
        prop_assert_eq!(cut.samples(), samples);
        prop_assert!(cut.parts() >= 1 && cut.parts() <= samples);
        prop_assert!(cut.parts() >= least.min(samples), "fewer parts than asked for");
        let mut position = 0;
        let sizes: Vec<u32> = (0..cut.parts())
            .map(|part| {
                let range = cut.part(part);
                assert_eq!(range.start, position);
                position = range.end;
                range.end - range.start
            })
            .collect();
        prop_assert_eq!(position, samples);
        let (least, most) = (*sizes.iter().min().unwrap(), *sizes.iter().max().unwrap());
        prop_assert!(least >= 1 && most - least <= 1, "parts of {} to {} samples", least, most);
        // Micro-batches, in one go and part by part, are the same.
        let walk: Vec<_> = cut.walk(0..cut.parts(), micro_batch).collect();
        let by_part: Vec<_> =
            (0..cut.parts()).flat_map(|part| cut.walk(part..part + 1, micro_batch)).collect();
        prop_assert_eq!(&walk, &by_part);
        let mut position = 0;
        for piece in &walk {
            prop_assert_eq!(piece.positions.start, position);
            position = piece.positions.end;
            prop_assert!(!piece.positions.is_empty() && piece.positions.len() <= micro_batch.max(1) as usize);
        }
        prop_assert_eq!(position, samples);
        prop_assert_eq!(walk.iter().filter(|piece| piece.ends_part).count(), cut.parts() as usize);
    }

    #[test]
    fn orders_cross_the_ends_of_passes(len in 1_u32..500, seed: u64, start in 0_u64..5000, count in 1_u64..1500) {
        let mut order = Order::new(len, seed);
        let wide = u64::from(len);
        for position in start..start + count {
            let pass = Shuffle::new(len, seed, position / wide);
            let within = u32::try_from(position % wide).unwrap();
            prop_assert_eq!(order.visit(position).sample, pass.index(within));
        }
        // Backwards too: an order has no memory that matters.
        prop_assert_eq!(order.visit(start).sample, Order::new(len, seed).visit(start).sample);
    }

    #[test]
    fn schedules_stay_within_bounds(
        schedule in schedules(),
        base in 1e-6..10.0_f64,
        seen in 0_u64..20_000,
        budget in 1_u64..20_000,
    ) {
        let rate = schedule.learning_rate(base, seen, budget);
        prop_assert!((0.0..=base * (1.0 + 1e-12)).contains(&rate), "{rate}");
        let later = schedule.learning_rate(base, seen + 1, budget);
        if seen < schedule.warm_up_samples {
            prop_assert!(later >= rate, "the warm-up falls");
            close(rate, base * seen as f64 / schedule.warm_up_samples as f64, 1e-12 * base)?;
        } else {
            prop_assert!(later <= rate * (1.0 + 1e-12), "it climbs after the warm-up");
            if let Decay::Cosine { final_fraction } = schedule.decay {
                prop_assert!(rate >= base * final_fraction * (1.0 - 1e-12));
                let end = schedule.learning_rate(base, budget.max(schedule.warm_up_samples + 1), budget);
                close(end, base * final_fraction, 1e-12 * base)?;
            }
            if let Decay::Step { every_samples, factor } = schedule.decay {
                let stairs = i32::try_from((seen - schedule.warm_up_samples) / every_samples).unwrap();
                close(rate, base * factor.powi(stairs), 1e-9 * rate)?;
            }
        }
        let narrow = schedule.learning_rate(base as f32, seen, budget);
        close(f64::from(narrow), rate, 1e-5 * base)?;
    }

    /// What is written is read back as it was, to the bit.
    #[test]
    fn run_descriptions_survive_json(config in configs()) {
        let text = serde_json::to_string(&config).unwrap();
        let read: RunConfig = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read, config, "{}", text);
    }
}

fn is_permutation(len: u32, seed: u64, pass: u64) -> Result<(), TestCaseError> {
    let shuffle = Shuffle::new(len, seed, pass);
    let mut seen = vec![false; len as usize];
    for position in 0..len {
        let index = shuffle.index(position) as usize;
        prop_assert!(index < seen.len(), "{index} of {len}");
        prop_assert!(!std::mem::replace(&mut seen[index], true), "{index} comes twice of {len}");
    }
    Ok(())
}

/// Sizes around powers of two and of ten, and MNIST's.
#[test]
fn passes_are_permutations_at_every_kind_of_size() {
    let powers = (0..17).flat_map(|k| [(1 << k) - 1, 1 << k, (1 << k) + 1]);
    for len in powers.chain([10, 100, 1000, 10_000, 50_000, 60_000, 70_000]).filter(|&len| len > 0) {
        is_permutation(len, u64::from(len), 3).unwrap();
    }
}

/// Another pass, and another seed, is another order; and no order is the files'.
#[test]
fn passes_differ() {
    let order = |seed, pass| -> Vec<u32> {
        let shuffle = Shuffle::new(1000, seed, pass);
        (0..1000).map(|position| shuffle.index(position)).collect()
    };
    let orders: Vec<Vec<u32>> =
        (0..8).flat_map(|seed| (0..8).map(move |pass| (seed, pass))).map(|(s, p)| order(s, p)).collect();
    let straight: Vec<u32> = (0..1000).collect();
    for (k, order) in orders.iter().enumerate() {
        for other in orders[..k].iter().chain([&straight]) {
            let same = order.iter().zip(other).filter(|(a, b)| a == b).count();
            // Two random orders agree in one place on average.
            assert!(same < 12, "{same} places agree");
        }
    }
}

/// Each sample comes to each place about equally often: χ² over 40,000 draws.
#[test]
fn orders_are_even() {
    let (len, draws) = (10_u32, 20_000_u32);
    let mut counts = vec![vec![0_u32; len as usize]; len as usize];
    for seed in 0..u64::from(draws) {
        let shuffle = Shuffle::new(len, seed, seed / 7);
        for position in 0..len {
            counts[position as usize][shuffle.index(position) as usize] += 1;
        }
    }
    let expected = f64::from(draws) / f64::from(len);
    let chi: f64 =
        counts.iter().flatten().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    // 81 degrees of freedom: 81 ± 12.7; five standard deviations.
    assert!(chi < 81.0 + 5.0 * 12.7, "χ² is {chi}");
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let decay = prop_oneof![
        Just(Decay::Constant {}),
        (0.0..=1.0_f64).prop_map(|final_fraction| Decay::Cosine { final_fraction }),
        (1_u64..5000, 0.01..=1.0_f64)
            .prop_map(|(every_samples, factor)| Decay::Step { every_samples, factor }),
    ];
    (0_u64..5000, decay).prop_map(|(warm_up_samples, decay)| Schedule { warm_up_samples, decay })
}

fn optimizers() -> impl Strategy<Value = AnyOptimizer> {
    (0..8, 0.0..1.0_f64, 0.0..1.0_f64, 1e-12..1.0_f64, 0.0..1.0_f64).prop_map(
        |(kind, beta1, beta2, epsilon, weight_decay)| match kind {
            0 => AnyOptimizer::Sgd(Sgd { weight_decay }),
            1 => AnyOptimizer::Momentum(Momentum { momentum: beta1, weight_decay }),
            2 => AnyOptimizer::Nesterov(Nesterov { momentum: beta1, weight_decay }),
            3 => AnyOptimizer::AdaGrad(AdaGrad { initial_accumulator: beta2, epsilon, weight_decay }),
            4 => AnyOptimizer::AdaGradNorm(AdaGradNorm { initial_norm: epsilon }),
            5 => AnyOptimizer::RmsProp(RmsProp { alpha: beta1, epsilon, weight_decay }),
            6 => AnyOptimizer::Adam(Adam { beta1, beta2, epsilon, weight_decay }),
            _ => AnyOptimizer::AdamW(AdamW { beta1, beta2, epsilon, weight_decay }),
        },
    )
}

fn configs() -> impl Strategy<Value = RunConfig> {
    let tests = (0..6, 1e-3..10.0_f64, 1e-3..10.0_f64, any::<bool>(), 2_u32..1024);
    let images = (any::<bool>(), 0..=Augmentation::LARGEST_PADDING, any::<bool>());
    let numbers = (1e-9..10.0_f64, 1_u32..100, 0_u64..1 << 53, prop::option::of(1.001..100.0_f64));
    (tests, optimizers(), schedules(), numbers, 0..3_usize, any::<bool>(), images).prop_map(
        |(
            (kind, a, b, flag, workers),
            optimizer,
            schedule,
            (rate, batch, seed, cap),
            model,
            tested,
            (normalised, padding, flip),
        )| {
            let test = match kind {
                0 => AnyTest::Norm(NormTest { eta: a, debiased: flag }),
                1 => AnyTest::InnerProduct(InnerProductTest { theta: a, leave_one_out: flag }),
                2 => AnyTest::Orthogonality(OrthogonalityTest { nu: a }),
                3 => AnyTest::Augmented(AugmentedTest { theta: a, nu: b, leave_one_out: flag }),
                4 => AnyTest::CoordinateNorm(CoordinateNormTest { eta: a, quantile: b / 10.0 }),
                _ => AnyTest::WorkerNorm(WorkerNormTest { eta: a, workers }),
            };
            let config = RunConfig {
                model: Model::MNIST[model],
                optimizer,
                learning_rate: rate,
                schedule,
                test: Some(test),
                controller: AnyController::AdAdaGrad(AdAdaGrad { growth_cap: cap, ..AdAdaGrad::default() }),
                initial_batch: batch + 1,
                min_batch: 1,
                max_batch: 60_000,
                seed,
                normalisation: if normalised { Normalisation::Training } else { Normalisation::None },
                augmentation: Augmentation { padding, flip },
                ..Preset::PaperCnn.config()
            };
            if tested { config } else { config.without_test() }
        },
    )
}

#[test]
fn bytes_are_divided_by_255_to_the_last_bit() {
    let bytes: Vec<u8> = (0..=255).collect();
    let (mut single, mut double) = ([0.0_f32; 256], [0.0_f64; 256]);
    let picture = Picture { bytes: &bytes, shape: SampleShape::image(Shape::image(1, 16, 16), 1) };
    picture.read(0.into(), &mut single, &mut Targets::labels(&mut [0])).unwrap();
    picture.read(0.into(), &mut double, &mut Targets::labels(&mut [0])).unwrap();
    for ((byte, single), double) in bytes.into_iter().zip(single).zip(double) {
        assert_eq!(single.to_bits(), (f32::from(byte) / 255.0).to_bits(), "{byte}");
        assert_eq!(double.to_bits(), (f64::from(byte) / 255.0).to_bits(), "{byte}");
    }
}
