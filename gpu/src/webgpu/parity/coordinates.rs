//! Cases of noise scales by coordinates, and of an epoch's sum.

use adadagrad_core::noise_scale::Sensor;
use adadagrad_core::optimizer::{AdaGrad, Adam, AnyOptimizer, Shared};

use super::super::coordinates::{launch, uniform};
use super::super::kernel::Shader;
use super::super::uniforms::Epoch;
use super::super::update::{slot_len, spread};
use super::case::{Random, around, exactly, word};
use super::{Approx, Case, POISON};

/// Words before the sums, which stay as they are.
const PLACE: u32 = 3;
/// Shares of a sum.
const SHARES: usize = 64;

pub(super) fn cases(random: &mut Random, cases: &mut Vec<Case>) {
    for count in around(64) {
        // More than one round of all workgroups.
        noise(random, 70 * count, cases);
        epoch_norms(random, 70 * count, cases);
        epoch_sums(random, count, cases);
    }
}

/// The sum over every share's coordinates.
fn shares(count: u32, term: impl Fn(usize) -> Approx) -> Vec<Approx> {
    let coordinates = 0..count as usize;
    let share = |share| Approx::sum(coordinates.clone().filter(|k| k / 64 % SHARES == share).map(&term));
    (0..SHARES).map(share).collect()
}

/// Poison, and what it becomes.
fn placed(sums: Vec<Approx>) -> (Vec<f32>, Vec<Approx>) {
    let before = vec![f32::from_bits(POISON); PLACE as usize + sums.len()];
    (before, [vec![Approx::UNTOUCHED; PLACE as usize], sums].concat())
}

fn noise(random: &mut Random, count: u32, cases: &mut Vec<Case>) {
    let samples = 8_u32;
    let b = Approx::of(samples as f32);
    let sum = random.values(count);
    // At least (Σ gᵢ)²/b; every third coordinate has no variance but rounding.
    let square = |(k, (&sum, extra)): (usize, (&f32, f32))| {
        sum * sum / samples as f32 + if k % 3 == 0 { 0.0 } else { extra.abs() }
    };
    let squares: Vec<f32> = sum.iter().zip(random.values(count)).enumerate().map(square).collect();
    let variance = |k: usize| {
        let sum = Approx::of(sum[k]);
        (Approx::of(squares[k]) - sum * sum / b).relu() / (b - Approx::exact(1.0))
    };
    let mean = |k: usize| Approx::of(sum[k]) / b;
    let shared = Shared { steps: 3, ..Shared::default() };
    let len = count as usize;
    let case = |sensor, optimizer: &AnyOptimizer, sums: [Vec<Approx>; 2], memory: Option<&[f32]>| {
        let uniform = uniform(optimizer, &shared, len, samples, PLACE as usize);
        let (before, after) = placed(sums.concat());
        let shape = format!("{count} parameters, {}", optimizer_name(optimizer));
        let case = Case::new(None, shape, launch(sensor)?, &uniform).reads(1, &sum).reads(2, &squares);
        let case = match memory {
            Some(memory) => case.reads(3, memory),
            None => case,
        };
        Some(case.changes(4, &before, after))
    };
    let sums = [shares(count, |k| variance(k).root()), shares(count, |k| mean(k).abs())];
    let plain = AnyOptimizer::Sgd(adadagrad_core::optimizer::Sgd::default());
    cases.extend(case(Sensor::Sign, &plain, sums, None));
    for optimizer in [
        AnyOptimizer::AdaGrad(AdaGrad { epsilon: 0.125, ..AdaGrad::default() }),
        AnyOptimizer::Adam(Adam { epsilon: 0.0625, beta2: 0.875, ..Adam::default() }),
    ] {
        let Some(of_core) = optimizer.as_optimizer::<f64>().preconditioner(&shared) else { continue };
        let slots = optimizer.as_optimizer::<f64>().slots();
        let memory: Vec<f32> = random.values(word(slots) * count).iter().map(|v| v.abs()).collect();
        let [correction, epsilon] = [of_core.correction, of_core.epsilon].map(Approx::rounded_once);
        let divisor = |k: usize| (Approx::of(memory[of_core.slot * len + k]) / correction).root() + epsilon;
        let sums = [
            shares(count, |k| variance(k) / divisor(k) / divisor(k)),
            shares(count, |k| {
                let mean = mean(k) / divisor(k);
                mean * mean
            }),
        ];
        cases.extend(case(Sensor::Preconditioned, &optimizer, sums, Some(&spread(&memory, len))));
    }
}

