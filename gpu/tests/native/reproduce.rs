//! `adadagrad reproduce`: experiments, short and whole, interrupted and continued, and what they leave.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use adadagrad_core::dataset::Dataset;
use adadagrad_tests::coloured::Coloured;
use serde_json::{Value, json};

use crate::support::program::{folder, program, refuse, run, succeed, text, timeless};

/// The data sets that `cargo xtask data` packs.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/public/data");

/// Softmax regression on the small data of the tests: a run with the test, a constant one and a replay.
fn experiment() -> Value {
    json!({
        "title": "Small & <own>",
        "question": "Does it run?",
        "source": "This test.",
        "seeds": [1, 2],
        "settings": { "model": "logistic", "initial_batch": 4, "max_batch": 200, "sample_budget": 2000, "evaluate_every": 500 },
        "groups": [{
            "name": "own", "title": "Own", "baseline": "constant",
            "quick": { "sample_budget": 400 },
            "runs": [
                { "name": "replay", "title": "replay", "replays": "adaptive" },
                { "name": "adaptive", "title": "adaptive", "settings": { "test": { "name": "norm", "eta": 0.3 } },
                  "known": [{ "quantity": "steps", "value": 149, "source": "a paper" }] },
                { "name": "constant", "title": "b = 20", "settings": { "test": null, "initial_batch": 20 } }
            ]
        }],
        "quick": { "seeds": [1], "bands": [{ "run": "own/constant", "quantity": "steps", "from": 20, "to": 20 }] }
    })
}

fn written(folder: &Path, experiment: &Value) {
    fs::write(folder.join("own.json"), experiment.to_string()).unwrap();
}

