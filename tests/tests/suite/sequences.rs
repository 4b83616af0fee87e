//! Sequences of tokens: how they are cut, what is refused, and that a network learns from them.

use adadagrad_core::backend::{FastBackend, PlainBackend};
use adadagrad_core::dataset::{Dataset, Encoding, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::layer::{
    Add, CausalAttention, Dense, Embedding, Gelu, LayerNorm, Operation, PositionEmbedding, Relu,
};
use adadagrad_core::loss::Loss;
use adadagrad_core::network::{Node, Shape, SweepError, initialise};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::random::Key;
use adadagrad_core::sequences::{Sequences, SequencesError};
use adadagrad_core::statistics::{Needs, Statistics};
use adadagrad_tests::engine::with_sweep;
use adadagrad_tests::tape::source;

const CONTEXT: u32 = 6;
const VOCABULARY: u32 = 5;

/// A pre-norm block between embeddings and a dense layer.
fn transformer(heads: u32) -> Vec<Node> {
    let node = |operation: Operation, input| Node::new(operation, source(input));
    let add = |first, second| Node::with_inputs(Add.into(), [source(first), source(second)]);
    vec![
        node(Embedding { vocabulary: VOCABULARY, width: 8 }.into(), 0),
        node(PositionEmbedding { positions: CONTEXT }.into(), 1),
        node(LayerNorm.into(), 2),
        node(Dense { outputs: 24 }.into(), 3),
        node(CausalAttention { heads }.into(), 4),
        node(Dense { outputs: 8 }.into(), 5),
        add(2, 6),
        node(LayerNorm.into(), 7),
        node(Dense { outputs: 16 }.into(), 8),
        node(Gelu.into(), 9),
        node(Dense { outputs: 8 }.into(), 10),
        add(7, 11),
        node(LayerNorm.into(), 12),
        node(Dense { outputs: VOCABULARY }.into(), 13),
    ]
}

/// Two tokens after another that decide the third, so that attention pays.
fn text(len: usize) -> Vec<u8> {
    let mut tokens = vec![1_u8, 2];
    for _ in 2..len {
        let [.., first, second] = tokens[..] else { unreachable!("two of them") };
        tokens.push((first + 2 * second + 1) % 5);
    }
    tokens
}

#[test]
fn tokens_are_cut_without_overlap_and_labelled_by_what_comes_next() {
    let tokens = [3_u16, 1, 4, 1, 0, 2, 3];
    let data = Sequences::new(&tokens[..], 2, 5).unwrap();
    assert_eq!(Dataset::<f64>::len(&data), 3);
    let (mut input, mut labels) = ([0.0_f64; 2], [9; 2]);
    for (sample, inputs, expected) in
        [(0, [3.0, 1.0], [1, 4]), (1, [4.0, 1.0], [1, 0]), (2, [0.0, 2.0], [2, 3])]
    {
        data.read(sample.into(), &mut input, &mut Targets::labels(&mut labels)).unwrap();
        assert_eq!((input, labels), (inputs, expected), "{sample}");
    }
    assert!(data.read(3.into(), &mut input, &mut Targets::labels(&mut labels)).is_err());
    assert_eq!(data.sequence(2), Some(&[0, 2, 3][..]));
    assert_eq!((data.sequence(3), data.sequence(u32::MAX)), (None, None));
    let shape = Dataset::<f64>::shape(&data);
    assert_eq!((shape.input, shape.labels, shape.classes), (Shape::sequence(1, 2), 2, 5));
    assert_eq!(shape.encoding, Encoding::Tokens { vocabulary: 5 });
    // Without a token behind the last sequence, that is left out.
    assert_eq!(Dataset::<f64>::len(&Sequences::new(&tokens[..6], 2, 5).unwrap()), 2);
}

#[test]
fn tokens_that_are_no_sequences_are_refused() {
    let refused = |tokens: &[u8], context, vocabulary| {
        Sequences::new(tokens, context, vocabulary).expect_err("a refusal").to_string()
    };
    assert_eq!(refused(b"", 0, 9), "a sequence needs at least one token");
    assert_eq!(
        refused(&[1, 2, 3], 3, 9),
        "3 tokens are too few: a sequence of 3 and the token behind it need 4"
    );
    assert_eq!(
        refused(&[], u32::MAX, 9),
        "0 tokens are too few: a sequence of 4294967295 and the token behind it need 4294967296"
    );
    assert_eq!(refused(&[1, 2, 9, 3], 2, 9), "token 9 at place 2 is outside of the vocabulary of 9");
    assert_eq!(
        Sequences::new(&[7_u32, 8][..], 1, 8).unwrap_err(),
        SequencesError::Token { place: 1, token: 8, vocabulary: 8 }
    );
}

/// One sequence of any values, and any labels.
struct Given<'a> {
    input: &'a [f64],
    labels: &'a [u32],
    shape: SampleShape,
}

