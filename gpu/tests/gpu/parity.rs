//! What a batch says, on the GPU and on the CPU: every sum, and the size that every test makes of them.

use adadagrad_core::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, OrthogonalityTest, Required,
    WorkerNormTest,
};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::model::Model;
use adadagrad_core::shuffle::Order;
use adadagrad_core::statistics::{Evidence, Inner, Needs, Parts};
use adadagrad_core::training::{BatchOrder, Cut};
use adadagrad_gpu::engine::Engine;

use super::{SEED, cpu, gpu, support};

/// Two sums over K terms in `f32`, in different orders, differ by about ε√K of what is summed; 64 is room for
/// the several sums that one number goes through.
fn bound(terms: f64) -> f64 {
    64.0 * f64::from(f32::EPSILON) * terms.sqrt()
}

/// One number of the evidence.
struct Sum {
    name: &'static str,
    get: fn(&Evidence<f64>) -> Option<f64>,
    set: fn(&mut Evidence<f64>, f64),
    /// How far two engines may differ.
    bound: f64,
}

fn inner(evidence: &Evidence<f64>) -> Inner<f64> {
    evidence.inner.unwrap_or_default()
}

/// All sums, with bounds that follow from what each one sums: the longest sums run over the CNN's 28 × 28
/// positions and 400 taps.
fn sums(reference: &Evidence<f64>) -> [Sum; 8] {
    let relative = bound(800.0);
    let b = reference.batch();
    // S, and its share of one sample: n is at most that, and p² at most its square.
    let norms = reference.sum_squared_norms.unwrap_or(reference.mean_norm_sq * b);
    let one = norms / b;
    let squares = inner(reference).sum_squared_square_norms;
    // Varⱼ/ḡⱼ² = r where the rounding of ḡⱼ is `relative` of the coordinate's root mean square √(1 + r) |ḡⱼ|,
    // and a quantile moves no further than the values around it.
    let ratio = reference.coordinate_ratio.unwrap_or(0.0);
    let of_ratio = ratio * relative * (1.0 + 2.0 * (1.0 + ratio).sqrt());
    [
        Sum { name: "loss", get: |e| Some(e.loss), set: |e, x| e.loss = x, bound: relative * reference.loss },
        Sum {
            name: "n",
            get: |e| Some(e.mean_norm_sq),
            set: |e, x| e.mean_norm_sq = x,
            bound: relative * (reference.mean_norm_sq * one).sqrt(),
        },
        Sum {
            name: "S",
            get: |e| e.sum_squared_norms,
            set: |e, x| e.sum_squared_norms = Some(x),
            bound: relative * norms,
        },
        Sum {
            name: "P₂",
            get: |e| e.inner.map(|inner| inner.sum_squared_inner_products),
            set: |e, x| e.inner = Some(Inner { sum_squared_inner_products: x, ..inner(e) }),
            bound: relative * norms * one,
        },
        Sum {
            name: "Σ sᵢpᵢ",
            get: |e| e.inner.map(|inner| inner.sum_norm_inner_products),
            set: |e, x| e.inner = Some(Inner { sum_norm_inner_products: x, ..inner(e) }),
            bound: relative * squares,
        },
        Sum {
            name: "Σ sᵢ²",
            get: |e| e.inner.map(|inner| inner.sum_squared_square_norms),
            set: |e, x| e.inner = Some(Inner { sum_squared_square_norms: x, ..inner(e) }),
            bound: relative * squares,
        },
        Sum {
            name: "coordinate ratio",
            get: |e| e.coordinate_ratio,
            set: |e, x| e.coordinate_ratio = Some(x),
            bound: of_ratio,
        },
        Sum {
            name: "parts",
            get: |e| e.parts.map(|parts| parts.sum_squared_means),
            set: |e, x| {
                e.parts = Some(Parts { sum_squared_means: x, ..e.parts.unwrap_or_default() });
            },
            bound: relative * norms,
        },
    ]
}

/// What differs by more than its bound; NaN differs.
pub(super) fn difference(gpu: &Evidence<f64>, cpu: &Evidence<f64>) -> Option<String> {
    if (gpu.samples, gpu.correct) != (cpu.samples, cpu.correct) {
        return Some(format!("{gpu:?} on the GPU, {cpu:?} on the CPU"));
    }
    sums(cpu).into_iter().find_map(|Sum { name, get, bound, .. }| {
        let same = match (get(gpu), get(cpu)) {
            (Some(gpu), Some(cpu)) => (gpu - cpu).abs() <= bound,
            (None, None) => true,
            _ => false,
        };
        let (gpu, cpu) = (get(gpu), get(cpu));
        (!same).then(|| format!("{name}: {gpu:?} on the GPU, {cpu:?} on the CPU, {bound:e} allowed"))
    })
}

