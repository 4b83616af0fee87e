//! Sequences read token by token, and texts that are drawn from them.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::layer::{Dense, Embedding, GlobalAveragePool};
use adadagrad_core::model::Model;
use adadagrad_core::network::{DecodeError, Node, initialise};
use adadagrad_core::owned::{OwnedNetwork, Predictor, WriteError, Writer};
use adadagrad_core::random::Key;
use adadagrad_core::real::Real;
use adadagrad_core::sequences::Sequences;

const CONTEXT: u32 = 9;
const VOCABULARY: u32 = 11;
const MODEL: Model = Model::Transformer { layers: 2, heads: 2, width: 12 };

fn network() -> OwnedNetwork {
    OwnedNetwork::of_model(MODEL, SampleShape::tokens(CONTEXT, VOCABULARY)).unwrap()
}

/// Larger than initial ones, so that attention prefers some positions.
fn parameters<F: Real>(network: &OwnedNetwork) -> Vec<F> {
    let mut parameters = vec![F::zero(); network.view().parameters()];
    initialise(network.view(), 5, &mut parameters).unwrap();
    parameters
        .into_iter()
        .zip(0..)
        .map(|(x, index)| x * F::of(8.0) + Key::new(7, 0).uniform(index, F::of(0.1)))
        .collect()
}

fn tokens(count: u32) -> Vec<u8> {
    (0..count).map(|place| u8::try_from(Key::new(3, 0).bits(place) % VOCABULARY).unwrap()).collect()
}

/// What the network says of a whole sequence: for each position, the logits of all tokens.
fn of_whole<F: Real>(network: &OwnedNetwork, parameters: &[F], tokens: &[u8]) -> Vec<Vec<F>> {
    let data = Sequences::new(tokens, CONTEXT, VOCABULARY).unwrap();
    let mut predictor = Predictor::new(network.clone(), PlainBackend).unwrap();
    let own = predictor.in_own_order(parameters).unwrap();
    let mut outputs = Vec::new();
    predictor
        .predict(&own, &data, 0..1, |_, prediction| outputs.extend_from_slice(prediction.outputs))
        .unwrap();
    let positions = CONTEXT as usize;
    (0..positions).map(|t| outputs.iter().skip(t).step_by(positions).copied().collect()).collect()
}

fn bits_of_whole_sequences<F: Real>() {
    let network = network();
    let parameters = parameters::<F>(&network);
    let mut memory = vec![F::nan(); network.view().decode_len().unwrap()];
    // Twice, in the same memory: another sequence begins at position 0.
    for tokens in [tokens(CONTEXT + 1), tokens(2 * CONTEXT + 1)[CONTEXT as usize..].to_vec()] {
        let expected = of_whole(&network, &parameters, &tokens);
        for (position, expected) in expected.iter().enumerate() {
            let token = tokens[position].into();
            let found = network.view().decode(&parameters, position, token, &mut memory).unwrap();
            let bits = |values: &[F]| values.iter().map(|x| x.as_f64().to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(found), bits(expected), "position {position}");
        }
    }
}

#[test]
fn a_token_at_a_time_has_the_bits_of_whole_sequences() {
    bits_of_whole_sequences::<f32>();
    bits_of_whole_sequences::<f64>();
}

#[test]
fn what_cannot_be_read_is_refused() {
    let network = network();
    let parameters = parameters::<f32>(&network);
    let mut memory = vec![0.0; network.view().decode_len().unwrap()];
    let mut read =
        |position, token| network.view().decode(&parameters, position, token, &mut memory).map(<[f32]>::len);
    assert_eq!(read(0, 0), Ok(VOCABULARY as usize));
    assert_eq!(read(9, 0), Err(DecodeError::Full { context: 9 }));
    assert_eq!(read(1, 11), Err(DecodeError::Token { token: 11, vocabulary: 11 }));
    let short = network.view().decode(&parameters, 0, 0, &mut [0.0]).unwrap_err();
    assert!(short.to_string().contains("memory"), "{short}");
    let short = network.view().decode(&parameters[1..], 0, 0, &mut memory).unwrap_err();
    assert!(short.to_string().contains("parameters"), "{short}");
    let nodes = Node::chain([
        Embedding { vocabulary: 11, width: 4 }.into(),
        GlobalAveragePool.into(),
        Dense { outputs: 3 }.into(),
    ]);
    let pooled = OwnedNetwork::new(SampleShape::tokens(4, 11).input, &nodes).unwrap();
    let error = pooled.view().decode_len().unwrap_err();
    assert!(matches!(error, DecodeError::NotCausal { layer: 1, .. }), "{error}");
    let images = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    assert_eq!(images.view().decode_len(), Err(DecodeError::NoTokens));
}

