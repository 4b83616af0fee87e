//! The comparisons can fail: each of these is a mistake that must turn a check red.

use adadagrad_core::backend::PlainBackend;
use adadagrad_tests::compare::{all_close, all_close_to_largest, close};
use adadagrad_tests::engine::measure;
use adadagrad_tests::golden::{Labels, NetworkCase, StatisticsCase};

use crate::golden_networks;
use crate::golden_statistics::{self, F32, F64};
use crate::layers;

#[test]
fn comparisons_fail_on_what_is_not_a_number() {
    let (nan, infinite) = (f64::NAN, f64::INFINITY);
    for (found, expected, bound) in [
        (nan, 1.0, 1e9),
        (1.0, nan, 1e9),
        (nan, nan, 1e9),
        (1.0, 1.0, nan),
        (infinite, 1.0, 1e9),
        (infinite, infinite, 1e9),
        (1.0, 1.1, 0.09),
    ] {
        assert!(close("it", found, expected, bound).is_err(), "{found} {expected} {bound}");
    }
    assert!(close("it", 1.0, 1.1, 0.11).is_ok());
    assert!(all_close("them", &[1.0], &[1.0, 2.0], 1.0).is_err());
    assert!(all_close("them", &[1.0, 2.0], &[1.0], 1.0).is_err());
    assert!(all_close("them", &[1.0, nan], &[1.0, 2.0], 1.0).is_err());
    assert!(all_close_to_largest("them", &[1.0, 2.1], &[1.0, 2.0], 0.04).is_err());
    assert!(all_close_to_largest("them", &[1.0, 2.1], &[1.0, nan], 1.0).is_err());
}

/// A check of a network's batch after something was done to the case, or to its samples.
fn network_check(
    case: &NetworkCase,
    samples: Option<Vec<u32>>,
    spoil: impl FnOnce(&mut NetworkCase),
) -> Result<(), String> {
    let mut spoiled = case.clone();
    spoil(&mut spoiled);
    let samples = samples.unwrap_or_else(|| (0..).take(case.labels.len()).collect());
    let (network, table) = (spoiled.network(), spoiled.table());
    let batch = measure::<f64>(&network, PlainBackend, &spoiled.parameters, &table, &samples, 3)?;
    spoiled.check(&batch, 1e-10)
}

/// Asserts that a mistake was noticed, and by a word of the message where.
fn red(check: Result<(), String>, word: &str, mistake: &str) {
    let error = check.expect_err(mistake);
    assert!(error.contains(word), "{mistake}: {error}");
}

#[test]
fn mistakes_in_a_batch_turn_the_check_red() {
    for case in golden_networks::file().cases {
        let count = u32::try_from(case.labels.len()).unwrap();
        assert_eq!(network_check(&case, None, |_| {}), Ok(()), "{}", case.name);
        red(network_check(&case, Some((0..count - 1).collect()), |_| {}), "B is", "a dropped sample");
        let twice = (0..count).map(|sample| sample.max(1)).collect();
        red(network_check(&case, Some(twice), |_| {}), "logits", "a sample instead of another");
        let pixel = |case: &mut NetworkCase| case.inputs[1][3] = f64::NAN;
        red(network_check(&case, None, pixel), "NaN", "a NaN pixel");
        let label = |case: &mut NetworkCase| {
            let [label] = *case.labels[2].as_slice() else { panic!("{}: labels", case.name) };
            case.labels[2] = Labels::One((label + 1) % case.classes as u32);
        };
        red(network_check(&case, None, label), "losses", "a wrong label");
        let fields = |case: &mut NetworkCase| {
            std::mem::swap(&mut case.expected.v_ip, &mut case.expected.v_orth);
        };
        red(network_check(&case, None, fields), "v_ip", "swapped fields");
        let sums = |case: &mut NetworkCase| std::mem::swap(&mut case.expected.S, &mut case.expected.P2);
        assert!(network_check(&case, None, sums).is_err(), "swapped sums");
        let norms = |case: &mut NetworkCase| case.expected.per_sample_squared_norms.swap(0, 1);
        red(network_check(&case, None, norms), "per_sample_squared_norms", "swapped samples");
        let weight = |case: &mut NetworkCase| case.parameters[0] += 1e-6;
        assert!(network_check(&case, None, weight).is_err(), "a weight off by 1e-6");
        let last = |case: &mut NetworkCase| {
            let largest = adadagrad_tests::compare::largest(&case.expected.mean_gradient);
            *case.expected.mean_gradient.last_mut().unwrap() += 2e-10 * largest;
        };
        red(network_check(&case, None, last), "mean_gradient", "a last bias off by 2e-10");
    }
}

