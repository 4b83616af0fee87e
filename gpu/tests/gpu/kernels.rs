//! Every kernel in every variant on whatever adapter there is, against a reference in `f64`: a visible skip
//! without one, a failure when `REQUIRE_GPU=1`.

use std::collections::BTreeSet;

use crate::support;
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::model::Model;
use adadagrad_core::statistics::{Evidence, Needs};
use adadagrad_core::training::{BatchOrder, Cut};
use adadagrad_gpu::webgpu::parity::{Bench, Case, Check, cases};
use adadagrad_gpu::webgpu::{Gpu, Opening, Options, Shader, Training, Variant, Variants};
use pollster::block_on;

fn bench() -> Option<Bench> {
    support::device().map(Bench::new)
}

fn run(bench: &Bench, case: &Case) -> Check {
    block_on(bench.run(case)).unwrap_or_else(|error| panic!("{} {}: {error}", case.kernel, case.shape))
}

fn of<'c>(cases: &'c [Case], kernel: &str, variant: Option<Variant>) -> &'c Case {
    // The last ones are the largest.
    cases.iter().rfind(|case| case.kernel == kernel && case.variant == variant).unwrap()
}

#[test]
fn every_kernel_gives_what_the_reference_gives() {
    let Some(bench) = bench() else { return };
    for case in cases() {
        let check = run(&bench, &case);
        let (kernel, variant, shape) = (check.kernel, check.variant, &check.shape);
        assert_eq!(check.failure, None, "{kernel} {variant:?}, {shape}");
        assert!(check.worst <= 1.0 && check.values > 0, "{kernel} {variant:?}, {shape}: {}", check.worst);
    }
}

#[test]
fn every_entry_point_has_cases() {
    let entries: BTreeSet<String> = Shader::ALL
        .iter()
        .flat_map(|shader| naga::front::wgsl::parse_str(shader.source()).unwrap().entry_points)
        .map(|entry| entry.name)
        .collect();
    let tested: BTreeSet<String> = cases().iter().map(|case| case.kernel.to_owned()).collect();
    assert_eq!(tested, entries);
}

