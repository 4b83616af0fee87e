//! Texts as data: vocabularies, how a text is divided and cut, and what is refused.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::{Dataset, SampleShape, Targets};
use adadagrad_core::digest::Digest;
use adadagrad_core::layer::{Dense, Embedding, Operation};
use adadagrad_core::model::Model;
use adadagrad_core::network::Node;
use adadagrad_core::owned::text::{MOST_CHARACTERS, TextData, TextError, Vocabulary, divide, divide_bytes};
use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork};
use adadagrad_core::text::{TextSettings, TokenKind};
use adadagrad_tests::tape::source;

fn refused(text: [&str; 2], context: u32) -> String {
    TextData::of_characters(text, context).expect_err("a refusal").to_string()
}

#[test]
fn frequent_characters_come_first_and_equally_frequent_ones_by_code_point() {
    // a twice, b and é three times each; d and c in the test part alone, where their number does not matter.
    let vocabulary = Vocabulary::of_characters(["ébabébéa", "ddac"]).unwrap();
    assert_eq!(vocabulary.characters().as_deref(), Some("béacd"));
    assert_eq!((vocabulary.kind(), vocabulary.len()), (TokenKind::Characters, 5));
    assert_eq!(vocabulary.tokens_of("abéd"), Some(vec![2, 0, 1, 4]));
    assert_eq!(vocabulary.tokens_of("abx"), None);
    assert_eq!(vocabulary.bytes_of(&[2, 1, 4]).unwrap(), "aéd".as_bytes());
    assert_eq!(vocabulary.bytes_of(&[2, 5]), None);
    let text = "ébabébéa\r\nddac";
    let vocabulary = Vocabulary::of_characters([text, ""]).unwrap();
    let tokens = vocabulary.tokens_of(text).unwrap();
    assert_eq!(vocabulary.bytes_of(&tokens).unwrap(), text.as_bytes(), "line ends stay as they are");
}

#[test]
fn bytes_are_their_own_tokens() {
    let vocabulary = Vocabulary::bytes();
    assert_eq!((vocabulary.kind(), vocabulary.len(), vocabulary.characters()), (TokenKind::Bytes, 256, None));
    assert_eq!(vocabulary.tokens_of("aé"), Some(vec![97, 0xc3, 0xa9]));
    assert_eq!(vocabulary.bytes_of(&[255, 0]), Some(vec![255, 0]));
    assert_eq!(vocabulary.bytes_of(&[256]), None);
    let data = TextData::of_bytes([&[255, 0, 1, 2, 3], &[7, 8, 9]], 2).unwrap();
    assert_eq!(
        (data.training.sequence(1), data.test.sequence(0)),
        (Some(&[1, 2, 3][..]), Some(&[7, 8, 9][..]))
    );
    assert_eq!(Dataset::<f32>::shape(&data.training), SampleShape::tokens(2, 256));
}

#[test]
fn the_last_tenth_is_for_testing() {
    assert_eq!(divide("0123456789"), ["012345678", "9"]);
    // Of 19 characters, 17.1 are nine tenths; they are counted as characters.
    let text = "é".repeat(16) + "abc";
    assert_eq!(divide(&text), [&text[..33], "bc"]);
    assert_eq!(divide(""), ["", ""]);
    assert_eq!(divide("a"), ["", "a"]);
    let bytes: Vec<u8> = (0..29).collect();
    assert_eq!(divide_bytes(&bytes), [&bytes[..26], &bytes[26..]]);
    let text = "ab".repeat(50);
    let data = TextData::of_characters(divide(&text), 4).unwrap();
    assert_eq!(data.training.tokens().len() + data.test.tokens().len(), 100);
    // 90 characters give 22 sequences of four and the token behind each; ten give two.
    assert_eq!((Dataset::<f32>::len(&data.training), Dataset::<f32>::len(&data.test)), (22, 2));
    let (mut input, mut labels) = ([0.0_f32; 4], [9; 4]);
    data.test.read(1.into(), &mut input, &mut Targets::labels(&mut labels)).unwrap();
    assert_eq!((input, labels), ([0.0, 1.0, 0.0, 1.0], [1, 0, 1, 0]));
}

#[test]
fn texts_that_are_no_data_are_refused() {
    assert_eq!(refused(["", ""], 4), "the text is empty");
    assert_eq!(TextData::of_bytes([&[], &[]], 4).unwrap_err(), TextError::Empty);
    assert_eq!(
        refused(["\n\n\n", "\n"], 1),
        "the text consists of one character, '\\n', but training needs at least two different ones"
    );
    assert_eq!(
        refused(["abab", "abababab"], 4),
        "the training part of the text has 4 characters, but a sequence of 4 and the one behind it need 5"
    );
    assert_eq!(
        refused(["ababa", "ab"], 4),
        "the test part of the text has 2 characters, but a sequence of 4 and the one behind it need 5"
    );
    let error = TextData::of_bytes([b"ababa", b"ab"], 4).unwrap_err().to_string();
    assert!(error.contains("has 2 bytes, but"), "{error}");
}

