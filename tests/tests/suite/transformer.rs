//! The transformer: its tape, its initial values, and what a run of it may use: weight decay on matrices alone, and clipping.

use std::num::NonZero;
use std::sync::Arc;

use adadagrad_core::backend::{FastBackend, PlainBackend};
use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::model::Model;
use adadagrad_core::network::{Node, initialise};
use adadagrad_core::optimizer::{AdaGradNorm, AdamW, AnyOptimizer, DecayOn, Optimizer, Sgd, Shared};
use adadagrad_core::owned::checkpoint::{OwnNetwork, pieces};
use adadagrad_core::owned::threads::ThreadsEngine;
use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork};
use adadagrad_core::random::Key;
use adadagrad_core::sequences::Sequences;
use adadagrad_core::training::{Decided, Telemetry, Trainer};
use adadagrad_tests::compare::fingerprint;
use adadagrad_tests::golden;
use adadagrad_tests::table::uniform;

const CONTEXT: u32 = 8;
const VOCABULARY: u32 = 11;
const TOKENS: SampleShape = SampleShape::tokens(CONTEXT, VOCABULARY);
const SMALL: Model = Model::Transformer { layers: 2, heads: 2, width: 16 };

fn network(model: Model) -> OwnedNetwork {
    OwnedNetwork::of_model(model, TOKENS).unwrap()
}

/// 40 sequences in which a token follows from the one before it.
fn text() -> Sequences<Vec<u8>, u8> {
    let mut token = 1_u8;
    let next = |place: u32| {
        token = if place.is_multiple_of(7) {
            (Key::new(3, 0).bits(place) % 11) as u8
        } else {
            (3 * token + 1) % 11
        };
        token
    };
    let tokens: Vec<u8> = (0..40 * CONTEXT + 1).map(next).collect();
    Sequences::new(tokens, CONTEXT, VOCABULARY).unwrap()
}

fn config() -> RunConfig {
    RunConfig {
        model: SMALL,
        optimizer: AnyOptimizer::AdamW(AdamW { beta2: 0.99, weight_decay: 0.1, ..AdamW::default() }),
        decay_on: DecayOn::Matrices,
        clip_norm: 0.5,
        learning_rate: 3e-3,
        test: Some(AnyTest::Norm(NormTest { eta: 0.7, debiased: false })),
        initial_batch: 4,
        max_batch: 32,
        sample_budget: 1_600,
        ..Preset::Quick.config()
    }
}

fn run(config: RunConfig) -> (Vec<Telemetry>, Vec<f32>) {
    let mut run = LocalRun::<f32, _>::new(config, network(config.model), 40, FastBackend).unwrap();
    let mut steps = Vec::new();
    loop {
        match run.advance(&text()).unwrap() {
            Advance::Working => {}
            Advance::Step(telemetry) => steps.push(telemetry),
            Advance::Finished => return (steps, run.parameters()),
        }
    }
}

#[test]
fn the_model_is_the_network_of_the_golden_numbers_with_the_names_of_torch() {
    let case = golden::layers().pop().unwrap();
    let expected = case.nodes();
    let mut nodes = vec![Node::empty(); SMALL.len(TOKENS).unwrap()];
    let nodes = SMALL.write(TOKENS, &mut nodes).unwrap();
    assert_eq!(nodes.len(), expected.len());
    for (node, expected) in nodes.iter().zip(expected) {
        assert_eq!((node.operation, node.inputs), (expected.operation, expected.inputs), "{}", node.name);
    }
    let owned = network(SMALL);
    let names: serde_json::Map<_, _> =
        pieces(owned.view()).map(|piece| (piece.name, piece.shape.into())).collect();
    assert_eq!(names, case.tensors);
    assert_eq!(owned.view().parameters(), 7083);
}

#[test]
fn sizes_are_counted_and_named() {
    let parameters = |model, context, vocabulary| {
        OwnedNetwork::of_model(model, SampleShape::tokens(context, vocabulary)).unwrap().view().parameters()
    };
    assert_eq!(parameters(Model::TRANSFORMER, 64, 65), 818_241);
    // GPT-2's 124,439,808, with weights and biases of the last layer of their own.
    let gpt2 = Model::Transformer { layers: 12, heads: 12, width: 768 };
    assert_eq!(parameters(gpt2, 1024, 50_257), 124_439_808 + 768 * 50_257 + 50_257);
    for (name, model) in [
        ("transformer", Model::TRANSFORMER),
        ("transformer-2-2-16", SMALL),
        ("transformer-12-12-768", gpt2),
        ("transformer-96-16384-16384", Model::Transformer { layers: 96, heads: 16_384, width: 16_384 }),
    ] {
        assert_eq!((model.to_string().as_str(), name.parse()), (name, Ok(model)));
    }
    for name in [
        "transformer-4",
        "transformer-4-4",
        "transformer-4-4-128-1",
        "transformer-0-1-8",
        "transformer-97-1-8",
    ] {
        assert!(name.parse::<Model>().unwrap_err().to_string().starts_with("expected one of "), "{name}");
    }
    for name in ["transformer-4-4-128", "transformer-04-4-128"] {
        assert_eq!(
            name.parse::<Model>().unwrap_err().to_string(),
            "expected transformer, as this model is written"
        );
    }
}

