//! Images of any shape: CIFAR's binary files, IDX files of any size, folders of PNG and JPEG, and what is said of bad ones.

use std::fs;
use std::path::Path;

use crate::support;
use crate::support::program::{SHORT, folder as mnist, run, succeed, text};
use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::dataset::{Encoding, Targets};
use adadagrad_core::network::Shape;
use adadagrad_core::normalisation::Normalisation;
use adadagrad_core::owned::SharedDataset;
use adadagrad_gpu::data::{Kind, Options, Splits, kind_in, load, load_with, pack};
use flate2::Compression;
use flate2::write::GzEncoder;
use image::codecs::png::PngEncoder;
use image::{GrayImage, ImageEncoder, ImageFormat, RgbImage};
use tempfile::{TempDir, tempdir};

fn own(folder: &Path) -> Splits {
    load(DatasetName::Own, Some(folder)).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(name: DatasetName, folder: &Path) -> String {
    load(name, Some(folder)).unwrap_err().to_string()
}

/// The bytes of image number `k`.
fn pixels(k: usize, len: usize) -> Vec<u8> {
    (0..len).map(|place| (k * 89 + place * 31 + place / 7 * 5) as u8).collect()
}

/// Records of images `first` and following, with the label bytes that `labels` gives.
fn records(first: usize, count: usize, labels: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    (first..first + count).flat_map(|k| [labels(k), pixels(k, 3072)].concat()).collect()
}

const CIFAR_10: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// Four images in each batch file: image k has label k mod 10.
fn cifar_10(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (k, name) in CIFAR_10.iter().enumerate() {
        fs::write(folder.join(name), records(4 * k, 4, |k| vec![(k % 10) as u8])).unwrap();
    }
    let names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
    fs::write(folder.join("batches.meta.txt"), names.join("\n") + "\n\n").unwrap();
}

fn read(data: &SharedDataset, sample: u32) -> (Vec<f32>, u32) {
    let (mut input, mut label) = (vec![f32::NAN; data.shape().input.len()], [u32::MAX]);
    data.read(sample.into(), &mut input, &mut Targets::labels(&mut label)).unwrap();
    (input, label[0])
}

fn values(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

#[test]
fn cifar_10_is_read_as_it_is() {
    let folder = tempdir().unwrap();
    let within = folder.path().join("cifar-10-batches-bin");
    cifar_10(&within);
    let splits = own(&within);
    assert_eq!((splits.kind, splits.training.len(), splits.test.len()), (Kind::Cifar10, 20, 4));
    assert_eq!((splits.shape().input, splits.shape().classes), (Shape::image(3, 32, 32), 10));
    assert_eq!(splits.class_name(3), "cat");
    for k in 0..24 {
        let (half, sample) = if k < 20 { (&splits.training, k) } else { (&splits.test, k - 20) };
        assert_eq!(read(half, sample as u32), (values(&pixels(k, 3072)), (k % 10) as u32));
    }
    assert_eq!(splits.training.raw().unwrap()[3072..6144], pixels(1, 3072));
    assert!(splits.notes[0].contains("they contain 20 + 4 images, not 50000 + 10000"), "{:?}", splits.notes);
    // In the folder that holds the usual one, by its own name, and in the archive.
    for (name, folder) in [(DatasetName::Cifar10, folder.path()), (DatasetName::Own, folder.path())] {
        assert_eq!(load(name, Some(folder)).unwrap().digest, splits.digest);
        assert_eq!(kind_in(name, folder).unwrap(), Some(Kind::Cifar10));
    }
    let archive = archive(&within, "cifar-10-binary.tar.gz");
    for place in [archive.path().to_owned(), archive.path().join("cifar-10-binary.tar.gz")] {
        let packed = own(&place);
        assert_eq!((packed.digest, &packed.class_names), (splits.digest, &splits.class_names));
        assert_eq!(packed.files, [archive.path().join("cifar-10-binary.tar.gz")]);
    }
}

/// A folder with an archive of another folder.
fn archive(packed: &Path, name: &str) -> TempDir {
    let folder = tempdir().unwrap();
    let file = fs::File::create(folder.path().join(name)).unwrap();
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
    archive.append_dir_all(packed.file_name().unwrap(), packed).unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    folder
}

#[test]
fn cifar_100_has_fine_and_coarse_labels() {
    let folder = tempdir().unwrap();
    let labels = |k: usize| vec![(k % 20) as u8, (k * 7 % 100) as u8];
    fs::write(folder.path().join("train.bin"), records(0, 9, labels)).unwrap();
    fs::write(folder.path().join("test.bin"), records(9, 3, labels)).unwrap();
    let names = |prefix: &str, count: usize| (0..count).map(|k| format!("{prefix}{k}\n")).collect::<String>();
    fs::write(folder.path().join("fine_label_names.txt"), names("fine", 100)).unwrap();
    fs::write(folder.path().join("coarse_label_names.txt"), names("coarse", 20)).unwrap();
    let fine = own(folder.path());
    assert_eq!(
        (fine.kind, fine.shape().classes, fine.class_name(99).as_str()),
        (Kind::Cifar100, 100, "fine99")
    );
    let options = Options { coarse_labels: true, ..Options::default() };
    let coarse = load_with(DatasetName::Cifar100, Some(folder.path()), options).unwrap();
    assert_eq!((coarse.shape().classes, coarse.class_name(19).as_str()), (20, "coarse19"));
    assert_ne!(coarse.digest, fine.digest);
    for k in 0..9 {
        assert_eq!(read(&fine.training, k as u32), (values(&pixels(k, 3072)), (k * 7 % 100) as u32));
        assert_eq!(read(&coarse.training, k as u32), (values(&pixels(k, 3072)), (k % 20) as u32));
    }
    fs::write(folder.path().join("fine_label_names.txt"), names("fine", 99)).unwrap();
    assert!(
        refused(DatasetName::Own, folder.path()).ends_with("the file names 99 classes, but there are 100")
    );
}

#[test]
fn broken_batch_files_are_named_with_the_place() {
    let folder = tempdir().unwrap();
    cifar_10(folder.path());
    let at = |name: &str| folder.path().join(name);
    let sound = fs::read(at("data_batch_3.bin")).unwrap();
    let says = |expected: &str| {
        let said = refused(DatasetName::Own, folder.path());
        assert!(said.contains(expected), "{said}");
    };
    fs::write(at("data_batch_3.bin"), &sound[..7000]).unwrap();
    says(
        "data_batch_3.bin: the file has 7000 bytes, which is not a whole number of records of 3073 bytes: it is \
         truncated after 2 records",
    );
    fs::write(at("data_batch_3.bin"), &sound[..2 * 3073]).unwrap();
    says("data_batch_3.bin: the file has 2 records, but data_batch_1.bin has 4: it is truncated");
    // The first is no measure of the others.
    let (first, cut) = (fs::read(at("data_batch_1.bin")).unwrap(), fs::read(at("data_batch_3.bin")).unwrap());
    fs::write(at("data_batch_1.bin"), &cut).unwrap();
    fs::write(at("data_batch_3.bin"), &sound).unwrap();
    says("data_batch_1.bin: the file has 2 records, but data_batch_2.bin has 4: it is truncated");
    fs::write(at("data_batch_1.bin"), first).unwrap();
    fs::write(at("data_batch_3.bin"), "").unwrap();
    says("data_batch_3.bin: the file is empty");
    let mut wrong = sound.clone();
    wrong[2 * 3073] = 10;
    fs::write(at("data_batch_3.bin"), wrong).unwrap();
    says("data_batch_3.bin: byte 6146: label 10 of record 2 is out of range: labels must be below 10");
    fs::remove_file(at("data_batch_3.bin")).unwrap();
    fs::remove_file(at("test_batch.bin")).unwrap();
    says("data_batch_3.bin and test_batch.bin are missing");
    fs::write(at("data_batch_3.bin"), sound).unwrap();
    fs::write(at("test_batch.bin"), records(20, 4, |_| vec![9])).unwrap();
    own(folder.path());
    let said = refused(DatasetName::Mnist, folder.path());
    assert!(
        said.ends_with("contains CIFAR-10 in binary form: give --dataset cifar10, or leave --dataset out"),
        "{said}"
    );
    let empty = tempdir().unwrap();
    let said = refused(DatasetName::Cifar100, empty.path());
    assert!(said.contains("with train.bin and test.bin, or the archive cifar-100-binary.tar.gz"), "{said}");
    fs::write(empty.path().join("cifar-100-binary.tar.gz"), b"\x1f\x8b\x08 damaged").unwrap();
    assert!(refused(DatasetName::Own, empty.path()).contains("cifar-100-binary.tar.gz: "));
}

/// An IDX file of bytes.
fn idx(dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|dimension| dimension.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// Two training images and one test image of these dimensions, with these labels.
fn idx_folder(dimensions: &[u32], images: &[Vec<u8>; 3], labels: [u8; 3]) -> TempDir {
    let folder = tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    let of = |count: u32| [&[count], dimensions].concat();
    write("train-images-idx3-ubyte", idx(&of(2), &images[..2].concat()));
    write("train-labels-idx1-ubyte", idx(&[2], &labels[..2]));
    write("t10k-images-idx3-ubyte", idx(&of(1), &images[2]));
    write("t10k-labels-idx1-ubyte", idx(&[1], &labels[2..]));
    folder
}

#[test]
fn idx_files_may_have_any_shape() {
    let images = [0, 1, 2].map(|k| pixels(k, 3 * 7 * 5));
    // The same with the channels last.
    let last = images.each_ref().map(|image| {
        (0..7 * 5)
            .flat_map(|pixel| (0..3).map(move |channel| image[channel * 35 + pixel]))
            .collect::<Vec<_>>()
    });
    let first = own(idx_folder(&[3, 7, 5], &images, [0, 1, 1]).path());
    assert_eq!((first.shape().input, first.shape().classes), (Shape::image(3, 7, 5), 2));
    assert_eq!(read(&first.training, 1), (values(&images[1]), 1));
    assert_eq!(read(&first.test, 0), (values(&images[2]), 1));
    let other = own(idx_folder(&[7, 5, 3], &last, [0, 1, 1]).path());
    assert_eq!((other.digest, other.shape()), (first.digest, first.shape()));
    let rows = own(idx_folder(&[105], &images, [0, 1, 1]).path());
    assert_eq!((rows.digest, rows.shape().input), (first.digest, Shape::image(1, 1, 105)));
    let grey = own(idx_folder(&[21, 5], &images, [0, 200, 1]).path());
    assert_eq!((grey.digest == first.digest, grey.shape().classes), (false, 201));
    assert!(grey.notes[0].starts_with("No training image has the classes 1, 2, 3,"), "{:?}", grey.notes);
    let said = refused(DatasetName::Own, idx_folder(&[5, 7, 3, 1], &images, [0; 3]).path());
    assert!(said.contains("byte 3: images have 2, 3 or 4 dimensions, but the header has 5"), "{said}");
    let said = refused(DatasetName::Own, idx_folder(&[7, 5, 3], &images, [0, 1, 2]).path());
    assert!(said.contains("label 2 is out of range: labels must be below 2 (its labels range from 2 to 2; there are 2 classes, 0 to 1)"), "{said}");
    let said = refused(DatasetName::Mnist, idx_folder(&[21, 5], &images, [0, 1, 1]).path());
    assert!(said.contains("the images have 21×5 pixels, but 28×28 are expected"), "{said}");
    // Another shape for the test.
    let folder = idx_folder(&[21, 5], &images, [0, 1, 1]);
    fs::write(folder.path().join("t10k-images-idx3-ubyte"), idx(&[1, 5, 21], &images[2])).unwrap();
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.contains("t10k-images-idx3-ubyte: the test images have the shape 1×5×21, but the training images have 1×21×5"), "{said}");
}

#[test]
fn labels_that_begin_at_1_are_classes_from_0() {
    let images = [0, 1, 2].map(|k| pixels(k, 35));
    let letters = own(idx_folder(&[7, 5], &images, [1, 26, 2]).path());
    assert_eq!(letters.shape().classes, 26);
    assert_eq!([0, 1].map(|sample| read(&letters.training, sample).1), [0, 25]);
    assert_eq!(read(&letters.test, 0).1, 1);
    assert_eq!(letters.notes[0], "The labels 1 to 26 are the classes 0 to 25.");
    let said = refused(DatasetName::Own, idx_folder(&[7, 5], &images, [1, 2, 0]).path());
    assert!(
        said.ends_with("byte 8: label 0 is out of range: the labels of the training data begin at 1"),
        "{said}"
    );
    // What could be MNIST keeps its ten classes and its numbers.
    let small = [0, 1, 2].map(|k| pixels(k, 784));
    let digits = own(idx_folder(&[28, 28], &small, [1, 3, 2]).path());
    assert_eq!((digits.shape().classes, read(&digits.training, 0).1), (10, 1));
}

/// Classes of images in both halves: grey PNG, colour PNG and JPEG.
fn image_folder() -> TempDir {
    let folder = tempdir().unwrap();
    for (half, first) in [("train", 0), ("test", 10)] {
        for (class, name) in ["zebra", "ant", "bee 2"].into_iter().enumerate() {
            let place = folder.path().join(half).join(name);
            fs::create_dir_all(&place).unwrap();
            for k in 0..2 {
                let bytes = pixels(first + 2 * class + k, 4 * 6 * 3);
                let image = RgbImage::from_raw(6, 4, bytes).unwrap();
                image.save(place.join(format!("{k}.png"))).unwrap();
            }
            fs::write(place.join(".hidden.png"), "not an image").unwrap();
            fs::write(place.join("notes.txt"), "not an image").unwrap();
        }
    }
    folder
}

/// Interleaved channels as planes.
fn planes(bytes: &[u8], channels: usize) -> Vec<u8> {
    (0..channels).flat_map(|channel| bytes.iter().skip(channel).step_by(channels).copied()).collect()
}

#[test]
fn folders_of_images_are_read_by_class() {
    let folder = image_folder();
    let splits = own(folder.path());
    assert_eq!((splits.kind, splits.training.len(), splits.test.len()), (Kind::ImageFolder, 6, 6));
    assert_eq!((splits.shape().input, splits.shape().classes), (Shape::image(3, 4, 6), 3));
    assert_eq!(splits.class_names, ["ant", "bee 2", "zebra"]);
    for (sample, written) in [2, 3, 4, 5, 0, 1].into_iter().enumerate() {
        let expected = values(&planes(&pixels(written, 72), 3));
        assert_eq!(read(&splits.training, sample as u32), (expected, sample as u32 / 2));
        let expected = values(&planes(&pixels(10 + written, 72), 3));
        assert_eq!(read(&splits.test, sample as u32), (expected, sample as u32 / 2));
    }
    // JPEG whatever its name, and grey images, as the decoder reads them.
    let place = folder.path().join("train/ant");
    let jpeg = RgbImage::from_fn(6, 4, |x, y| image::Rgb([40 * x as u8, 60 * y as u8, 100]));
    jpeg.save_with_format(place.join("0.png"), ImageFormat::Jpeg).unwrap();
    GrayImage::from_raw(6, 4, pixels(1, 24)).unwrap().save(place.join("1.PNG")).unwrap();
    fs::remove_file(place.join("1.png")).unwrap();
    let decoded = image::load_from_memory(&fs::read(place.join("0.png")).unwrap()).unwrap().into_rgb8();
    let splits = own(folder.path());
    assert_eq!(read(&splits.training, 0).0, values(&planes(decoded.as_raw(), 3)));
    assert_eq!(read(&splits.training, 1).0, values(&[pixels(1, 24), pixels(1, 24), pixels(1, 24)].concat()));
    // All brought to one size.
    let options = Options { resize: Some([2, 3]), ..Options::default() };
    let small = load_with(DatasetName::Own, Some(folder.path()), options).unwrap();
    assert_eq!(small.shape().input, Shape::image(3, 2, 3));
}

#[test]
fn grey_images_alone_have_one_channel() {
    let folder = tempdir().unwrap();
    for half in ["train", "val"] {
        for class in ["one", "other"] {
            let place = folder.path().join(half).join(class);
            fs::create_dir_all(&place).unwrap();
            GrayImage::from_raw(6, 4, pixels(7, 24)).unwrap().save(place.join("a.png")).unwrap();
        }
    }
    let splits = own(folder.path());
    assert_eq!(splits.shape().input, Shape::image(1, 4, 6));
    assert_eq!(read(&splits.test, 0), (values(&pixels(7, 24)), 0));
}

#[test]
fn bad_folders_of_images_are_told_by_name() {
    let says = |change: &dyn Fn(&Path), expected: &[&str]| {
        let folder = image_folder();
        change(folder.path());
        let said = refused(DatasetName::Own, folder.path());
        assert!(expected.iter().all(|words| said.contains(words)), "{said}");
    };
    let file = "train/bee 2/1.png";
    says(&|at| fs::write(at.join(file), "no image").unwrap(), &[file, "not a valid image"]);
    says(
        &|at| {
            let bytes = fs::read(at.join(file)).unwrap();
            fs::write(at.join(file), &bytes[..bytes.len() / 2]).unwrap();
        },
        &[file, "not a valid image"],
    );
    says(
        &|at| RgbImage::new(4, 4).save(at.join(file)).unwrap(),
        &[file, "has 4×4 pixels", "train/ant/0.png", "has 4×6", "--resize"],
    );
    says(&|at| fs::create_dir(at.join("test/empty")).unwrap(), &["test/empty: this class has no image"]);
    says(
        &|at| fs::rename(at.join("test/ant"), at.join("test/aunt")).unwrap(),
        &[
            "the classes of the training and the test images differ: only training has ant; only test has aunt",
        ],
    );
    says(
        &|at| fs::remove_dir_all(at.join("test")).unwrap(),
        &["but no folder test: move some images of each class there"],
    );
    says(
        &|at| {
            fs::remove_dir_all(at.join("train")).unwrap();
            fs::create_dir(at.join("train")).unwrap();
        },
        &["train: there are no images: it needs a folder for each class"],
    );
}

/// Every sample of a data set: its values, and its label.
fn all(data: &SharedDataset) -> Vec<(Vec<f32>, u32)> {
    (0..data.len()).map(|sample| read(data, sample)).collect()
}

/// How many samples of each class there are.
fn counts(samples: &[(Vec<f32>, u32)], classes: u32) -> Vec<usize> {
    (0..classes).map(|class| samples.iter().filter(|(_, label)| *label == class).count()).collect()
}

fn with_fraction(folder: &Path, test_fraction: f64) -> Splits {
    let options = Options { test_fraction: Some(test_fraction), ..Options::default() };
    load_with(DatasetName::Own, Some(folder), options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_fraction_of_each_class_is_held_out_where_there_is_no_test_set() {
    let folder = tempdir().unwrap();
    for (class, (name, images)) in [("a", 10), ("b", 5), ("c", 1), ("d", 2)].into_iter().enumerate() {
        let place = folder.path().join("train").join(name);
        fs::create_dir_all(&place).unwrap();
        for k in 0..images {
            let bytes = pixels(20 * class + k, 24);
            GrayImage::from_raw(6, 4, bytes).unwrap().save(place.join(format!("{k:02}.png"))).unwrap();
        }
    }
    let whole = {
        let options = Options { test_fraction: Some(0.5), ..Options::default() };
        fs::create_dir(folder.path().join("val")).unwrap();
        let error = load_with(DatasetName::Own, Some(folder.path()), options).unwrap_err().to_string();
        assert!(error.ends_with("val: the data set has a test set: omit --test-fraction"), "{error}");
        fs::remove_dir(folder.path().join("val")).unwrap();
        // All images, in the order in which a data set has them.
        let classes = [("a", 10), ("b", 5), ("c", 1), ("d", 2)].into_iter().zip(0_u32..);
        let samples = classes.flat_map(|((_, images), class)| (0..images).map(move |k| (class, k)));
        samples.map(|(class, k)| (values(&pixels(20 * class as usize + k, 24)), class)).collect::<Vec<_>>()
    };
    for (fraction, expected) in [(0.3, [3, 2, 0, 1]), (0.001, [1, 1, 0, 1]), (0.999, [9, 4, 0, 1])] {
        let splits = with_fraction(folder.path(), fraction);
        let [training, test] = [&splits.training, &splits.test].map(all);
        assert_eq!(counts(&test, 4), expected, "{fraction}");
        assert_eq!(training.len() + test.len(), whole.len());
        // Each image is in one of the two, and both are in order.
        let (mut of_training, mut of_test) = (training.iter().peekable(), test.iter().peekable());
        for sample in &whole {
            let is_next = of_training.next_if_eq(&sample).or_else(|| of_test.next_if_eq(&sample));
            assert!(is_next.is_some(), "{fraction}");
        }
        assert_eq!(all(&with_fraction(folder.path(), fraction).test), test, "the same images again");
        let [of_test, of_training] = [test.len(), training.len()];
        let note = format!(
            "The data set has no test set: of 18 images, {of_test} are used for testing ({fraction} of each class, drawn with \
             seed 0) and {of_training} for training."
        );
        assert_eq!(splits.notes, [note]);
    }
    // It is a draw: neither the first images of a class nor the last.
    let test = all(&with_fraction(folder.path(), 0.3).test);
    let places: Vec<_> =
        test.iter().filter_map(|sample| whole[..10].iter().position(|s| s == sample)).collect();
    assert_eq!(places.len(), 3);
    assert!(places != [0, 1, 2] && places != [7, 8, 9], "{places:?}");
    for name in ["a", "b", "d"] {
        fs::remove_dir_all(folder.path().join("train").join(name)).unwrap();
    }
    let options = Options { test_fraction: Some(0.5), ..Options::default() };
    let error = load_with(DatasetName::Own, Some(folder.path()), options).unwrap_err().to_string();
    assert!(error.contains("no class has two images, so none can be used for testing"), "{error}");
}

#[test]
fn a_run_on_idx_files_without_a_test_set_holds_images_out() {
    let folder = mnist();
    let at = |name: &str| folder.path().join(name);
    let short = SHORT.replace("--max-batch 200", "--max-batch 100");
    let refused = |command: &str| text(&run(folder.path(), command).stderr);
    let said = refused(&format!("{short} --test-fraction 0.2"));
    assert!(
        said.contains("t10k-images-idx3-ubyte: the data set has a test set: omit --test-fraction"),
        "{said}"
    );
    fs::remove_file(at("t10k-images-idx3-ubyte")).unwrap();
    let said = refused(&format!("{short} --test-fraction 0.2"));
    assert!(said.contains("t10k-labels-idx1-ubyte: the data set has a test set"), "{said}");
    fs::remove_file(at("t10k-labels-idx1-ubyte")).unwrap();
    let said = refused(&short);
    let advice = "to use part of the training images for testing, add --test-fraction 0.1";
    assert!(said.contains("t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte are missing"), "{said}");
    assert!(said.trim_end().ends_with(advice), "{said}");
    for wrong in ["0", "1", "-0.5", "1.5", "nan", "0,1", "20%"] {
        let said = refused(&format!("{short} --test-fraction={wrong}"));
        assert!(said.contains("--test-fraction"), "{wrong}: {said}");
        assert!(said.contains("expected a "), "{wrong}: {said}");
    }
    let output = run(folder.path(), &format!("{short} --test-fraction 0.2 --quiet --save run.safetensors"));
    let [summary, said] = [output.stdout, output.stderr].map(|bytes| text(&bytes));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("The data set has no test set: of 300 images, "), "{said}");
    // The same images again, and no others.
    let evaluated = succeed(folder.path(), "evaluate --data . --load run.safetensors --test-fraction 0.2");
    let accuracy =
        |text: &str| text.lines().find(|line| line.starts_with("test accuracy")).unwrap().to_owned();
    let words = |line: String| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(accuracy(&evaluated)), words(accuracy(&summary)));
    let resume = "train --data . --resume run.safetensors --sample-budget 2500 --quiet";
    succeed(folder.path(), &format!("{resume} --test-fraction 0.2"));
    let said = refused(&format!("{resume} --test-fraction 0.3"));
    assert!(said.contains("the run was trained on ") && said.contains(" samples, but . has "), "{said}");
    assert!(refused(resume).trim_end().ends_with(advice));
    // Packed, the two halves are files.
    succeed(folder.path(), "data pack . --test-fraction 0.2 --output packed");
    let packed = succeed(folder.path(), "evaluate --data packed --load run.safetensors");
    assert_eq!(accuracy(&packed), accuracy(&evaluated));
}

#[test]
fn what_is_packed_reads_the_same() {
    let target = tempdir().unwrap();
    let [cifar, other] = ["cifar", "idx"].map(|name| target.path().join(name));
    let source = tempdir().unwrap();
    cifar_10(source.path());
    // One image more than the batch files share evenly.
    fs::write(source.path().join("data_batch_5.bin"), records(16, 5, |k| vec![(k % 10) as u8])).unwrap();
    let splits = own(source.path());
    let (kind, files) = pack::write(&splits, &cifar).unwrap();
    assert_eq!((kind, files.len()), (Kind::Cifar10, 7));
    let packed = own(&cifar);
    assert_eq!((packed.digest, &packed.class_names), (splits.digest, &splits.class_names));
    assert_eq!(read(&packed.test, 3), read(&splits.test, 3));
    assert!(pack::write(&splits, &cifar).unwrap_err().to_string().contains("data_batch_1.bin"));

    let folder = image_folder();
    let splits = own(folder.path());
    assert_eq!(pack::write(&splits, &other).unwrap().0, Kind::Idx);
    let packed = own(&other);
    assert_eq!((packed.digest, packed.shape()), (splits.digest, splits.shape()));
}

#[test]
fn a_run_normalises_both_halves_by_the_training_images() {
    let folder = tempdir().unwrap();
    cifar_10(folder.path());
    let splits = own(folder.path());
    let config = RunConfig { normalisation: Normalisation::Training, ..RunConfig::default() };
    let plain = [read(&splits.training, 5).0, read(&splits.test, 2).0];
    let images = splits.images().unwrap()[0].clone();
    let encoding = images.channel_statistics();
    let splits = splits.for_run(&config, None);
    assert_eq!((splits.shape().encoding, splits.test.shape().encoding), (encoding, encoding));
    let Encoding::Bytes { mean, deviation } = encoding else { panic!("bytes") };
    for (found, plain) in [read(&splits.training, 5).0, read(&splits.test, 2).0].iter().zip(plain) {
        for (place, (found, plain)) in found.iter().zip(plain).enumerate() {
            assert_eq!(*found, (plain - mean[place / 1024]) / deviation[place / 1024]);
        }
    }
}

#[test]
fn the_program_checks_and_packs_data() {
    let folder = image_folder();
    let checked = succeed(folder.path(), "data check .");
    for words in
        ["folders of images by class", "3×4×6", "1 bee 2", "train/bee 2/0.png", "The data set is complete"]
    {
        assert!(checked.contains(words), "{words}: {checked}");
    }
    succeed(folder.path(), "data pack . --resize 32x32 --output packed");
    let packed = succeed(folder.path(), "data check packed");
    assert!(packed.contains("IDX files") && packed.contains("train-images-idx3-ubyte"), "{packed}");
    let cifar = tempdir().unwrap();
    cifar_10(cifar.path());
    let checked = succeed(cifar.path(), "data check . --dataset cifar10");
    for words in ["CIFAR-10 in binary form", "3 cat", "data_batch_5.bin", "not 50000 + 10000"] {
        assert!(checked.contains(words), "{words}: {checked}");
    }
    fs::write(cifar.path().join("data_batch_2.bin"), "short").unwrap();
    let broken = run(cifar.path(), "data check .");
    assert_eq!((broken.status.code(), text(&broken.stdout).as_str()), (Some(1), ""));
    assert!(text(&broken.stderr).contains("data_batch_2.bin: the file has 5 bytes"));
    for (flags, words) in [
        ("--resize 8x8", "--resize is only for folders of images"),
        ("--labels coarse", "--labels is only for CIFAR-100"),
        ("--test-fraction 0.1", "the data set has a test set: omit --test-fraction"),
    ] {
        cifar_10(cifar.path());
        let said = text(&run(cifar.path(), &format!("data check . {flags}")).stderr);
        assert!(said.contains(words), "{said}");
    }
    let said = text(&run(folder.path(), "data check . --resize 8").stderr);
    assert!(said.contains("expected rows x columns, such as 32x32"), "{said}");
    // A changed archive is not the published one.
    let packed = archive(cifar.path(), "cifar-10-binary.tar.gz");
    let said = text(&run(packed.path(), "data check .").stderr);
    assert!(said.contains("but that of the published archive is c32a1d4ab5d03f1284b67883e8d87530"), "{said}");
}

const AUGMENTED: &str = "--crop-padding 4 --flip --normalise --quiet";

#[test]
fn an_augmented_run_resumes_to_the_bit_with_any_number_of_threads() {
    let folder = mnist();
    let at = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let plain = succeed(folder.path(), &format!("{SHORT} --quiet --save plain.safetensors"));
    let whole = succeed(folder.path(), &format!("{SHORT} {AUGMENTED} --threads 1 --save whole.safetensors"));
    assert_ne!(plain, whole);
    succeed(folder.path(), &format!("{SHORT} {AUGMENTED} --threads 3 --save three.safetensors"));
    assert!(at("whole.safetensors") == at("three.safetensors"));
    let half = SHORT.replace("--sample-budget 2000", "--sample-budget 900");
    succeed(folder.path(), &format!("{half} {AUGMENTED} --threads 2 --save half.safetensors"));
    succeed(
        folder.path(),
        "train --data . --resume half.safetensors --sample-budget 2000 --threads 3 --quiet --save half.safetensors",
    );
    assert!(at("whole.safetensors") == at("half.safetensors"));
    // Accuracy is that of the summary: normalised as in training, and not augmented.
    let evaluated = succeed(folder.path(), "evaluate --data . --load whole.safetensors");
    let accuracy = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("test accuracy")).unwrap();
        line.split_whitespace().rev().nth(1).unwrap().to_owned()
    };
    assert_eq!(accuracy(&evaluated), accuracy(&whole));
}

