//! Training on texts: how files are read, what is refused, and that a run is the same whenever it is made.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use crate::support;
use crate::support::program::{program, refuse, succeed, text, timeless};
use adadagrad_core::config::DatasetName;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::owned::checkpoint::{self, Checkpoint};
use adadagrad_core::text::{TextSettings, TokenKind};
use adadagrad_gpu::data::{Kind, Options, Splits, kind_in, load_with};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tempfile::{TempDir, tempdir};

/// Embeddings, one head of attention, and a dense layer, for 4 positions of at most 300 tokens.
const NETWORK: &str = r#"[
    {"layer": "embedding", "name": "wte", "num_embeddings": 300, "embedding_dim": 8},
    {"layer": "position_embedding", "name": "wpe", "num_embeddings": 4},
    {"layer": "layer_norm", "name": "ln"},
    {"layer": "dense", "name": "c_attn", "out_features": 24},
    {"layer": "causal_attention", "name": "attn", "num_heads": 1},
    {"layer": "add", "name": "residual", "inputs": ["wpe", "attn"]},
    {"layer": "linear", "name": "head", "out_features": CLASSES}
]"#;

/// Of 8 different characters.
const TEXT: &str = "the hen then\nheats the nest\n";

/// A folder with a text of 1,120 characters and networks for its 8 different characters and for bytes.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("book.txt"), TEXT.repeat(40)).unwrap();
    for (name, classes) in [("net.json", "8"), ("bytes.json", "256")] {
        fs::write(folder.path().join(name), NETWORK.replace("CLASSES", classes)).unwrap();
    }
    folder
}

const TRAIN: &str = "train --data book.txt --network net.json --context 4 --initial-batch 8 --max-batch 32 \
                     --optimizer adam --learning-rate 0.02 --evaluate-every 200 --quiet";

fn read(file: &Path, text: TextSettings) -> Result<Splits, String> {
    let options = Options { text, ..Options::default() };
    load_with(DatasetName::Own, Some(file), options).map_err(|error| error.to_string())
}

fn settings(tokens: TokenKind, context: u32) -> TextSettings {
    TextSettings { tokens, context }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn loaded(folder: &Path, name: &str) -> Checkpoint {
    checkpoint::load(&folder.join(name)).unwrap()
}

#[test]
fn a_file_is_a_text_packed_or_not_with_or_without_a_mark() {
    let folder = tempdir().unwrap();
    let characters = settings(TokenKind::Characters, 4);
    let plain = TEXT.repeat(10);
    let marked = format!("\u{feff}{plain}");
    let mut digests = Vec::new();
    for (name, bytes) in [
        ("plain.txt", plain.clone().into_bytes()),
        ("marked", marked.clone().into_bytes()),
        ("packed.txt.gz", gzip(plain.as_bytes())),
        ("packed.txt", gzip(marked.as_bytes())),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        assert_eq!(kind_in(DatasetName::Own, &file).unwrap(), Some(Kind::Text), "{name}");
        let splits = read(&file, characters).unwrap();
        assert_eq!(
            (splits.kind, &splits.folder, &splits.files[..]),
            (Kind::Text, &file, &[file.clone()][..])
        );
        assert_eq!(splits.shape(), SampleShape::tokens(4, 8));
        assert_eq!(splits.vocabulary().unwrap().characters().as_deref(), Some("eht n\nsa"));
        // Of 280 characters, 252 are for training.
        assert_eq!((splits.training.len(), splits.test.len()), (62, 6), "{name}");
        digests.push(splits.digest.0);
    }
    let expected: [u8; 32] = Sha256::digest(&plain.as_bytes()[..252]).into();
    assert!(digests.iter().all(|&digest| digest == expected), "{digests:?}");
    // All bytes of a file are tokens, its mark too.
    let splits = read(&folder.path().join("marked"), settings(TokenKind::Bytes, 4)).unwrap();
    assert_eq!(splits.shape(), SampleShape::tokens(4, 256));
    let expected: [u8; 32] = Sha256::digest(&marked.as_bytes()[..254]).into();
    assert_eq!(splits.digest.0, expected);
}

#[test]
fn what_is_no_text_is_refused_in_a_sentence() {
    let folder = tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8], text: TextSettings| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error = read(&file, text).unwrap_err();
        error.strip_prefix(&format!("{}: ", file.display())).unwrap().to_owned()
    };
    let characters = settings(TokenKind::Characters, 4);
    assert_eq!(refused("empty", b"", characters), "the text is empty");
    assert_eq!(refused("empty.gz", &gzip(b""), characters), "the text is empty");
    assert_eq!(
        refused("latin", b"abcdefghij\xe9", characters),
        "byte 10 is not UTF-8 text: save the file as UTF-8, or read its bytes with --tokens bytes"
    );
    assert_eq!(
        refused("wide", b"\xff\xfea\0b\0", characters),
        "not UTF-8 text, perhaps UTF-16: save the file as UTF-8, or read its bytes with --tokens bytes"
    );
    assert_eq!(
        refused("short", &b"abcdefghij".repeat(3), characters),
        "the test part of the text has 3 characters, but a sequence of 4 and the one behind it need 5: give a longer \
         text, or a smaller --context"
    );
    assert_eq!(
        refused("same", &[b'a'; 100], characters),
        "the text consists of one character, 'a', but training needs at least two different ones"
    );
    let all: String = (' '..).take(65_537).collect();
    assert_eq!(
        refused("all", all.as_bytes(), characters),
        "the text has 65537 different characters, but at most 65536 can be told apart: read its bytes with --tokens bytes"
    );
    let damaged = gzip(TEXT.as_bytes());
    let error = refused("damaged.txt.gz", &damaged[..damaged.len() / 2], characters);
    assert!(error.contains("decompressed bytes"), "{error}");
    // Bytes are what they are.
    assert!(read(&folder.path().join("latin"), settings(TokenKind::Bytes, 1)).is_ok());
    let error = read(&folder.path().join("nothing.txt"), characters).unwrap_err();
    assert!(
        error.ends_with(
            "nothing.txt does not exist: --data takes the folder with the data files, or a text file"
        ),
        "{error}"
    );
    let error = read(folder.path(), characters).unwrap_err();
    assert!(error.starts_with("no data files in "), "{error}");
}

