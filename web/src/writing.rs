//! What a network of a text writes: a sample at each measurement, in slices of time, and what follows the visitor's words.

use std::collections::VecDeque;

use adadagrad_core::owned::text::Vocabulary;
use adadagrad_core::owned::{OwnedNetwork, WriteError, Writer};
use serde::Serialize;

use crate::records::Measured;

/// Tokens of a sample.
const LENGTH: usize = 200;
/// Likely words, but not always the same ones.
const TEMPERATURE: f64 = 0.8;
/// Measurements whose samples are not written yet; of more, the oldest are passed over.
const MOST_WAITING: usize = 16;

/// What the network of a measurement writes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct WrittenSample {
    step: u64,
    accuracy: f64,
    text: String,
}

/// The samples of a run that are still to be written.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    waiting: VecDeque<Measured>,
    present: Option<Present>,
}

#[derive(Debug)]
struct Present {
    step: u64,
    accuracy: f64,
    writer: Writer<f32>,
    tokens: Vec<u16>,
}

impl Writing {
    pub(crate) fn add(&mut self, measured: impl IntoIterator<Item = Measured>) {
        self.waiting.extend(measured);
        let beyond = self.waiting.len().saturating_sub(MOST_WAITING);
        self.waiting.drain(..beyond);
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.waiting.is_empty() && self.present.is_none()
    }

    /// Writes the next token. The sample, once it is whole. A network that cannot write has no sample.
    pub(crate) fn advance(
        &mut self,
        network: impl FnOnce() -> Option<OwnedNetwork>,
        vocabulary: &Vocabulary,
        seed: u64,
    ) -> Option<WrittenSample> {
        if self.present.is_none() {
            let Measured { step, accuracy, parameters } = self.waiting.pop_front()?;
            let mut writer = Writer::new(network()?, parameters, seed).ok()?;
            read(&mut writer, &beginning(vocabulary)).ok()?;
            self.present = Some(Present { step, accuracy, writer, tokens: Vec::with_capacity(LENGTH) });
        }
        let present = self.present.as_mut()?;
        let token = present.writer.write(TEMPERATURE).ok().and_then(|token| u16::try_from(token).ok());
        present.tokens.extend(token);
        if token.is_some() && present.tokens.len() < LENGTH {
            return None;
        }
        let Present { step, accuracy, tokens, .. } = self.present.take()?;
        // Parameters that are no numbers write nothing.
        token.map(|_| WrittenSample { step, accuracy, text: text_of(vocabulary, &tokens) })
    }
}

/// What follows a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Following {
    /// Characters of the text that the vocabulary does not have, each once: they are left out.
    pub(crate) unknown: String,
    /// Of each token to come next, at the temperature.
    pub(crate) probabilities: Vec<f64>,
    /// `count` more tokens.
    pub(crate) text: String,
}

/// How a text goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) beginning: &'a str,
    pub(crate) temperature: f64,
    pub(crate) count: u32,
    pub(crate) seed: u64,
}

/// Reads the end of a text, as much as the network can see at once, and writes on from there.
pub(crate) fn follow(
    network: OwnedNetwork,
    parameters: Vec<f32>,
    vocabulary: &Vocabulary,
    wish: Wish<'_>,
) -> Result<Following, WriteError> {
    let (known, unknown) = known_tokens(vocabulary, wish.beginning);
    let context = network.view().context();
    let mut writer = Writer::new(network, parameters, wish.seed)?;
    if known.is_empty() {
        read(&mut writer, &beginning(vocabulary))?;
    } else {
        read(&mut writer, &known[known.len().saturating_sub(context)..])?;
    }
    let probabilities = writer.probabilities(wish.temperature)?;
    let tokens = (0..wish.count).map(|_| writer.write(wish.temperature)).collect::<Result<Vec<_>, _>>()?;
    let tokens: Vec<u16> = tokens.into_iter().filter_map(|token| token.try_into().ok()).collect();
    Ok(Following { unknown, probabilities, text: text_of(vocabulary, &tokens) })
}

/// The tokens of those characters that the vocabulary has, and the others.
fn known_tokens(vocabulary: &Vocabulary, text: &str) -> (Vec<u16>, String) {
    if let Some(tokens) = vocabulary.tokens_of(text) {
        return (tokens, String::new());
    }
    let characters = vocabulary.characters().unwrap_or_default();
    let mut unknown = String::new();
    let known: String = text
        .chars()
        .filter(|&character| {
            let is_known = characters.contains(character);
            if !is_known && !unknown.contains(character) {
                unknown.push(character);
            }
            is_known
        })
        .collect();
    (vocabulary.tokens_of(&known).unwrap_or_default(), unknown)
}

/// A line break, where there is one, or the first token: as the native program begins.
fn beginning(vocabulary: &Vocabulary) -> Vec<u16> {
    vocabulary.tokens_of("\n").unwrap_or_else(|| vec![0])
}