/// A way to spoil a case, and a word of the message it must give.
type Spoil = (&'static str, fn(&mut StatisticsCase), &'static str);

const SPOILS: [Spoil; 12] = [
    ("a dropped sample", |case| drop(case.gradients.pop()), "mean_gradient"),
    ("a NaN", |case| case.gradients[1][2] = None, "NaN"),
    ("a wrong entry", |case| case.gradients[0][0] = Some(0.125), ""),
    (
        "swapped v_ip and v_orth",
        |case| std::mem::swap(&mut case.expected.v_ip, &mut case.expected.v_orth),
        "v_ip",
    ),
    ("swapped n and n_unb", |case| std::mem::swap(&mut case.expected.n, &mut case.expected.n_unb), ""),
    ("b in place of b − 1", |case| scale(&mut case.expected.v1, 6.0 / 7.0), "v1"),
    ("S off by 1e-11", |case| scale(&mut case.expected.S, 1.0 + 1e-11), "S is"),
    ("a value that is undefined", |case| case.expected.v_orth = None, "v_orth"),
    (
        "T off by 1e-8",
        |case| scale(&mut case.expected.required.get_mut("norm").unwrap()[1].value, 1.0 + 1e-8),
        "required.norm",
    ),
    (
        "a T that is undefined",
        |case| {
            let row = &mut case.expected.required.get_mut("augmented").unwrap()[0];
            (row.value, row.reason) = (None, Some("non_finite".to_owned()));
        },
        "required.augmented",
    ),
    (
        "a coordinate left out",
        |case| case.expected.required.get_mut("coordinate_norm").unwrap()[0].left_out = Some(1),
        "left_out",
    ),
    ("another next batch", |case| case.controller[0].next += 1, "controller[0]"),
];

fn scale(number: &mut Option<f64>, factor: f64) {
    *number = number.map(|number| number * factor);
}

#[test]
fn mistakes_in_statistics_turn_the_check_red() {
    let file = golden_statistics::file();
    let case = file.cases.iter().find(|case| case.name == "random_b7_d5").unwrap();
    assert_eq!(golden_statistics::check_case::<f64>(case, F64), Ok(()));
    for (mistake, spoil, word) in SPOILS {
        let mut spoiled = case.clone();
        spoil(&mut spoiled);
        red(golden_statistics::check_case::<f64>(&spoiled, F64), word, mistake);
    }
}

/// In f32 the bounds are wider, but not so wide that mistakes fit in.
#[test]
fn mistakes_turn_the_check_red_in_f32_too() {
    let file = golden_statistics::file();
    let case = file.cases.iter().find(|case| case.name == "random_b7_d5").unwrap();
    for (mistake, spoil, word) in SPOILS {
        if ["S off by 1e-11", "T off by 1e-8", "another next batch"].contains(&mistake) {
            continue;
        }
        let mut spoiled = case.clone();
        spoil(&mut spoiled);
        red(golden_statistics::check_case::<f32>(&spoiled, F32), word, mistake);
    }
}

/// The oracle's comparison too: a sample that counts for another, and one weight's share of a norm.
#[test]
fn mistakes_turn_the_layers_checks_red() {
    for case in layers::cases() {
        let check = |samples: &[u32]| {
            let batch =
                measure::<f64>(&case.network, PlainBackend, &case.parameters, &case.table, samples, 2);
            layers::check_batch(case, &batch.unwrap(), 1e-12)
        };
        assert_eq!(check(&[0, 1, 2, 3, 4, 5]), Ok(()), "{}", case.name);
        assert!(check(&[0, 1, 2, 3, 4]).is_err(), "{}: a dropped sample", case.name);
        assert!(check(&[0, 1, 2, 3, 4, 4]).is_err(), "{}: a sample twice", case.name);
        assert!(check(&[1, 0, 2, 3, 4, 5]).is_err(), "{}: swapped samples", case.name);
    }
}
