//! Files of the visitor's: told apart, unpacked and checked as the native program does it; and told apart by what is in
//! them, where their names say nothing.

use std::cmp::Ordering;
use std::mem;

use adadagrad_core::idx::IdxError;
use adadagrad_core::images::{ImagesError, LabelledImages};
use adadagrad_core::text::TextSettings;
use adadagrad_gpu::data::cifar::{Names, read_files};
use adadagrad_gpu::data::classes::{Classes, LABELS_START};
use adadagrad_gpu::data::idx_header::header;
use adadagrad_gpu::data::names::{NamedFiles, NamedSets, Part, is_packed};
use adadagrad_gpu::data::text_file::read_bytes;
use adadagrad_gpu::data::unpack::{
    LARGEST_FILE, WrongLabel, channels_first, labels_as_bytes, transpose_images, unpacked,
    unpacked_of_any_length, without_padding,
};
use adadagrad_gpu::data::{Kind, Options};
use adadagrad_gpu::dataset::Images;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::answers::{number, object};
use crate::{from_js, to_js};

const NEEDED: &str = "Four files are needed: images and labels for training, images and labels for the test.";

/// A data set of the visitor's, as IDX files, or a text.
#[derive(Debug, PartialEq, Eq)]
struct OwnSet {
    /// In the order of [`Part::ALL`]; a text is in the first alone.
    files: [Vec<u8>; 4],
    is_text: bool,
    classes: u32,
    /// Where anything says them.
    class_names: Vec<String>,
    /// What the visitor should know about how the files were read: sentences.
    notes: Vec<String>,
}

/// Which files are to be read, by their places: those of CIFAR-10 or CIFAR-100, or the four of another data set, by their
/// names; or all, where there are four; or a single one with another name, which may be a text.
/// `sizes`: in bytes.
///
/// # Errors
/// Which files are missing, of which sets they are, or which one is too large.
#[wasm_bindgen]
pub fn choose_own_files(names: Vec<String>, sizes: Vec<f64>) -> Result<Vec<usize>, JsError> {
    let chosen = choose(&names).map_err(|problem| JsError::new(&problem))?;
    #[allow(clippy::cast_precision_loss)]
    let is_large = |&&place: &&usize| sizes.get(place).is_none_or(|&size| size > LARGEST_FILE as f64);
    match chosen.iter().find(is_large) {
        None => Ok(chosen),
        Some(&place) => Err(JsError::new(&too_large(&names[place]))),
    }
}

/// The data set in the chosen files, as four IDX files or as a text. `text`: how that is to be read.
///
/// # Errors
/// Which file is broken, and how.
#[wasm_bindgen(unchecked_return_type = "OwnFiles")]
pub fn read_own_files(
    names: Vec<String>,
    contents: Vec<Uint8Array>,
    #[wasm_bindgen(unchecked_param_type = "TextSettings")] text: JsValue,
) -> Result<JsValue, JsError> {
    let files = contents.iter().map(Uint8Array::to_vec);
    let OwnSet { files, is_text, classes, class_names, notes } =
        read(names, files, from_js(text)?).map_err(|problem| JsError::new(&problem))?;
    if is_text {
        let [whole, ..] = files;
        let texts = Array::of1(&Uint8Array::from(&*whole));
        return object(&[
            ("texts", texts.into()),
            ("class_names", to_js(&class_names)?),
            ("notes", to_js(&notes)?),
        ]);
    }
    // Each is let go as soon as it is copied.
    let [train_images, train_labels, test_images, test_labels] =
        files.map(|bytes| Uint8Array::from(&*bytes).into());
    object(&[
        ("train_images", train_images),
        ("train_labels", train_labels),
        ("test_images", test_images),
        ("test_labels", test_labels),
        ("classes", number(classes.into())),
        ("class_names", to_js(&class_names)?),
        ("notes", to_js(&notes)?),
    ])
}

/// A file's name, and its bytes as MNIST's files have them.
#[derive(Debug, Default)]
struct OwnFile {
    name: String,
    bytes: Vec<u8>,
}