fn rows(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn an_experiment_leaves_a_report_of_every_run() {
    let folder = folder();
    written(folder.path(), &experiment());
    let printed = succeed(folder.path(), "reproduce own.json --data . --out out");
    assert!(printed.contains("Report: out/report.html") && printed.contains("points (p = "), "{printed}");
    let out = folder.path().join("out");
    let csv = rows(&out.join("runs.csv"));
    assert_eq!(csv.len(), 1 + 6);
    assert!(csv[0].starts_with("group,run,seed,steps,samples,average batch,"), "{}", csv[0]);
    // The batch sizes of a replay are those of the run, its samples are not.
    let of = |name: &str| timeless(&out.join(format!("runs/own-{name}-1.jsonl")));
    let (adaptive, replay) = (of("adaptive"), of("replay"));
    assert!(
        adaptive.len().abs_diff(replay.len()) <= 2,
        "{} steps, replayed {}",
        adaptive.len(),
        replay.len()
    );
    assert!(
        replay.last().unwrap()["samples"].as_u64() > Some(100) && replay[0]["loss"] != adaptive[0]["loss"]
    );
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    for words in [
        "Small &amp; &lt;own&gt;",
        "steps 149 (a paper)",
        "adadagrad train --config runs/own-adaptive-2.config.json",
    ] {
        assert!(page.contains(words), "{words} is missing");
    }
    assert_eq!(page.matches("<svg").count(), 2);
    let tables = fs::read_to_string(out.join("report.md")).unwrap();
    assert!(
        tables.contains("| b = 20 | 2 | 100 ± 0 | 20 ± 0 |") && tables.contains("(own-batch.svg)"),
        "{tables}"
    );

    // The command of the report makes the same run.
    let command = csv[1].split("adadagrad ").nth(1).unwrap().trim_end_matches('"').to_owned();
    let again = command
        .replace("runs/", "out/runs/")
        .replace("--telemetry out/runs/", "--telemetry ")
        .replace("--save out/runs/", "--save ");
    succeed(folder.path(), &again);
    let name = command.split("--telemetry runs/").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(timeless(&folder.path().join(name)), timeless(&out.join("runs").join(name)));

    // What is done is not done again; what has other settings is.
    let said = run(folder.path(), "reproduce own.json --data . --out out");
    assert!(said.status.success() && !text(&said.stderr).contains("Run 1 of 6"), "{}", text(&said.stderr));
    let mut other = experiment();
    other["groups"][0]["runs"][2]["settings"]["initial_batch"] = 25.into();
    written(folder.path(), &other);
    let said = text(&run(folder.path(), "reproduce own.json --data . --out out").stderr);
    assert!(said.contains("own/constant, seed 1") && !said.contains("own/adaptive"), "{said}");
}

#[test]
fn a_run_that_was_interrupted_continues_from_its_checkpoint() {
    let folder = folder();
    written(folder.path(), &experiment());
    succeed(folder.path(), "reproduce own.json --data . --out whole");
    // As a run leaves it that is ended in the middle.
    let part = folder.path().join("part/runs");
    fs::create_dir_all(&part).unwrap();
    fs::copy(
        folder.path().join("whole/runs/own-adaptive-1.config.json"),
        part.join("own-adaptive-1.config.json"),
    )
    .unwrap();
    succeed(
        folder.path(),
        "train --config part/runs/own-adaptive-1.config.json --sample-budget 700 --data . --device cpu --quiet \
         --telemetry part/runs/own-adaptive-1.jsonl --save part/runs/own-adaptive-1.safetensors",
    );
    let said = run(folder.path(), "reproduce own.json --data . --out part");
    assert!(said.status.success());
    assert!(
        text(&said.stderr).contains("own/adaptive, seed 1, from its last checkpoint"),
        "{}",
        text(&said.stderr)
    );
    for run in ["adaptive-1", "adaptive-2", "replay-1", "constant-2"] {
        let of = |out: &str| {
            let mut lines = timeless(&folder.path().join(format!("{out}/runs/own-{run}.jsonl")));
            // The part was measured where it ended, too.
            let measured = lines.iter_mut().filter_map(Value::as_object_mut);
            measured.for_each(|line| {
                ["accuracy", "test_loss"].into_iter().for_each(|name| drop(line.remove(name)))
            });
            lines
        };
        assert_eq!(of("part"), of("whole"), "{run}");
    }
}

#[test]
fn speeds_are_measured_once_and_the_way_to_a_target_is_counted() {
    let folder = folder();
    let mut timed = experiment();
    timed["target"] = 0.2.into();
    timed["quick"]["batches"] = json!([4, 8]);
    timed["timings"] = json!([{
        "name": "speed", "title": "Softmax", "model": "logistic", "dataset": "mnist", "threads": 1, "batches": [2, 16]
    }]);
    written(folder.path(), &timed);
    let printed = succeed(folder.path(), "reproduce own.json --data . --out out --quick");
    assert!(printed.contains("Speed by batch size") && printed.contains("Softmax"), "{printed}");
    let out = folder.path().join("out");
    let timings = rows(&out.join("timings.csv"));
    assert_eq!(timings.len(), 1 + 2);
    assert!(timings[1].starts_with("speed,4,") && timings[2].starts_with("speed,8,"), "{timings:?}");
    assert!(timings[1].contains("adadagrad bench --json --models logistic --batches '4,8'"), "{timings:?}");
    let report = fs::read_to_string(out.join("report.md")).unwrap();
    for words in ["samples to the target | seconds to the target", "(speeds.svg)", "(timings.csv)"] {
        assert!(report.contains(words), "{words} is missing: {report}");
    }
    let csv = rows(&out.join("runs.csv"));
    let column = csv[0].split(',').position(|name| name == "samples to the target").unwrap();
    let reached: u64 = csv[1].split(',').nth(column).unwrap().parse().unwrap();
    let steps = timeless(&out.join("runs/own-adaptive-1.jsonl"));
    let first = steps.iter().find(|step| step["accuracy"].as_f64().is_some_and(|share| share >= 0.2));
    assert_eq!(first.unwrap()["samples_seen"], reached);
    // What is measured is not measured again; what fails is named.
    let again = fs::read(out.join("timings.csv")).unwrap();
    succeed(folder.path(), "reproduce own.json --data . --out out --quick");
    assert_eq!(fs::read(out.join("timings.csv")).unwrap(), again);
    timed["quick"]["batches"] = json!([4_000_000]);
    written(folder.path(), &timed);
    let output = run(folder.path(), "reproduce own.json --data . --out out --quick");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("error: speed: --batches contains 4000000, but "), "{output:?}");
}

