//! `layers.json` on the GPU: networks that are graphs, with every layer there is.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::layer::{Add, Dense, Relu, Tanh};
use adadagrad_core::network::{Node, Shape, Source};
use adadagrad_core::optimizer::{AnyOptimizer, DecayOn, Sgd};
use adadagrad_core::owned::{Control, OwnedNetwork};
use adadagrad_core::random::Key;
use adadagrad_core::training::Cut;
use adadagrad_gpu::webgpu::{
    DeviceEngine, DeviceImages, DeviceOrder, Gpu, GpuError, Samples, Variant, Variants, Work,
};
use adadagrad_tests::compare::{Check, all_close_to_largest, narrowed};
use adadagrad_tests::engine::{Batch, all_needs, measure};
use adadagrad_tests::golden::{self, NetworkCase};
use adadagrad_tests::table::{Table, uniform};
use pollster::block_on;

use super::support;

/// Of the largest number of its kind.
const UNIT: f64 = 1e-5;

/// What a batch of all samples says, in micro-batches of up to `capacity`. Numbers of single samples are there of the last
/// micro-batch only; the others are `others`'.
pub(super) async fn batch(
    gpu: Gpu,
    network: &OwnedNetwork,
    parameters: &[f32],
    table: &Table,
    capacity: u32,
    others: Option<&Batch<f32>>,
) -> Result<Batch<f32>, GpuError> {
    let count = u32::try_from(table.inputs.len()).unwrap();
    let optimizer = AnyOptimizer::Sgd(Sgd::default());
    let work = Work {
        optimizer,
        decay_on: DecayOn::All,
        network,
        needs: all_needs(),
        slots: 0,
        most_samples: count,
        by_parts: false,
    };
    let mut engine = DeviceEngine::new(gpu, &work, capacity)?;
    engine.write(parameters, &[]);
    let images = DeviceImages::of_dataset(engine.gpu(), table)?;
    let (order, cut) = (DeviceOrder::File, Cut::new(count, 0));
    let samples = Samples { images: &images, order, start: 0, cut, before_step: None };
    let control = Control::default();
    let flight = engine.submit(&samples, true, &control).await?;
    let found = engine.evidence(flight).await?;
    let evidence = *engine.in_range(found, &samples, &[], &control).await?.evidence();
    let left = engine.left().await?;
    let first = (count - 1) / capacity * capacity;
    let b = f64::from(count);
    let per_sample = |row: usize, scale: f64, others: Option<&Vec<f64>>| {
        let mut values = others.map_or_else(Vec::new, |others| others[..first as usize].to_vec());
        let row = &left.per_sample[row][..(count - first) as usize];
        values.extend(row.iter().map(|&value| f64::from(value) * scale));
        values
    };
    Ok(Batch {
        evidence,
        losses: per_sample(0, 1.0, others.map(|batch| &batch.losses)),
        square_norms: per_sample(2, 1.0, others.map(|batch| &batch.square_norms)),
        inner_products: per_sample(3, 1.0 / b, others.map(|batch| &batch.inner_products)),
        mean_gradient: left.gradient_sum.iter().map(|sum| sum / count as f32).collect(),
        second_moment: left.second_moment,
        outputs: engine.score(&images, &control).await?.outputs,
    })
}

fn batch_of(gpu: &Gpu, case: &NetworkCase, capacity: u32, others: Option<&Batch<f32>>) -> Batch<f32> {
    let parameters = narrowed(&case.parameters);
    let (network, table) = (case.network(), case.table());
    let batch = batch(gpu.clone(), &network, &parameters, &table, capacity, others);
    block_on(batch).unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

fn cases() -> Vec<NetworkCase> {
    let cases = golden::layers();
    assert_eq!(cases.len(), 19);
    cases
}

fn all_samples(case: &NetworkCase) -> u32 {
    u32::try_from(case.labels.len()).unwrap()
}

#[test]
fn golden_layers_in_every_variant() -> Check {
    let Some(gpu) = support::device() else { return Ok(()) };
    for variant in Variant::ALL {
        let gpu = gpu.clone().with_variants(Variants::all(variant));
        for case in cases() {
            // Larger than the batch for one of them: what lies behind its samples is nothing's concern.
            let room = if variant == Variant::Plain { 3 } else { 0 };
            let found = batch_of(&gpu, &case, all_samples(&case) + room, None);
            case.check(&found, UNIT).map_err(|error| format!("{}, {variant}: {error}", case.name))?;
        }
    }
    Ok(())
}

#[test]
fn golden_layers_in_small_micro_batches() -> Check {
    let Some(gpu) = support::device() else { return Ok(()) };
    for case in cases() {
        let whole = batch_of(&gpu, &case, all_samples(&case), None);
        for capacity in [1, 2] {
            let found = batch_of(&gpu, &case, capacity, Some(&whole));
            case.check(&found, UNIT)
                .map_err(|error| format!("{}, micro-batches of {capacity}: {error}", case.name))?;
        }
    }
    Ok(())
}

#[test]
fn golden_layers_notice_what_is_wrong() {
    let Some(gpu) = support::device() else { return };
    for mut case in cases() {
        // Of the first layer: all others depend on it.
        case.parameters[0] += 0.01;
        let found = batch_of(&gpu, &case, all_samples(&case), None);
        let error = case.check(&found, UNIT).expect_err(&case.name);
        assert!(error.contains("off by"), "{}: {error}", case.name);
    }
}

/// A branch that nobody reads has parameters, whose gradient is 0, and neither buffers nor dispatches.
#[test]
fn a_branch_without_a_reader_changes_nothing() -> Check {
    let Some(gpu) = support::device() else { return Ok(()) };
    let dense = |outputs| Dense { outputs }.into();
    let one = |node| [Source::Node(node), Source::None];
    let nodes = [
        Node::new(dense(5), Source::Input),
        Node::with_inputs(Tanh.into(), one(0)),
        Node::with_inputs(dense(7), one(1)),
        Node::with_inputs(Relu.into(), one(0)),
        Node::with_inputs(Add.into(), [Source::Node(3), Source::Node(3)]),
        Node::with_inputs(dense(3), one(4)),
    ];
    let network = OwnedNetwork::new(Shape::vector(6), &nodes).unwrap();
    let table = Table::random(3, 9, 6, 3);
    let wide = uniform(Key::new(7, 0), network.view().parameters(), 0.5);
    let parameters = narrowed::<f32>(&wide);
    let samples: Vec<u32> = (0..9).collect();
    let expected = measure::<f64>(&network, PlainBackend, &wide, &table, &samples, 4)?;
    let found = block_on(batch(gpu, &network, &parameters, &table, 4, None)).unwrap();
    all_close_to_largest("outputs", &found.outputs, &expected.outputs, UNIT)?;
    all_close_to_largest("mean_gradient", &found.mean_gradient, &expected.mean_gradient, UNIT)?;
    all_close_to_largest("second_moment", &found.second_moment, &expected.second_moment, UNIT)?;
    let dead = network.view().nodes()[2].parameters();
    assert!(found.mean_gradient[dead].iter().all(|&gradient| gradient == 0.0));
    assert!(found.mean_gradient.iter().any(|&gradient| gradient != 0.0));
    Ok(())
}