#[test]
fn settings_of_images_are_settings_like_others() {
    let folder = mnist();
    let said = text(&run(folder.path(), &format!("{SHORT} --crop-padding 33")).stderr);
    assert!(said.contains("--crop-padding is 33, but must be from 0 to 32"), "{said}");
    let printed = succeed(folder.path(), &format!("{SHORT} {AUGMENTED} --print-config"));
    let config: RunConfig = serde_json::from_str(&printed).unwrap();
    assert_eq!((config.augmentation.padding, config.augmentation.flip), (4, true));
    assert_eq!(config.normalisation, Normalisation::Training);
    fs::write(folder.path().join("run.json"), &printed).unwrap();
    let again = succeed(folder.path(), "train --data . --config run.json --flip false --print-config");
    assert_eq!(again, printed.replace("\"flip\": true", "\"flip\": false"));
    fs::write(folder.path().join("run.json"), r#"{"augmentation": {"flip": true}, "normalisation": "none"}"#)
        .unwrap();
    let said = succeed(folder.path(), "train --config run.json --print-config");
    let config: RunConfig = serde_json::from_str(&said).unwrap();
    assert_eq!((config.augmentation.padding, config.augmentation.flip), (0, true));
    let said = text(&run(folder.path(), &format!("{SHORT} --save x.safetensors --quiet")).stderr);
    assert!(said.contains("Saved"), "{said}");
    let said = text(&run(folder.path(), "train --data . --resume x.safetensors --flip").stderr);
    assert!(said.contains("a resumed run keeps the settings of its checkpoint"), "{said}");
}

#[test]
fn a_model_that_does_not_fit_the_images_is_refused_with_its_layer() {
    let folder = idx_folder(&[3, 7, 5], &[0, 1, 2].map(|k| pixels(k, 3 * 7 * 5)), [0, 1, 1]);
    let said = text(
        &run(folder.path(), "train --data . --dataset own --model cifar-cnn --initial-batch 2 --quiet")
            .stderr,
    );
    let expected = "the model cifar-cnn does not fit samples of shape 3×7×5 with 2 classes: layer ";
    assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
}

/// A set of the published size, of black images of the first class.
fn published_size(folder: &Path) {
    for name in CIFAR_10 {
        fs::File::create(folder.join(name)).unwrap().set_len(10_000 * 3073).unwrap();
    }
}

#[test]
fn a_published_file_that_ends_with_a_record_is_found_too_short() {
    let folder = tempdir().unwrap();
    published_size(folder.path());
    let checked = succeed(folder.path(), "data check .");
    assert!(checked.contains("and all published images are there"), "{checked}");
    assert!(checked.contains("publish a digest of the archive only"), "{checked}");
    let file = fs::File::options().write(true).open(folder.path().join("data_batch_5.bin")).unwrap();
    file.set_len(9_999 * 3073).unwrap();
    let checked = succeed(folder.path(), "data check .");
    for words in [
        "These are not the published files: they contain 49999 + 10000 images, not 50000 + 10000 (data_batch_5.bin has \
         9999, not 10000).",
        "Every file was read to its end, but this is not the complete published data set.",
    ] {
        assert!(checked.contains(words), "{checked}");
    }
    assert!(!checked.contains("is complete"), "{checked}");
}

#[test]
fn batch_files_may_be_packed() {
    let folder = tempdir().unwrap();
    cifar_10(folder.path());
    let digest = own(folder.path()).digest;
    let at = |name: &str| folder.path().join(name);
    let packed = |name: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::copy(&mut fs::File::open(at(name)).unwrap(), &mut encoder).unwrap();
        encoder.finish().unwrap()
    };
    // Under its own name, and under the usual one.
    fs::write(at("data_batch_2.bin"), packed("data_batch_2.bin")).unwrap();
    for name in ["data_batch_3.bin", "test_batch.bin", "batches.meta.txt"] {
        fs::write(at(&format!("{name}.gz")), packed(name)).unwrap();
        fs::remove_file(at(name)).unwrap();
    }
    let splits = own(folder.path());
    assert_eq!((splits.digest, splits.class_name(3).as_str()), (digest, "cat"));
    assert!(splits.files.contains(&at("test_batch.bin.gz")), "{:?}", splits.files);
    let cut = fs::read(at("test_batch.bin.gz")).unwrap();
    fs::write(at("test_batch.bin.gz"), &cut[..cut.len() / 2]).unwrap();
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.contains("test_batch.bin.gz: after ") && said.contains("decompressed bytes"), "{said}");
}