fn choose(names: &[String]) -> Result<Vec<usize>, String> {
    if let Some((_, set)) = Names::among(names) {
        return Ok(set.all().filter_map(|name| names.iter().position(|known| known == name)).collect());
    }
    match by_name(names) {
        Ok(named) if named.is_whole() => Ok(places(&named).to_vec()),
        _ if names.len() == Part::ALL.len() => Ok((0..names.len()).collect()),
        Ok(named) => {
            let missing = named.missing();
            let are = if missing.len() == 1 { "is" } else { "are" };
            Err(format!("{NEEDED} {} {are} missing.", missing.join(" and ")))
        }
        Err(sets) if !sets.is_empty() => {
            Err(format!("These files are of several data sets: choose the files of {}.", sets.join(" or ")))
        }
        // What is in it tells.
        Err(_) if names.len() == 1 => Ok(vec![0]),
        Err(_) => Err(format!("{NEEDED} There are {}.", names.len())),
    }
}

/// The files of one data set, each by its place, or the names of several sets.
fn by_name(names: &[String]) -> Result<NamedFiles<usize>, Vec<String>> {
    let (packed, plain): (Vec<_>, Vec<_>) = names.iter().zip(0..).partition(|(name, _)| is_packed(name));
    NamedSets::among(plain.into_iter().chain(packed)).choose()
}

/// In the order of [`Part::ALL`].
fn places(whole: &NamedFiles<usize>) -> [usize; 4] {
    Part::ALL.map(|part| whole.get(part).copied().unwrap_or_default())
}

fn read(
    names: Vec<String>,
    mut contents: impl Iterator<Item = Vec<u8>>,
    text: TextSettings,
) -> Result<OwnSet, String> {
    match (Names::among(&names), &*names) {
        (Some((kind, _)), _) => read_cifar(kind, names.into_iter().zip(contents).collect()),
        (None, [name]) => read_text(name, contents.next().unwrap_or_default(), text),
        (None, _) => read_idx(names, contents),
    }
}

fn read_text(name: &str, bytes: Vec<u8>, settings: TextSettings) -> Result<OwnSet, String> {
    let is_named_so = name.to_ascii_lowercase().ends_with(".gz");
    let bytes = unpacked_of_any_length(bytes, is_named_so)
        .map_err(|error| format!("{name} cannot be unpacked: {error}."))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(too_large(name));
    }
    if bytes.starts_with(&[0, 0, 8]) {
        return Err(format!("{NEEDED} There is 1."));
    }
    read_bytes(&bytes, settings).map_err(|error| format!("{name}: {error}."))?;
    let files = [bytes, Vec::new(), Vec::new(), Vec::new()];
    Ok(OwnSet { files, is_text: true, classes: 0, class_names: Vec::new(), notes: Vec::new() })
}

fn read_cifar(kind: Kind, files: Vec<(String, Vec<u8>)>) -> Result<OwnSet, String> {
    let splits = read_files(kind, files, Options::default()).map_err(|error| error.to_string())?;
    let [training, test] = splits.images().ok_or("the files contain no images")?;
    let file = |images: &Images, is_labels| {
        let mut bytes = header(images, is_labels).map_err(|error| error.to_string())?;
        bytes.extend_from_slice(if is_labels { images.labels() } else { images.bytes() });
        Ok::<_, String>(bytes)
    };
    Ok(OwnSet {
        files: [file(training, false)?, file(training, true)?, file(test, false)?, file(test, true)?],
        is_text: false,
        classes: splits.shape().classes,
        class_names: splits.class_names,
        notes: splits.notes,
    })
}

