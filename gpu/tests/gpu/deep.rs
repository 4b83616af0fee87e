//! Deep networks of colour images: their evidence is the CPU reference's, in `f64`.

use std::time::{Duration, Instant};

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::layer::{Gelu, Relu};
use adadagrad_core::model::Model;
use adadagrad_core::network::{Node, initialise};
use adadagrad_core::optimizer::{AnyOptimizer, DecayOn, Sgd};
use adadagrad_core::owned::{Control, OwnedNetwork};
use adadagrad_core::statistics::Needs;
use adadagrad_core::training::Cut;
use adadagrad_gpu::webgpu::{
    DeviceEngine, DeviceImages, DeviceOrder, Gpu, Profile, Samples, Variant, Variants, Work,
};
use adadagrad_tests::compare::{Check, all_close_to_largest, close};
use adadagrad_tests::deep::{COLOUR, nodes};
use adadagrad_tests::engine::{Batch, measure};
use adadagrad_tests::reference::Reference;
use adadagrad_tests::table::Table;
use pollster::block_on;

use super::golden_layers::batch;
use super::support;

const COUNT: u32 = 5;
/// Of so many images, enough have no near-tie.
const CANDIDATES: usize = 100;
/// Beyond what rounding to `f32` changes in these networks, as a share of the largest value of a layer. ResNet-20 has nearly
/// a hundred thousand ReLUs, so that a wider margin would leave no image.
const MARGIN: f64 = 2e-6;

/// A narrow ResNet, for the speed of software adapters.
const fn resnet(depth: u32) -> Model {
    Model::ResNet { depth, width: 8 }
}

fn network(nodes: &[Node]) -> OwnedNetwork {
    OwnedNetwork::of_nodes(nodes, COLOUR).unwrap()
}

/// A network's parameters, and samples without a near-tie: where a ReLU is so close to 0, or two values of a max-pooling's
/// window so close to each other, that another order of sums may pass the gradient elsewhere.
fn problem(network: &OwnedNetwork, nodes: &[Node]) -> (Vec<f32>, Table) {
    let mut parameters = vec![0.0; network.view().parameters()];
    initialise(network.view(), 3, &mut parameters).unwrap();
    let wide: Vec<f64> = parameters.iter().map(|&value| value.into()).collect();
    let oracle = Reference::new(COLOUR.input, nodes.to_vec());
    let all = Table::random(4, CANDIDATES, COLOUR.input.len(), COLOUR.classes);
    let samples = all.inputs.into_iter().zip(all.labels);
    let (inputs, labels): (Vec<_>, Vec<_>) = samples
        .filter(|(input, _)| oracle.relative_margin(&wide, input) > MARGIN)
        .take(COUNT as usize)
        .unzip();
    assert_eq!(labels.len(), COUNT as usize, "nearly all images have a near-tie");
    (parameters, Table { inputs, labels })
}

fn reference(network: &OwnedNetwork, parameters: &[f32], table: &Table) -> Batch<f64> {
    let wide: Vec<f64> = parameters.iter().map(|&value| value.into()).collect();
    let samples: Vec<u32> = (0..COUNT).collect();
    measure(network, PlainBackend, &wide, table, &samples, 2).unwrap()
}

/// All that a batch says, within `unit` of the largest number of its kind.
fn check(found: &Batch<f32>, expected: &Batch<f64>, unit: f64) -> Check {
    all_close_to_largest("outputs", &found.outputs, &expected.outputs, unit)?;
    all_close_to_largest("losses", &found.losses, &expected.losses, unit)?;
    all_close_to_largest("mean gradient", &found.mean_gradient, &expected.mean_gradient, unit)?;
    all_close_to_largest("second moment", &found.second_moment, &expected.second_moment, unit)?;
    all_close_to_largest("square norms", &found.square_norms, &expected.square_norms, unit)?;
    all_close_to_largest("inner products", &found.inner_products, &expected.inner_products, unit)?;
    let [(n, s, p), (n_expected, s_expected, p_expected)] =
        [&found.evidence, &expected.evidence].map(|evidence| {
            let inner = evidence.inner.unwrap().sum_squared_inner_products;
            (evidence.mean_norm_sq, evidence.sum_squared_norms.unwrap(), inner)
        });
    let one = s_expected / f64::from(COUNT);
    close("n", n, n_expected, unit * one)?;
    close("S", s, s_expected, unit * s_expected)?;
    close("P₂", p, p_expected, unit * s_expected * one)
}

/// The longest sums run over 576 taps, 1,024 positions or a group's 2,048 values; 64 is room for the several sums, one
/// layer after the other, that a number goes through.
fn unit() -> f64 {
    64.0 * f64::from(f32::EPSILON) * 2048_f64.sqrt()
}

