//! Data files as they are found elsewhere: names, layouts, packing, and what is said where one is missing.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::support::idx;
use adadagrad_core::config::DatasetName;
use adadagrad_gpu::data::unpack::unpacked;
use adadagrad_gpu::data::{Splits, load};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::{TempDir, tempdir};

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// 30 images to learn from, 10 to test on.
fn bytes() -> [Vec<u8>; 4] {
    let ([a, b], [c, d]) = (idx(30, 1), idx(10, 2));
    [a, b, c, d]
}

fn write(folder: &Path, names: [&str; 4], bytes: &[Vec<u8>; 4]) {
    for (name, bytes) in names.iter().zip(bytes) {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// A folder with MNIST's names.
fn usual() -> TempDir {
    let folder = tempdir().unwrap();
    write(folder.path(), NAMES, &bytes());
    folder
}

fn own(folder: &Path) -> Splits {
    load(DatasetName::Own, Some(folder)).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(name: DatasetName, folder: &Path) -> String {
    load(name, Some(folder)).unwrap_err().to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn names_and_layouts_of_others_are_known() {
    let expected = own(usual().path()).digest;
    let dotted = NAMES.map(|name| name.replacen("-idx", ".idx", 1));
    let nested = NAMES.map(|name| format!("{name}/{name}"));
    let upper = NAMES.map(str::to_uppercase);
    let underscores = NAMES.map(|name| name.replace('-', "_").replace("t10k", "test"));
    let raw = NAMES.map(|name| format!("MNIST/raw/{name}"));
    let only_raw = NAMES.map(|name| format!("raw/{name}"));
    let of_xtask = NAMES.map(|name| format!("mnist/{name}"));
    let digits = NAMES.map(|name| format!("qmnist-{}", name.replace("t10k", "test")));
    for names in [&dotted, &nested, &upper, &underscores, &raw, &only_raw, &of_xtask, &digits] {
        let folder = tempdir().unwrap();
        write(folder.path(), names.each_ref().map(String::as_str), &bytes());
        // Files that are something else.
        fs::write(folder.path().join("train-images.csv"), "label,pixel").unwrap();
        fs::write(folder.path().join("xnist-images-idx3-ubyte"), "").unwrap();
        let splits = load(DatasetName::Mnist, Some(folder.path())).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(splits.digest, expected, "{names:?}");
        assert_eq!(splits.test.len(), 10);
    }
    // torchvision's folder with two sets: each by its name.
    let folder = tempdir().unwrap();
    write(folder.path(), raw.each_ref().map(String::as_str), &bytes());
    let mut fashion = bytes();
    fashion[0][16] ^= 1;
    let names = NAMES.map(|name| format!("FashionMNIST/raw/{name}"));
    write(folder.path(), names.each_ref().map(String::as_str), &fashion);
    let digest = |name| load(name, Some(folder.path())).unwrap().digest;
    assert_eq!(digest(DatasetName::Mnist), expected);
    assert_ne!(digest(DatasetName::FashionMnist), expected);
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.contains("several data sets") && said.contains("FashionMNIST/raw"), "{said}");
}

#[test]
fn emnist_is_turned_upright_and_a_set_is_chosen_by_its_name() {
    let folder = tempdir().unwrap();
    let lying = |mut bytes: [Vec<u8>; 4]| {
        for part in [0, 2] {
            for image in bytes[part][16..].chunks_exact_mut(784) {
                let upright = image.to_vec();
                (0..784).for_each(|k| image[k] = upright[k % 28 * 28 + k / 28]);
            }
        }
        bytes
    };
    let names = |set: &str| {
        ["train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"]
            .map(|name| format!("emnist-{set}-{name}-ubyte"))
    };
    write(folder.path(), names("digits").each_ref().map(String::as_str), &lying(bytes()));
    let expected = own(usual().path()).digest;
    assert_eq!(own(folder.path()).digest, expected);

    // Letters: 26 classes.
    let mut letters = bytes();
    for part in [1, 3] {
        for (k, label) in letters[part][8..].iter_mut().enumerate() {
            *label = 1 + (k % 26) as u8;
        }
    }
    write(folder.path(), names("letters").each_ref().map(String::as_str), &lying(letters));
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.contains("emnist-digits or ") && said.contains("emnist-letters"), "{said}");
    assert_eq!(own(&folder.path().join("emnist-digits")).digest, expected);
    let letters = own(&folder.path().join("emnist-letters"));
    assert_eq!(letters.shape().classes, 26);
    let said = refused(DatasetName::Mnist, &folder.path().join("emnist-letters"));
    assert!(said.contains("its labels range from 1 to 26; there are 10 classes, 0 to 9"), "{said}");
}

#[test]
fn qmnist_s_labels_are_read() {
    let wide = |labels: &[u8]| {
        let mut bytes = vec![0, 0, 0x0c, 2];
        bytes.extend_from_slice(&labels[4..8]);
        bytes.extend(8_u32.to_be_bytes());
        for &label in &labels[8..] {
            let row = [u32::from(label), 4, 2426, 7, 46, 52_215, 0, 0];
            bytes.extend(row.iter().flat_map(|value| value.to_be_bytes()));
        }
        bytes
    };
    let [a, b, c, d] = bytes();
    let folder = tempdir().unwrap();
    let names = [
        "qmnist-train-images-idx3-ubyte",
        "qmnist-train-labels-idx2-int",
        "qmnist-test-images-idx3-ubyte",
        "qmnist-test-labels-idx2-int",
    ];
    write(folder.path(), names, &[a, wide(&b), c, wide(&d)]);
    assert_eq!(own(folder.path()).digest, own(usual().path()).digest);
    let file = folder.path().join(names[1]);
    let mut labels = fs::read(&file).unwrap();
    labels[12 + 32 * 3] = 0xff;
    fs::write(&file, &labels).unwrap();
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.contains("qmnist-train-labels-idx2-int: byte 108: label -167772"), "{said}");
    fs::write(&file, &labels[..200]).unwrap();
    assert!(refused(DatasetName::Own, folder.path()).contains("qmnist-train-labels-idx2-int: "));
}

#[test]
fn padding_is_left_out_and_members_are_joined() {
    let expected = own(usual().path()).digest;
    let images = bytes()[0].clone();
    let zeros = |len| vec![0; len];
    let [one, other] = [gzip(&images[..1000]), gzip(&images[1000..])];
    let variants = [
        ("", [gzip(&images), zeros(64)].concat()),
        (".gz", [gzip(&images), zeros(64)].concat()),
        (".gz", [one.clone(), other.clone()].concat()),
        (".gz", [one, other, zeros(512)].concat()),
        (".gz", gzip(&[images.clone(), zeros(64)].concat())),
        // As a server may have unpacked it.
        (".gz", images.clone()),
        ("", [images.clone(), zeros(4096)].concat()),
    ];
    for (k, (end, bytes)) in variants.into_iter().enumerate() {
        let folder = usual();
        let plain = folder.path().join(NAMES[0]);
        fs::remove_file(&plain).unwrap();
        fs::write(format!("{}{end}", plain.display()), bytes).unwrap();
        assert_eq!(own(folder.path()).digest, expected, "variant {k}");
    }
    let folder = usual();
    let file = folder.path().join(NAMES[0]);
    fs::write(&file, [gzip(&images), b"more".to_vec()].concat()).unwrap();
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.contains("but is followed by bytes other than zero"), "{said}");
    fs::write(&file, [images, vec![0, 0, 1]].concat()).unwrap();
    assert!(refused(DatasetName::Own, folder.path()).contains("the header declares a file of"));
}

