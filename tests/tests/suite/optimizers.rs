//! What holds for every optimizer. A new one is a row.

use adadagrad_core::config::RunConfig;
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, AdaGradNormDelayed, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, Optimizer,
    RmsProp, Sgd, Shared,
};
use adadagrad_core::random::Key;
use adadagrad_core::real::{Real, square_norm};
use adadagrad_tests::compare::narrowed;
use adadagrad_tests::problems::PROBLEMS;
use adadagrad_tests::table::uniform;

/// An optimizer, its memory values per parameter, and a learning rate for each problem.
struct Row {
    optimizer: AnyOptimizer,
    slots: usize,
    learning_rates: [f64; 3],
}

fn rows() -> Vec<Row> {
    let row = |optimizer, slots, learning_rates| Row { optimizer, slots, learning_rates };
    vec![
        row(AnyOptimizer::Sgd(Sgd::default()), 0, [0.1, 1.5e-3, 1e-3]),
        row(AnyOptimizer::Momentum(Momentum::default()), 1, [0.02, 1e-3, 2e-4]),
        row(AnyOptimizer::Nesterov(Nesterov::default()), 1, [0.02, 5e-4, 2e-4]),
        row(AnyOptimizer::AdaGrad(AdaGrad::default()), 1, [0.5, 0.5, 0.3]),
        row(AnyOptimizer::AdaGradNorm(AdaGradNorm::default()), 0, [1.0, 3.0, 1.0]),
        // Its first step is not divided by its own gradient, but by √β.
        row(AnyOptimizer::AdaGradNormDelayed(AdaGradNormDelayed { beta: 1e6 }), 0, [100.0, 2.0, 1.0]),
        row(AnyOptimizer::RmsProp(RmsProp::default()), 1, [0.02, 0.005, 0.002]),
        row(AnyOptimizer::Adam(Adam::default()), 2, [0.05, 0.02, 0.01]),
        row(AnyOptimizer::AdamW(AdamW::default()), 2, [0.05, 0.02, 0.01]),
    ]
}

/// Everything that an optimizer changes.
#[derive(Clone, Debug, PartialEq)]
struct State<F: Real> {
    parameters: Vec<F>,
    memory: Vec<F>,
    shared: Shared<F::Sum>,
}

impl<F: Real> State<F> {
    fn start(optimizer: &dyn Optimizer<F>, parameters: &[f64]) -> Self {
        let mut memory = vec![F::nan(); optimizer.slots() * parameters.len()];
        optimizer.start(&mut memory);
        Self { parameters: narrowed(parameters), memory, shared: Shared::default() }
    }

    fn step(&mut self, optimizer: &dyn Optimizer<F>, learning_rate: f64, gradient: &[F]) {
        let learning_rate = F::Sum::of(learning_rate);
        let (shared, scalars) = optimizer.prepare(&self.shared, learning_rate, square_norm(gradient));
        optimizer.update(&scalars, &mut self.parameters, gradient, &mut self.memory).unwrap();
        self.shared = shared;
    }
}

fn solves_every_problem<F: Real>() {
    for Row { optimizer, learning_rates, .. } in rows() {
        let rule = optimizer.as_optimizer::<F>();
        for (problem, learning_rate) in PROBLEMS.iter().zip(learning_rates) {
            let mut state = State::start(rule, problem.start);
            let first = (problem.value)(problem.start);
            for _ in 0..problem.steps {
                let point: Vec<f64> = state.parameters.iter().map(|x| x.as_f64()).collect();
                state.step(rule, learning_rate, &narrowed::<F>(&(problem.gradient)(&point)));
            }
            let point: Vec<f64> = state.parameters.iter().map(|x| x.as_f64()).collect();
            let value = (problem.value)(&point);
            assert!(value <= problem.goal, "{optimizer:?} on {}: {value} from {first}", problem.name);
        }
    }
}

#[test]
fn every_optimizer_solves_every_problem_in_f64() {
    solves_every_problem::<f64>();
}

#[test]
fn every_optimizer_solves_every_problem_in_f32() {
    solves_every_problem::<f32>();
}