/// So many training images of CIFAR's shape in ten classes, and one test image.
fn colour_set(count: usize) -> TempDir {
    let folder = tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    let images = |first: usize, count: usize| {
        let values: Vec<u8> = (first..first + count).flat_map(|k| pixels(k, 3072)).collect();
        idx(&[count as u32, 3, 32, 32], &values)
    };
    // The highest first: it says that there are ten.
    let labels: Vec<u8> = (0..count).map(|k| (k + 9) as u8 % 10).collect();
    write("train-images-idx3-ubyte", images(0, count));
    write("train-labels-idx1-ubyte", idx(&[count as u32], &labels));
    write("t10k-images-idx3-ubyte", images(count, 1));
    write("t10k-labels-idx1-ubyte", idx(&[1], &[4]));
    folder
}

#[test]
fn any_number_of_images_is_packed_into_files_that_can_be_read() {
    for count in 1..=21 {
        let (source, target) = (colour_set(count), tempdir().unwrap());
        let splits = own(source.path());
        let (kind, files) = pack::write(&splits, target.path()).unwrap();
        // Fewer images than batch files would leave empty ones.
        assert_eq!(kind, if count < 5 { Kind::Idx } else { Kind::Cifar10 }, "{count}");
        let empty = files.iter().find(|file| fs::metadata(file).unwrap().len() == 0);
        assert_eq!(empty, None, "{count}");
        let packed = own(target.path());
        assert_eq!((packed.kind, packed.digest, packed.test.len()), (kind, splits.digest, 1), "{count}");
    }
}