#[test]
fn packed_files_go_on_no_further_than_their_headers_say() {
    let images = bytes()[0].clone();
    let zeros = vec![0; 1 << 24];
    let says = |bytes: &[u8], expected: &str| {
        let folder = usual();
        fs::write(folder.path().join(NAMES[0]), bytes).unwrap();
        let said = refused(DatasetName::Own, folder.path());
        assert!(said.contains(NAMES[0]) && said.contains(expected), "{said}");
    };
    let declared = format!("the header declares {} bytes, but there are more than ", images.len());
    says(&gzip(&[images.clone(), zeros.clone()].concat()), &declared);
    says(&[gzip(&images), gzip(&zeros)].concat(), &declared);
    // No header at all.
    says(&gzip(&zeros), "byte 2: the values have type 0x00");
    assert_eq!(unpacked(gzip(&zeros), false).unwrap().len(), 4 + 4 * 255);
    // A header that begins in one member and ends in the next.
    let split = [gzip(&images[..3]), gzip(&images[3..9]), gzip(&images[9..])].concat();
    assert!(unpacked(split, false).unwrap() == images);
}

#[test]
fn what_is_missing_is_named_and_no_advice_is_another_s() {
    let folder = usual();
    fs::rename(folder.path().join(NAMES[3]), folder.path().join("labels")).unwrap();
    let said = refused(DatasetName::Own, folder.path());
    assert!(
        said.contains(
            "t10k-labels-idx1-ubyte is missing (uncompressed or .gz); the folder contains train-images"
        ),
        "{said}"
    );
    assert!(!said.contains("xtask"), "{said}");
    // Another set's folder is not taken, but named.
    let other = tempdir().unwrap();
    let names = NAMES.map(|name| format!("data/FashionMNIST/raw/{name}"));
    write(other.path(), names.each_ref().map(String::as_str), &bytes());
    for (given, name) in [("", DatasetName::Own), ("data", DatasetName::Mnist)] {
        let said = refused(name, &other.path().join(given));
        let elsewhere = other.path().join("data/FashionMNIST/raw");
        assert!(said.contains(&format!("but some in {}: give", elsewhere.display())), "{said}");
    }
    let empty = tempdir().unwrap();
    let said = refused(DatasetName::Own, empty.path());
    assert!(said.starts_with("no data files in ") && said.ends_with("t10k-labels-idx1-ubyte"), "{said}");
    assert!(!said.contains("xtask"), "{said}");
    let said = refused(DatasetName::Mnist, &empty.path().join("nothing"));
    assert!(said.contains("nothing does not exist: --data takes the folder"), "{said}");
    let said = refused(DatasetName::Mnist, &folder.path().join(NAMES[0]));
    assert!(said.contains("is a file, not a folder"), "{said}");
}

