//! `optimizers.json`: twelve steps of every optimizer.

use adadagrad_core::optimizer::Shared;
use adadagrad_core::real::{Real, square_norm};
use adadagrad_tests::compare::{Check, close, equal, narrowed};
use adadagrad_tests::golden::{self, OptimizerRun, OptimizersFile, State};

/// Two arrays, value by value.
fn check_values<F: Real>(what: &str, found: &[F], expected: &[f64], [relative, absolute]: [f64; 2]) -> Check {
    equal(&format!("length of {what}"), &found.len(), &expected.len())?;
    for (d, (found, &expected)) in found.iter().zip(expected).enumerate() {
        let bound = relative * expected.abs() + absolute;
        close(&format!("{what}[{d}]"), found.as_f64(), expected, bound)?;
    }
    Ok(())
}

fn check_run<F: Real<Sum = f64>>(file: &OptimizersFile, run: &OptimizerRun, tolerance: [f64; 2]) -> Check {
    let (any, learning_rate) = run.hyper.optimizer(&run.name);
    let optimizer = any.as_optimizer::<F>();
    let mut parameters = narrowed::<F>(&file.start);
    let mut memory = vec![F::nan(); optimizer.slots() * parameters.len()];
    optimizer.start(&mut memory);
    let mut shared = Shared::default();
    equal("steps", &run.parameters.len(), &file.gradients.len())?;
    for (step, (gradient, expected)) in file.gradients.iter().zip(&run.parameters).enumerate() {
        let gradient = narrowed::<F>(gradient);
        let (next, scalars) = optimizer.prepare(&shared, learning_rate, square_norm(&gradient));
        optimizer.update(&scalars, &mut parameters, &gradient, &mut memory).unwrap();
        shared = next;
        check_values(&format!("parameters after step {}", step + 1), &parameters, expected, tolerance)?;
    }
    equal("steps made", &shared.steps, &(file.gradients.len() as u64))?;
    let slots: Vec<&[F]> = memory.chunks_exact(parameters.len()).collect();
    let slot_names: &[&str] = match run.name.as_str() {
        "sgd" | "adagrad_norm" => &[],
        "sgd_momentum" | "sgd_nesterov" => &["velocity"],
        "adagrad" => &["accumulator"],
        "rmsprop" => &["second_moment"],
        "adam" | "adamw" => &["first_moment", "second_moment"],
        other => return Err(format!("unknown optimizer {other}")),
    };
    equal("slots", &slots.len(), &slot_names.len())?;
    for (name, state) in &run.final_state {
        match state {
            State::Each(expected) => {
                let slot = slot_names.iter().position(|slot| slot == name);
                let slot = slot.ok_or_else(|| format!("{name} has no slot"))?;
                check_values(name, slots[slot], expected, tolerance)?;
            }
            State::Shared(expected) => {
                // AdaGrad-Norm keeps the sum without its start.
                let found = run.hyper.get("b0").powi(2) + shared.sum_norm_sq;
                close(name, found, *expected, tolerance[0] * expected.abs())?;
            }
        }
    }
    Ok(())
}

fn check_all<F: Real<Sum = f64>>(tolerance: [f64; 2]) -> Check {
    let file: OptimizersFile = golden::read("optimizers.json");
    assert!(file.runs.len() >= 8);
    file.runs.iter().try_for_each(|run| {
        check_run::<F>(&file, run, tolerance).map_err(|error| format!("{}: {error}", run.name))
    })
}

#[test]
fn every_number_in_f64() -> Check {
    check_all::<f64>([1e-11, 1e-14])
}

/// Twelve steps, a few roundings each; momentum subtracts numbers of the spike's size.
#[test]
fn every_number_in_f32() -> Check {
    check_all::<f32>([1e-5, 1e-5])
}