const fn optimizer_name(optimizer: &AnyOptimizer) -> &'static str {
    match optimizer {
        AnyOptimizer::AdaGrad(_) => "of AdaGrad",
        AnyOptimizer::Adam(_) => "of Adam",
        _ => "of SGD",
    }
}

/// An epoch's sum, in the second slot of the memory.
fn memory_of(random: &mut Random, count: u32) -> (Vec<f32>, u32) {
    let memory = random.values(2 * count);
    (spread(&memory, count as usize), word(slot_len(count as usize)))
}

fn epoch_norms(random: &mut Random, count: u32, cases: &mut Vec<Case>) {
    for scale in [1.0, 0.25] {
        let gradient = random.values(count);
        let (memory, slot) = memory_of(random, count);
        let sums = shares(count, |k| {
            let sum = Approx::of(scale) * Approx::of(memory[slot as usize + k]) + Approx::of(gradient[k]);
            sum * sum
        });
        let (before, after) = placed(sums);
        let uniform = Epoch { count, slot, place: PLACE, scale, ends: 0 };
        let shape = format!("{count} parameters, gradients times {scale}");
        cases.push(
            Case::of(Shader::Epoch, "epoch_norm", shape, &uniform, 64 * word(SHARES))
                .reads(1, &gradient)
                .reads(2, &memory)
                .changes(3, &before, after),
        );
    }
}

/// Steps inside an epoch, at its end and refused; and sums that would be subnormal.
fn epoch_sums(random: &mut Random, count: u32, cases: &mut Vec<Case>) {
    for (scale, ends, refused) in [(1.0, 0, 0), (0.25, 0, 0), (1.0, 1, 0), (1.0, 0, 1)] {
        let gradient = random.values(count);
        let (memory, slot) = memory_of(random, count);
        let first = slot as usize;
        let mut after = exactly(memory.iter().copied());
        for k in 0..count as usize {
            let sum = after[first + k] + Approx::of(gradient[k]) / Approx::of(scale);
            after[first + k] = match (refused, ends) {
                (1, _) => continue,
                (_, 1) => Approx::exact(0.0),
                _ => sum,
            };
        }
        let uniform = Epoch { count, slot, place: PLACE, scale, ends };
        let shape = format!("{count} parameters, times {scale}, ends {ends}, refused {refused}");
        cases.push(
            Case::of(Shader::Epoch, "add_to_epoch", shape, &uniform, count)
                .reads(1, &gradient)
                .changes(2, &memory, after)
                .reads_words(4, vec![refused]),
        );
    }
    let sizes = [0.5, 1.0, 4.0].map(|size| size * f32::MIN_POSITIVE);
    let memory: Vec<f32> = sizes.into_iter().cycle().take(count as usize).collect();
    let flush = |value: &f32| if *value < f32::MIN_POSITIVE { 0.0 } else { *value };
    let uniform = Epoch { count, slot: 0, place: PLACE, scale: 1.0, ends: 0 };
    cases.push(
        Case::of(Shader::Epoch, "add_to_epoch", format!("{count} tiny sums"), &uniform, count)
            .reads(1, &vec![0.0; memory.len()])
            .changes(2, &memory, exactly(memory.iter().map(flush)))
            .reads_words(4, vec![0]),
    );
}
