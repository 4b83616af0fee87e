//! The bodies of the fuzz targets: whatever the bytes, there is an answer and no panic. The ordinary tests
//! run them too, over random and over damaged files.

use adadagrad_core::augmentation::{Augmentation, Placements};
use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::cifar::{Labels, Records, SHAPE};
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{AnyController, Limits};
use adadagrad_core::dataset::{Dataset, SampleShape, Targets};
use adadagrad_core::idx::Idx;
use adadagrad_core::images::LabelledImages;
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::noise_scale::{MeasuredNoise, Noise, Sensor};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::owned::checkpoint::{self, OwnNetwork, network_of};
use adadagrad_core::real::Real;
use adadagrad_core::sizer::BatchSizer;
use adadagrad_core::statistics::{Evidence, Inner, Parts};
use adadagrad_core::training::Trainer;

use crate::rules::every_rule;

/// Samples of the data set that settings are checked for.
const SAMPLES: u32 = 60_000;

/// IDX files: of any dimensions, and as images with labels. What is accepted can be read to its last value.
///
/// # Panics
/// When the reader breaks a promise.
pub fn idx(bytes: &[u8]) {
    same_size(&Idx::<1>::parse(bytes), bytes);
    same_size(&Idx::<2>::parse(bytes), bytes);
    same_size(&Idx::<3>::parse(bytes), bytes);
    // The first byte says where the images end and the labels begin.
    let Some((&cut, rest)) = bytes.split_first() else { return };
    let (images, labels) = rest.split_at(rest.len().min(16 + usize::from(cut)));
    for size in [[1, 1], [2, 3], [28, 28]] {
        match LabelledImages::parse(images, labels, size, 10) {
            Ok(set) => read_all(&set),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    match LabelledImages::parse_any(images, labels, 10) {
        Ok(set) => read_all(&set),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Batch files of CIFAR-10 and CIFAR-100, and random placements of what is in them.
///
/// # Panics
/// When the reader breaks a promise.
pub fn cifar(bytes: &[u8]) {
    for labels in [Labels::Ten, Labels::Fine, Labels::Coarse] {
        let records = match Records::parse(bytes, labels) {
            Ok(records) => records,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        assert_eq!(records.len() * labels.record(), bytes.len());
        let (classes, images): (Vec<u8>, Vec<&[u8]>) = records.iter().unzip();
        assert_eq!(classes.len(), records.len());
        let set = LabelledImages::new(images.concat(), classes, SHAPE, labels.classes());
        let set = set.expect("labels were checked");
        let encoding = set.channel_statistics();
        let augmentation = Augmentation { padding: u32::from(bytes[0]), flip: true };
        let seed = u64::from(bytes[bytes.len() - 1]);
        let set = set.with_encoding(encoding).with_placements(Placements { augmentation, seed });
        let mut input = vec![f32::NAN; SHAPE.len()];
        for sample in 0..Dataset::<f32>::len(&set) {
            let mut label = [u32::MAX];
            set.read(sample.into(), &mut input, &mut Targets::labels(&mut label))
                .expect("a sample of the set");
            assert!(label[0] < labels.classes());
            assert!(input.iter().all(|value| value.is_finite()));
        }
    }
}

fn same_size<const N: usize>(parsed: &Result<Idx<'_, N>, adadagrad_core::idx::IdxError>, bytes: &[u8]) {
    match parsed {
        Ok(file) => {
            let values: u64 = file.dimensions.iter().map(|&dimension| u64::from(dimension)).product();
            assert_eq!(values, file.values.len() as u64);
            assert_eq!(file.values.len() + 4 + 4 * N, bytes.len());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn read_all(set: &LabelledImages<&[u8]>) {
    let mut input = vec![f32::NAN; Dataset::<f32>::shape(set).input.len()];
    for sample in 0..Dataset::<f32>::len(set) {
        let mut label = [u32::MAX];
        set.read(sample.into(), &mut input, &mut Targets::labels(&mut label)).expect("a sample of the set");
        assert!(label[0] < 10);
        assert!(input.iter().all(|value| (0.0..=1.0).contains(value)));
    }
}

/// Checkpoints: what is accepted, and fits a model, has as many parameters as the model.
///
/// # Panics
/// When the reader breaks a promise.
pub fn safetensors(bytes: &[u8]) {
    let checkpoint = match checkpoint::read(bytes) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for model in Model::MNIST {
        let network = OwnedNetwork::of_model(model, SampleShape::MNIST).expect("a model that fits");
        if let Ok(parameters) = checkpoint.parameters(network.view()) {
            assert_eq!(parameters.len(), network.view().parameters());
            assert!(parameters.iter().all(|value| value.is_finite()));
        }
        for slots in 0..3 {
            if let Ok(memory) = checkpoint.memory(network.view(), slots) {
                assert_eq!(memory.len(), slots * network.view().parameters());
            }
        }
    }
    if let Ok(state) = checkpoint.state() {
        let _ = Trainer::<f32>::resume(state.config, state.training_samples, state.progress);
    }
}

/// Networks of the user's own: what is read is written again as the same layers, and either is placed or says why not.
///
/// # Panics
/// When the reader breaks a promise.
pub fn network(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let own = match OwnNetwork::read(text) {
        Ok(own) => own,
        Err(error) => return assert!(!error.is_empty()),
    };
    let back = OwnNetwork::read(&own.to_text()).expect("what is written is read");
    assert_eq!((back.nodes(), back.model()), (own.nodes(), own.model()));
    for (channels, side, classes) in [(1, 28, 10), (3, 32, 100)] {
        let shape = SampleShape::image(Shape::image(channels, side, side), classes);
        match network_of(own.model(), Some(&own), shape) {
            Ok(network) => assert_eq!(network.view().nodes().len(), own.nodes().len()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Settings: what validates can run, and survives being written.
///
/// # Panics
/// When something that validates does not run.
pub fn run_config(bytes: &[u8]) {
    let Ok(config) = serde_json::from_slice::<RunConfig>(bytes) else { return };
    match config.validate(SAMPLES) {
        Ok(()) => {
            let trainer = Trainer::<f32>::new(config, SAMPLES).expect("valid settings run");
            let plan = trainer.plan().expect("there is a first step");
            assert!(plan.learning_rate.is_finite() && plan.learning_rate >= 0.0);
            assert_eq!(plan.cut.samples(), config.initial_batch);
            let text = serde_json::to_string(&config).expect("settings can be written");
            assert_eq!(serde_json::from_str::<RunConfig>(&text).expect("and read"), config);
        }
        Err(error) => {
            assert!(error.to_string().contains(error.field));
            assert!(Trainer::<f32>::new(config, SAMPLES).is_err());
        }
    }
}

/// Evidence → test → rule → next size: whatever numbers a batch says, and whatever came before, the next size is within its
/// limits and the learning rate's factor is a positive number.
///
/// # Panics
/// When a test, a rule or the sizer breaks that promise.
pub fn batch_size(bytes: &[u8]) {
    sizes::<f64>(&mut Bytes(bytes));
    sizes::<f32>(&mut Bytes(bytes));
}

fn sizes<S: Real>(bytes: &mut Bytes<'_>) {
    let rules = every_rule();
    let rule = rules[usize::from(bytes.byte()) % rules.len()];
    let tests = AnyTest::all();
    let test = tests.get(usize::from(bytes.byte()) % (tests.len() + 1)).copied();
    let limits = Limits { min: bytes.word(), max: bytes.word() };
    let mut sizer: BatchSizer<S, AnyTest, AnyController> = BatchSizer::new(test, rule, limits, bytes.word());
    sizer.training_samples = bytes.word().max(1);
    let within = |size: u32| size <= limits.max && size >= limits.min.min(limits.max);
    assert!(within(sizer.batch()), "{rule:?} begins with {} for {limits:?}", sizer.batch());
    while !bytes.0.is_empty() {
        sizer.learning_rate = bytes.number();
        if bytes.byte().is_multiple_of(2) {
            sizer.measured(bytes.word(), bytes.number());
        }
        let evidence = evidence(bytes, sizer.batch());
        let advice = sizer.advise(&evidence);
        let told = format!("{rule:?} with {test:?} and {limits:?} after {evidence:?}: {advice:?}");
        assert!(within(advice.next) && within(sizer.batch()), "{told}");
        assert!(advice.learning_rate_scale > 0.0 && advice.learning_rate_scale.is_finite(), "{told}");
        assert!(!advice.required.is_some_and(S::is_nan), "{told}");
        assert!(!advice.wanted.is_some_and(f64::is_nan), "{told}");
    }
}

/// What a batch says, of any numbers at all.
fn evidence<S: Real>(bytes: &mut Bytes<'_>, batch: u32) -> Evidence<S> {
    let given = bytes.byte();
    let has = |bit: u8| given & (1 << bit) != 0;
    Evidence {
        samples: if has(0) { batch } else { bytes.word() },
        correct: 0,
        loss: bytes.number(),
        mean_norm_sq: bytes.number(),
        sum_squared_norms: has(1).then(|| bytes.number()),
        inner: has(2).then(|| Inner {
            sum_squared_inner_products: bytes.number(),
            sum_norm_inner_products: bytes.number(),
            sum_squared_square_norms: bytes.number(),
        }),
        coordinate_ratio: has(3).then(|| bytes.number()),
        parts: has(4).then(|| Parts {
            count: bytes.word(),
            sum_squared_means: bytes.number(),
            first: (bytes.word(), bytes.number()),
        }),
        measured_noise: [(5, Sensor::Sign), (6, Sensor::Preconditioned)].into_iter().fold(
            MeasuredNoise::default(),
            |measured, (bit, sensor)| {
                if !has(bit) {
                    return measured;
                }
                measured.with(sensor, Ok(Noise { noise: bytes.number(), signal: bytes.number() }))
            },
        ),
        epoch_norm_sq: has(7).then(|| bytes.number()),
    }
}

/// Bytes that are taken one after the other, and zeros where there are no more.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// A whole number; more often a small one, as sizes are.
    fn word(&mut self) -> u32 {
        let shift = u32::from(self.byte() % 32);
        u32::from_le_bytes([(); 4].map(|()| self.byte())) >> shift
    }

    /// Any float, NaN and infinities among them.
    fn number<S: Real>(&mut self) -> S {
        S::of(f64::from_le_bytes([(); 8].map(|()| self.byte())))
    }
}