#[test]
fn what_does_not_fit_is_refused_in_one_sentence() {
    let transformer = |layers, heads, width| Model::Transformer { layers, heads, width };
    let images = "the transformer takes sequences of tokens, but the data's samples are not tokens";
    let tokens = "this model takes images or vectors, but the data's samples are sequences of tokens: choose transformer";
    for (model, shape, expected) in [
        (transformer(2, 3, 16), TOKENS, "the 3 heads of the transformer do not divide its width, 16"),
        (transformer(2, 0, 16), TOKENS, "the 0 heads of the transformer do not divide its width, 16"),
        (transformer(0, 1, 16), TOKENS, "the transformer has 0 layers, but must have from 1 to 96"),
        (transformer(2, 1, 0), TOKENS, "the width of the transformer is 0, but must be from 1 to 16384"),
        (SMALL, SampleShape::MNIST, images),
        (Model::Logistic, TOKENS, tokens),
        (Model::Cnn, TOKENS, tokens),
        (Model::Mlp { hidden: 3 }, TOKENS, tokens),
    ] {
        assert_eq!(OwnedNetwork::of_model(model, shape).unwrap_err().to_string(), expected);
    }
}

/// GPT-2's law: four standard errors of a deviation are √(8/n) of it.
#[test]
fn parameters_begin_as_those_of_gpt_2() {
    let model = Model::Transformer { layers: 8, heads: 2, width: 32 };
    let owned = network(model);
    let mut parameters = vec![f64::NAN; owned.view().parameters()];
    initialise(owned.view(), 7, &mut parameters).unwrap();
    for piece in pieces(owned.view()) {
        let values = &parameters[piece.range.clone()];
        if piece.shape.len() == 1 {
            let constant =
                if piece.name.contains("ln_") && piece.name.ends_with("weight") { 1.0 } else { 0.0 };
            assert!(values.iter().all(|&value| value == constant), "{}", piece.name);
            continue;
        }
        let deviation = if piece.name.ends_with("c_proj.weight") { 0.02 / 16.0_f64.sqrt() } else { 0.02 };
        let n = values.len() as f64;
        let moment = |power| values.iter().map(|value| (value / deviation).powi(power)).sum::<f64>() / n;
        assert!(moment(1).abs() < 4.0 / n.sqrt(), "{}: mean {}", piece.name, moment(1));
        assert!((moment(2).sqrt() - 1.0).abs() < (8.0 / n).sqrt(), "{}: {}", piece.name, moment(2));
        // Normal: the fourth moment is 3, with a standard error of √(96/n).
        assert!((moment(4) - 3.0).abs() < 4.0 * (96.0 / n).sqrt(), "{}: {}", piece.name, moment(4));
    }
    let mut narrow = vec![f32::NAN; parameters.len()];
    initialise(owned.view(), 7, &mut narrow).unwrap();
    assert!(narrow.iter().zip(&parameters).all(|(&narrow, &wide)| narrow == wide as f32));
}

/// Known bits of ln, √ and cos in one: other targets have the same.
#[test]
fn normal_numbers_have_their_known_bits() {
    let found = [0, 1, 2, 1_000_000].map(|index| Key::new(1, 2).normal::<f64>(index, 1.0));
    let expected = [-0.197898923207317, -0.9965179448120332, -0.07897909540362354, 1.127601297711651];
    assert_eq!(found, expected);
    let narrow = Key::new(1, 2).normal::<f32>(1, 0.02);
    assert_eq!(narrow, (f64::from(0.02_f32) * found[1]) as f32);
}

