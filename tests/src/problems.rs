//! Functions to minimise.

/// A function with its gradient and a starting point.
#[derive(Clone, Copy, Debug)]
pub struct Problem {
    /// What it is called.
    pub name: &'static str,
    /// Where to start.
    pub start: &'static [f64],
    /// The value.
    pub value: fn(&[f64]) -> f64,
    /// The gradient.
    pub gradient: fn(&[f64]) -> Vec<f64>,
    /// After how many steps an optimizer must be there.
    pub steps: usize,
    /// The value that must be reached.
    pub goal: f64,
}

/// Every optimizer is run on each of these.
pub const PROBLEMS: [Problem; 3] = [
    Problem {
        name: "quadratic",
        start: &[3.0, -2.0, 0.5, 1.0],
        value: |x| x.iter().map(|x| (x - 1.0).powi(2) / 2.0).sum(),
        gradient: |x| x.iter().map(|x| x - 1.0).collect(),
        steps: 500,
        goal: 1e-3,
    },
    Problem {
        name: "ill-conditioned quadratic",
        start: &[1.0, 1.0, 1.0],
        value: |x| (x[0].powi(2) + 30.0 * x[1].powi(2) + 1000.0 * x[2].powi(2)) / 2.0,
        gradient: |x| vec![x[0], 30.0 * x[1], 1000.0 * x[2]],
        steps: 3000,
        goal: 0.05,
    },
    Problem {
        name: "Rosenbrock",
        start: &[-1.2, 1.0],
        value: |x| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2),
        gradient: |x| {
            let slope = x[1] - x[0] * x[0];
            vec![-400.0 * x[0] * slope - 2.0 * (1.0 - x[0]), 200.0 * slope]
        },
        steps: 5000,
        goal: 1.0,
    },
];