#[test]
fn memory_is_as_large_as_promised() {
    for Row { optimizer, slots, .. } in rows() {
        assert_eq!(optimizer.as_optimizer::<f32>().slots(), slots, "{optimizer:?}");
        assert_eq!(optimizer.as_optimizer::<f64>().slots(), slots, "{optimizer:?}");
    }
}

/// What is said to hold squares is never negative, and whatever else is remembered has a sign.
#[test]
fn memory_of_squares_is_never_negative() {
    for Row { optimizer, slots, .. } in rows() {
        let rule = optimizer.as_optimizer::<f64>();
        let mut state = State::start(rule, &[0.5; 20]);
        let mut least = vec![f64::INFINITY; slots];
        for step in 0..10 {
            state.step(rule, 0.01, &uniform(Key::new(11, step), 20, 1.0));
            for (least, memory) in least.iter_mut().zip(state.memory.chunks(20)) {
                *least = memory.iter().copied().fold(*least, f64::min);
            }
        }
        let squares: Vec<_> = (0..slots + 1).map(|slot| rule.holds_squares(slot)).collect();
        let found: Vec<_> = least.iter().map(|&least| least >= 0.0).chain([false]).collect();
        assert_eq!(squares, found, "{optimizer:?}");
    }
}

/// With no gradient ever, parameters stay where they are to the bit, but for decoupled decay.
#[test]
fn a_zero_gradient_changes_nothing_but_decay() {
    let start = [1.5, -0.25, 0.0, 1e-30, -1e30];
    for Row { optimizer, .. } in rows() {
        let rule = optimizer.as_optimizer::<f64>();
        let mut state = State::start(rule, &start);
        let before = state.clone();
        state.step(rule, 0.1, &[0.0; 5]);
        let decay = if let AnyOptimizer::AdamW(settings) = optimizer { settings.weight_decay } else { 0.0 };
        let expected: Vec<f64> = start.iter().map(|x| x * (1.0 - 0.1 * decay)).collect();
        assert_eq!(state.parameters, expected, "{optimizer:?}");
        assert_eq!(state.memory, before.memory, "{optimizer:?}");
        assert_eq!(state.shared.steps, 1, "{optimizer:?}");
    }
}

/// The smallest ε that settings accept still keeps a parameter that never had a gradient from 0/0.
#[test]
fn the_smallest_epsilon_is_no_division_by_zero() {
    let epsilon = f64::from(f32::from_bits(1));
    let smallest = [
        AnyOptimizer::AdaGrad(AdaGrad { epsilon, ..AdaGrad::default() }),
        AnyOptimizer::RmsProp(RmsProp { epsilon, ..RmsProp::default() }),
        AnyOptimizer::Adam(Adam { epsilon, ..Adam::default() }),
        AnyOptimizer::AdamW(AdamW { epsilon, weight_decay: 0.0, ..AdamW::default() }),
    ];
    for optimizer in smallest {
        let config = RunConfig { optimizer, ..RunConfig::default() };
        assert_eq!(config.validate(60_000), Ok(()));
        let mut state = State::start(optimizer.as_optimizer::<f32>(), &[1.5, -2.0]);
        state.step(optimizer.as_optimizer::<f32>(), 0.1, &[0.0, 1.0]);
        assert_eq!(state.parameters[0], 1.5, "{optimizer:?}");
        assert!(state.parameters[1] < -2.0, "{optimizer:?}");
    }
}

/// Settings that a caller did not have checked: no parameter becomes a NaN for want of a gradient.
#[test]
fn what_rounds_to_zero_is_no_division_by_zero() {
    let [epsilon, initial_norm] = [1e-60, 1e-200];
    let rules = [
        AnyOptimizer::AdaGrad(AdaGrad { epsilon, ..AdaGrad::default() }),
        AnyOptimizer::AdaGrad(AdaGrad { epsilon, weight_decay: 1e-3, ..AdaGrad::default() }),
        AnyOptimizer::RmsProp(RmsProp { epsilon, ..RmsProp::default() }),
        AnyOptimizer::Adam(Adam { epsilon, ..Adam::default() }),
        AnyOptimizer::AdamW(AdamW { epsilon, ..AdamW::default() }),
        AnyOptimizer::AdaGradNorm(AdaGradNorm { initial_norm }),
    ];
    for optimizer in rules {
        let rule = optimizer.as_optimizer::<f32>();
        let mut state = State::start(rule, &[1.5, 0.0]);
        for gradient in [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]] {
            state.step(rule, 0.1, &gradient);
            assert!(state.parameters.iter().chain(&state.memory).all(|x| x.is_finite()), "{optimizer:?}");
        }
        assert_eq!(state.parameters[1], 0.0, "{optimizer:?}");
    }
}

