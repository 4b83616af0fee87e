//! Evidence and sums from the numbers of other programs: what no gradients give is refused.

use adadagrad_core::statistics::{Evidence, Inner, Needs, Statistics};

const GRADIENTS: [[f64; 3]; 4] = [[1.0, 0.5, -2.0], [0.0, 1.5, 1.0], [-0.5, 0.25, 0.0], [2.0, -1.0, 0.5]];

#[test]
fn layers_and_means_are_the_sums_of_whole_gradients() {
    let (mut whole, mut layers, mut means) = ([0.0; 3], [0.0; 3], [0.0; 3]);
    let mut expected = Statistics::new(&mut whole, &mut []).unwrap();
    let mut by_layers = Statistics::new(&mut layers, &mut []).unwrap();
    let mut by_means = Statistics::new(&mut means, &mut []).unwrap();
    let mut norms = Vec::new();
    for gradient in &GRADIENTS {
        expected.push(gradient, 0.5).unwrap();
        norms.push(by_layers.push_layers(&[&gradient[..1], &[], &gradient[1..]], 0.5).unwrap());
    }
    let mean: Vec<_> = (0..3).map(|j| GRADIENTS.iter().map(|g| g[j]).sum::<f64>() / 4.0).collect();
    by_means.push_mean(&[&mean[..2], &mean[2..]], &norms, 2.0).unwrap();
    let expected = expected.evidence(&Needs::NORMS, None);
    assert_eq!(by_layers.evidence(&Needs::NORMS, None), expected);
    let found = by_means.evidence(&Needs::NORMS, None);
    assert!((found.mean_norm_sq - expected.mean_norm_sq).abs() < 1e-12);
    assert_eq!((found.samples, found.loss), (4, expected.loss));
    assert_eq!(found.sum_squared_norms, expected.sum_squared_norms);
    // What no gradients give changes nothing.
    for wrong in [&norms.iter().map(|norm| norm / 100.0).collect::<Vec<_>>(), &vec![f64::NAN; 4]] {
        assert!(by_means.push_mean(&[&mean], wrong, 2.0).is_err());
    }
    assert_eq!(by_means.totals.samples, 4);
}

#[test]
fn sums_that_no_gradients_give_are_refused() {
    let parts = |mean| Evidence::from_part_norms(mean, &[(32, 0.5), (32, 1.5)]);
    assert!(parts(1.0).is_ok() && parts(0.0).is_ok());
    assert_eq!(
        parts(1.1).unwrap_err().to_string(),
        "‖mean gradient‖² is 1.1, but cannot be more than the mean over the samples of their parts' ‖mean gradient‖² = 1"
    );
    let evidence = Evidence::from_norms(64, 0.01_f64, 80.0).unwrap();
    let inner = |p2, fourth| {
        evidence.with_inner(Inner {
            sum_squared_inner_products: p2,
            sum_norm_inner_products: f64::NAN,
            sum_squared_square_norms: fourth,
        })
    };
    assert!(inner(0.0064, 100.0).is_ok() && inner(0.8, f64::NAN).is_ok());
    for (p2, fourth) in [(0.0064 / 64.0, 100.0), (1e9, 100.0), (f64::NAN, 100.0), (0.1, 99.0), (0.1, 7000.0)]
    {
        assert!(inner(p2, fourth).is_err(), "{p2} and {fourth}");
    }
}