fn read_idx(names: Vec<String>, contents: impl Iterator<Item = Vec<u8>>) -> Result<OwnSet, String> {
    let named = by_name(&names).ok().filter(NamedFiles::is_whole);
    // One after another: packed and unpacked, all of them would take much memory.
    let files = names.into_iter().zip(contents).map(|(name, bytes)| OwnFile::read(name, bytes));
    let mut files = files.collect::<Result<Vec<_>, _>>()?;
    let order = match &named {
        Some(whole) => places(whole),
        None => by_content(&files)?,
    };
    let mut files = order.map(|place| files.get_mut(place).map(mem::take).unwrap_or_default());
    let [train_images, train_labels, test_images, test_labels] = &mut files;
    let (classes, notes) = Classes::of(&train_images.bytes, &train_labels.bytes);
    if classes.count == 1 {
        return Err(format!(
            "All labels in {} are the same, but training needs at least two classes.",
            train_labels.name
        ));
    }
    let mut shapes = Vec::new();
    for [images, labels] in [[&mut *train_images, train_labels], [&mut *test_images, test_labels]] {
        if named.as_ref().is_some_and(NamedFiles::lie_on_their_sides) {
            transpose_images(&mut images.bytes);
        }
        channels_first(&mut images.bytes);
        classes.number(&mut labels.bytes).map_err(|byte| {
            let number = byte - LABELS_START + 1;
            format!("Label {number} in {} is 0, but the labels for training begin at 1.", labels.name)
        })?;
        let read = LabelledImages::parse_any(&*images.bytes, &*labels.bytes, classes.count);
        shapes.push(read.map_err(|error| in_words(error, classes, images, labels))?.sample_shape().input);
    }
    if let [training, test] = shapes[..]
        && training != test
    {
        let [training_name, test_name] = [&train_images.name, &test_images.name];
        return Err(format!(
            "The images in {training_name} are {training} (channels × rows × columns), but those in {test_name} are {test}."
        ));
    }
    let files = files.map(|file| file.bytes);
    Ok(OwnSet { files, is_text: false, classes: classes.count, class_names: Vec::new(), notes })
}

/// In the order of [`Part::ALL`], of four files with any names: the larger ones are for training, unless names tell.
fn by_content(files: &[OwnFile]) -> Result<[usize; 4], String> {
    let kinds = files.iter().map(OwnFile::is_images).collect::<Result<Vec<_>, _>>()?;
    let split = |wanted: bool| {
        let places: Vec<usize> = (0..files.len()).filter(|&place| kinds[place] == wanted).collect();
        let &[one, other] = &places[..] else {
            let kind = if wanted { "images" } else { "labels" };
            let are = if places.len() == 1 { "is" } else { "are" };
            let found = places.len();
            return Err(format!(
                "Two of the four files should hold {kind}, one for training and one for the test, but there {are} {found}."
            ));
        };
        let (first, second) = (&files[one], &files[other]);
        let is_first_for_test = match (first.is_for_test(), first.count().cmp(&second.count())) {
            (is_for_test, _) if is_for_test != second.is_for_test() => is_for_test,
            (_, Ordering::Less) => true,
            (_, Ordering::Greater) => false,
            (_, Ordering::Equal) => {
                return Err(format!(
                    "{} and {} have ambiguous names: put “train” into one name and “test” into the other.",
                    first.name, second.name
                ));
            }
        };
        Ok(if is_first_for_test { [other, one] } else { [one, other] })
    };
    let ([train_images, test_images], [train_labels, test_labels]) = (split(true)?, split(false)?);
    Ok([train_images, train_labels, test_images, test_labels])
}

impl OwnFile {
    fn read(name: String, bytes: Vec<u8>) -> Result<Self, String> {
        let is_named_so = name.to_ascii_lowercase().ends_with(".gz");
        let bytes =
            unpacked(bytes, is_named_so).map_err(|error| format!("{name} cannot be unpacked: {error}."))?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(too_large(&name));
        }
        let bytes = labels_as_bytes(without_padding(bytes))
            .map_err(|WrongLabel { index, label, .. }| wrong_label(&name, index, label))?;
        Ok(Self { name, bytes })
    }

    /// Whether it holds images, or else labels.
    fn is_images(&self) -> Result<bool, String> {
        match self.bytes.first_chunk() {
            Some([0, 0, 8, 2..=4]) => Ok(true),
            Some([0, 0, 8, 1]) => Ok(false),
            _ => Err(self.is_no_idx()),
        }
    }

    fn is_for_test(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        ["t10k", "test", "valid"].iter().any(|word| name.contains(word)) && !name.contains("train")
    }

    /// Images or labels in it, as its header says.
    fn count(&self) -> u32 {
        self.bytes.get(4..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_be_bytes(*word))
    }

    fn is_no_idx(&self) -> String {
        format!(
            "{} is not an IDX file of images or labels: it should start with the bytes 0, 0, 8, and then 3 (grey images), 4 (colour images) or 1 (labels).",
            self.name
        )
    }
}