/// L2 regularisation is the gradient of λ‖x‖²/2 added to the loss's, by PyTorch's semantics.
#[test]
fn weight_decay_is_part_of_the_gradient() {
    let decay = 0.3;
    let pairs = [
        (AnyOptimizer::Sgd(Sgd { weight_decay: decay }), AnyOptimizer::Sgd(Sgd::default())),
        (
            AnyOptimizer::Momentum(Momentum { weight_decay: decay, ..Momentum::default() }),
            AnyOptimizer::Momentum(Momentum::default()),
        ),
        (
            AnyOptimizer::Nesterov(Nesterov { weight_decay: decay, ..Nesterov::default() }),
            AnyOptimizer::Nesterov(Nesterov::default()),
        ),
        (
            AnyOptimizer::AdaGrad(AdaGrad { weight_decay: decay, ..AdaGrad::default() }),
            AnyOptimizer::AdaGrad(AdaGrad::default()),
        ),
        (
            AnyOptimizer::RmsProp(RmsProp { weight_decay: decay, ..RmsProp::default() }),
            AnyOptimizer::RmsProp(RmsProp::default()),
        ),
        (
            AnyOptimizer::Adam(Adam { weight_decay: decay, ..Adam::default() }),
            AnyOptimizer::Adam(Adam::default()),
        ),
    ];
    let start = uniform(Key::new(3, 0), 9, 2.0);
    for (decaying, plain) in pairs {
        let (with, without) = (decaying.as_optimizer::<f64>(), plain.as_optimizer::<f64>());
        let (mut state, mut expected) = (State::start(with, &start), State::start(without, &start));
        for step in 0..5 {
            // Without a gradient of the loss the decay is the whole gradient.
            let gradient = if step < 4 { uniform(Key::new(4, step), 9, 1.0) } else { vec![0.0; 9] };
            let decayed: Vec<f64> =
                gradient.iter().zip(&expected.parameters).map(|(g, x)| g + decay * x).collect();
            state.step(with, 0.1, &gradient);
            expected.step(without, 0.1, &decayed);
            assert_eq!(state.parameters, expected.parameters, "{decaying:?}");
        }
    }
}

#[test]
fn wrong_lengths_are_refused_and_change_nothing() {
    for Row { optimizer, slots, .. } in rows() {
        let rule = optimizer.as_optimizer::<f32>();
        let len = 4;
        let (_, scalars) = rule.prepare(&Shared::default(), 0.1, 1.0);
        let right = slots * len;
        let mut wrong = vec![(len + 1, right), (len - 1, right), (0, right), (len, right + 1)];
        if slots > 0 {
            wrong.extend([(len, right - 1), (len, 0), (len, right + len)]);
        } else {
            wrong.push((len, len));
        }
        for (gradient_len, memory_len) in wrong {
            let mut parameters = vec![1.0_f32; len];
            let mut memory = vec![0.5_f32; memory_len];
            let error = rule
                .update(&scalars, &mut parameters, &vec![1.0; gradient_len], &mut memory)
                .expect_err(&format!("{optimizer:?} takes {gradient_len} and {memory_len}"));
            assert_eq!(parameters, [1.0; 4], "{optimizer:?}");
            assert!(memory.iter().all(|&value| value == 0.5), "{optimizer:?}");
            let [expected, found] =
                if gradient_len == len { [right, memory_len] } else { [len, gradient_len] };
            assert_eq!((error.expected, error.found), (expected, found), "{optimizer:?}: {error}");
        }
    }
}