/// As a power cut leaves them.
#[test]
fn a_run_whose_files_are_damaged_is_repeated() {
    let folder = folder();
    written(folder.path(), &experiment());
    let reproduce = || {
        let output = run(folder.path(), "reproduce own.json --data . --out out");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    reproduce();
    let file = |name: &str| folder.path().join("out/runs").join(name);
    let whole = timeless(&file("own-adaptive-1.jsonl"));
    let sound = fs::read(file("own-adaptive-1.jsonl")).unwrap();
    let lines: Vec<_> = sound.split_inclusive(|&byte| byte == b'\n').collect();
    let gap = [lines[0], &lines[2..].concat()].concat();
    for damaged in [lines[0], &sound[..sound.len() - 1], &[0, 0], &[], &gap] {
        fs::write(file("own-adaptive-1.jsonl"), damaged).unwrap();
        assert!(reproduce().contains("own/adaptive, seed 1"));
        assert_eq!(timeless(&file("own-adaptive-1.jsonl")), whole);
    }
    // Interrupted before it was done, with a checkpoint that cannot be read.
    fs::remove_file(file("own-adaptive-1.done.json")).unwrap();
    fs::write(file("own-adaptive-1.safetensors"), "half").unwrap();
    let said = reproduce();
    assert!(said.contains("own/adaptive, seed 1") && !said.contains("from its last checkpoint"), "{said}");
    assert_eq!(timeless(&file("own-adaptive-1.jsonl")), whole);
}

/// Also by one whose program was killed, and whose run goes on.
#[test]
#[cfg(target_os = "linux")]
fn a_folder_in_which_an_experiment_runs_is_left_alone() {
    let folder = folder();
    let mut endless = experiment();
    endless["settings"]["sample_budget"] = json!(1_000_000_000_000_u64);
    written(folder.path(), &endless);
    let mut command = program(folder.path(), "reproduce own.json --data . --out out --threads 1");
    let mut first = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let telemetry = folder.path().join("out/runs/own-adaptive-1.jsonl");
    while fs::read_to_string(&telemetry).unwrap_or_default().lines().count() < 3 {
        std::thread::yield_now();
    }
    let left = fs::read_to_string(format!("/proc/{0}/task/{0}/children", first.id())).unwrap();
    let refused = || {
        let said = refuse(folder.path(), "reproduce own.json --data . --out out");
        assert!(said.contains("out: an experiment is still running in this folder"), "{said}");
    };
    refused();
    first.kill().unwrap();
    first.wait().unwrap();
    refused();
    let ended =
        std::process::Command::new("kill").arg("-KILL").args(left.split_whitespace()).status().unwrap();
    assert!(ended.success());
}

/// Ends an experiment by SIGTERM while it makes a run that has no end; gives its messages.
fn terminated_in(folder: &Path, run: &str) -> String {
    let mut command = program(folder, "reproduce own.json --data . --out out --threads 1");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let telemetry = folder.join(format!("out/runs/own-{run}-1.jsonl"));
    while fs::read_to_string(&telemetry).unwrap_or_default().lines().count() < 3 {
        std::thread::yield_now();
    }
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(128 + 15), "{said}");
    said
}

#[test]
fn a_signal_ends_the_experiment_and_its_run_which_is_saved() {
    let folder = folder();
    let mut endless = experiment();
    endless["settings"]["sample_budget"] = json!(1_000_000_000_000_u64);
    written(folder.path(), &endless);
    let said = terminated_in(folder.path(), "adaptive");
    assert!(said.contains("the same command continues it"), "{said}");
    assert!(folder.path().join("out/runs/own-adaptive-1.safetensors").exists());
    assert!(!folder.path().join("out/runs/own-adaptive-1.done.json").exists());
}

