//! The cases of what is computed value by value.

use super::super::kernel::{Launch, Shader};
use super::super::uniforms::Values;
use super::case::{Random, added, around};
use super::{Approx, Case};

/// Values and output gradients of one size.
struct Problem {
    shader: Shader,
    x: Vec<f32>,
    dy: Vec<f32>,
}

impl Problem {
    /// One of each size, with values between −4 and 4.
    fn each(random: &mut Random, shader: Shader) -> [Self; 5] {
        around(64).map(|count| {
            let x = random.values(count).iter().map(|x| 4.0 * x).collect();
            Self { shader, x, dy: random.values(count) }
        })
    }

    fn case(&self, entry: &'static str, what: &str, constants: &[(&'static str, bool)]) -> Case {
        let count = super::case::word(self.x.len());
        let launch = Launch::flat(self.shader, entry, constants, count);
        Case::new(None, format!("{count} values{what}"), launch, &Values { count })
    }

    /// What a function of x gives.
    fn forward(&self, entry: &'static str, y: impl Fn(Approx) -> Approx) -> Case {
        let y = self.x.iter().map(|&x| y(Approx::of(x))).collect();
        self.case(entry, "", &[]).reads(1, &self.x).writes(2, y)
    }

    /// dy times a function of x, or of outputs that are these numbers.
    fn backward(
        &self,
        random: &mut Random,
        entry: &'static str,
        slope: impl Fn(Approx) -> Approx,
        cases: &mut Vec<Case>,
    ) {
        let values = self.x.iter().zip(&self.dy);
        let dx: Vec<_> = values.map(|(&x, &dy)| Approx::of(dy) * slope(Approx::of(x))).collect();
        for adds in [false, true] {
            let case = self.case(entry, added(adds), &[("ADD", adds)]);
            cases.push(case.reads(1, &self.x).reads(3, &self.dy).leaves(2, adds, random, dx.clone()));
        }
    }
}

pub(super) fn relu_cases(random: &mut Random, cases: &mut Vec<Case>) {
    for problem in Problem::each(random, Shader::Activation) {
        let is_open = |x: Approx| Approx::exact(if x.is_positive() { 1.0 } else { 0.0 });
        cases.push(problem.forward("relu_forward", Approx::relu));
        problem.backward(random, "relu_backward", is_open, cases);
        let Problem { x, dy, .. } = &problem;
        let masked = x.iter().zip(dy).map(|(&x, &dy)| Approx::of(dy) * is_open(Approx::of(x))).collect();
        cases.push(problem.case("relu_mask", "", &[]).reads(1, x).changes(2, dy, masked));
    }
}

pub(super) fn tanh_cases(random: &mut Random, cases: &mut Vec<Case>) {
    for problem in Problem::each(random, Shader::Activation) {
        cases.push(problem.forward("tanh_forward", Approx::tanh));
        problem.backward(random, "tanh_backward", |y| Approx::exact(1.0) - y * y, cases);
    }
}

/// √(2/π), and the factor of x³.
const SCALE: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044_715;

/// e^(−2u), σ(2u) and du/dx.
fn gate(x: Approx) -> [Approx; 3] {
    let [one, scale, cubic] = [1.0, SCALE, CUBIC].map(Approx::rounded_once);
    let square = x * x;
    let power = (Approx::exact(-2.0) * scale * x * (one + cubic * square)).exp();
    [power, one / (one + power), scale * (one + Approx::exact(3.0) * cubic * square)]
}

/// Also where it is x or 0: no overflow reaches the result.
pub(super) fn gelu_cases(random: &mut Random, cases: &mut Vec<Case>) {
    let mut problems = Vec::from(Problem::each(random, Shader::Activation));
    let far = [9.0, 10.0, 11.0, 30.0, 1e6, 1e20, 3e38];
    let x: Vec<f32> = far.into_iter().chain(far.map(|x| -x)).chain([0.0, -0.0]).collect();
    let dy = random.values(super::case::word(x.len()));
    problems.push(Problem { shader: Shader::Activation, x, dy });
    for problem in problems {
        cases.push(problem.forward("gelu_forward", |x| x * gate(x.clamp(10.0))[1]));
        let slope = |x: Approx| {
            let x = x.clamp(10.0);
            let [power, gate, slope] = gate(x);
            gate + Approx::exact(2.0) * x * (power * gate) * gate * slope
        };
        problem.backward(random, "gelu_backward", slope, cases);
    }
}

pub(super) fn add_cases(random: &mut Random, cases: &mut Vec<Case>) {
    for problem in Problem::each(random, Shader::Add) {
        let Problem { x, dy, .. } = &problem;
        for relu in [false, true] {
            let sum = x.iter().zip(dy).map(|(&a, &b)| Approx::of(a) + Approx::of(b));
            let y = sum.map(|sum| if relu { sum.relu() } else { sum }).collect();
            let what = if relu { ", ReLU" } else { "" };
            let case = problem.case("add_forward", what, &[("RELU", relu)]);
            cases.push(case.reads(1, x).reads(2, dy).writes(3, y));
        }
        for adds in [false, true] {
            let dx = dy.iter().map(|&dy| Approx::of(dy)).collect();
            let case = problem.case("add_backward", added(adds), &[("ADD", adds)]);
            cases.push(case.reads(1, dy).leaves(3, adds, random, dx));
        }
    }
}