#[test]
fn a_run_on_a_text_is_the_same_every_time_and_measures_positions() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    for name in ["one", "two"] {
        let threads = if name == "one" { 1 } else { 2 };
        let files = format!("--save {name}.safetensors --telemetry {name}.jsonl --threads {threads}");
        let said = succeed(folder.path(), &format!("{TRAIN} --sample-budget 4000 {files}"));
        assert!(said.contains("test accuracy"), "{said}");
    }
    assert!(fs::read(at("one.safetensors")).unwrap() == fs::read(at("two.safetensors")).unwrap());
    let lines = timeless(&at("one.jsonl"));
    assert_eq!(lines, timeless(&at("two.jsonl")));
    let number = |line: &serde_json::Value, field: &str| line.get(field).and_then(serde_json::Value::as_f64);
    let accuracies: Vec<_> = lines.iter().map(|line| number(line, "training_accuracy").unwrap()).collect();
    assert!(accuracies.iter().all(|accuracy| (0.0..=1.0).contains(accuracy)), "{accuracies:?}");
    let last = lines.last().unwrap();
    let [training, test] = [accuracies[accuracies.len() - 1], number(last, "accuracy").unwrap()];
    // The most frequent character alone would give 0.22.
    assert!(training > 0.3 && test > 0.3, "{training} and {test}");
    // Of as many answers as positions.
    let answers = number(last, "samples").unwrap() * 4.0;
    assert!((training * answers - (training * answers).round()).abs() < 1e-9, "{training} of {answers}");

    let state = loaded(folder.path(), "one.safetensors").state.unwrap();
    assert_eq!(state.sample_shape(), SampleShape::tokens(4, 8));
    let vocabulary = state.vocabulary.unwrap();
    assert_eq!(
        vocabulary.tokens_of(TEXT).and_then(|tokens| vocabulary.bytes_of(&tokens)).unwrap(),
        TEXT.as_bytes()
    );

    let said = succeed(folder.path(), "evaluate --load one.safetensors --data book.txt");
    assert!(said.contains("test accuracy") && !said.contains("Confusion"), "{said}");
    let said = succeed(folder.path(), "evaluate --load one.safetensors --data book.txt --json");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((number(&report, "accuracy"), report.get("confusion")), (Some(test), None));
    let said = succeed(folder.path(), "statistics --load one.safetensors --data book.txt --first 16");
    let accuracy = number(&serde_json::from_str(&said).unwrap(), "accuracy").unwrap();
    assert!((0.0..=1.0).contains(&accuracy), "{accuracy}");
    let output =
        program(folder.path(), "export --load one.safetensors --output m.safetensors").output().unwrap();
    let said = text(&output.stderr);
    assert!(said.contains("places of characters, counted from 0, among these 8: \""), "{said}");
}

