//! Time of an optimizer's update of the MLP's parameters: with a gradient; with memory that decays near the smallest
//! normal number, because no gradient comes any more; with tiny gradients; with weights that decay. None may take longer
//! than the first.
//!
//! `cargo bench -p adadagrad-gpu --bench optimizer`

use std::time::Duration;

use adadagrad_core::optimizer::{
    AdaGrad, Adam, AdamW, AnyOptimizer, Momentum, Nesterov, RmsProp, Sgd, Shared,
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

const PARAMETERS: usize = 101_770;

fn rules() -> [(&'static str, AnyOptimizer); 8] {
    [
        ("sgd", AnyOptimizer::Sgd(Sgd::default())),
        ("sgd-with-decay", AnyOptimizer::Sgd(Sgd { weight_decay: 1e-4 })),
        ("momentum", AnyOptimizer::Momentum(Momentum::default())),
        ("nesterov", AnyOptimizer::Nesterov(Nesterov::default())),
        ("adagrad", AnyOptimizer::AdaGrad(AdaGrad::default())),
        ("rmsprop", AnyOptimizer::RmsProp(RmsProp::default())),
        ("adam", AnyOptimizer::Adam(Adam::default())),
        ("adamw", AnyOptimizer::AdamW(AdamW::default())),
    ]
}

/// Values of about one size.
fn about(size: f32, len: usize) -> Vec<f32> {
    (0..len).map(|k| size * (1.0 + (k % 89) as f32 / 89.0)).collect()
}

fn updates(criterion: &mut Criterion) {
    // Sizes of parameters, gradient and memory.
    let states = [
        ("fresh", [0.1, 1e-3, 1e-3]),
        ("decayed", [0.1, 0.0, f32::MIN_POSITIVE]),
        ("decaying", [0.1, 0.0, 1e-36]),
        ("tiny-gradient", [0.1, 1e-20, 0.0]),
        ("tiny-weights", [1e-35, 0.0, 0.0]),
    ];
    let mut group = criterion.benchmark_group("update");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
    for (name, rule) in rules() {
        let optimizer = rule.as_optimizer::<f32>();
        for (state, [parameters, gradient, memory]) in states {
            let mut parameters = about(parameters, PARAMETERS);
            let gradient = about(gradient, PARAMETERS);
            let mut memory = about(memory, optimizer.slots() * PARAMETERS);
            // Far from the first steps, whose bias correction is another.
            let shared = Shared { steps: 23_000, ..Shared::default() };
            let (_, scalars) = optimizer.prepare(&shared, 1e-3, 1.0);
            group.bench_function(BenchmarkId::new(name, state), |bencher| {
                bencher.iter(|| optimizer.update(&scalars, &mut parameters, &gradient, &mut memory));
            });
        }
    }
}

criterion_group!(benches, updates);
criterion_main!(benches);