/// What is wrong with a pair of files, for those who do not count bytes.
fn in_words(error: ImagesError, classes: Classes, images: &OwnFile, labels: &OwnFile) -> String {
    let (file, kind, error) = match error {
        ImagesError::Images(error) => (images, "images", error),
        ImagesError::Labels(error) => (labels, "labels", error),
    };
    let (name, count) = (&file.name, file.count());
    match error {
        IdxError::Magic(_)
        | IdxError::Type(_)
        | IdxError::Dimensions { .. }
        | IdxError::ImageDimensions(_) => file.is_no_idx(),
        IdxError::Header { .. } => format!("{name} ends within its header."),
        IdxError::Channels(found) => {
            format!("The images in {name} have {found} channels, but the networks here take 1 to 4.")
        }
        IdxError::Empty => format!("{name} is empty: its header says 0 {kind}."),
        IdxError::NoPixels { size: [rows, columns] } => {
            format!("The images in {name} have no pixels: its header says {columns}×{rows}.")
        }
        IdxError::TooLarge => format!("The header of {name} names more {kind} than a file can hold."),
        IdxError::Length { needed, found } => format!(
            "{name} should hold {needed} bytes for the {count} {kind} that its header names, but it holds {found}."
        ),
        IdxError::ImageSize { found: [rows, columns], .. } => {
            format!("The images in {name} have another size than expected: {columns}×{rows} pixels.")
        }
        IdxError::Count { images: of_images, labels: of_labels } => {
            format!("{} holds {of_images} images, but {} holds {of_labels} labels.", images.name, labels.name)
        }
        IdxError::Label { byte, label, .. } => format!(
            "Label {} in {name} is {}, but the highest label for training is {}.",
            byte - LABELS_START + 1,
            u32::from(label) + u32::from(classes.first),
            (classes.count + u32::from(classes.first)).saturating_sub(1)
        ),
    }
}

fn wrong_label(name: &str, index: usize, label: i64) -> String {
    format!("Label {} in {name} is {label}, but labels must be from 0 to 255.", index + 1)
}