impl Dataset<f64> for Given<'_> {
    fn shape(&self) -> SampleShape {
        self.shape
    }

    fn len(&self) -> u32 {
        1
    }

    fn loss(&self) -> Loss<'_, f64> {
        Loss::SoftmaxCrossEntropy
    }

    fn read(&self, _: Visit, input: &mut [f64], targets: &mut Targets<'_, f64>) -> Result<(), ReadError> {
        input.copy_from_slice(self.input);
        targets.labels.copy_from_slice(self.labels);
        Ok(())
    }
}

#[test]
fn tokens_and_labels_that_do_not_exist_change_nothing() {
    let network = OwnedNetwork::of_nodes(&transformer(2), SampleShape::tokens(4, VOCABULARY)).unwrap();
    let parameters = vec![0.1; network.view().parameters()];
    let refusal = |input: &[f64], labels: &[u32], shape: SampleShape| {
        let mut sums = vec![0.0; parameters.len()];
        let mut statistics = Statistics::new(&mut sums, &mut []).unwrap();
        let given = Given { input, labels, shape };
        let error = with_sweep(network.view(), PlainBackend, 1, |sweep| {
            sweep.accumulate(&parameters, &given, [0_u32], &Needs::NORMS, &mut statistics).unwrap_err()
        });
        assert_eq!(statistics.totals.samples, 0);
        assert!(statistics.gradient_sum.iter().all(|&sum| sum == 0.0));
        error
    };
    let shape = SampleShape::tokens(4, VOCABULARY);
    for (position, wrong) in [(0, -1.0), (1, 5.0), (2, 1.5), (3, f64::NAN), (3, f64::INFINITY)] {
        let mut input = [0.0, 1.0, 2.0, 4.0];
        input[position] = wrong;
        let error = refusal(&input, &[0; 4], shape);
        assert_eq!(error, SweepError::Token { sample: 0, position, vocabulary: 5 });
        let words = error.to_string();
        assert!(words.contains(&format!("sample 0 has no token at position {position}")), "{words}");
    }
    let error = refusal(&[0.0; 4], &[0, 4, 5, 9], shape);
    assert_eq!(error, SweepError::Label { sample: 0, label: 5, classes: 5 });
    let error = refusal(&[0.0; 4], &[0; 4], SampleShape { labels: 1, ..shape });
    assert!(error.to_string().contains("the labels of a sample"), "{error}");
    // Values without targets are checked as well.
    with_sweep(network.view(), PlainBackend, 2, |sweep| {
        let error = sweep.predict(&parameters, &[0.0, 1.0, 2.0, 3.0, 0.0, 7.0, 0.0, 0.0]).unwrap_err();
        assert_eq!(error, SweepError::Token { sample: 1, position: 1, vocabulary: 5 });
    });
}