fn tests() -> [AnyTest; 9] {
    [
        AnyTest::Norm(NormTest { eta: 0.1, debiased: false }),
        AnyTest::Norm(NormTest { eta: 0.1, debiased: true }),
        AnyTest::InnerProduct(InnerProductTest { theta: 0.9, leave_one_out: false }),
        AnyTest::InnerProduct(InnerProductTest { theta: 0.9, leave_one_out: true }),
        AnyTest::Orthogonality(OrthogonalityTest { nu: 5.84 }),
        AnyTest::Augmented(AugmentedTest { theta: 0.9, nu: 5.84, leave_one_out: false }),
        AnyTest::Augmented(AugmentedTest { theta: 0.9, nu: 5.84, leave_one_out: true }),
        AnyTest::CoordinateNorm(CoordinateNormTest { eta: 0.1, quantile: 0.5 }),
        AnyTest::WorkerNorm(WorkerNormTest { eta: 0.1, workers: 3 }),
    ]
}

/// How far the test's size may move when every sum moves within its bound; `None` where a move of one of them
/// takes the size away, or brings it.
fn size_bound(test: &AnyTest, cpu: &Evidence<f64>, size: f64) -> Option<f64> {
    let mut moved_by = 0.0;
    for Sum { get, set, bound, .. } in sums(cpu) {
        let Some(value) = get(cpu) else { continue };
        let mut furthest = 0.0_f64;
        for moved in [value - bound, value + bound] {
            let mut evidence = *cpu;
            set(&mut evidence, moved);
            furthest = furthest.max((test.as_test::<f64>().required(&evidence).size()? - size).abs());
        }
        moved_by += furthest;
    }
    // Twice the first order's.
    Some(2.0 * moved_by)
}

/// The tests whose sizes were compared.
pub(super) fn compare_sizes(gpu: &Evidence<f64>, cpu: &Evidence<f64>, what: &str) -> usize {
    let mut compared = 0;
    for test in tests() {
        let required = |evidence| test.as_test::<f64>().required(evidence);
        let Required::Size(size) = required(cpu) else { continue };
        let Some(bound) = size_bound(&test, cpu, size) else { continue };
        let found = required(gpu).size();
        let same = found.is_some_and(|found| (found - size).abs() <= bound);
        assert!(same, "{what}, {test:?}: {found:?} on the GPU, {size} on the CPU, {bound:e} allowed");
        compared += 1;
    }
    compared
}

#[test]
fn evidence_and_sizes_are_the_cpus_for_every_model_test_and_batch() {
    // Everything at once: norms, inner products, coordinates, parts. Then without parts, where a batch that fits
    // one micro-batch is projected with the gradients that are still there.
    let all = Needs { norms: true, inner: true, coordinate_quantile: Some(0.5), parts: 3, ..Needs::NONE };
    let whole = Needs { parts: 0, ..all };
    let mut compared = 0;
    for model in Model::MNIST {
        let config = RunConfig { model, seed: SEED, ..Preset::PaperCnn.config() };
        // One image costs the CNN as much as thirty cost the others, and 200 are many slices already.
        let len = if model == Model::Cnn { 200 } else { 1000 };
        let plain = support::images(len, 3);
        let training = match model {
            Model::Cnn => support::screen::images(len, 3, &cpu(&config, &plain).parameters()),
            _ => plain,
        };
        let Some(mut gpu) = gpu(&config, &training) else { return };
        let mut cpu = cpu(&config, &training);
        for batch in [2, 3, 63, 64, 65, len] {
            for needs in [all, whole] {
                let cut = Cut::new(batch, needs.parts);
                // Across the end of a pass.
                let visit = BatchOrder::Shuffled { order: Order::new(len, SEED), start: u64::from(len) - 2 };
                let of_gpu = gpu.evidence(cut, visit, &needs).unwrap();
                let of_cpu = cpu.evidence(cut, visit, &needs).unwrap();
                let what = format!("{model:?}, {batch} samples, {needs:?}");
                assert_eq!(difference(&of_gpu, &of_cpu), None, "{what}");
                compared += compare_sizes(&of_gpu, &of_cpu, &what);
                let dropped = Evidence { loss: of_gpu.loss * 0.99, ..of_gpu };
                assert!(difference(&dropped, &of_cpu).is_some(), "the comparison sees what is wrong");
            }
        }
        let in_file_order = BatchOrder::InFileOrder { start: 7 };
        let of_gpu = gpu.evidence(Cut::new(20, 0), in_file_order, &Needs::NONE).unwrap();
        let of_cpu = cpu.evidence(Cut::new(20, 0), in_file_order, &Needs::NONE).unwrap();
        assert_eq!(difference(&of_gpu, &of_cpu), None, "{model:?} in file order");
    }
    // Of nine tests, over three models, six batches and two ways; a few sizes do not exist or hang on a hair.
    assert!(compared >= 200, "only {compared} sizes were compared");
}

#[test]
fn a_dropped_sample_is_seen() {
    let training = support::images(100, 3);
    let config = RunConfig { model: Model::MLP, seed: SEED, ..Preset::PaperCnn.config() };
    let mut cpu = cpu(&config, &training);
    let needs = Needs { norms: true, ..Needs::NONE };
    let visit = BatchOrder::InFileOrder { start: 0 };
    let whole = cpu.evidence(Cut::new(64, 0), visit, &needs).unwrap();
    let dropped = cpu.evidence(Cut::new(63, 0), visit, &needs).unwrap();
    let dropped = Evidence { samples: 64, correct: whole.correct, ..dropped };
    assert!(difference(&dropped, &whole).is_some());
}