#[test]
fn as_many_characters_as_16_bits_tell_apart() {
    let all: String = ('\u{10000}'..).take(MOST_CHARACTERS).collect();
    let data = TextData::of_characters([&all, &all], 8).unwrap();
    assert_eq!(data.vocabulary.len(), 65_536);
    assert_eq!(data.training.tokens().last(), Some(&65_535));
    assert_eq!(data.vocabulary.bytes_of(data.training.tokens()).unwrap(), all.as_bytes());
    assert_eq!(
        refused([&all, "a"], 8),
        "the text has 65537 different characters, but at most 65536 can be told apart"
    );
    assert!(Vocabulary::from_characters(&all).is_some());
    assert!(Vocabulary::from_characters(&format!("{all}a")).is_none());
}

#[test]
fn vocabularies_are_stored_as_text() {
    let stored = |vocabulary: &Vocabulary| serde_json::to_string(vocabulary).unwrap();
    let read = |text: &str| serde_json::from_str::<Vocabulary>(text).map_err(|error| error.to_string());
    let characters = Vocabulary::of_characters(["\"\n\n\"\n😀", "é"]).unwrap();
    assert_eq!(stored(&characters), r#"{"characters":"\n\"😀é"}"#);
    for vocabulary in [characters, Vocabulary::bytes()] {
        assert_eq!(read(&stored(&vocabulary)), Ok(vocabulary));
    }
    assert_eq!(stored(&Vocabulary::bytes()), "\"bytes\"");
    for wrong in [r#"{"characters":"aba"}"#, r#"{"characters":"a"}"#, r#"{"characters":""}"#] {
        let error = read(wrong).unwrap_err();
        assert!(error.contains("characters: not from 2 to 65,536 different characters"), "{error}");
    }
    assert!(read("\"words\"").unwrap_err().contains("must be one of characters, bytes"));
    assert!(read(r#"{"characters":"ab","bytes":1}"#).unwrap_err().contains("bytes is not a valid field"));
}

#[test]
fn settings_of_texts_have_defaults() {
    let read = |text: &str| serde_json::from_str::<RunConfig>(text).map_err(|error| error.to_string());
    assert_eq!(read("{}").unwrap().text, TextSettings { tokens: TokenKind::Characters, context: 64 });
    let text = read(r#"{"text": {"tokens": "bytes", "context": 8}}"#).unwrap().text;
    assert_eq!(text, TextSettings { tokens: TokenKind::Bytes, context: 8 });
    let refused = RunConfig { text: TextSettings { context: 0, ..text }, ..RunConfig::default() };
    let error = refused.validate(60_000).unwrap_err();
    assert_eq!((error.part, error.field), ("text", "context"));
    assert!(error.to_string().starts_with("context is 0, but must be "), "{error}");
    let error = read(r#"{"text": {"tokens": "words"}}"#).unwrap_err();
    assert!(error.contains("text.tokens is \"words\", but must be one of characters, bytes"), "{error}");
}

#[test]
fn training_accuracy_is_the_fraction_of_positions() {
    // In the text "abab…" the token before decides the next one.
    let text = "ab".repeat(200);
    let data = TextData::of_characters(divide(&text), 4).unwrap().training;
    let node = |operation: Operation, input| Node::new(operation, source(input));
    let nodes = [node(Embedding { vocabulary: 2, width: 2 }.into(), 0), node(Dense { outputs: 2 }.into(), 1)];
    let network = OwnedNetwork::of_nodes(&nodes, Dataset::<f32>::shape(&data)).unwrap();
    let config = RunConfig {
        model: Model::Own { digest: Digest([0; 32]) },
        initial_batch: 8,
        max_batch: 16,
        sample_budget: 4_000,
        learning_rate: 0.1,
        ..RunConfig::default()
    };
    let samples = Dataset::<f32>::len(&data);
    let mut run = LocalRun::<f32, _>::new(config, network, samples, PlainBackend).unwrap();
    let mut accuracies = Vec::new();
    loop {
        match run.advance(&data).unwrap() {
            Advance::Step(telemetry) => accuracies.push(telemetry.training_accuracy),
            Advance::Working => {}
            Advance::Finished => break,
        }
    }
    assert!(accuracies.iter().all(|accuracy| (0.0..=1.0).contains(accuracy)), "{accuracies:?}");
    assert_eq!(accuracies.last(), Some(&1.0));
}
