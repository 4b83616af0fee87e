//! A rule's decision on a test's result alone.

use adadagrad_core::batch_test::Required;
use adadagrad_core::controller::{Controller, Limits, Situation};
use adadagrad_core::statistics::Evidence;

/// The size after a batch of `current` samples.
///
/// # Panics
/// For a rule that extends the batch.
pub fn next_batch<C: Controller<f64>>(
    rule: &C,
    current: u32,
    limits: Limits,
    required: Required<f64>,
) -> u32 {
    let evidence = Evidence { samples: current, ..Evidence::default() };
    let situation = Situation::of_batch(limits, &evidence, required, 0.1);
    let (decision, _) = rule.decide(C::State::default(), &situation);
    decision.next_batch().expect("a step")
}