#[test]
fn networks_that_do_not_fit_tokens_are_refused() {
    let tokens = SampleShape::tokens(4, VOCABULARY);
    let refusal =
        |nodes: &[Node], shape| OwnedNetwork::of_nodes(nodes, shape).expect_err("a refusal").to_string();
    let embedding = |vocabulary| Operation::from(Embedding { vocabulary, width: 3 });
    let dense = |outputs| Operation::from(Dense { outputs });
    for (nodes, shape, expected) in [
        (
            Node::chain([embedding(4), dense(5)]),
            tokens,
            "layer 0 (embedding, 4 tokens to 3 channels) takes fewer tokens than the data have: 5",
        ),
        (
            Node::chain([dense(3), dense(5)]),
            tokens,
            "the data's samples are tokens, which only an embedding takes: begin the network with one",
        ),
        (
            Node::chain([embedding(9), dense(5)]),
            SampleShape::floats(Shape::sequence(1, 4), 5),
            "layer 0 (embedding, 9 tokens to 3 channels) takes tokens, but the data's samples are not tokens",
        ),
        (
            Node::chain([dense(3), embedding(9)]),
            tokens,
            "layer 1 (embedding, 9 tokens to 3 channels) takes tokens, which only the network's input holds",
        ),
        (
            Node::chain([embedding(9), dense(5)]),
            SampleShape { labels: 1, ..tokens },
            "the last layer's output has shape 5×1×4, but must be a vector",
        ),
        (
            Node::chain([embedding(9), dense(5)]),
            SampleShape { labels: 3, ..tokens },
            "the last layer's output has shape 5×1×4, but must have a position for each of the 3 labels of a sample",
        ),
        (
            Node::chain([embedding(9), dense(7)]),
            tokens,
            "the last layer has 7 outputs, but the data have 5 classes",
        ),
        (
            Node::chain([embedding((1 << 24) + 1), Relu.into()]),
            tokens,
            "layer 0 (embedding, 16777217 tokens to 3 channels) cannot take an input of shape 1×1×4: its vocabulary must be at \
             most 16,777,216 tokens, which 32-bit floats tell apart",
        ),
    ] {
        assert_eq!(refusal(&nodes, shape), expected);
    }
}

/// PyTorch's embeddings begin normal with variance 1.
#[test]
fn initial_embeddings_are_normal() {
    let nodes = Node::chain([Embedding { vocabulary: 500, width: 40 }.into(), Dense { outputs: 2 }.into()]);
    let network = OwnedNetwork::new(Shape::sequence(1, 3), &nodes).unwrap();
    let mut parameters = vec![f64::NAN; network.view().parameters()];
    initialise(network.view(), 3, &mut parameters).unwrap();
    let mut values = parameters[..20_000].to_vec();
    let count = values.len() as f64;
    let moment = |power| values.iter().map(|value| value.powi(power)).sum::<f64>() / count;
    // Five deviations of each moment: its variance is the difference of moments of twice the order.
    for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        let bound = 5.0 * f64::sqrt(variance / count);
        assert!((moment(power) - expected).abs() < bound, "{power}: {}", moment(power));
    }
    values.sort_by(f64::total_cmp);
    values.dedup();
    assert_eq!(values.len(), 20_000);
    let mut narrow = vec![0.0_f32; parameters.len()];
    initialise(network.view(), 3, &mut narrow).unwrap();
    let mut of_embedding = narrow.iter().zip(&parameters).take(20_000);
    assert!(of_embedding.all(|(&narrow, &wide)| narrow == wide as f32));
    assert_eq!(Key::new(1, 2).normal::<f64>(7, 1.0), Key::new(1, 2).normal::<f64>(7, 1.0));
}

/// Plain gradient descent on a text whose next token two tokens decide: the loss falls far below that of the best guess from
/// one token, and nearly all answers become right.
#[test]
fn a_transformer_learns_what_comes_next() {
    let tokens = text(600);
    let data = Sequences::new(&tokens[..], CONTEXT, VOCABULARY).unwrap();
    let network = OwnedNetwork::of_nodes(&transformer(2), Dataset::<f32>::shape(&data)).unwrap();
    let mut parameters = vec![0.0_f32; network.view().parameters()];
    initialise(network.view(), 1, &mut parameters).unwrap();
    let samples = Dataset::<f32>::len(&data);
    let mut sums = vec![0.0; parameters.len()];
    with_sweep(network.view(), FastBackend, 16, |sweep| {
        for step in 0..400 {
            let mut statistics = Statistics::new(&mut sums, &mut []).unwrap();
            let batch = (0..16).map(|k| (16 * step + k) % samples);
            sweep.accumulate(&parameters, &data, batch, &Needs::NORMS, &mut statistics).unwrap();
            for (parameter, gradient) in parameters.iter_mut().zip(&sums) {
                *parameter -= 0.3 * gradient / 16.0;
            }
            sums.fill(0.0);
        }
        let score = sweep.evaluate(&parameters, &data, 0..16).unwrap();
        let answers = 16 * CONTEXT;
        // The first position sees one token only.
        assert!(score.correct >= answers * 5 / 6 - 2, "{} of {answers}", score.correct);
        assert!(score.loss / 16.0 < 0.5, "{}", score.loss / 16.0);
    });
}
