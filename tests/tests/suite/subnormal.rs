//! No step leaves a subnormal number behind, and above the smallest normal number nothing changes by that.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::optimizer::{
    AdaGrad, AdaGradNorm, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd, Shared,
};
use adadagrad_core::owned::LocalRun;
use adadagrad_core::random::Key;
use adadagrad_core::real::{Real, square_norm};
use adadagrad_core::subnormal::{flush, flush_all};
use adadagrad_core::training::Trainer;
use adadagrad_tests::compare::narrowed;
use adadagrad_tests::mnist::network;
use adadagrad_tests::table::uniform;

use crate::determinism::run_configs;

/// The first of [`rules`], without L2 regularisation.
const PLAIN: usize = 7;

/// Every optimizer, without L2 regularisation and with it. Memory and weights shrink quickly.
fn rules() -> Vec<AnyOptimizer> {
    let by_decay = |weight_decay| {
        [
            AnyOptimizer::Sgd(Sgd { weight_decay }),
            AnyOptimizer::Momentum(Momentum { momentum: 0.5, weight_decay }),
            AnyOptimizer::Nesterov(Nesterov { momentum: 0.5, weight_decay }),
            AnyOptimizer::AdaGrad(AdaGrad { weight_decay, ..AdaGrad::default() }),
            AnyOptimizer::RmsProp(RmsProp { alpha: 0.5, weight_decay, ..RmsProp::default() }),
            AnyOptimizer::Adam(Adam { beta1: 0.5, beta2: 0.75, weight_decay, ..Adam::default() }),
            AnyOptimizer::AdamW(AdamW { beta1: 0.5, beta2: 0.75, weight_decay, ..AdamW::default() }),
        ]
    };
    let norm = AnyOptimizer::AdaGradNorm(AdaGradNorm::default());
    by_decay(0.0).into_iter().chain(by_decay(2.0)).chain([norm]).collect()
}

fn is_subnormal<F: Real>(x: &F) -> bool {
    !x.is_zero() && x.abs() < F::min_positive_value()
}

/// A few steps with a gradient, of ordinary and of tiny size, and thousands without one.
fn is_never_subnormal<F: Real>() {
    const LEN: usize = 300;
    for (place, rule) in rules().into_iter().enumerate() {
        let optimizer = rule.as_optimizer::<F>();
        let mut parameters = narrowed::<F>(&uniform(Key::new(1, 0), LEN, 1.0));
        let mut memory = vec![F::zero(); optimizer.slots() * LEN];
        optimizer.start(&mut memory);
        let mut shared = Shared::default();
        for step in 0..6000 {
            let tiny = F::min_positive_value().root() * F::of(0.75);
            let scale = [F::one(), tiny, F::min_positive_value(), F::zero()][(step as usize).min(3)];
            let mut gradient = narrowed::<F>(&uniform(Key::new(2, step), LEN, 1.0));
            gradient.iter_mut().for_each(|g| *g *= scale);
            let (next, scalars) = optimizer.prepare(&shared, F::Sum::of(0.1), square_norm(&gradient));
            optimizer.update(&scalars, &mut parameters, &gradient, &mut memory).unwrap();
            shared = next;
            let found = parameters.iter().chain(&memory).position(is_subnormal);
            assert_eq!(found, None, "{rule:?}, step {step}");
        }
        // With L2 regularisation it may come to rest at normal numbers, whose steps are 0.
        let decays = place < PLAIN && !matches!(rule, AnyOptimizer::AdaGrad(_));
        let rests = memory.iter().all(F::is_zero);
        assert!(rests || !decays, "{rule:?}: memory that decays ends at 0");
    }
}

#[test]
fn no_step_leaves_a_subnormal_number() {
    is_never_subnormal::<f32>();
    is_never_subnormal::<f64>();
}

/// The formula as it is written down, for one parameter and momentum.
#[test]
fn above_the_smallest_normal_number_nothing_changes() {
    let rule = AnyOptimizer::Momentum(Momentum { momentum: 0.9, weight_decay: 0.0 });
    let optimizer = rule.as_optimizer::<f32>();
    let (mut x, mut memory) = ([1.5_f32], [0.0_f32]);
    let (mut plain_x, mut plain_u) = (1.5_f32, 0.0_f32);
    let (_, scalars) = optimizer.prepare(&Shared::default(), 0.01, 1.0);
    for step in 0..2000 {
        let g = if step == 0 { 0.7 } else { 0.0 };
        optimizer.update(&scalars, &mut x, &[g], &mut memory).unwrap();
        plain_u = 0.9_f32 * plain_u + g;
        plain_x -= scalars.step_size * plain_u;
        assert_eq!(x[0].to_bits(), plain_x.to_bits(), "step {step}");
        assert_eq!(memory[0].to_bits(), flush(plain_u).to_bits(), "step {step}");
    }
    assert_eq!(memory, [0.0]);
    assert!(is_subnormal(&plain_u), "without it, memory stays where steps are slow: {plain_u:e}");
}

#[test]
fn flushing_takes_nothing_but_subnormal_numbers() {
    let smallest = f32::MIN_POSITIVE;
    let mut values = [
        0.0,
        -0.0,
        smallest,
        -smallest,
        smallest.next_down(),
        -smallest.next_down(),
        f32::from_bits(1),
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
    ];
    flush_all(&mut values);
    assert_eq!(values[..7], [0.0, 0.0, smallest, -smallest, 0.0, 0.0, 0.0]);
    assert!(values[7].is_nan());
    assert_eq!(values[8..], [f32::INFINITY, f32::NEG_INFINITY, f32::MAX]);
}

/// A file written before, or by another program, may hold such numbers.
#[test]
fn a_run_goes_on_without_the_subnormal_numbers_of_its_file() {
    for config in run_configs() {
        let run = LocalRun::<f32, _>::new(config, network(&config), 90, PlainBackend).unwrap();
        let (mut parameters, mut memory) = (run.parameters(), run.memory());
        let tiny = f32::MIN_POSITIVE / 4.0;
        parameters[17] = tiny;
        memory.iter_mut().for_each(|value| *value = tiny);
        let trainer = Trainer::<f32>::new(config, 90).unwrap();
        let resumed =
            LocalRun::resume(trainer, network(trainer.config()), PlainBackend, &parameters, &memory, [])
                .unwrap();
        assert_eq!(resumed.parameters()[17], 0.0);
        assert!(resumed.memory().iter().all(|&value| value == 0.0), "{:?}", config.optimizer);
    }
}