#[test]
fn a_killed_run_on_a_text_goes_on_as_if_it_had_not_stopped() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let endless =
        TRAIN.replace("--quiet", "--evaluate-every 1 --save part.safetensors --sample-budget 1000000000");
    let mut command = program(folder.path(), &endless);
    let mut run = command
        .args(["--save-every", "1 steps"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(run.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.filter(|line| line.starts_with("step ")).take(4).count(), 4);
    run.kill().unwrap();
    run.wait().unwrap();
    let seen = loaded(folder.path(), "part.safetensors").state.unwrap().progress.samples_seen;
    let samples = seen + 300;
    // What it was read with is kept, and may be said again.
    for again in ["", "--context 4 --tokens characters"] {
        fs::copy(at("part.safetensors"), at("again.safetensors")).unwrap();
        let resume = "train --resume again.safetensors --save again.safetensors --data book.txt --quiet";
        succeed(folder.path(), &format!("{resume} {again} --sample-budget {samples}"));
        let whole = TRAIN.replace("--evaluate-every 200", "--evaluate-every 1");
        succeed(folder.path(), &format!("{whole} --sample-budget {samples} --save whole.safetensors"));
        assert!(fs::read(at("again.safetensors")).unwrap() == fs::read(at("whole.safetensors")).unwrap());
        fs::remove_file(at("whole.safetensors")).unwrap();
    }
}

#[test]
fn other_texts_than_the_checkpoint_s_are_refused() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    succeed(folder.path(), &format!("{TRAIN} --sample-budget 50 --save run.safetensors"));
    // Another order of the same characters; a character more; the same characters in another text; a longer one.
    fs::write(at("order.txt"), TEXT.replace('t', "tt").repeat(40)).unwrap();
    fs::write(at("more.txt"), TEXT.repeat(40) + "!").unwrap();
    let same = TEXT.split_inclusive('\n').rev().collect::<String>().repeat(40);
    fs::write(at("same.txt"), same).unwrap();
    fs::write(at("long.txt"), TEXT.repeat(41)).unwrap();
    for (file, expected) in [
        (
            "more.txt",
            "the run was trained on other tokens than those of more.txt: 8 different characters, not 9",
        ),
        ("same.txt", "the run was trained on other data than those in same.txt: the SHA-256"),
        ("long.txt", "the run was trained on 251 samples, but long.txt has 258"),
        (
            "order.txt",
            "the run was trained on other tokens than those of order.txt: both have 8 different characters, but in another \
             order",
        ),
    ] {
        for command in [
            "train --resume run.safetensors",
            "evaluate --load run.safetensors",
            "statistics --load run.safetensors --first 2",
        ] {
            let said = refuse(folder.path(), &format!("{command} --data {file}"));
            assert!(said.contains(expected), "{command}: {said}");
        }
    }
    for (flags, expected) in [
        (
            "--context 5",
            "its run was trained with --context 4, but --context is 5: omit --context, or start a new run",
        ),
        (
            "--tokens bytes",
            "its run was trained with --tokens characters, but --tokens is bytes: omit --tokens",
        ),
    ] {
        for command in ["train --resume run.safetensors", "evaluate --load run.safetensors"] {
            let said = refuse(folder.path(), &format!("{command} --data book.txt {flags}"));
            assert!(said.contains(expected), "{command}: {said}");
        }
    }
    // A new run may learn from another text of the same characters in the same order.
    let load = "train --load run.safetensors --sample-budget 50 --quiet --max-batch 8 --data";
    let said = refuse(folder.path(), &format!("{load} order.txt --network net.json"));
    assert!(said.contains("the run was trained on other tokens than those of order.txt"), "{said}");
    succeed(folder.path(), &format!("{load} same.txt --network net.json"));
    succeed(folder.path(), &format!("{load} long.txt"));
}

