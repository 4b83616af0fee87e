//! One rule for every setting: flag, else file, else default; and what contradicts itself is refused.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support;
use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::Preset;
use adadagrad_core::controller::AnyController;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::schedule::Decay;
use serde_json::Value;
use tempfile::TempDir;

/// A folder in which MNIST and Fashion-MNIST are packed, as `cargo xtask data` packs them, but small.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (set, seed) in [("mnist", 1), ("fashion_mnist", 5)] {
        write_set(&folder.path().join("www/public/data").join(set), seed);
    }
    folder
}

fn write_set(folder: &Path, seed: u32) {
    fs::create_dir_all(folder).unwrap();
    for (name, len, seed) in [("train", 300, seed), ("t10k", 100, seed + 1)] {
        let [images, labels] = support::idx(len, seed);
        fs::write(folder.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
    }
}

fn run(folder: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adadagrad"));
    command.current_dir(folder).args(arguments.split_whitespace()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn succeed(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refuse(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert!(!output.status.success(), "{arguments} was accepted: {}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "", "{arguments}");
    text(&output.stderr)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

const SHORT: &str = "--model logistic --max-batch 100 --sample-budget 800 --quiet";

#[test]
fn the_data_set_of_a_file_is_the_one_that_is_used() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("fashion.json"), r#"{"dataset": "fashion_mnist"}"#).unwrap();
    let printed =
        |flags: &str| json(&succeed(path, &format!("train --print-config {flags}")))["dataset"].clone();
    assert_eq!(printed(""), "mnist");
    assert_eq!(printed("--config fashion.json"), "fashion_mnist");
    assert_eq!(printed("--config fashion.json --dataset mnist"), "mnist");
    assert_eq!(printed("--dataset fashion_mnist"), "fashion_mnist");

    succeed(path, &format!("train --config fashion.json {SHORT} --save f.safetensors --telemetry f.jsonl"));
    assert_eq!(printed("--resume f.safetensors"), "fashion_mnist");
    assert_eq!(printed("--load f.safetensors"), "fashion_mnist");
    assert_eq!(printed("--load f.safetensors --dataset mnist"), "mnist");
    let telemetry = fs::read_to_string(path.join("f.jsonl")).unwrap();
    let accuracy = json(telemetry.lines().last().unwrap())["accuracy"].clone();
    assert_eq!(json(&succeed(path, "evaluate --load f.safetensors --json"))["accuracy"], accuracy);
    let statistics = "statistics --load f.safetensors --first 64";
    let own = succeed(path, statistics);
    assert_eq!(own, succeed(path, &format!("{statistics} --dataset fashion-mnist")));
    // A file without a data set says nothing about it.
    fs::write(path.join("rate.json"), r#"{"learning_rate": 0.5}"#).unwrap();
    assert_eq!(printed("--load f.safetensors --config rate.json"), "fashion_mnist");
    assert_eq!(printed("--load f.safetensors --config fashion.json --dataset mnist"), "mnist");
    fs::write(path.join("mnist.json"), r#"{"dataset": "mnist"}"#).unwrap();
    assert_eq!(printed("--load f.safetensors --config mnist.json"), "mnist");
    // The same parameters on the other data.
    let checkpoint = adadagrad_core::owned::checkpoint::load(&path.join("f.safetensors")).unwrap();
    let mut bare = checkpoint.clone();
    bare.state = None;
    assert_eq!(bare.model(SampleShape::MNIST), checkpoint.model(SampleShape::MNIST));

    for command in ["evaluate --load", "statistics --first 64 --load", "train --resume"] {
        let said = refuse(path, &format!("{command} f.safetensors --dataset mnist"));
        assert!(
            said.contains(
                "f.safetensors: its run was trained on the data set fashion_mnist, but --dataset is mnist"
            ),
            "{said}"
        );
        // Other data under the same name, as many of them.
        let said = refuse(path, &format!("{command} f.safetensors --data www/public/data/mnist"));
        assert!(
            said.contains("the run was trained on other data than those in www/public/data/mnist:"),
            "{said}"
        );
        assert_eq!(
            said.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 64).count(),
            2,
            "{said}"
        );
        // The same data elsewhere.
        if !command.starts_with("train") {
            succeed(path, &format!("{command} f.safetensors --data www/public/data/fashion_mnist"));
        }
    }
}

#[test]
fn data_of_one_s_own_that_changed_are_noticed() {
    let folder = folder();
    let path = folder.path();
    write_set(&path.join("own"), 9);
    succeed(path, &format!("train --dataset own --data own {SHORT} --save run.safetensors"));
    let resume = "train --data own --resume run.safetensors --sample-budget 1200 --quiet";
    let file = path.join("own/train-images-idx3-ubyte");
    let images = fs::read(&file).unwrap();
    let mut changed = images.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&file, changed).unwrap();
    assert!(refuse(path, resume).contains("the run was trained on other data than those in own:"));
    fs::write(&file, images).unwrap();
    succeed(path, resume);
}

#[test]
fn a_file_with_some_settings_is_as_the_flags_for_them() {
    let folder = folder();
    let path = folder.path();
    for (file, flags) in [
        ("{}", ""),
        (r#"{"seed": 7}"#, "--seed 7"),
        (r#"{"test": null}"#, "--test none"),
        (r#"{"test": {"eta": 0.5}}"#, "--eta 0.5"),
        (r#"{"test": {"name": "augmented", "nu": 3}}"#, "--test augmented --nu 3"),
        (r#"{"optimizer": {"epsilon": 1e-9}}"#, "--epsilon 1e-9"),
        (r#"{"optimizer": {"name": "adam"}}"#, "--optimizer adam"),
        (r#"{"optimizer": {"beta1": 0.8, "name": "adamw"}}"#, "--optimizer adamw --beta1 0.8"),
        (r#"{"schedule": {"decay": {"name": "cosine"}}}"#, "--decay cosine"),
        (r#"{"schedule": {"decay": {"name": "step", "factor": 0.1}}}"#, "--decay step --decay-factor 0.1"),
        (r#"{"schedule": {"warm_up_samples": 50}}"#, "--warm-up-samples 50"),
        (r#"{"controller": {"growth_cap": 2}}"#, "--growth-cap 2"),
        (r#"{"controller": {"name": "constant"}}"#, "--controller constant"),
        (
            r#"{"controller": {"name": "ada_batch_grad", "theta": 0.5, "window_kind": "sliding"}}"#,
            "--controller ada_batch_grad --controller-theta 0.5 --controller-window-kind sliding",
        ),
        (
            r#"{"controller": {"name": "stages", "schedule": "0:64 1K:256"}, "test": null}"#,
            "--test none --controller stages --schedule 0:64,1K:256",
        ),
        (r#"{"controller": {"window": 5}}"#, "--controller-window 5"),
        ("\u{feff}{\"model\": \"mlp\",\r\n \"max_batch\": 128}\r\n", "--model mlp --max-batch 128"),
    ] {
        fs::write(path.join("some.json"), file).unwrap();
        let found = succeed(path, "train --config some.json --print-config");
        assert_eq!(found, succeed(path, &format!("train {flags} --print-config")), "{file}");
        fs::write(path.join("whole.json"), &found).unwrap();
        assert_eq!(found, succeed(path, "train --config whole.json --print-config"), "{file}");
    }
}

#[test]
fn what_is_chosen_by_name_has_the_defaults_of_the_core_and_a_test_keeps_eta() {
    let folder = folder();
    let quick = Preset::Quick.config();
    let print =
        |flags: &str| json(&succeed(folder.path(), &format!("train --preset quick --print-config {flags}")));
    let named = |choice: Value| (choice["name"].as_str().unwrap().to_owned(), choice);
    for test in AnyTest::all() {
        let wanted = serde_json::to_value(test.with_eta_of(&quick.test.unwrap())).unwrap();
        let (name, wanted) = named(wanted);
        assert_eq!(print(&format!("--test {name}"))["test"], wanted);
    }
    assert_eq!(print("--test worker_norm")["test"]["eta"], 1.0, "the preset's, not the test's own 0.1");
    for optimizer in AnyOptimizer::all() {
        let (name, wanted) = named(serde_json::to_value(optimizer).unwrap());
        assert_eq!(print(&format!("--optimizer {name}"))["optimizer"], wanted);
    }
    for rule in AnyController::all().into_iter().filter(|rule| !rule.uses_test()) {
        let (name, wanted) = named(serde_json::to_value(rule).unwrap());
        assert_eq!(print(&format!("--optimizer sgd --controller {name}"))["controller"], wanted);
    }
    for decay in Decay::all() {
        let (name, wanted) = named(serde_json::to_value(decay).unwrap());
        assert_eq!(print(&format!("--decay {name}"))["schedule"]["decay"], wanted);
    }
}

#[test]
fn settings_of_a_file_that_are_wrong_are_named_with_their_values() {
    let folder = folder();
    let path = folder.path();
    for (file, sentence) in [
        (r#"{"learnig_rate": 0.1}"#, "learnig_rate is not a valid field; valid fields: version, "),
        (
            r#"{"optimizer": {"name": "sgd", "beta1": 0.5}}"#,
            "optimizer.beta1 is not a valid field; valid fields: weight_decay",
        ),
        (r#"{"seed": 1, "model": "mlp", "seed": 2}"#, "seed appears twice"),
        (r#"{"optimizer": {"beta1": 0.5, "beta1": 0.6}}"#, "optimizer: beta1 appears twice"),
        (
            r#"{"initial_batch": 64.0}"#,
            "initial_batch is 64.0, but must be a whole number from 0 to 4294967295",
        ),
        (r#"{"seed": -1}"#, "seed is -1, but must be a whole number from 0 to 9007199254740991"),
        (r#"{"max_batch": 4294967296}"#, "max_batch is 4294967296, but must be a whole number from 0"),
        (r#"{"learning_rate": "0.1"}"#, "learning_rate is \"0.1\", but must be a number"),
        (r#"{"learning_rate": null}"#, "learning_rate is null, but must be a number"),
        (r#"{"learning_rate": 1e400}"#, "learning_rate is 1e400, which is too large"),
        (r#"{"learning_rate": -1e400}"#, "learning_rate is -1e400, which is too large"),
        (
            r#"{"learning_rate": 1e-400}"#,
            "learning_rate is 1e-400, which is too small: it would be rounded to 0",
        ),
        (r#"{"test": {"eta": 1e999}}"#, "test.eta is 1e999, which is too large"),
        (r#"{"learning_rate": -0.0}"#, "--learning-rate is -0, but must be a number above 0"),
        (r#"{"learning_rate": NaN}"#, "in the line: {\"learning_rate\": NaN}"),
        (r#"{"learning_rate": 0x10}"#, "in the line: {\"learning_rate\": 0x10}"),
        (r#"{"learning_rate": 1_000}"#, "in the line: {\"learning_rate\": 1_000}"),
        (r#"{"model": "CNN"}"#, "model is \"CNN\", but must be one of logistic, mlp, mlp-HIDDEN, cnn,"),
        (r#"{"dataset": "cifar"}"#, "dataset is \"cifar\", but must be one of "),
        (r#"{"optimizer": "adam"}"#, "optimizer is \"adam\", but must be an object with a name"),
        (r#"{"optimizer": {"name": "adamax"}}"#, "optimizer.name is \"adamax\", but must be one of "),
        (r#"{"optimizer": ["adam"]}"#, "optimizer is a list, but must be an object with a name"),
        (r#"{"test": []}"#, "test is a list, but must be an object with a name"),
        (r#"{"schedule": [5]}"#, "schedule is a list, but must be an object"),
        (
            r#"{"schedule": {"decay": "cosine"}}"#,
            "schedule.decay is \"cosine\", but must be an object with a name",
        ),
        (r#"{"test": null, "controller": {"name": "adadagrad"}}"#, "--controller adadagrad needs a test"),
        (r#"{"test": null, "controller": {"growth_cap": 2}}"#, "--controller adadagrad needs a test"),
        (
            r#"{"controller": {"name": "linear", "last_batch": 100000}}"#,
            "--controller-last-batch is 100000, but must be from 2 to ",
        ),
        (
            r#"{"controller": {"name": "stages", "schedule": "0:64 1M"}}"#,
            "controller.schedule: \"0:64 1M\": entry 2 is not of the form start:size",
        ),
        (
            r#"{"controller": {"name": "seesaw", "cut": 1}}"#,
            "--controller-cut is 1, but must be above 0 and below 1",
        ),
        (
            r#"{"controller": {"name": "cabs"}}"#,
            "--optimizer does not fit: CABS assumes the steps of plain SGD",
        ),
        (
            r#"{"controller": {"name": "gradient_noise_scale", "sensor": "preconditioned"},
                "optimizer": {"name": "sgd"}}"#,
            "--controller-sensor does not fit: ",
        ),
        (r#"{"learning_rate": 1e-320}"#, "--learning-rate is 1e-320, but must be a number above 0"),
        (
            r#"{"test": {"eta": 1e300}}"#,
            "--eta is 1e300, but must be above 0 and at most 3.4028234663852886e38",
        ),
        (r#"{"a\u001b[31mb": 1}"#, "a\\u{1b}[31mb is not a valid field"),
        (r#"{"test": {"name": "norm", "debiased": 1}}"#, "test.debiased is 1, but must be true or false"),
        (r#"{"version": 2}"#, "version is 2, but must be 1"),
        (
            r#"{"seed": 9007199254740992}"#,
            "--seed is 9007199254740992, but must be from 0 to 9007199254740991",
        ),
        (r#"{"seed": 18446744073709551616}"#, "must be a whole number from 0 to 9007199254740991"),
        (r#"{"seed": "\ud800"}"#, r#"seed is "\ud800", which cannot be read: "#),
        ("[]", "c.json: it is a list, but must be an object"),
        ("", "c.json: not valid JSON: the text ends before a value"),
        ("\n{\"seed\": 1,\n", "c.json: not valid JSON: the text ends "),
        ("learning_rate = 0.1", "not valid JSON: "),
    ] {
        fs::write(path.join("c.json"), file).unwrap();
        let said = refuse(path, "train --config c.json --quiet");
        assert!(said.contains(sentence), "{file}: {said}");
    }
    let deep = format!("{{\"seed\": {}{}}}", "[".repeat(1000), "]".repeat(1000));
    fs::write(path.join("c.json"), deep).unwrap();
    let said = refuse(path, "train --config c.json --quiet");
    assert!(said.contains("which is nested more than 64 deep"), "{said}");
    if cfg!(target_os = "linux") {
        let said = refuse(path, "train --config /dev/zero --quiet");
        assert!(said.contains("/dev/zero: larger than 16 MiB, the limit for such files"), "{said}");
    }
    let utf_16: Vec<u8> = "\u{feff}{\"seed\": 1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [&utf_16[..], &utf_16[2..], b"\xfe\xff\0{\0}"] {
        fs::write(path.join("c.json"), bytes).unwrap();
        let said = refuse(path, "train --config c.json --quiet");
        assert!(said.contains("c.json: not UTF-8 text, perhaps UTF-16"), "{said}");
    }
    fs::write(path.join("c.json"), b"{\"seed\": 1, \"m\xfcll\": 2}").unwrap();
    let said = refuse(path, "train --config c.json --quiet");
    assert!(said.contains("c.json: byte 14 is not UTF-8 text"), "{said}");
}

#[test]
fn numbers_on_the_command_line_are_never_others_than_were_meant() {
    let folder = folder();
    for (flags, sentence) in [
        ("--learning-rate 0,001", "expected a number, such as 0.001: write a decimal point"),
        ("--learning-rate 1_000", "write the digits without separators"),
        ("--learning-rate 0x10", "write it in decimal"),
        ("--learning-rate \u{2212}1", "write the minus sign as -"),
        ("--learning-rate nan", "expected a finite number"),
        ("--learning-rate inf", "expected a finite number"),
        ("--learning-rate=-Infinity", "expected a finite number"),
        ("--learning-rate 1e400", "expected a finite number"),
        ("--learning-rate 1e-400", "the number is too small: it would be rounded to 0"),
        ("--weight-decay 1e-999", "the number is too small: it would be rounded to 0"),
        ("--learning-rate fast", "expected a number"),
        ("--learning-rate=", "expected a number, such as 0.001"),
        ("--learning-rate -0", "--learning-rate is -0, but must be a number above 0"),
        (
            "--sample-budget 60,000",
            "expected a whole number, such as 60000: write a decimal point, and no commas",
        ),
        ("--sample-budget 60.000", "expected a whole number"),
        ("--sample-budget 1e3", "expected a whole number"),
        ("--sample-budget 0x10", "write it in decimal"),
        ("--seed -1", "expected a number of at least 0"),
        ("--seed 18446744073709551616", "the number is too large"),
        ("--seed 18446744073709551615", "the number is too large"),
        ("--seed 9007199254740993", "the number is too large"),
        ("--seed 999999999999999999999999999999999999999999", "the number is too large"),
        ("--learning-rate 1e-50", "--learning-rate is 1e-50, but must be a number above 0"),
        ("--seed 9007199254740992", "--seed is 9007199254740992, but must be from 0"),
        ("--max-batch 4294967296", "the number is too large"),
        ("--initial-batch 8.0", "expected a whole number"),
        ("--initial-batch \u{ff18}", "expected a whole number"),
        ("--initial-batch nan", "expected a whole number"),
    ] {
        let said = refuse(folder.path(), &format!("train --quiet {flags}"));
        assert!(said.contains(sentence), "{flags}: {said}");
    }
    for (flags, sentence) in [
        ("--seconds nan", "expected a finite number"),
        ("--seconds=-1", "--seconds is -1, but must be above 0"),
        ("--seconds 0", "--seconds is 0, but must be above 0"),
        ("--seconds 1e-10", "--seconds is 1e-10, which is less than a nanosecond"),
        ("--seconds 1e300", "--seconds is 1"),
    ] {
        let said = refuse(folder.path(), &format!("bench {flags}"));
        assert!(said.contains(sentence), "{flags}: {said}");
    }
    for (command, sentence) in [
        (
            "statistics --first 1,000",
            "expected a whole number, such as 60000: write a decimal point, and no commas",
        ),
        ("statistics --batch 1e3", "expected a whole number"),
        ("statistics --first=-1", "expected a number of at least 0"),
        ("statistics --first 4294967296", "the number is too large"),
        ("statistics --batch 0", "--batch is 0, but must be from 1 to 300"),
        ("statistics --first 1 --start 0x10", "write it in decimal"),
        (
            "statistics --batch 1 --start 9007199254740992",
            "--start is 9007199254740992, but must be from 0 to 900",
        ),
        (
            "statistics --batch 1 --seed 9007199254740992",
            "--seed is 9007199254740992, but must be from 0 to 900",
        ),
        ("bench --threads 0", "expected a number of at least 1"),
        ("bench --threads 2.5", "expected a whole number"),
        ("bench --threads 1025", "--threads is 1025, but must be from 1 to 1024"),
        ("train --threads 100000", "--threads is 100000, but must be from 1 to 1024"),
        ("evaluate --load x --device gpu --gpu-memory 0", "expected a number of at least 1"),
        ("evaluate --load x --device gpu --gpu-memory 1_024", "write the digits without separators"),
        // A comma that groups digits is none between numbers.
        ("bench --batches 1,024", "a comma separates two numbers: write no commas within one"),
        ("bench --batches 16,60,000", "a comma separates two numbers: write no commas within one"),
        ("bench --batches 16,,64", "expected a whole number"),
    ] {
        let said = refuse(folder.path(), command);
        assert!(said.contains(sentence), "{command}: {said}");
    }
}

#[test]
fn batch_sizes_are_looked_at_before_anything_is_timed() {
    let folder = folder();
    for (batches, wrong) in [("16,0", "0"), ("16,301", "301"), ("16,32,4096", "4096")] {
        let said =
            refuse(folder.path(), &format!("bench --models logistic --seconds 60 --batches {batches}"));
        assert_eq!(
            said,
            format!("error: --batches contains {wrong}, but batch sizes must be from 2 to 300\n")
        );
    }
    // Fewer samples than in the smallest of the usual batches.
    let [images, labels] = support::idx(5, 1);
    fs::write(folder.path().join("www/public/data/mnist/train-images-idx3-ubyte"), images).unwrap();
    fs::write(folder.path().join("www/public/data/mnist/train-labels-idx1-ubyte"), labels).unwrap();
    let report = json(&succeed(folder.path(), "bench --models logistic --seconds 0.01 --json"));
    let batches: Vec<_> = report["rows"].as_array().unwrap().iter().map(|row| row["batch"].clone()).collect();
    assert_eq!(batches, [5]);
}

#[test]
fn a_run_goes_on_with_the_limits_that_were_changed_on_its_way() {
    let folder = folder();
    let path = folder.path();
    succeed(path, &format!("train {SHORT} --initial-batch 50 --save run.safetensors"));
    // As the page may have saved it: the first batch is past, and the largest is smaller now.
    let checkpoint = adadagrad_core::owned::checkpoint::load(&path.join("run.safetensors")).unwrap();
    let mut state = checkpoint.state.clone().unwrap();
    state.config.max_batch = 20;
    state.progress.next_batch = 20;
    let network = OwnedNetwork::of_model(state.config.model, SampleShape::MNIST).unwrap();
    let parameters = checkpoint.parameters(network.view()).unwrap();
    let memory = checkpoint.memory(network.view(), 1).unwrap();
    let bytes =
        adadagrad_core::owned::checkpoint::write(network.view(), &parameters, &memory, &state).unwrap();
    fs::write(path.join("run.safetensors"), bytes).unwrap();
    assert_eq!(json(&succeed(path, "train --resume run.safetensors --print-config"))["max_batch"], 20);
    let resume = "train --resume run.safetensors --sample-budget 900 --quiet";
    succeed(path, &format!("{resume} --telemetry t.jsonl"));
    let telemetry = fs::read_to_string(path.join("t.jsonl")).unwrap();
    assert!(telemetry.lines().all(|line| json(line)["samples"] == 20), "{telemetry}");
}

#[test]
fn a_file_is_read_once() {
    if cfg!(windows) {
        return;
    }
    let folder = folder();
    let path = folder.path();
    succeed(path, &format!("train {SHORT} --save run.safetensors"));
    for flags in ["--load", "--resume"] {
        let settings = if flags == "--load" { SHORT } else { "--sample-budget 900 --quiet" };
        // What is read from a pipe is gone.
        let script =
            format!("cat run.safetensors | \"$0\" train {settings} {flags} /dev/stdin --save {flags}.out");
        let script = script.replace("--save --", "--save=");
        let mut shell = Command::new("sh");
        shell.current_dir(path).args(["-c", &script, env!("CARGO_BIN_EXE_adadagrad")]);
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{flags}: {}", text(&output.stderr));
    }
    succeed(path, &format!("train {SHORT} --load run.safetensors --save expected"));
    assert!(fs::read(path.join("load.out")).unwrap() == fs::read(path.join("expected")).unwrap());
}

#[test]
fn batches_fit_small_data_and_it_is_said() {
    let folder = folder();
    let path = folder.path();
    let train = "train --model logistic --sample-budget 400 --quiet --save run.safetensors";
    let output = run(path, train);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(
        said.contains("The largest batch is 300, not 60,000, because the data set has 300 training samples."),
        "{said}"
    );
    let settings = json(&succeed(path, "train --resume run.safetensors --print-config"));
    assert_eq!(settings["max_batch"], 300);
    assert_eq!(settings["initial_batch"], 8);
    fs::write(path.join("c.json"), r#"{"initial_batch": 500, "min_batch": 400}"#).unwrap();
    let said = text(&run(path, &format!("{train} --config c.json")).stderr);
    let sentence = "The largest batch is 300, not 60,000, the smallest batch is 300, not 400, the first batch is \
                    300, not 500, because";
    assert!(said.contains(sentence), "{said}");
    // What a flag says stays.
    let said = refuse(path, &format!("{train} --max-batch 301"));
    assert!(said.contains("--max-batch is 301, but must be from 1 to 300"), "{said}");
    let said = refuse(path, &format!("{train} --initial-batch 400"));
    assert!(said.contains("--initial-batch is 400, but must be from 2 to 300"), "{said}");
    succeed(path, "bench --models logistic --seconds 0.01 --json");
}

#[test]
fn what_a_run_was_tested_with_is_what_its_statistics_are_tested_with() {
    let folder = folder();
    let path = folder.path();
    let test = "--test augmented --theta 0.3 --nu 2 --leave-one-out";
    succeed(path, &format!("train {SHORT} {test} --seed 5 --save run.safetensors"));
    let command = "statistics --load run.safetensors --batch 100";
    let own = succeed(path, command);
    assert_eq!(own, succeed(path, &format!("{command} --seed 5 --theta 0.3 --nu 2 --leave-one-out true")));
    let required =
        |flags: &str| json(&succeed(path, &format!("{command} {flags}")))["required"]["augmented"].as_f64();
    let augmented = json(&own)["required"]["augmented"].as_f64();
    for other in ["--seed 0", "--theta 0.9 --nu 5.84", "--leave-one-out false"] {
        assert_ne!(required(other), augmented, "{other}");
    }
}

#[test]
fn another_model_than_the_file_s_is_refused() {
    let folder = folder();
    let path = folder.path();
    succeed(path, &format!("train {SHORT} --save run.safetensors"));
    let sentence = "run.safetensors: it contains the model logistic, but the settings have cnn";
    for command in [
        "evaluate --model cnn --load",
        "statistics --first 9 --model cnn --load",
        "train --quiet --model cnn --load",
        "train --quiet --preset quick --load",
    ] {
        let said = refuse(path, &format!("{command} run.safetensors"));
        assert!(said.contains(sentence), "{command}: {said}");
    }
    // Without a word the model is the file's.
    let printed = json(&succeed(path, "train --load run.safetensors --print-config"));
    assert_eq!(printed["model"], "logistic");
    // A file of PyTorch's has no settings, but its shapes tell the model.
    let torch = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/torch");
    for (file, model) in [("cnn", "cnn"), ("without-flatten-bf16", "mlp"), ("linear-f64", "logistic")] {
        let file = torch.join(format!("{file}.safetensors"));
        let load = format!("--load {}", file.display());
        assert_eq!(json(&succeed(path, &format!("train {load} --print-config")))["model"], model);
        assert_eq!(json(&succeed(path, &format!("evaluate {load} --json")))["samples"], 100);
    }
}