/// What is in a folder.
fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn packing_into_a_folder_with_data_changes_nothing() {
    let source = mnist();
    let splits = load(DatasetName::Mnist, Some(source.path())).unwrap();
    let target = tempdir().unwrap();
    let at = |name: &str| target.path().join(name);
    fs::write(at("t10k-labels-idx1-ubyte"), "mine").unwrap();
    let said = pack::write(&splits, target.path()).unwrap_err().to_string();
    assert_eq!(
        said,
        format!("{}: exists already, and is not replaced", at("t10k-labels-idx1-ubyte").display())
    );
    assert_eq!(names_in(target.path()), ["t10k-labels-idx1-ubyte"]);
    assert_eq!(fs::read(at("t10k-labels-idx1-ubyte")).unwrap(), b"mine");
    // Beside another data set, nobody could tell which of them is meant.
    fs::remove_file(at("t10k-labels-idx1-ubyte")).unwrap();
    cifar_10(target.path());
    let before = names_in(target.path());
    let said = pack::write(&splits, target.path()).unwrap_err().to_string();
    let text = "already contains CIFAR-10 in binary form: give another folder";
    assert_eq!(said, format!("{}: {text}", target.path().display()));
    assert_eq!(names_in(target.path()), before);
}

#[cfg(unix)]
#[test]
fn packing_onto_a_full_disk_names_the_file_and_leaves_nothing() {
    let folder = mnist();
    let before = names_in(folder.path());
    let pack = "ulimit -f 16; exec \"$0\" data pack . --output new/packed";
    let output = std::process::Command::new("sh")
        .current_dir(folder.path())
        .args(["-c", pack, support::program::PROGRAM])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("new/packed/train-images-idx3-ubyte: File too large"), "{said}");
    assert_eq!(names_in(folder.path()), before);
    let output = run(folder.path(), "data pack . --output /dev/null/packed");
    assert!(text(&output.stderr).contains("/dev/null/packed: "), "{}", text(&output.stderr));
}