fn read(writer: &mut Writer<f32>, tokens: &[u16]) -> Result<(), WriteError> {
    tokens.iter().try_for_each(|&token| writer.read(token.into()))
}

fn text_of(vocabulary: &Vocabulary, tokens: &[u16]) -> String {
    String::from_utf8_lossy(&vocabulary.bytes_of(tokens).unwrap_or_default()).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adadagrad_core::dataset::SampleShape;
    use adadagrad_core::model::Model;
    use adadagrad_core::network::initialise;

    use super::*;

    const CONTEXT: u32 = 8;

    fn network(vocabulary: &Vocabulary) -> OwnedNetwork {
        let model = Model::Transformer { layers: 1, heads: 2, width: 8 };
        OwnedNetwork::of_model(model, SampleShape::tokens(CONTEXT, vocabulary.len())).unwrap()
    }

    /// Far from zero, so that tokens differ in probability.
    fn parameters(network: &OwnedNetwork) -> Vec<f32> {
        let mut parameters = vec![0.0; network.view().parameters()];
        initialise(network.view(), 5, &mut parameters).unwrap();
        parameters.iter_mut().for_each(|value| *value *= 12.0);
        parameters
    }

    #[test]
    fn each_measurement_has_a_sample_and_equal_ones_have_the_same() {
        let vocabulary = Vocabulary::from_characters("\nabcdefgh ").unwrap();
        let network = network(&vocabulary);
        let parameters = parameters(&network);
        let mut writing = Writing::default();
        let measured = |step| Measured { step, accuracy: 0.5, parameters: parameters.clone() };
        writing.add([measured(3), measured(9)]);
        let mut samples = Vec::new();
        let mut calls = 0;
        while !writing.is_finished() {
            samples.extend(writing.advance(|| Some(network.clone()), &vocabulary, 7));
            calls += 1;
        }
        assert_eq!(calls, 2 * LENGTH, "a token at a time");
        assert_eq!(samples.iter().map(|sample| sample.step).collect::<Vec<_>>(), [3, 9]);
        assert_eq!(samples[0].text, samples[1].text);
        assert_eq!(samples[0].text.chars().count(), LENGTH);
        writing.add([measured(10)]);
        let other = std::iter::repeat_with(|| writing.advance(|| Some(network.clone()), &vocabulary, 8));
        assert_ne!(other.flatten().next().unwrap().text, samples[0].text, "the seed decides");
        // As the native program writes it.
        let mut writer = Writer::new(network.clone(), parameters.clone(), 7).unwrap();
        writer.read(0).unwrap();
        let tokens: Vec<_> = (0..LENGTH).map(|_| writer.write(0.8).unwrap() as u16).collect();
        assert_eq!(vocabulary.bytes_of(&tokens).unwrap(), samples[0].text.as_bytes());
    }

    #[test]
    fn too_many_measurements_pass_over_the_oldest_and_what_is_no_number_writes_nothing() {
        let vocabulary = Vocabulary::from_characters("\nab").unwrap();
        let network = network(&vocabulary);
        let mut writing = Writing::default();
        let nothing = vec![f32::NAN; network.view().parameters()];
        writing.add((0..40).map(|step| Measured { step, accuracy: 0.0, parameters: nothing.clone() }));
        assert_eq!(writing.waiting.front().unwrap().step, 24);
        for _ in 0..MOST_WAITING {
            assert_eq!(writing.advance(|| Some(network.clone()), &vocabulary, 0), None);
        }
        assert!(writing.is_finished());
    }

    #[test]
    fn what_follows_adds_up_and_unknown_characters_are_said() {
        let vocabulary = Vocabulary::from_characters("\nabcdefgh ").unwrap();
        let network = network(&vocabulary);
        let parameters = parameters(&network);
        let ask = |beginning, temperature, count| {
            let wish = Wish { beginning, temperature, count, seed: 1 };
            follow(network.clone(), parameters.clone(), &vocabulary, wish)
        };
        let plain = ask("a bad cage", 1.0, 0).unwrap();
        assert!((plain.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!((plain.text.as_str(), plain.unknown.as_str()), ("", ""));
        // What lies before the context has no effect.
        assert_eq!(ask("hhhhhhh bad cage", 1.0, 0).unwrap().probabilities, plain.probabilities);
        let left_out = ask("a bäd càge ä", 1.0, 0).unwrap();
        assert_eq!(left_out.unknown, "äà");
        assert_eq!(left_out.probabilities, ask("a bd cge ", 1.0, 0).unwrap().probabilities);
        assert_eq!(ask("", 1.0, 5), ask("\n", 1.0, 5));
        let coldest = ask("a bad cage", 0.0, 20).unwrap();
        assert_eq!(coldest.text.chars().count(), 20);
        let best = coldest.probabilities.iter().position(|&share| share == 1.0).unwrap();
        assert_eq!(vocabulary.characters().unwrap().chars().nth(best), coldest.text.chars().next());
        assert!(matches!(ask("a", f64::NAN, 1), Err(WriteError::Temperature(_))));
    }
}