fn too_large(name: &str) -> String {
    format!("{name} is larger than {} MB, the largest size that this page accepts.", LARGEST_FILE >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Result<Vec<usize>, String> {
        choose(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
    }

    const MNIST: [&str; 4] = [
        "t10k-labels-idx1-ubyte",
        "train-images-idx3-ubyte",
        "t10k-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
    ];

    #[test]
    fn a_whole_set_is_found_among_other_files() {
        assert_eq!(chosen(&MNIST), Ok(vec![1, 3, 2, 0]));
        // As torchvision leaves it: packed and unpacked.
        let packed = MNIST.map(|name| format!("{name}.gz"));
        let both: Vec<&str> = packed.iter().map(String::as_str).chain(MNIST).collect();
        assert_eq!(chosen(&both), Ok(vec![5, 7, 6, 4]));
        assert_eq!(chosen(&["a", "b", "c", "d"]), Ok(vec![0, 1, 2, 3]), "told apart by what is in them");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(chosen(&MNIST[1..]), Err(format!("{NEEDED} t10k-labels-idx1-ubyte is missing.")));
        let two = ["qmnist-train-images-idx3-ubyte.gz", "qmnist-train-labels-idx2-int.gz"];
        let missing = "qmnist-test-images-idx3-ubyte and qmnist-test-labels-idx2-int are missing.";
        assert_eq!(chosen(&two), Err(format!("{NEEDED} {missing}")));
        assert_eq!(chosen(&["a"]), Ok(vec![0]), "it may be a text");
        assert_eq!(chosen(&["a"; 5]), Err(format!("{NEEDED} There are 5.")));
        let two_sets: Vec<String> = ["emnist-digits-", "emnist-mnist-"]
            .iter()
            .flat_map(|set| MNIST.map(|name| format!("{set}{name}")))
            .collect();
        let said = choose(&two_sets).expect_err("one must be chosen");
        assert!(said.ends_with("choose the files of emnist-digits or emnist-mnist."), "{said}");
    }

    /// `count` images of one bright column and their labels.
    fn idx(count: u8) -> [Vec<u8>; 2] {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28];
        images.extend((0..usize::from(count) * 784).map(|place| if place % 28 == 3 { 255 } else { 0 }));
        [images, [&[0, 0, 8, 1, 0, 0, 0, count], &*vec![7; count.into()]].concat()]
    }

    fn read_named(names: [&str; 4], [a, b, c, d]: [Vec<u8>; 4]) -> Result<[Vec<u8>; 4], String> {
        let names = names.map(str::to_owned).to_vec();
        read(names, [a, b, c, d].into_iter(), TextSettings::default()).map(|set| set.files)
    }

    #[test]
    fn emnist_is_turned_upright_and_padding_is_left_out() {
        let ([a, b], [c, d]) = (idx(3), idx(2));
        let upright = [a.clone(), b.clone(), c.clone(), d.clone()];
        let padded = |bytes: &Vec<u8>| [bytes.as_slice(), &[0; 64]].concat();
        let plain = [
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
        ];
        assert_eq!(read_named(plain, [&a, &b, &c, &d].map(padded)).as_ref(), Ok(&upright));
        let emnist = plain.map(|name| format!("emnist-digits-{}", name.replace("t10k", "test")));
        let [images, ..] =
            read_named(emnist.each_ref().map(String::as_str), upright.clone()).expect("valid files");
        assert!(
            images[16..]
                .chunks(28)
                .take(28)
                .enumerate()
                .all(|(row, line)| line == [if row == 3 { 255 } else { 0 }; 28])
        );
        // Whatever their names and their order.
        assert_eq!(read_named(["w", "x", "y", "z"], [d, a, b, c]), Ok(upright));
    }

    #[test]
    fn colour_images_of_any_size_are_read_and_letters_are_counted_from_0() {
        let names =
            ["train-images", "train-labels", "test-images", "test-labels"].map(str::to_owned).to_vec();
        let images = |count: u8, first: u8| {
            let header = [0, 0, 8, 4, 0, 0, 0, count, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 5];
            let values = (0..count * 30).map(|k| k.wrapping_add(first));
            header.into_iter().chain(values).collect::<Vec<u8>>()
        };
        let labels = |labels: &[u8]| [&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8], labels].concat();
        let files = |last| [images(3, 0), labels(&[1, 4, 2]), images(2, 7), labels(&[1, last])];
        let set = read(names.clone(), files(4).into_iter(), TextSettings::default()).expect("valid files");
        assert_eq!((set.classes, &set.files[1][8..], &set.files[3][8..]), (4, &[0, 3, 1][..], &[0, 3][..]));
        assert_eq!(
            set.notes,
            ["The labels 1 to 4 are the classes 0 to 3.", "No training image has the class 2."]
        );
        let said = read(names.clone(), files(5).into_iter(), TextSettings::default())
            .expect_err("there is no fifth class");
        assert_eq!(said, "Label 2 in test-labels is 5, but the highest label for training is 4.");
        let said = read(names, files(0).into_iter(), TextSettings::default()).expect_err("labels begin at 1");
        assert_eq!(said, "Label 2 in test-labels is 0, but the labels for training begin at 1.");
    }

    #[test]
    fn cifars_own_files_become_idx_files() {
        let batch = |label: u8| [&[label][..], &[label * 3; 3072]].concat();
        let names: Vec<String> = (1..=5)
            .map(|k| format!("data_batch_{k}.bin"))
            .chain(["test_batch.bin", "readme.html", "batches.meta.txt"].map(str::to_owned))
            .collect();
        let chosen = choose(&names).expect("whole");
        assert_eq!(chosen[..6], [0, 1, 2, 3, 4, 5]);
        assert!(chosen.contains(&7) && !chosen.contains(&6));
        let contents: Vec<Vec<u8>> = (1..=6)
            .map(batch)
            .chain([b"<html>".to_vec(), b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n".to_vec()])
            .collect();
        let set =
            read(names.clone(), contents.clone().into_iter(), TextSettings::default()).expect("valid files");
        assert_eq!((set.classes, set.class_names.len()), (10, 10));
        assert_eq!(set.files[0][..20], [0, 0, 8, 4, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 32, 0, 0, 0, 32]);
        assert_eq!(set.files[1][8..], [1, 2, 3, 4, 5]);
        assert_eq!((set.files[2].len(), set.files[2][20]), (20 + 3072, 18));
        let mut broken = contents.clone();
        broken[2].pop();
        let said = read(names.clone(), broken.into_iter(), TextSettings::default()).expect_err("cut off");
        assert!(said.starts_with("data_batch_3.bin: ") && said.contains("truncated"), "{said}");
        let said = read(names[1..].to_vec(), contents[1..].iter().cloned(), TextSettings::default())
            .expect_err("one is missing");
        assert_eq!(said, "data_batch_1.bin is missing");
    }

    #[test]
    fn one_class_and_images_without_pixels_are_told() {
        let names =
            ["train-images", "train-labels", "test-images", "test-labels"].map(str::to_owned).to_vec();
        let images = |columns: u8| {
            let header = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, columns];
            [&header[..], &vec![9; usize::from(columns) * 4]].concat()
        };
        let labels = |other: u8| vec![0, 0, 8, 1, 0, 0, 0, 2, 0, other];
        let said = |columns, other| {
            let files = [images(columns), labels(other), images(columns), labels(0)];
            read(names.clone(), files.into_iter(), TextSettings::default()).map(|_| ())
        };
        assert_eq!(said(3, 1), Ok(()));
        let one = "All labels in train-labels are the same, but training needs at least two classes.";
        assert_eq!(said(3, 0), Err(one.to_owned()));
        let none = "The images in train-images have no pixels: its header says 0×2.";
        assert_eq!(said(0, 1), Err(none.to_owned()));
    }

    #[test]
    fn a_single_file_is_a_text_and_what_is_wrong_with_it_is_said_with_its_name() {
        let said = |name: &str, bytes: &[u8]| {
            let settings = TextSettings { context: 4, ..TextSettings::default() };
            let set = read(vec![name.to_owned()], [bytes.to_vec()].into_iter(), settings)?;
            assert!(set.is_text);
            Ok::<_, String>(set.files[0].clone())
        };
        let text = "To be, or not to be, that is the question: whether it is nobler, é".as_bytes();
        assert_eq!(said("own.txt", text).as_deref(), Ok(text));
        let latin1 = [&text[..text.len() - 2], &[0xe9]].concat();
        let wrong = format!("own.txt: byte {} is not UTF-8 text: save the file as UTF-8.", text.len() - 2);
        assert_eq!(said("own.txt", &latin1), Err(wrong));
        let one = "own.txt: the text consists of one character, 'a', but training needs at least two different ones.";
        assert_eq!(said("own.txt", &[b'a'; 100]), Err(one.to_owned()));
        let short = said("own.txt", b"To be").expect_err("one character for the test");
        assert!(short.starts_with("own.txt: the ") && short.contains("need 5."), "{short}");
        assert_eq!(said("images", &idx(3)[0]), Err(format!("{NEEDED} There is 1.")));
    }

    #[test]
    fn headers_that_lie_are_told() {
        let ([a, b], [c, d]) = (idx(3), idx(2));
        let said = |images: &[u8]| {
            read_named(["w", "x", "y", "z"], [images.to_vec(), b.clone(), c.clone(), d.clone()])
        };
        assert!(said(&[]).is_err_and(|said| said.starts_with("w is not an IDX file")));
        assert!(said(&a[..9]).is_err_and(|said| said == "w ends within its header."));
        let mut many = a.clone();
        many[4..8].fill(255);
        let said = said(&many).expect_err("there are three");
        assert!(
            said.starts_with("w should hold") || said.starts_with("The header of w names more images"),
            "{said}"
        );
    }
}