#[test]
fn what_is_wrong_turns_a_check_red() {
    let Some(bench) = bench() else { return };
    let cases = cases();
    let red = |what: &str, case: &Case, spoil: &dyn Fn(&mut Case)| {
        let mut case = case.clone();
        assert_eq!(run(&bench, &case).failure, None, "{what}: sound before");
        spoil(&mut case);
        let check = run(&bench, &case);
        assert!(check.failure.is_some(), "{what}: {} {:?} went unnoticed", case.kernel, case.variant);
    };
    for variant in Variant::ALL {
        let is_forward = |case: &&Case| case.variant == Some(variant) && case.shape.starts_with("forward");
        let product = cases.iter().filter(is_forward).nth(3).unwrap();
        red("rows and columns swapped", product, &|case| case.uniform.swap(0, 1));
        red("a NaN in A", product, &|case| case.slots[0].words[0] = f32::NAN.to_bits());
        red("a term left out", product, &|case| case.uniform[2] -= 1);
        for start in ["conv2d_forward", "conv2d_input_gradient", "conv2d_weight_gradient"] {
            let conv =
                cases.iter().rfind(|case| case.variant == Some(variant) && case.kernel.starts_with(start));
            let conv = conv.unwrap();
            red("a sample dropped", conv, &|case| case.uniform[0] -= 1);
            red("channels and outputs swapped", conv, &|case| case.uniform.swap(1, 4));
            red("a NaN among the inputs", conv, &|case| case.slots[0].words[7] = f32::NAN.to_bits());
        }
    }
    // A case without inputs has nothing to spoil.
    let is_spoilable = |case: &Case| !case.shape.contains("infinite") && !case.shape.contains(" of 0 ");
    for kernel in ["dense_norms", "inner_products", "sum_tiles", "fold_samples", "softmax_cross_entropy"] {
        let case = cases.iter().rfind(|case| case.kernel == kernel && is_spoilable(case)).unwrap();
        red("a sample dropped", case, &|case| case.uniform[0] -= 1);
        red("NaNs", case, &|case| case.slots[0].words.fill(f32::NAN.to_bits()));
    }
    let loss = cases.iter().rfind(|case| case.kernel == "softmax_cross_entropy").unwrap();
    red("gradients not scaled", loss, &|case| case.slots.last_mut().unwrap().words[0] = 1.0_f32.to_bits());
    for variant in [Variant::Plain, Variant::Tiles] {
        for start in ["group_norm_moments", "group_norm_sample_gradients"] {
            let is_it = |case: &&Case| case.variant == Some(variant) && case.kernel.starts_with(start);
            let case = cases.iter().rfind(is_it).unwrap();
            red("a sample dropped", case, &|case| case.uniform[0] -= 1);
            red("a value left out", case, &|case| case.uniform[3] -= 1);
            red("a NaN among the inputs", case, &|case| case.slots[0].words[3] = f32::NAN.to_bits());
        }
    }
    for kernel in ["group_norm_forward", "group_norm_input_gradient"] {
        let case = of(&cases, kernel, None);
        red("a sample dropped", case, &|case| case.uniform[0] -= 1);
        red("other parameters", case, &|case| case.uniform[4] -= 1);
        red("a NaN among the inputs", case, &|case| case.slots[0].words[3] = f32::NAN.to_bits());
    }
    for kernel in [
        "layer_norm_moments",
        "layer_norm_forward",
        "layer_norm_sample_gradients",
        "layer_norm_means",
        "layer_norm_input_gradient",
    ] {
        let case = of(&cases, kernel, None);
        red("a sample dropped", case, &|case| case.uniform[0] -= 1);
        red("a channel left out", case, &|case| case.uniform[1] -= 1);
        red("NaNs among the inputs", case, &|case| case.slots[0].words.fill(f32::NAN.to_bits()));
    }
    for kernel in ["embedding_forward", "embedding_rows", "embedding_inner_products", "embedding_sums"] {
        let case = of(&cases, kernel, None);
        let first = case.slots[0].words[0];
        // One of the same sample, so that it occurs once more.
        let other = *case.slots[0].words[..64].iter().find(|&&token| token != first).unwrap();
        red("a sample dropped", case, &|case| case.uniform[0] -= 1);
        red("another token", case, &|case| case.slots[0].words[0] = other);
        red("NaNs", case, &|case| case.slots[1].words.fill(f32::NAN.to_bits()));
    }
    for kernel in ["position_embedding_forward", "position_embedding_gradients"] {
        let case = of(&cases, kernel, None);
        red("a sample dropped", case, &|case| case.uniform[0] -= 1);
        red("a position left out", case, &|case| case.uniform[2] -= 1);
        red("a NaN", case, &|case| case.slots[0].words[1] = f32::NAN.to_bits());
    }
    for kernel in
        ["attention_weights", "attention_forward", "attention_score_gradients", "attention_input_gradient"]
    {
        let case = of(&cases, kernel, None);
        red("a sample dropped", case, &|case| case.uniform[0] -= 1);
        red("one head, and its scale", case, &|case| case.uniform[2] = 1);
        red("a position left out", case, &|case| case.uniform[3] -= 1);
        red("NaNs", case, &|case| case.slots[0].words.fill(f32::NAN.to_bits()));
    }
    let sequences = of(&cases, "sequence_cross_entropy", None);
    red("a sample dropped", sequences, &|case| case.uniform[0] -= 1);
    red("a position left out", sequences, &|case| case.uniform[8] -= 1);
    red("a NaN", sequences, &|case| case.slots[0].words[1] = f32::NAN.to_bits());
    for kernel in ["gelu_forward", "gelu_backward", "add_forward", "add_backward", "relu_mask"] {
        let case = of(&cases, kernel, None);
        red("half of the values left out", case, &|case| case.uniform[0] /= 2);
        red("a NaN", case, &|case| case.slots[0].words[1] = f32::NAN.to_bits());
    }
    for kernel in ["average_pool2d_forward", "average_pool2d_backward"] {
        let is_square =
            |case: &&Case| case.kernel == kernel && case.shape.contains("windows of 2×2, stride 2");
        let case = cases.iter().rfind(is_square).unwrap();
        red("wider windows", case, &|case| case.uniform[6] += 1);
        red("a NaN", case, &|case| case.slots[0].words[1] = f32::NAN.to_bits());
    }
    for kernel in ["preconditioned_noise", "sign_noise"] {
        let case = of(&cases, kernel, None);
        red("half of the coordinates left out", case, &|case| case.uniform[0] /= 2);
        red("another batch size", case, &|case| case.uniform[1] = 7.0_f32.to_bits());
        red("sums out of place", case, &|case| case.uniform[2] += 1);
        red("a NaN", case, &|case| case.slots[0].words[1] = f32::NAN.to_bits());
        red("another second moment", case, &|case| case.slots[1].words[1] = 9.0_f32.to_bits());
    }
    let preconditioned = of(&cases, "preconditioned_noise", None);
    red("another slot", preconditioned, &|case| case.uniform[3] = 0);
    red("a mean not corrected", preconditioned, &|case| case.uniform[4] = 1.0_f32.to_bits());
    red("another ε", preconditioned, &|case| case.uniform[5] = 0.07_f32.to_bits());
    let epoch_norm = of(&cases, "epoch_norm", None);
    red("half of the parameters left out", epoch_norm, &|case| case.uniform[0] /= 2);
    red("another slot", epoch_norm, &|case| case.uniform[1] = 0);
    red("not scaled", epoch_norm, &|case| case.uniform[3] = 1.0_f32.to_bits());
    red("a NaN", epoch_norm, &|case| case.slots[0].words[1] = f32::NAN.to_bits());
    let is_inside = |case: &&Case| case.kernel == "add_to_epoch" && case.shape.contains("ends 0, refused 0");
    let epoch = cases.iter().rfind(is_inside).unwrap();
    red("a parameter left out", epoch, &|case| case.uniform[0] -= 1);
    red("another slot", epoch, &|case| case.uniform[1] += 1);
    red("the epoch ended", epoch, &|case| case.uniform[4] = 1);
    red("refused", epoch, &|case| case.slots[2].words[0] = 1);
    let drawn = of(&cases, "draw_bytes", None);
    red("the next sample", drawn, &|case| case.uniform[1] += 1);
    red("a sample that is not held", drawn, &|case| case.uniform[4] -= 1);
    red("another row of the table", drawn, &|case| case.uniform[6] -= 1);
    red("other placements", drawn, &|case| case.uniform[15] += 1);
    red("a smaller padding", drawn, &|case| case.uniform[19] -= 1);
    red("no flip", drawn, &|case| case.uniform[20] = 0);
    red("the next sample", of(&cases, "draw_floats", None), &|case| case.uniform[1] += 1);
    // Of many windows: those of few may find the same winners by chance.
    let pool =
        cases.iter().rfind(|case| case.kernel == "max_pool2d_backward" && case.shape.contains("stride 2"));
    red("another stride", pool.unwrap(), &|case| case.uniform[6] -= 1);
}