fn assert_same(gpu: &Gpu, nodes: &[Node], capacities: &[u32], what: &str) {
    let network = network(nodes);
    let (parameters, table) = problem(&network, nodes);
    let expected = reference(&network, &parameters, &table);
    let mut whole = None;
    for &capacity in capacities {
        let of_device = batch(gpu.clone(), &network, &parameters, &table, capacity, whole.as_ref());
        let found = block_on(of_device).unwrap_or_else(|error| panic!("{what}: {error}"));
        check(&found, &expected, unit())
            .unwrap_or_else(|error| panic!("{what}, micro-batches of {capacity}: {error}"));
        whole.get_or_insert(found);
    }
}

#[test]
fn a_resnet_20_gives_the_references_evidence() {
    let Some(gpu) = support::device() else { return };
    // In one micro-batch, whose values are all there for the projection, and in several.
    assert_same(&gpu, &nodes(resnet(20), Gelu), &[COUNT, 2], "GELU");
    assert_same(&gpu, &nodes(resnet(20), Relu), &[COUNT], "ReLU");
}

#[test]
fn every_variant_gives_a_resnets_evidence() {
    let Some(gpu) = support::device() else { return };
    for variant in Variant::ALL {
        let gpu = gpu.clone().with_variants(Variants::all(variant));
        assert_same(&gpu, &nodes(resnet(8), Gelu), &[COUNT], &variant.to_string());
    }
}

#[test]
fn a_cifar_cnn_gives_the_references_evidence() {
    let Some(gpu) = support::device() else { return };
    assert_same(&gpu, &nodes(Model::CifarCnn, Gelu), &[COUNT, 3], "GELU");
    assert_same(&gpu, &nodes(Model::CifarCnn, Relu), &[COUNT], "ReLU");
}

/// Time of steps, of the first one too, with statistics and without: `cargo test -p adadagrad-gpu --test gpu -- --ignored
/// --nocapture deep`.
#[test]
#[ignore = "a measurement"]
fn times_of_deep_networks() {
    for name in ["resnet-20", "cifar-cnn"] {
        const CAPACITY: u32 = 4;
        let Some(gpu) = support::device() else { return };
        let nodes = nodes(name.parse().unwrap(), Relu);
        let network = network(&nodes);
        let (parameters, table) = problem(&network, &nodes);
        let values: Vec<f32> = table.inputs.concat().iter().map(|&value| value as f32).collect();
        let images = DeviceImages::of_floats(&gpu, &values, &table.labels).unwrap();
        let needs = [Needs::NONE, Needs { norms: true, ..Needs::NONE }];
        let begin = Instant::now();
        let engine = |gpu: &Gpu, needs| {
            let optimizer = AnyOptimizer::Sgd(Sgd::default());
            let work = Work {
                optimizer,
                decay_on: DecayOn::All,
                network: &network,
                needs,
                slots: 0,
                most_samples: 1000,
                by_parts: false,
            };
            let engine = DeviceEngine::new(gpu.clone(), &work, CAPACITY).unwrap();
            engine.write(&parameters, &[]);
            engine
        };
        let mut engines = needs.map(|needs| engine(&gpu, needs));
        let (order, cut) = (DeviceOrder::File, Cut::new(CAPACITY, 0));
        let samples = Samples { images: &images, order, start: 0, cut, before_step: None };
        let step = |engine: &mut DeviceEngine| {
            let begin = Instant::now();
            let flight = block_on(engine.submit(&samples, true, &Control::default())).unwrap();
            block_on(engine.evidence(flight)).unwrap();
            begin.elapsed()
        };
        for engine in &mut engines {
            step(engine);
            println!(
                "{name}: {:?} to here, {} shaders compiled, {} bytes",
                begin.elapsed(),
                gpu.compiled(),
                engine.memory_bytes()
            );
        }
        let mut times = [const { Vec::<Duration>::new() }; 2];
        for round in 0..21 {
            for k in [round % 2, 1 - round % 2] {
                times[k].push(step(&mut engines[k]));
            }
        }
        let [without, with] = times.map(|mut times| {
            times.sort();
            times[times.len() / 2]
        });
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        println!("{name}: {without:?} without, {with:?} with, ratio {ratio:.3}, {CAPACITY} samples");
        let profile = Profile::default();
        let mut timed = engine(&gpu.clone().with_profile(profile.clone()), needs[1]);
        for _ in 0..3 {
            step(&mut timed);
        }
        block_on(gpu.idle()).unwrap();
        for time in profile.times() {
            println!(
                "{name}: {:6} calls, {:8.2} ms, {:6.3} GFLOP/s, {}",
                time.calls,
                1e3 * time.seconds,
                time.gflops(),
                time.kernel
            );
        }
    }
}
