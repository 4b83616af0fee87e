//! The data set of a session, images or a text, and what is shown of it.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use adadagrad_core::config::RunConfig;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::digest::Digest as DataDigest;
use adadagrad_core::owned::SharedDataset;
use adadagrad_core::owned::text::{TextData, Vocabulary};
use adadagrad_core::shuffle::Order;
use adadagrad_core::text::TextSettings;
use adadagrad_gpu::data::text_file::{read_bytes, read_parts};
use adadagrad_gpu::dataset::{Images, digest, for_run, text_digest};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::thumbnails;

/// The data set; copies share it.
#[derive(Clone)]
pub(crate) struct Data {
    pub(crate) train: SharedDataset,
    pub(crate) test: SharedDataset,
    content: Content,
    digest: Rc<OnceCell<DataDigest>>,
}

#[derive(Clone)]
enum Content {
    /// To train on and for the test.
    Images([Arc<Images>; 2]),
    Text(Rc<Text>),
}

/// A text, cut into sequences.
struct Text {
    files: Rc<[Vec<u8>]>,
    settings: TextSettings,
    data: TextData,
}

#[wasm_bindgen]
extern "C" {
    /// Four decompressed IDX files and the number of classes, or the files of a text.
    #[wasm_bindgen(typescript_type = "DatasetFiles")]
    pub type DatasetFiles;
    /// One file that is to be divided, or training and test part.
    #[wasm_bindgen(method, getter)]
    fn texts(this: &DatasetFiles) -> Option<Array>;
    #[wasm_bindgen(method, getter)]
    fn train_images(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn train_labels(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn test_images(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn test_labels(this: &DatasetFiles) -> Uint8Array;
    #[wasm_bindgen(method, getter)]
    fn classes(this: &DatasetFiles) -> u32;
}

impl Data {
    /// Reads and checks the files. `settings`: how a text is read.
    pub(crate) fn read(files: &DatasetFiles, settings: TextSettings) -> Result<Self, JsError> {
        if let Some(texts) = files.texts() {
            let files = texts.iter().map(|file| file.unchecked_into::<Uint8Array>().to_vec()).collect();
            return Self::of_text(files, settings).map_err(|error| JsError::new(&error));
        }
        let classes = files.classes();
        let train = read("training", &files.train_images(), &files.train_labels(), classes)?;
        let test = read("test", &files.test_images(), &files.test_labels(), classes)?;
        Ok(Self::of_images([train, test], Rc::default()))
    }

    fn of_images(images: [Arc<Images>; 2], digest: Rc<OnceCell<DataDigest>>) -> Self {
        let [train, test] = images.clone();
        Self { train, test, content: Content::Images(images), digest }
    }

    /// Cuts a text, of one file or of two parts, into sequences.
    pub(crate) fn of_text(files: Rc<[Vec<u8>]>, settings: TextSettings) -> Result<Self, String> {
        let data = match &*files {
            [training, test] => read_parts([training, test], settings),
            [whole] => read_bytes(whole, settings),
            _ => return Err(format!("a text is in one or two files, but there are {}", files.len())),
        };
        let data = data.map_err(|error| error.to_string())?;
        let (train, test) = (Arc::new(data.training.clone()), Arc::new(data.test.clone()));
        let content = Content::Text(Rc::new(Text { files, settings, data }));
        Ok(Self { train, test, content, digest: Rc::default() })
    }

    /// The same data, where they are a text cut as these settings say.
    pub(crate) fn cut(&self, settings: TextSettings) -> Result<Self, JsError> {
        match &self.content {
            Content::Text(text) if text.settings != settings => {
                Self::of_text(Rc::clone(&text.files), settings).map_err(|error| JsError::new(&error))
            }
            _ => Ok(self.clone()),
        }
    }

    /// The same data as a run reads them: images normalised and placed, a text cut as its settings say.
    pub(crate) fn for_run(&self, config: &RunConfig) -> Result<Self, JsError> {
        let Content::Images([train, test]) = &self.content else { return self.cut(config.text) };
        let images = for_run([train, test], config, None).map(Arc::new);
        Ok(Self::of_images(images, Rc::clone(&self.digest)))
    }

    /// What a sample is, and how a run reads it.
    pub(crate) fn shape(&self) -> SampleShape {
        self.train.shape()
    }

    pub(crate) fn training_samples(&self) -> u32 {
        self.train.len()
    }

    pub(crate) fn test_samples(&self) -> u32 {
        self.test.len()
    }

    /// What the tokens of a text stand for; `None` for images.
    pub(crate) fn vocabulary(&self) -> Option<&Vocabulary> {
        self.text().map(|text| &text.data.vocabulary)
    }

    /// What each token of a text is called: the character, or a byte in hexadecimal where it is none. Images have none.
    pub(crate) fn token_names(&self) -> Vec<String> {
        let name = |byte: u8| match byte {
            b'\t' | b'\n' | b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("0x{byte:02X}"),
        };
        self.vocabulary().map_or_else(Vec::new, |vocabulary| match vocabulary.characters() {
            Some(characters) => characters.chars().map(String::from).collect(),
            None => (0..=u8::MAX).map(name).collect(),
        })
    }

    /// Images for the test; `None` for a text.
    pub(crate) fn test_images(&self) -> Option<&Images> {
        match &self.content {
            Content::Images([_, test]) => Some(test),
            Content::Text(_) => None,
        }
    }

    fn training_images(&self) -> Option<&Images> {
        match &self.content {
            Content::Images([train, _]) => Some(train),
            Content::Text(_) => None,
        }
    }

    fn text(&self) -> Option<&Text> {
        match &self.content {
            Content::Images(_) => None,
            Content::Text(text) => Some(text),
        }
    }

    /// What tells the training data apart from others. It takes a quarter of a second for MNIST, the first time.
    pub(crate) fn digest(&self) -> DataDigest {
        *self.digest.get_or_init(|| match &self.content {
            Content::Images([train, _]) => digest(train),
            Content::Text(text) => text_digest(&text.data.vocabulary, &text.data.training),
        })
    }

    /// The training images that are visited after `position` others, with squares of `shrink` × `shrink` pixels as one.
    pub(crate) fn visited(&self, seed: u64, position: u64, count: u32, shrink: u32) -> Vec<u8> {
        let Some(images) = self.training_images() else { return Vec::new() };
        let shape = self.shape().input;
        let mut pixels = Vec::with_capacity(count as usize * thumbnails::shrunk(shape, shrink).len());
        for sample in self.order(seed, position, count) {
            thumbnails::append(images.image(sample).unwrap_or_default(), shape, shrink, &mut pixels);
        }
        pixels
    }

    /// The tokens of the sequences that are visited after `position` others, one sequence after another.
    pub(crate) fn visited_tokens(&self, seed: u64, position: u64, count: u32) -> Vec<u16> {
        let Some(text) = self.text() else { return Vec::new() };
        // Behind each sequence is the token that its last position learns.
        let sequence = |sample| text.data.training.sequence(sample).and_then(<[u16]>::split_last);
        let sequences = self.order(seed, position, count).filter_map(sequence);
        sequences.flat_map(|(_, tokens)| tokens).copied().collect()
    }

    /// How many of the training images that are visited after `position` others have each label.
    pub(crate) fn classes(&self, seed: u64, position: u64, count: u32) -> Vec<u32> {
        let Some(images) = self.training_images() else { return Vec::new() };
        let mut classes = vec![0; self.shape().classes as usize];
        for sample in self.order(seed, position, count) {
            let label = images.label(sample).map(usize::from);
            if let Some(count) = label.and_then(|label| classes.get_mut(label)) {
                *count += 1;
            }
        }
        classes
    }

    fn order(&self, seed: u64, position: u64, count: u32) -> impl Iterator<Item = u32> {
        let mut order = Order::new(self.training_samples(), seed);
        (position..position.saturating_add(count.into())).map(move |position| order.visit(position).sample)
    }

    /// A test image.
    pub(crate) fn test_image(&self, sample: u32) -> Option<&[u8]> {
        self.test_images()?.image(sample)
    }
}

fn read(which: &str, images: &Uint8Array, labels: &Uint8Array, classes: u32) -> Result<Arc<Images>, JsError> {
    Images::parse_any(images.to_vec().into(), labels.to_vec().into(), classes)
        .map(Arc::new)
        .map_err(|error| JsError::new(&format!("{which} data: {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adadagrad_core::text::TokenKind;

    use super::*;

    const TEXT: &str = "o Romeo, Romeo! wherefore art thou Romeo? Deny thy father and refuse thy name; é";

    fn text(tokens: TokenKind, context: u32) -> Result<Data, String> {
        Data::of_text(vec![TEXT.as_bytes().to_vec()].into(), TextSettings { tokens, context })
    }

    #[test]
    fn a_text_is_cut_anew_for_other_settings_and_stays_the_same_text() {
        let data = text(TokenKind::Characters, 4).unwrap();
        let again = data.cut(TextSettings { tokens: TokenKind::Bytes, context: 6 }).unwrap();
        // 80 characters are 81 bytes; nine tenths of either, and one token is left for the last label.
        assert_eq!((data.training_samples(), data.test_samples()), (71 / 4, 7 / 4));
        assert_eq!((again.training_samples(), again.test_samples()), (71 / 6, 8 / 6));
        assert_eq!((again.shape().classes, again.shape().input.width), (256, 6));
        assert_eq!(data.digest(), again.digest());
        assert_eq!(data.token_names().len(), data.shape().classes as usize);
        let named = again.token_names();
        assert_eq!([&*named[10], &*named[65], &*named[0xc3]], ["\n", "A", "0xC3"]);
    }

    #[test]
    fn visited_sequences_are_those_of_the_order() {
        let data = text(TokenKind::Characters, 4).unwrap();
        let (seed, position, count) = (3, 15, 5);
        let tokens = data.visited_tokens(seed, position, count);
        let bytes = data.vocabulary().unwrap().bytes_of(&tokens).unwrap();
        let mut order = Order::new(17, seed);
        let wanted: String = (position..position + u64::from(count))
            .map(|position| order.visit(position).sample as usize * 4)
            .map(|start| &TEXT[start..start + 4])
            .collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
        assert!(data.visited(seed, position, count, 1).is_empty() && data.test_image(0).is_none());
    }

    #[test]
    fn what_is_no_text_is_said() {
        let said = |bytes: &[u8], context| {
            let settings = TextSettings { tokens: TokenKind::Characters, context };
            Data::of_text(vec![bytes.to_vec()].into(), settings).map(drop).unwrap_err()
        };
        assert_eq!(said(b"abc\xff", 1), "byte 3 is not UTF-8 text: save the file as UTF-8");
        assert_eq!(said(b"", 1), "the text is empty");
        let short =
            "the test part of the text has 8 characters, but a sequence of 9 and the one behind it need 10";
        assert_eq!(said(TEXT.as_bytes(), 9), short);
    }
}