fn writer(seed: u64) -> Writer<f32> {
    let network = network();
    let parameters = parameters(&network);
    Writer::new(network, parameters, seed).unwrap()
}

#[test]
fn a_writer_draws_by_the_networks_probabilities() {
    let network = network();
    let parameters = parameters::<f32>(&network);
    let tokens = tokens(CONTEXT + 1);
    let logits = of_whole(&network, &parameters, &tokens)[2].clone();
    let weights: Vec<f64> = logits.iter().map(|&z| (f64::from(z) / 0.8).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let expected: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    let mut counts = [0_u32; VOCABULARY as usize];
    let draws = 2_000;
    for seed in 0..draws {
        let mut writer = writer(seed);
        tokens[..3].iter().for_each(|&token| writer.read(token.into()).unwrap());
        if seed == 0 {
            let found = writer.probabilities(0.8).unwrap();
            assert!(
                found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12),
                "{found:?} {expected:?}"
            );
        }
        counts[writer.write(0.8).unwrap() as usize] += 1;
    }
    for (count, probability) in counts.into_iter().zip(&expected) {
        let mean = draws as f64 * probability;
        // Five standard deviations.
        let bound = 5.0 * (mean * (1.0 - probability)).sqrt() + 1.0;
        assert!((f64::from(count) - mean).abs() < bound, "{counts:?} {expected:?}");
    }
}

#[test]
fn cold_writers_take_the_most_probable_and_hot_ones_any() {
    let network = network();
    let parameters = parameters::<f32>(&network);
    let tokens = tokens(CONTEXT + 1);
    let logits = of_whole(&network, &parameters, &tokens)[0].clone();
    let most = (0..).zip(&logits).max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap().0;
    for (temperature, seed) in [(0.0, 1), (0.0, 2), (1e-300, 3)] {
        let mut writer = writer(seed);
        writer.read(tokens[0].into()).unwrap();
        assert_eq!(writer.write(temperature), Ok(most));
    }
    let mut writer = writer(4);
    writer.read(0).unwrap();
    assert!(writer.probabilities(1e9).unwrap().iter().all(|p| (p - 1.0 / 11.0).abs() < 1e-6));
}

/// A text longer than the context: what it says depends on the tokens that it still remembers, and on nothing else.
#[test]
fn a_long_text_goes_on_from_the_second_half_of_the_context() {
    let text = tokens(40);
    let mut long = writer(0);
    text.iter().for_each(|&token| long.read(token.into()).unwrap());
    // 9, and then 4 of them and 5 new ones for each further sequence: 9, 14, …, 39; the last one has 4 + 1.
    let mut short = writer(0);
    text[35..].iter().for_each(|&token| short.read(token.into()).unwrap());
    assert_eq!(long.probabilities(1.0), short.probabilities(1.0));
    let written = |seed| {
        let mut writer = writer(seed);
        writer.read(0).unwrap();
        (0..100).map(|_| writer.write(1.0).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(written(6), written(6));
    assert_ne!(written(6), written(7));
}

#[test]
fn a_writer_says_why_it_writes_nothing() {
    let mut silent = writer(0);
    assert_eq!(silent.write(1.0), Err(WriteError::NothingRead));
    silent.read(0).unwrap();
    for temperature in [-1.0, f64::INFINITY] {
        assert_eq!(silent.write(temperature), Err(WriteError::Temperature(temperature)));
    }
    assert!(silent.write(f64::NAN).is_err());
    let network = network();
    let broken = vec![f32::NAN; network.view().parameters()];
    let mut broken = Writer::new(network, broken, 0).unwrap();
    broken.read(0).unwrap();
    assert_eq!(broken.write(1.0), Err(WriteError::NotFinite));
}