#[test]
fn an_experiment_that_is_ended_leaves_a_report_of_what_is_done() {
    let folder = folder();
    let mut endless = experiment();
    endless["groups"][0]["runs"][2]["settings"]["sample_budget"] = json!(1_000_000_000_000_u64);
    written(folder.path(), &endless);
    terminated_in(folder.path(), "constant");
    assert_eq!(rows(&folder.path().join("out/runs.csv")).len(), 1 + 1);
    let report = fs::read_to_string(folder.path().join("out/report.md")).unwrap();
    assert!(report.contains("- Interrupted: 1 of 6 runs and timings are done\n"), "{report}");
}

#[test]
fn a_run_that_fails_is_named_and_the_others_are_made() {
    let folder = folder();
    let mut diverging = experiment();
    diverging["groups"][0]["runs"][2]["settings"]["learning_rate"] = json!(3e38);
    diverging["groups"][0]["runs"][2]["settings"]["optimizer"] = json!({ "name": "sgd" });
    written(folder.path(), &diverging);
    let output = run(folder.path(), "reproduce own.json --data . --out out");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("error: own/constant, seed 1: step "), "{}", text(&output.stderr));
    assert_eq!(rows(&folder.path().join("out/runs.csv")).len(), 1 + 4);
    let report = fs::read_to_string(folder.path().join("out/report.md")).unwrap();
    assert!(report.contains("Failed: own/constant, seed 2: step "), "{report}");
}

#[test]
fn figures_outside_their_range_fail_the_short_runs() {
    let folder = folder();
    written(folder.path(), &experiment());
    let quick = "reproduce own.json --quick --data . --out out";
    succeed(folder.path(), quick);
    let mut wrong = experiment();
    wrong["quick"]["bands"][0]["to"] = 19.into();
    wrong["quick"]["bands"][0]["from"] = 10.into();
    written(folder.path(), &wrong);
    let output = run(folder.path(), quick);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("own/constant, seed 1: steps 20, expected 10 to 19"),
        "{}",
        text(&output.stderr)
    );
}

/// The text of every file in a folder and its folders, but for the lock's.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn what_a_folder_holds_is_not_lost() {
    let folder = folder();
    written(folder.path(), &experiment());
    let command = "reproduce own.json --data . --out out";
    succeed(folder.path(), command);
    let out = folder.path().join("out");
    let before = contents(&out);
    let refused = |experiment: &Value, command: &str, sentence: &str| {
        written(folder.path(), experiment);
        let output = run(folder.path(), command);
        assert!(
            !output.status.success() && text(&output.stderr).contains(sentence),
            "{}",
            text(&output.stderr)
        );
        assert!(contents(&out) == before, "{command}: the folder has changed");
    };
    let other = "this folder holds the results of another experiment (Small & <own>): choose another folder with --out";
    refused(&experiment(), "reproduce own.json --quick --data . --out out", other);
    let mut renamed = experiment();
    renamed["title"] = "Another".into();
    refused(&renamed, command, other);
    // Nothing is touched for flags that no run takes.
    let mut longer = experiment();
    longer["settings"]["sample_budget"] = 2100.into();
    refused(
        &longer,
        "reproduce own.json --data . --out out --threads 1025",
        "--threads is 1025, but must be from 1 to 1024",
    );
    refused(&longer, "reproduce own.json --data . --out out --launcher ''", "--launcher is empty");
    // Figures of two data sets do not stand in one table.
    let moved = folder.path().join("other");
    fs::create_dir(&moved).unwrap();
    for half in ["train", "t10k"] {
        for file in ["images-idx3-ubyte", "labels-idx1-ubyte"].map(|kind| format!("{half}-{kind}")) {
            let mut bytes = fs::read(folder.path().join(&file)).unwrap();
            // A pixel, or the label of the last sample.
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(moved.join(file), bytes).unwrap();
        }
    }
    refused(
        &experiment(),
        "reproduce own.json --data other --out out",
        "was trained on other data than this command names",
    );

    // What is made anew is kept aside.
    written(folder.path(), &longer);
    succeed(folder.path(), command);
    let replaced = out.join("runs/replaced/own-constant-1.jsonl");
    let old = before.iter().find(|(path, _)| path.ends_with("runs/own-constant-1.jsonl")).unwrap();
    assert_eq!(fs::read(replaced).unwrap(), old.1);
}