#[test]
fn what_is_no_image_of_a_class_is_counted() {
    let folder = image_folder();
    let at = |name: &str| folder.path().join(name);
    let digest = own(folder.path()).digest;
    for name in ["train/ant/b.gif", "train/ant/a.webp", "train/readme.txt", "train/.DS_Store"] {
        fs::write(at(name), "GIF89a").unwrap();
    }
    for name in ["train/ant/more", "train/__MACOSX", "train/@eaDir", "test/.git", "test/$RECYCLE.BIN"] {
        fs::create_dir(at(name)).unwrap();
    }
    fs::copy(at("train/ant/0.png"), at("train/ant/more/0.png")).unwrap();
    let splits = own(folder.path());
    assert_eq!((splits.digest, splits.class_names.len()), (digest, 3));
    assert_eq!(
        splits.notes,
        [
            "Skipped: 9 files that are not PNG or JPEG images of a class (the first is train/ant/a.webp); 1 folder \
             within a class (train/ant/more); 4 system folders (the first is train/@eaDir)."
        ]
    );
    // A class of nothing else.
    for name in ["0.png", "1.png"] {
        fs::remove_file(at("train/ant").join(name)).unwrap();
    }
    let said = refused(DatasetName::Own, folder.path());
    assert!(
        said.ends_with("train/ant: this class has no image (png, jpg, jpeg), but 4 other files and folders"),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn what_only_looks_like_an_image_is_refused() {
    use std::os::unix::fs::symlink;

    let folder = image_folder();
    let at = |name: &str| folder.path().join(name);
    symlink("nothing.png", at("train/ant/2.png")).unwrap();
    symlink("3.png", at("train/ant/3.png")).unwrap();
    symlink("0.png", at("train/ant/4.png")).unwrap();
    let splits = own(folder.path());
    assert_eq!(splits.training.len(), 7);
    let links = "2 broken links (the first is train/ant/2.png).";
    assert!(splits.notes[0].ends_with(links), "{:?}", splits.notes);
    fs::create_dir(at("train/ant/5.png")).unwrap();
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.ends_with("train/ant/5.png is a folder, but a file is expected"), "{said}");
    fs::remove_dir(at("train/ant/5.png")).unwrap();
    let fifo = at("train/ant/5.png");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.ends_with("train/ant/5.png is a pipe (FIFO), but a regular file is expected"), "{said}");
    // The same of batch files.
    let batches = tempdir().unwrap();
    cifar_10(batches.path());
    let file = batches.path().join("data_batch_4.bin");
    fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    let said = refused(DatasetName::Own, batches.path());
    assert_eq!(said, format!("{}: is a pipe (FIFO), but a regular file is expected", file.display()));
}