#[test]
fn a_printed_transformer_reads_back_with_its_initial_law() {
    let mut nodes = vec![Node::empty(); SMALL.len(TOKENS).unwrap()];
    let nodes = SMALL.write(TOKENS, &mut nodes).unwrap().to_vec();
    let own = OwnNetwork::new(adadagrad_core::model::description::Description::new(nodes.clone()));
    let text = own.to_text();
    assert_eq!(
        text.matches(r#""init_std":0.02"#).count() + text.matches(r#""init_std": 0.02"#).count(),
        7,
        "{text}"
    );
    assert_eq!(OwnNetwork::read(&text).unwrap().nodes(), nodes);
    for (from, to, expected) in [
        ("0.02", "0", "`init_std` must be a positive number"),
        ("0.02", "-1", "`init_std` must be a positive number"),
        ("0.02", "1e-60", "`init_std` must be a positive number"),
        ("0.02", "\"a\"", "`init_std` must be a positive number"),
    ] {
        let error = OwnNetwork::read(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let norm = r#"[{"layer": "layer_norm", "init_std": 1}, {"layer": "dense", "out_features": 2}]"#;
    assert!(OwnNetwork::read(norm).unwrap_err().to_string().contains("layer_norm has no setting `init_std`"));
}

/// A cheap exact form of [`Optimizer::update_except`]: each range by itself, with decay or without.
#[test]
fn exempt_parameters_are_updated_as_without_decay() {
    let owned = network(SMALL);
    let len = owned.view().parameters();
    let exempt: Vec<_> = owned.view().exempt(DecayOn::Matrices).collect();
    let vectors = pieces(owned.view()).filter(|piece| piece.shape.len() == 1).map(|piece| piece.range.len());
    assert_eq!(exempt.iter().map(|range| range.len()).sum::<usize>(), vectors.sum::<usize>());
    assert_eq!(owned.view().exempt(DecayOn::All).count(), 0);
    let gradient: Vec<f32> = uniform(Key::new(1, 2), len, 1.0).iter().map(|&g| g as f32).collect();
    let start: Vec<f32> = uniform(Key::new(1, 3), len, 2.0).iter().map(|&x| x as f32).collect();
    for optimizer in AnyOptimizer::all() {
        let with = |decay: f64| {
            let mut settings = serde_json::to_value(optimizer).unwrap();
            if let Some(place) = settings.get_mut("weight_decay") {
                *place = decay.into();
            }
            serde_json::from_value::<AnyOptimizer>(settings).unwrap()
        };
        let updated = |rule: &dyn Optimizer<f32>, exempt: &[std::ops::Range<usize>]| {
            let (mut parameters, mut memory) = (start.clone(), vec![0.0; rule.slots() * len]);
            rule.start(&mut memory);
            let mut shared = Shared::default();
            for _ in 0..3 {
                let (next, scalars) = rule.prepare(&shared, 0.05, 1.0);
                let mut exempt = exempt.iter().cloned();
                rule.update_except(&scalars, &mut exempt, &mut parameters, &gradient, &mut memory).unwrap();
                shared = next;
            }
            (parameters, memory)
        };
        let (decaying, plain) = (with(0.3), with(0.0));
        let [all, none, some] = [(decaying, &[][..]), (plain, &[]), (decaying, &exempt)]
            .map(|(optimizer, exempt)| updated(optimizer.as_optimizer::<f32>(), exempt));
        let is_exempt = |k: usize| exempt.iter().any(|range| range.contains(&(k % len)));
        for (some, (all, none)) in [(&some.0, (&all.0, &none.0)), (&some.1, (&all.1, &none.1))] {
            for (k, value) in some.iter().enumerate() {
                let expected = if is_exempt(k) { none[k] } else { all[k] };
                assert_eq!(value.to_bits(), expected.to_bits(), "{optimizer:?}, {k}");
            }
        }
        let decays = serde_json::to_value(optimizer).unwrap().get("weight_decay").is_some();
        assert_eq!(all.0 != none.0, decays, "{optimizer:?}");
    }
}

#[test]
fn a_run_decays_what_its_settings_say() {
    let owned = network(SMALL);
    let len = owned.view().parameters();
    let step = |decay_on| {
        let optimizer = AnyOptimizer::AdamW(AdamW { weight_decay: 0.5, ..AdamW::default() });
        let config = RunConfig { decay_on, optimizer, clip_norm: 0.0, learning_rate: 0.5, ..config() };
        let trainer = Trainer::<f32>::new(config, 40).unwrap();
        let plan = trainer.plan().unwrap();
        let (scalars, _) = trainer.speculate(&plan).unwrap();
        let (mut parameters, mut memory) = (vec![1.0; len], vec![0.0; 2 * len]);
        let decided = Decided { plan, scalars };
        let mut gradient = vec![0.0; len];
        config.update(&decided, 40, owned.view(), &mut parameters, &mut gradient, &mut memory).unwrap();
        parameters
    };
    assert_eq!(step(DecayOn::All), vec![0.75; len]);
    let matrices = step(DecayOn::Matrices);
    for piece in pieces(owned.view()) {
        let expected = if piece.shape.len() > 1 { 0.75 } else { 1.0 };
        assert!(matrices[piece.range].iter().all(|&value| value == expected), "{}", piece.name);
    }
}

#[test]
fn a_clipped_step_is_as_long_as_its_limit_and_tests_see_the_whole_gradient() {
    let sgd = AnyOptimizer::Sgd(Sgd::default());
    let base = RunConfig { optimizer: sgd, learning_rate: 0.5, sample_budget: 4, ..config() };
    let start = run(RunConfig { sample_budget: 1, learning_rate: 1e-30, ..base }).1;
    let length = |parameters: &[f32]| {
        let moved = parameters.iter().zip(&start).map(|(x, y)| f64::from(x - y).powi(2));
        moved.sum::<f64>().sqrt()
    };
    let (free, moved) = run(RunConfig { clip_norm: 0.0, ..base });
    let norm = free[0].mean_norm_sq.sqrt();
    assert!((length(&moved) - 0.5 * norm).abs() < 1e-5 * norm);
    for share in [0.25, 0.999, 1.001, 1e6] {
        let (steps, moved) = run(RunConfig { clip_norm: share * norm, ..base });
        let expected = 0.5 * norm * share.min(1.0);
        assert!((length(&moved) - expected).abs() < 1e-5 * norm, "{share}: {} {expected}", length(&moved));
        // What is reported, and the next size, are those of the gradient as it is.
        assert_eq!(steps, free, "{share}");
    }
    // Beyond the norm nothing changes, not even a bit.
    assert_eq!(fingerprint(&run(RunConfig { clip_norm: 1e6, ..base }).1), fingerprint(&moved));
}

#[test]
fn clipping_waits_for_the_norm_and_is_told_to_adagrad_norm() {
    let config = RunConfig {
        optimizer: AnyOptimizer::AdaGradNorm(AdaGradNorm { initial_norm: 1.0 }),
        clip_norm: 2.0,
        learning_rate: 1.0,
        test: None,
        ..config().without_test()
    };
    assert_eq!(config.clip(16.0), 0.5);
    assert_eq!([config.clip(4.0), config.clip(0.0)], [1.0, 1.0]);
    let trainer = Trainer::<f64>::new(config, 40).unwrap();
    let plan = trainer.plan().unwrap();
    let evidence = adadagrad_core::statistics::Evidence {
        samples: plan.cut.samples(),
        mean_norm_sq: 16.0,
        ..Default::default()
    };
    let pending = trainer.weigh(&plan, &evidence).unwrap();
    // b₀² + c² = 5.
    assert!((pending.scalars.step_size - 5.0_f64.sqrt().recip()).abs() < 1e-15);
    assert_eq!(pending.scalars.clip, 0.5);
    let sgd = |clip_norm| {
        let config = RunConfig { optimizer: AnyOptimizer::Sgd(Sgd::default()), clip_norm, ..config };
        Trainer::<f64>::new(config, 40).unwrap()
    };
    assert!(sgd(0.0).speculate(&plan).is_some() && sgd(2.0).speculate(&plan).is_none());
    // Retunable, unlike what decays.
    let mut trainer = sgd(2.0);
    let now = *trainer.config();
    assert!(trainer.retune(RunConfig { clip_norm: 3.0, ..now }).is_ok());
    let error = trainer.retune(RunConfig { decay_on: DecayOn::All, ..now }).unwrap_err().to_string();
    assert!(error.starts_with("decay_on cannot change during a run"), "{error}");
}

#[test]
fn a_transformer_learns_with_the_same_bits_on_any_number_of_threads() {
    let (steps, parameters) = run(config());
    let [first, last] = [steps.first(), steps.last()].map(|step| step.unwrap().loss);
    assert!((first - 11.0_f64.ln()).abs() < 0.2 && last < 0.6 * first, "{first} to {last}");
    assert!(steps.last().unwrap().samples > 4, "the batch grew");
    assert!(steps.iter().any(|step| step.mean_norm_sq > 0.25), "some were clipped");
    for threads in [1, 3] {
        let config = config();
        let threads = NonZero::new(threads).unwrap();
        let mut engine = ThreadsEngine::new(&config, Arc::new(text()), threads).unwrap();
        let trainer = Trainer::<f32>::new(config, 40).unwrap();
        let mut trainer = trainer.with_grain(engine.grain()).with_positions(engine.positions());
        let mut found = Vec::new();
        while let Some(plan) = trainer.plan() {
            found.push(engine.step(&mut trainer, &plan).unwrap());
        }
        assert_eq!(found, steps);
        assert_eq!(fingerprint(&engine.parameters()), fingerprint(&parameters));
    }
    // Each of the two has an effect.
    for other in [RunConfig { decay_on: DecayOn::All, ..config() }, RunConfig { clip_norm: 0.0, ..config() }]
    {
        assert_ne!(fingerprint(&run(other).1), fingerprint(&parameters));
    }
    let mut plain = LocalRun::<f64, _>::new(config(), network(SMALL), 40, PlainBackend).unwrap();
    while !matches!(plain.advance(&text()).unwrap(), Advance::Step(_)) {}
}
