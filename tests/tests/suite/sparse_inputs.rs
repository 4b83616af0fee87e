//! Kernels that leave out what is zero, on weights that lie by inputs, against plain loops over everything: at sizes
//! around those of vectors, words and tiles, and from inputs without any zero to inputs of nothing else.

use adadagrad_core::backend::{FastBackend, PlainBackend};
use adadagrad_core::layer::{Dense, Operation, Tanh};
use adadagrad_core::network::{Node, Shape};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::random::Key;
use adadagrad_tests::compare::{Check, all_close, all_close_to_largest, largest, narrowed};
use adadagrad_tests::engine::{Batch, measure, measure_by_inputs, with_sweep};
use adadagrad_tests::table::{Table, uniform};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;

use crate::properties::settings;

/// Relative to the largest value of its kind.
const BOUND: f64 = 2e-5;

fn network(inputs: u32, outputs: u32, deep: bool) -> OwnedNetwork {
    let (input, first) = (Shape::vector(inputs), Operation::Dense(Dense { outputs }));
    if !deep {
        return OwnedNetwork::new(input, &Node::chain([first])).unwrap();
    }
    // Smooth, so that rounding cannot change a branch.
    OwnedNetwork::new(
        input,
        &Node::chain([first, Operation::Tanh(Tanh), Operation::Dense(Dense { outputs: 3 })]),
    )
    .unwrap()
}

/// Random inputs of which about `share` are not zero.
fn table(samples: usize, inputs: usize, share: f64, classes: u32) -> Table {
    let mut table = Table::random(5, samples, inputs, classes);
    for (sample, row) in (0..).zip(&mut table.inputs) {
        let dice = Key::new(6, sample);
        for (index, value) in (0..).zip(row) {
            if dice.uniform(index, 0.5) + 0.5 >= share {
                *value = 0.0;
            }
        }
    }
    table
}

fn check(found: &Batch<f32>, expected: &Batch<f64>) -> Check {
    all_close_to_largest("outputs", &found.outputs, &expected.outputs, BOUND)?;
    all_close_to_largest("mean gradient", &found.mean_gradient, &expected.mean_gradient, BOUND)?;
    all_close_to_largest("second moment", &found.second_moment, &expected.second_moment, BOUND)?;
    all_close_to_largest("square norms", &found.square_norms, &expected.square_norms, BOUND)?;
    // Cauchy–Schwarz bounds their terms, which may cancel.
    let bound = BOUND * largest(&expected.square_norms);
    all_close("inner products", &found.inner_products, &expected.inner_products, bound)
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn leaving_out_zeros_changes_nothing(
        inputs in select(vec![1_u32, 7, 8, 15, 16, 17, 100, 255, 257, 300]),
        outputs in select(vec![2_u32, 7, 8, 9, 10, 24, 33, 64, 71, 128]),
        samples in select(vec![1_u32, 2, 63, 64, 65, 130]),
        share in select(vec![0.0, 0.02, 0.2, 0.5, 0.98, 1.0]),
        deep in any::<bool>(),
    ) {
        let network = network(inputs, outputs, deep);
        let parameters = uniform(Key::new(7, 0), network.view().parameters(), 0.3);
        let classes = u32::try_from(network.view().outputs()).unwrap();
        let table = table(samples as usize, inputs as usize, share, classes);
        let visited: Vec<u32> = (0..samples).collect();
        let rounded = narrowed::<f32>(&parameters);
        let expected = measure(&network, PlainBackend, &parameters, &table, &visited, samples as usize)
            .map_err(TestCaseError::fail)?;
        let found = measure_by_inputs(&network, FastBackend, &rounded, &table, &visited, samples as usize);
        check(&found.map_err(TestCaseError::fail)?, &expected).map_err(TestCaseError::fail)?;
        let turned = measure_by_inputs(&network, PlainBackend, &parameters, &table, &visited, samples as usize)
            .map_err(TestCaseError::fail)?;
        prop_assert_eq!(&turned.outputs, &expected.outputs);
        prop_assert_eq!(&turned.mean_gradient, &expected.mean_gradient);
        prop_assert_eq!(&turned.second_moment, &expected.second_moment);
    }
}

#[test]
fn a_nan_is_no_zero() {
    let network = network(40, 12, false).by_inputs();
    let parameters = vec![0.5_f32; network.view().parameters()];
    let mut table = table(3, 40, 0.2, 12);
    table.inputs[1][39] = f64::NAN;
    let outputs = with_sweep(network.view(), FastBackend, 3, |sweep| {
        sweep.evaluate(&parameters, &table, 0..3).unwrap();
        sweep.outputs(3).to_vec()
    });
    for (sample, outputs) in outputs.chunks_exact(12).enumerate() {
        assert!(outputs.iter().all(|output| output.is_nan() == (sample == 1)), "{sample}: {outputs:?}");
    }
}