/// The CNN's evidence with everything asked for, by engines that use one variant everywhere.
fn evidence(variant: Variant) -> Evidence<f64> {
    let open = move || -> Opening {
        Box::pin(async move { Ok(Gpu::open(None).await?.with_variants(Variants::all(variant))) })
    };
    let options = Options { open: Box::new(open), memory_budget: None, notice: Box::new(|_| {}) };
    let config = RunConfig { model: Model::Cnn, max_batch: 20, ..Preset::PaperCnn.config() };
    let mut training = block_on(Training::open(&config, support::images(20, 3), options)).unwrap();
    let needs = Needs { norms: true, inner: true, coordinate_quantile: Some(0.5), parts: 0, ..Needs::NONE };
    // More than one slice.
    block_on(training.evidence(Cut::new(18, 0), BatchOrder::InFileOrder { start: 1 }, &needs)).unwrap()
}

#[test]
fn engines_agree_in_every_variant() {
    if bench().is_none() {
        return;
    }
    let plain = evidence(Variant::Plain);
    let numbers = |evidence: &Evidence<f64>| {
        let inner = evidence.inner.unwrap();
        [
            evidence.loss,
            evidence.mean_norm_sq,
            evidence.sum_squared_norms.unwrap(),
            inner.sum_squared_inner_products,
            inner.sum_norm_inner_products,
            inner.sum_squared_square_norms,
            evidence.coordinate_ratio.unwrap(),
        ]
    };
    for variant in [Variant::Wide, Variant::Tiles, Variant::LargeTiles] {
        for (found, expected) in numbers(&evidence(variant)).into_iter().zip(numbers(&plain)) {
            assert!(
                (found - expected).abs() <= 1e-3 * expected.abs(),
                "{variant}: {found}, plain {expected}"
            );
        }
    }
}