#[test]
fn bytes_are_tokens_too_and_settings_of_images_do_not_fit() {
    let folder = folder();
    let bytes = "train --data book.txt --network bytes.json --context 4 --tokens bytes --max-batch 8 --quiet";
    succeed(folder.path(), &format!("{bytes} --sample-budget 50 --save bytes.safetensors"));
    let state = loaded(folder.path(), "bytes.safetensors").state.unwrap();
    assert_eq!(state.vocabulary.unwrap().kind(), TokenKind::Bytes);
    assert_eq!(state.config.text, settings(TokenKind::Bytes, 4));
    let said = succeed(folder.path(), &format!("{bytes} --print-config"));
    let config: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(config["text"], serde_json::json!({"tokens": "bytes", "context": 4}));
    fs::write(folder.path().join("run.json"), said).unwrap();
    succeed(
        folder.path(),
        "train --config run.json --data book.txt --network bytes.json --sample-budget 50 --quiet",
    );

    support::write_data(folder.path());
    for (flags, expected) in [
        (
            "--data book.txt --network net.json --context 4 --flip",
            "--flip is only for images, but book.txt is a text",
        ),
        ("--data book.txt --network net.json --context 4 --normalise", "--normalise is only for images"),
        ("--data book.txt --network net.json --test-fraction 0.1", "omit --test-fraction"),
        (
            "--data book.txt --network net.json --resize 8x8",
            "--resize is only for folders of images, but book.txt contains a text",
        ),
        ("--data . --model logistic --context 4", "--context is only for texts, but . contains IDX files"),
        ("--data . --model logistic --tokens bytes", "--tokens is only for texts"),
        ("--data book.txt --network net.json --context 0", "--context"),
        (
            "--data book.txt --network net.json --context 2000",
            "the training part of the text has 1008 characters",
        ),
        (
            "--data book.txt --dataset mnist",
            "book.txt contains a text: give --dataset own, or leave --dataset out",
        ),
        (
            "--data book.txt --model cnn --context 4",
            "the model cnn does not fit sequences of 4 of 8 different tokens",
        ),
        (
            "--data book.txt --network bytes.json --context 4",
            "does not fit sequences of 4 of 8 different tokens",
        ),
        (
            "--data book.txt --network net.json --context 4 --save book.txt",
            "--save and the data set are the same file",
        ),
    ] {
        let said = refuse(folder.path(), &format!("train {flags}"));
        assert!(said.contains(expected), "{flags}: {said}");
    }
    let said = refuse(folder.path(), "data pack book.txt --output packed");
    assert!(said.contains("book.txt: a text needs no other form: only images are packed"), "{said}");
    let said = succeed(folder.path(), "data check book.txt --context 4");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "data a text",
        "training part 251 sequences of 4 characters",
        "test part 27 sequences of 4 characters",
        "different tokens 8",
    ] {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn shakespeare_comes_in_two_parts() {
    let folder = tempdir().unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xtask/src/shakespeare");
    let options = Options::default();
    let missing = load_with(DatasetName::Shakespeare, Some(folder.path()), options).unwrap_err().to_string();
    assert!(
        missing.contains("training.txt and validation.txt (uncompressed or .gz) are not both there"),
        "{missing}"
    );
    for name in ["training.txt.gz", "validation.txt.gz"] {
        fs::copy(kept.join(name), folder.path().join(name)).unwrap();
    }
    let splits = load_with(DatasetName::Shakespeare, Some(folder.path()), options).unwrap();
    assert_eq!(splits.digest.to_string(), "2ad1d9fc8487d3168a01e4d099dddbd869fb2e990911ae613e5de7ee7ec64201");
    assert_eq!(splits.shape(), SampleShape::tokens(64, 73));
    // (1,035,899 - 1)/64 and (114,938 - 1)/64.
    assert_eq!((splits.training.len(), splits.test.len()), (16_185, 1_795));
    let first = splits.vocabulary().unwrap().characters().unwrap();
    assert!(first.starts_with(' '), "{first:?}");
    // Recognised without its name, too.
    let own = load_with(DatasetName::Own, Some(folder.path()), options).unwrap();
    assert_eq!((own.kind, own.digest), (Kind::Text, splits.digest));
    let said = succeed(folder.path(), "data check .");
    assert!(said.contains("a text") && said.contains("16,185 sequences of 64"), "{said}");
}

/// What `sample` writes.
fn written(folder: &Path, arguments: &str, prompt: Option<&str>) -> Vec<u8> {
    let mut command = program(folder, &format!("sample {arguments}"));
    let output =
        command.args(prompt.map(|prompt| ["--prompt", prompt]).into_iter().flatten()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

#[test]
fn without_a_model_a_text_is_read_by_the_transformer() {
    let folder = folder();
    let model = |flags: &str| {
        let said = succeed(folder.path(), &format!("train {flags} --print-config"));
        serde_json::from_str::<serde_json::Value>(&said).unwrap()["model"].clone()
    };
    fs::write(folder.path().join("run.json"), r#"{"dataset": "shakespeare"}"#).unwrap();
    for flags in
        ["--data book.txt", "--dataset own --data book.txt", "--dataset shakespeare", "--config run.json"]
    {
        assert_eq!(model(flags), "transformer", "{flags}");
    }
    assert_eq!(model("--data book.txt --model transformer-1-1-8"), "transformer-1-1-8");
    assert_eq!(model(""), "cnn");
}

#[test]
fn a_network_writes_what_it_has_read() {
    let folder = folder();
    let train = "train --data book.txt --model transformer-1-2-16 --context 8 --initial-batch 8 --max-batch 32 --optimizer adam \
                 --learning-rate 0.01 --sample-budget 12000 --quiet --save run.safetensors";
    succeed(folder.path(), train);
    let write = |flags: &str, prompt| {
        text(&written(folder.path(), &format!("--load run.safetensors {flags}"), prompt))
    };
    // It has learned what comes next, also where the sequence that it reads begins anew.
    let sure = write("--temperature 0 --characters 60", Some("the "));
    assert_eq!(sure, TEXT.repeat(3)[..64].to_owned() + "\n");
    assert_eq!(sure, write("--temperature 0 --characters 60 --seed 5", Some("the ")));
    let drawn = write("--temperature 4 --characters 100 --seed 1", None);
    assert!(drawn.starts_with('\n') && drawn.chars().count() == 102, "{drawn:?}");
    assert!(drawn.chars().all(|character| TEXT.contains(character)), "{drawn:?}");
    assert_eq!(drawn, write("--temperature 4 --characters 100 --seed 1", None));
    assert_ne!(drawn, write("--temperature 4 --characters 100 --seed 2", None));
    assert_eq!(write("--characters 0", Some("hen")), "hen\n");
    // A reader that has enough ends it.
    let mut command = program(folder.path(), "sample --load run.safetensors --characters 4000000000");
    let mut endless = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(endless.stdout.take());
    assert!(endless.wait().unwrap().success());
}

#[test]
fn what_cannot_be_written_is_refused() {
    let folder = folder();
    succeed(folder.path(), &format!("{TRAIN} --sample-budget 50 --save run.safetensors"));
    let bytes = "train --data book.txt --network bytes.json --context 4 --tokens bytes --max-batch 8 --quiet";
    succeed(folder.path(), &format!("{bytes} --sample-budget 50 --save bytes.safetensors"));
    // Bytes need not be text.
    let found = written(folder.path(), "--load bytes.safetensors --characters 30", Some("é"));
    assert!(found.starts_with("é".as_bytes()) && found.len() == 2 + 30 + 1, "{found:?}");
    support::write_data(folder.path());
    succeed(
        folder.path(),
        "train --data . --model logistic --sample-budget 20 --max-batch 8 --quiet --save mnist.safetensors",
    );
    for (arguments, expected) in [
        ("--load mnist.safetensors", "mnist.safetensors: it is not the checkpoint of a run on a text"),
        ("--load book.txt", "book.txt: "),
        ("--load nothing.safetensors", "nothing.safetensors: "),
        (
            "--load run.safetensors --prompt theZ",
            "--prompt has the character 'Z', which the text of the run does not have",
        ),
        ("--load run.safetensors --prompt=", "--prompt is empty"),
        ("--load run.safetensors --temperature -1", "expected a number of at least 0"),
        ("--load run.safetensors --temperature nan", "expected a finite number"),
        ("--load run.safetensors --temperature 0,8", "expected a number, such as 0.001"),
        ("--load run.safetensors --characters 1.5", "expected a whole number"),
    ] {
        let said = refuse(folder.path(), &format!("sample {arguments}"));
        assert!(said.contains(expected), "{arguments}: {said}");
    }
}