#[test]
fn a_file_that_is_there_packed_too_must_hold_the_same() {
    let folder = usual();
    let at = |name: &str| folder.path().join(name);
    let [images, labels, ..] = bytes();
    let expected = own(folder.path()).digest;
    fs::write(at("train-images-idx3-ubyte.gz"), gzip(&images)).unwrap();
    assert_eq!(own(folder.path()).digest, expected);
    // The remains of a download that was cut short say nothing.
    let packed = gzip(&labels);
    fs::write(at("train-labels-idx1-ubyte.gz"), &packed[..packed.len() / 2]).unwrap();
    assert_eq!(own(folder.path()).digest, expected);
    let mut other = labels.clone();
    other[8] = (other[8] + 1) % 10;
    fs::write(at("train-labels-idx1-ubyte.gz"), gzip(&other)).unwrap();
    let said = refused(DatasetName::Own, folder.path());
    let (plain, packed) = (at(NAMES[1]), at("train-labels-idx1-ubyte.gz"));
    assert_eq!(
        said,
        format!(
            "{} and {} hold different data: remove the one that is wrong",
            plain.display(),
            packed.display()
        )
    );
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_not_called_missing() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    let folder = usual();
    let at = |name: &str| folder.path().join(name);
    symlink("circle", at("circle")).unwrap();
    let circle = fs::metadata(at("circle")).unwrap_err().to_string();
    let said = refused(DatasetName::Mnist, &at("circle"));
    assert_eq!(said, format!("{}: {circle}", at("circle").display()));
    let below = at(NAMES[0]).join("x");
    assert!(refused(DatasetName::Mnist, &below).contains("x: Not a directory"));

    fs::remove_file(at(NAMES[0])).unwrap();
    symlink("gone", at(NAMES[0])).unwrap();
    let said = refused(DatasetName::Own, folder.path());
    assert!(said.starts_with(&format!("{}: No such file", at(NAMES[0]).display())), "{said}");
    fs::write(at("train-images-idx3-ubyte.gz"), gzip(&bytes()[0])).unwrap();
    own(folder.path());
    fs::remove_file(at("train-images-idx3-ubyte.gz")).unwrap();
    // What may never end is no data file, and no manifest.
    fs::remove_file(at(NAMES[0])).unwrap();
    for name in [NAMES[0], "manifest.json"] {
        assert!(Command::new("mkfifo").arg(at(name)).status().unwrap().success());
    }
    let said = refused(DatasetName::Own, folder.path());
    let pipe = format!("{}: is a pipe (FIFO), but a regular file is expected", at(NAMES[0]).display());
    assert_eq!(said, pipe);
    fs::write(at("train-images-idx3-ubyte.gz"), gzip(&bytes()[0])).unwrap();
    own(folder.path());

    // Root may read everything.
    let closed = tempdir().unwrap();
    fs::create_dir(closed.path().join("raw")).unwrap();
    fs::set_permissions(closed.path().join("raw"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(closed.path().join("raw")).is_err() {
        for folder in [closed.path().to_owned(), closed.path().join("raw"), closed.path().join("raw/mnist")] {
            let said = refused(DatasetName::Mnist, &folder);
            assert!(said.contains("raw") && said.contains(": Permission denied"), "{said}");
        }
    }
}

#[test]
fn a_manifest_that_is_another_s_counts_for_nothing() {
    for manifest in [
        r#"{"name": "My page", "icons": []}"#,
        r#"{"files": {"a": 1}}"#,
        r#"{"files": ["train-images-idx3-ubyte"]}"#,
        r#"{"files": [{"name": "other", "sha256": "00"}], "large": 1}"#,
        r#"{"large": 1e400}"#,
        "[1, 2]",
        "no JSON",
        "",
    ] {
        let folder = usual();
        fs::write(folder.path().join("manifest.json"), manifest).unwrap();
        own(folder.path());
    }
    let folder = usual();
    let ours = r#"{"files": [{"name": "t10k-images-idx3-ubyte", "sha256": "00"}]}"#;
    for text in [ours.to_owned(), format!("\u{feff}{ours}")] {
        fs::write(folder.path().join("manifest.json"), text).unwrap();
        let said = refused(DatasetName::Own, folder.path());
        assert!(
            said.contains("t10k-images-idx3-ubyte: its SHA-256 differs from the one in manifest.json"),
            "{said}"
        );
        assert!(!said.contains("xtask"), "{said}");
    }
}