#[cfg(unix)]
#[test]
fn names_of_classes_are_no_commands_to_a_terminal() {
    let folder = image_folder();
    for half in ["train", "test"] {
        let half = folder.path().join(half);
        fs::rename(half.join("ant"), half.join("a\u{1b}[31mnt\n")).unwrap();
    }
    let output = run(folder.path(), "data check .");
    let [shown, said] = [output.stdout, output.stderr].map(|bytes| text(&bytes));
    assert!(said.contains("train/a\\u{1b}[31mnt") && said.contains("must not contain control"), "{said}");
    assert!(!said.contains('\u{1b}') && said.lines().count() == 1 && shown.is_empty(), "{said}");
    let batches = tempdir().unwrap();
    cifar_10(batches.path());
    fs::write(batches.path().join("batches.meta.txt"), "a\n\u{1b}c\nb\n").unwrap();
    let said = refused(DatasetName::Own, batches.path());
    assert!(said.ends_with("the class name \"\\u{1b}c\" contains a control character"), "{said}");
    // A file's name is shown with its control characters as escapes.
    let folder = image_folder();
    let ant = folder.path().join("train/ant");
    fs::rename(ant.join("0.png"), ant.join("\u{1b}c.png")).unwrap();
    let shown = succeed(folder.path(), "data check .");
    assert!(shown.contains("train/ant/\\u{1b}c.png") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn images_without_pixels_are_refused() {
    let folder = image_folder();
    let file = folder.path().join("train/ant/0.png");
    RgbImage::new(6, 4).save_with_format(&file, ImageFormat::Jpeg).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[frame + 7..frame + 9].fill(0);
    fs::write(&file, bytes).unwrap();
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.contains("train/ant/0.png: "), "{said}");
    let none = [Vec::new(), Vec::new(), Vec::new()];
    let said = refused(DatasetName::Own, idx_folder(&[0, 5], &none, [0, 1, 0]).path());
    assert!(said.contains("from byte 8: the images have 0×5 pixels, but need at least one"), "{said}");
}

/// EXIF data that say how an image is turned.
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

#[test]
fn images_are_turned_upright() {
    let folder = image_folder();
    let expected = own(folder.path());
    let file = folder.path().join("train/ant/0.png");
    let upright = image::open(&file).unwrap();
    // To be turned by 90 degrees clockwise: it was turned the other way.
    let turned = upright.rotate270();
    let mut encoder = PngEncoder::new(fs::File::create(&file).unwrap());
    encoder.set_exif_metadata(exif(6)).unwrap();
    turned.write_with_encoder(encoder).unwrap();
    let splits = own(folder.path());
    assert_eq!((splits.digest, splits.shape()), (expected.digest, expected.shape()));
    assert!(splits.notes.contains(&"1 image was rotated according to the EXIF data.".to_owned()));
}

#[test]
fn of_two_data_sets_in_one_folder_one_must_be_chosen() {
    let folder = mnist();
    cifar_10(folder.path());
    let text_of = |output: std::process::Output| text(&output.stderr);
    let expected = "contains two data sets, IDX files and CIFAR-10 in binary form: give --dataset cifar10 for CIFAR-10 in \
                    binary form, or keep each in a separate folder";
    assert!(refused(DatasetName::Own, folder.path()).ends_with(expected));
    for command in ["data check .", SHORT, "data pack . --output packed"] {
        let said = text_of(run(folder.path(), command));
        assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
    }
    assert_eq!(load(DatasetName::Mnist, Some(folder.path())).unwrap().kind, Kind::Idx);
    assert_eq!(load(DatasetName::Cifar10, Some(folder.path())).unwrap().kind, Kind::Cifar10);
    succeed(folder.path(), "data check . --dataset cifar10");
    let folder = image_folder();
    fs::write(folder.path().join("train.bin"), "").unwrap();
    let said = refused(DatasetName::Own, folder.path());
    assert!(
        said.contains("CIFAR-100 in binary form and folders of images by class: give --dataset cifar100"),
        "{said}"
    );
    // A set and the archive that it was unpacked from are one.
    let folder = tempdir().unwrap();
    let within = folder.path().join("cifar-10-batches-bin");
    cifar_10(&within);
    let packed = archive(&within, "cifar-10-binary.tar.gz");
    fs::copy(packed.path().join("cifar-10-binary.tar.gz"), folder.path().join("cifar-10-binary.tar.gz"))
        .unwrap();
    own(folder.path());
}

#[test]
fn one_class_is_refused_wherever_data_are_read() {
    let images = [0, 1, 2].map(|k| pixels(k, 35));
    let folder = idx_folder(&[7, 5], &images, [0, 0, 0]);
    let expected = "all images have the class 0, but training needs at least two classes";
    for command in ["data check .", "train --data . --dataset own --model logistic --initial-batch 2"] {
        let output = run(folder.path(), command);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(expected) && said.lines().count() == 1, "{said}");
    }
    let folder = image_folder();
    for half in ["train", "test"] {
        for class in ["ant", "bee 2"] {
            fs::remove_dir_all(folder.path().join(half).join(class)).unwrap();
        }
    }
    assert!(refused(DatasetName::Own, folder.path()).contains("all images have the class zebra, but"));
}

#[test]
fn classes_called_by_numbers_are_in_the_order_of_texts() {
    let folder = tempdir().unwrap();
    let write = |names: &[&str]| {
        for (half, name) in
            ["train", "test"].into_iter().flat_map(|half| names.iter().map(move |name| (half, name)))
        {
            let place = folder.path().join(half).join(name);
            fs::create_dir_all(&place).unwrap();
            GrayImage::from_raw(6, 4, pixels(7, 24)).unwrap().save(place.join("a.png")).unwrap();
        }
    };
    write(&["1", "2"]);
    assert!(own(folder.path()).notes.is_empty());
    write(&["10"]);
    let splits = own(folder.path());
    assert_eq!(splits.class_names, ["1", "10", "2"]);
    assert_eq!(
        splits.notes,
        ["Classes are numbered in the order of their names as text: 10 comes before 2."]
    );
    write(&["ten"]);
    assert!(own(folder.path()).notes.is_empty());
}