/// `prepare` plans: asked twice it says the same, and the shared part moves only when the caller keeps it.
#[test]
fn preparing_changes_nothing() {
    for Row { optimizer, .. } in rows() {
        let rule = optimizer.as_optimizer::<f64>();
        let shared = Shared { steps: 3, sum_norm_sq: 2.0, betas: None };
        let (first, second) = (rule.prepare(&shared, 0.1, 5.0), rule.prepare(&shared, 0.1, 5.0));
        assert_eq!(first, second, "{optimizer:?}");
        assert_eq!(first.0.steps, 4, "{optimizer:?}");
    }
}

/// Any of them can be chosen while the program runs, and used side by side.
#[test]
fn optimizers_are_object_safe() {
    let boxed: Vec<Box<dyn Optimizer<f32>>> = vec![
        Box::new(Sgd::default()),
        Box::new(Momentum::default()),
        Box::new(Nesterov::default()),
        Box::new(AdaGrad::default()),
        Box::new(AdaGradNorm::default()),
        Box::new(AdaGradNormDelayed { beta: 1e6 }),
        Box::new(RmsProp::default()),
        Box::new(Adam::default()),
        Box::new(AdamW::default()),
    ];
    assert_eq!(boxed.len(), rows().len());
    for (rule, row) in boxed.iter().zip(rows()) {
        let start = [0.5, -0.5, 2.0];
        let (mut direct, mut by_name) =
            (State::start(rule.as_ref(), &start), State::start(row.optimizer.as_optimizer::<f32>(), &start));
        direct.step(rule.as_ref(), 0.1, &[1.0, -2.0, 0.25]);
        by_name.step(row.optimizer.as_optimizer::<f32>(), 0.1, &[1.0, -2.0, 0.25]);
        assert_eq!(direct, by_name, "{:?}", row.optimizer);
        assert_ne!(direct.parameters, narrowed::<f32>(&start), "{:?}", row.optimizer);
    }
}

/// The vector of parameters may be cut anywhere: an update of the pieces is the update of the whole, given
/// the same scalars. Shards, checkpoints and shaders rest on this.
#[test]
fn parameters_do_not_see_each_other() {
    let len = 400;
    for Row { optimizer, slots, .. } in rows() {
        let rule = optimizer.as_optimizer::<f32>();
        let start = uniform(Key::new(5, 0), len, 2.0);
        let mut whole = State::<f32>::start(rule, &start);
        let mut pieces = whole.clone();
        for step in 0..4 {
            let mut gradient = narrowed::<f32>(&uniform(Key::new(6, step), len, 1.0));
            // What has no gradient may be left out, wherever the cuts are.
            gradient[3..390].fill(0.0);
            gradient[200] = 1.0;
            let (shared, scalars) = rule.prepare(&pieces.shared, 0.05, square_norm(&gradient));
            for piece in [0..3, 3..4, 4..201, 201..len] {
                // Memory is slot after slot, each as long as the parameters.
                let mut memory: Vec<f32> = (0..slots)
                    .flat_map(|slot| &pieces.memory[slot * len..][piece.clone()])
                    .copied()
                    .collect();
                let parameters = &mut pieces.parameters[piece.clone()];
                rule.update(&scalars, parameters, &gradient[piece.clone()], &mut memory).unwrap();
                for (slot, values) in memory.chunks_exact(piece.len()).enumerate() {
                    pieces.memory[slot * len..][piece.clone()].copy_from_slice(values);
                }
            }
            pieces.shared = shared;
            whole.step(rule, 0.05, &gradient);
        }
        assert_eq!(whole, pieces, "{optimizer:?}");
    }
}

/// Every step goes downhill at first: against the gradient in each coordinate.
#[test]
fn the_first_step_goes_against_the_gradient() {
    for Row { optimizer, .. } in rows() {
        let rule = optimizer.as_optimizer::<f64>();
        let mut state = State::start(rule, &[0.0; 4]);
        let gradient = [1.0, -1.0, 1e-4, -1e4];
        state.step(rule, 1e-3, &gradient);
        for (x, g) in state.parameters.iter().zip(gradient) {
            assert!(x * g < 0.0, "{optimizer:?} moves to {x} where the gradient is {g}");
        }
    }
}