#[test]
fn files_of_others_are_not_replaced_and_a_report_that_cannot_be_written_is_found_before_the_runs() {
    let folder = folder();
    written(folder.path(), &experiment());
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("report.md"), "my thesis").unwrap();
    let said = || {
        let output = run(folder.path(), "reproduce own.json --data . --out out");
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    assert!(said().contains("out/report.md: this file is not from an experiment"), "{}", said());
    assert_eq!(fs::read_to_string(out.join("report.md")).unwrap(), "my thesis");
    fs::remove_file(out.join("report.md")).unwrap();
    fs::create_dir(out.join("runs.csv")).unwrap();
    assert!(said().contains("out/runs.csv: "), "{}", said());
    fs::remove_dir(out.join("runs.csv")).unwrap();
    assert!(!out.join("runs/own-adaptive-1.jsonl").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        // Nobody reads what a lock's file holds.
        fs::write(folder.path().join("precious"), "mine").unwrap();
        fs::remove_file(out.join("runs/lock")).unwrap();
        symlink("../../precious", out.join("runs/lock")).unwrap();
        succeed(folder.path(), "reproduce own.json --quick --data . --out out");
        assert_eq!(fs::read_to_string(folder.path().join("precious")).unwrap(), "mine");
        // Nobody waits for a pipe.
        let pipe = out.join("runs/own-adaptive-1.jsonl");
        fs::remove_file(&pipe).unwrap();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let output = run(folder.path(), "reproduce own.json --quick --data . --out out");
        assert!(
            text(&output.stderr).contains("own-adaptive-1.jsonl: not a regular file"),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
#[cfg(unix)]
fn a_folder_need_not_have_a_name_in_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = folder();
    written(folder.path(), &experiment());
    let mut command = program(folder.path(), "reproduce own.json --quick --data .");
    let output = command.arg("--out").arg(OsStr::from_bytes(b"out\xff")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(folder.path().join(OsStr::from_bytes(b"out\xff")).join("report.html").exists());
}

#[test]
fn what_is_wrong_with_an_experiment_is_said_before_anything_runs() {
    let folder = folder();
    let wrong = |change: &dyn Fn(&mut Value), sentence: &str| {
        let mut experiment = experiment();
        change(&mut experiment);
        written(folder.path(), &experiment);
        let said = refuse(folder.path(), "reproduce own.json --data . --out out");
        assert!(said.contains("own.json: ") && said.contains(sentence), "{said}");
        assert!(!folder.path().join("out").exists());
    };
    wrong(&|value| value["sedes"] = json!([1]), "unknown field `sedes`");
    wrong(
        &|value| value["seeds"] = json!([]),
        "an experiment and its quick form each need at least one run and one seed",
    );
    wrong(&|value| value["groups"][0]["name"] = "../x".into(), "\"../x\" is not a valid name");
    wrong(
        &|value| value["groups"][0]["runs"][2]["name"] = "adaptive".into(),
        "own/adaptive is the name of two runs",
    );
    wrong(
        &|value| value["groups"][0]["runs"][0]["replays"] = "nothing".into(),
        "own: nothing is not a valid run to replay: it must be a run of this group",
    );
    wrong(&|value| value["settings"]["learning_rate"] = json!(-1), "own/adaptive: --learning-rate is -1");
    wrong(
        &|value| value["quick"]["bands"][0]["run"] = "own/x".into(),
        "quick: own/x is not a run of this experiment",
    );
    wrong(&|value| value["seeds"] = json!([1, 1]), "seed 1 is listed twice");
    let twice = experiment().to_string().replacen("\"model\":", "\"sample_budget\":9,\"model\":", 1);
    fs::write(folder.path().join("own.json"), twice).unwrap();
    let said = refuse(folder.path(), "reproduce own.json --data . --out out");
    assert!(said.contains("sample_budget appears twice"), "{said}");
    let tiny = experiment().to_string().replacen("\"model\":", "\"clip_norm\":1e-400,\"model\":", 1);
    fs::write(folder.path().join("own.json"), tiny).unwrap();
    let said = refuse(folder.path(), "reproduce own.json --data . --out out");
    assert!(said.contains("clip_norm is 1e-400, which is too small: it would be rounded to 0"), "{said}");
    wrong(
        &|value| value["groups"][0]["baseline"] = "nothing".into(),
        "own: nothing is not a run of this group",
    );
    wrong(
        &|value| value["quick"]["runs"] = json!(["own/replay", "own/constant"]),
        "quick: own/replay replays a run that is left out",
    );
    wrong(&|value| value["settings"]["seed"] = 5.into(), "seed is not a setting of an experiment");
    wrong(&|value| value["seeds"] = json!([9_007_199_254_740_991_u64]), "seed 9007199254740991 is too large");
    wrong(&|value| value["title"] = "a\u{7}".into(), "is not a valid text: it contains a control character");
    wrong(&|value| value["groups"][0]["runs"][1]["name"] = "x".repeat(81).into(), "is not a valid name");
    wrong(
        &|value| value["groups"][0]["runs"][0]["settings"] = json!({ "initial_batch": 9 }),
        "replay: initial_batch is not a setting of a replay",
    );
    wrong(
        &|value| value["quick"]["runs"] = json!(["own/adaptive"]),
        "quick: a band is given for own/constant, which is not one of the quick runs",
    );
    wrong(
        &|value| value["quick"]["bands"][0]["to"] = 9.into(),
        "quick: the band of own/constant is not valid",
    );
    let timing = |field: &str, wrong: Value| {
        let mut timing =
            json!({ "name": "t", "title": "T", "model": "mlp", "dataset": "mnist", "batches": [8] });
        timing[field] = wrong;
        move |value: &mut Value| {
            value["quick"]["batches"] = json!([8]);
            value["timings"] = json!([timing]);
        }
    };
    wrong(&timing("batches", json!([])), "t: a timing and its quick form each need at least one batch size");
    wrong(&timing("batches", json!([1])), "t: a batch of 1 has no variance to test");
    wrong(&timing("optimizer", json!("adamm")), "t: adamm is not a valid optimizer");
    wrong(&timing("name", json!("a/b")), "\"a/b\" is not a valid name");
    let said = refuse(folder.path(), "reproduce nothing");
    assert!(
        said.contains("nothing is not a valid experiment: neither a file nor one of paper-mnist, "),
        "{said}"
    );
    assert!(succeed(folder.path(), "reproduce").contains("paper-mnist     The paper's runs on MNIST  "));
}

/// The short runs of an experiment, with the figures that it expects.
fn quick(name: &str) {
    let folder = folder();
    let output = run(folder.path(), &format!("reproduce {name} --quick --data {DATA} --out out"));
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn quick_paper_mnist() {
    quick("paper-mnist");
}

#[test]
fn quick_thresholds() {
    quick("thresholds");
}

#[test]
fn quick_rivals() {
    quick("rivals");
}

#[test]
fn quick_generalisation() {
    quick("generalisation");
}

#[test]
fn quick_transformer() {
    quick("transformer");
}

#[test]
fn quick_coordinates() {
    quick("coordinates");
}

#[test]
fn quick_utilisation() {
    quick("utilisation");
}

/// With coloured images that are not CIFAR's, in its form.
#[test]
fn quick_cifar() {
    const FILES: [&str; 6] =
        ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"];
    const IMAGES: u32 = 100;
    let folder = folder();
    let data = folder.path().join("cifar");
    fs::create_dir(&data).unwrap();
    let images = Coloured::cifar(1, 6 * IMAGES, 10);
    let pixels = Dataset::<f32>::raw(&images).unwrap();
    let labels = images.labels();
    for (file, name) in FILES.iter().enumerate() {
        let first = file * IMAGES as usize;
        let records = (first..first + IMAGES as usize).flat_map(|image| {
            let label = u8::try_from(labels[image]).unwrap();
            [&[label], &pixels[3072 * image..3072 * (image + 1)]].concat()
        });
        fs::write(data.join(format!("{name}.bin")), records.collect::<Vec<_>>()).unwrap();
    }
    let output = run(folder.path(), "reproduce cifar --quick --data cifar --out out");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
