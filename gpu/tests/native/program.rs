//! The program, as a user runs it, on small data of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support;
#[cfg(not(feature = "mpi"))]
use crate::support::program::program;
use crate::support::program::{SHORT, folder, lines, refuse, run, succeed, text, timeless};
use serde_json::Value;

/// How a batch is cut is part of a run: of its settings, its checkpoint and its bits.
#[test]
fn the_number_of_parts_is_a_setting_of_the_run() {
    let folder = folder();
    let run = "train --data . --model cnn --initial-batch 100 --max-batch 100 --sample-budget 200 --quiet";
    let config: Value =
        serde_json::from_str(&succeed(folder.path(), &format!("{run} --parts 3 --print-config"))).unwrap();
    assert_eq!(config["parts"], 3);
    fs::write(folder.path().join("three.json"), config.to_string()).unwrap();
    let parameters = |flags: &str| {
        succeed(folder.path(), &format!("{run} {flags} --save run.safetensors"));
        let bytes = fs::read(folder.path().join("run.safetensors")).unwrap();
        fs::remove_file(folder.path().join("run.safetensors")).unwrap();
        bytes
    };
    let three = parameters("--parts 3 --threads 1");
    assert!(parameters("--config three.json --threads 2") == three);
    let [seven, own] = ["--parts 7", "--parts 0"].map(parameters);
    assert!(three != seven && own != seven && own == parameters(""));
    // A resumed run keeps it.
    succeed(folder.path(), &format!("{} --parts 3 --save part.safetensors", run.replace("200", "100")));
    let said = refuse(folder.path(), "train --data . --resume part.safetensors --parts 4");
    assert!(said.contains("a resumed run keeps the settings of its checkpoint"), "{said}");
    let resume =
        "train --data . --resume part.safetensors --sample-budget 200 --quiet --save part.safetensors";
    succeed(folder.path(), resume);
    assert!(fs::read(folder.path().join("part.safetensors")).unwrap() == three);
}

#[test]
fn settings_that_cannot_run_are_refused_with_the_range() {
    let folder = folder();
    let cases = [
        ("--initial-batch 1", "--initial-batch is 1, but must be from 2 to 300"),
        ("--max-batch 301", "--max-batch is 301, but must be from 1 to 300 (a batch cannot be larger than"),
        ("--min-batch 20 --initial-batch 10", "--initial-batch is 10, but must be from 20 to 300"),
        ("--eta 0", "--eta is 0, but must be a number above 0"),
        ("--eta -1", "--eta is -1, but must be a number above 0"),
        ("--eta nan", "expected a finite number"),
        ("--test augmented --nu -2", "--nu is -2, but must be a number above 0"),
        ("--test coordinate_norm --quantile 1.5", "--quantile is 1.5, but must be above 0 and at most 1"),
        ("--test worker-norm --workers 1", "--workers is 1, but must be from 2 to 1024"),
        ("--parts 1025", "--parts is 1025, but must be from 0 to 1024"),
        ("--parts 2.5", "expected a whole number"),
        ("--learning-rate 0", "--learning-rate is 0, but must be a number above 0"),
        ("--growth-cap 1", "--growth-cap is 1, but must be a number above 1"),
        ("--sample-budget 0", "--sample-budget is 0, but must be from 1"),
        ("--optimizer momentum --momentum 1", "--momentum is 1, but must be at least 0 and below 1"),
        ("--decay step --decay-factor 0", "--decay-factor is 0, but must be above 0 and at most 1"),
        ("--test none --controller adadagrad", "--controller adadagrad needs a test"),
        ("--theta 1", "--theta does not belong to --test norm, which takes --eta, --debiased"),
        ("--test none --eta 1", "--eta is a setting of a test, but --test is none"),
        (
            "--optimizer sgd --beta1 0.5",
            "--beta1 does not belong to --optimizer sgd, which takes --weight-decay",
        ),
        (
            "--test none --growth-cap 2",
            "--growth-cap does not belong to --controller constant, which takes no settings",
        ),
        ("--final-fraction 0.1", "--final-fraction does not belong to --decay constant"),
        ("--device gpu --threads 2", "--threads sets the number of CPU threads"),
        ("--adapter any", "--adapter names a GPU, so it needs --device gpu or --device auto"),
        ("--gpu-memory 64", "--gpu-memory limits a GPU, so it needs --device gpu or --device auto"),
        ("--profile", "--profile times GPU kernels, so it needs --device gpu"),
        ("--optimizer adamax", "invalid value 'adamax' for '--optimizer <OPTIMIZER>'"),
        ("--save no/such/folder/x", "no/such/folder/x: its folder does not exist"),
        ("--load nothing.safetensors", "nothing.safetensors: "),
        ("--threads 0", "--threads"),
        ("--preset quick --config a.json", "cannot be used with"),
    ];
    for (flags, sentence) in cases {
        let said = refuse(folder.path(), &format!("train --data . --max-batch 300 --quiet {flags}"))
            .replace("--max-batch 300 ", "");
        let said = if flags.starts_with("--max-batch") {
            refuse(folder.path(), &format!("train --data . --quiet {flags}"))
        } else {
            said
        };
        assert!(said.contains(sentence), "{flags}: {said}");
    }
}

#[test]
fn data_that_cannot_be_read_is_named_with_file_and_byte() {
    let folder = folder();
    let images = folder.path().join("train-images-idx3-ubyte");
    let labels = folder.path().join("train-labels-idx1-ubyte");
    let sound = [fs::read(&images).unwrap(), fs::read(&labels).unwrap()];
    let command = "train --data . --preset quick --max-batch 300 --quiet";
    let says = |sentence: &str| {
        let said = refuse(folder.path(), command);
        assert!(said.contains(sentence), "{said}");
    };
    fs::write(&images, &sound[0][..1000]).unwrap();
    says("train-images-idx3-ubyte: image file: the header declares a file of 235216 bytes, but it has 1000");
    fs::write(&images, "<html>").unwrap();
    says("train-images-idx3-ubyte: image file: byte 0: not a valid IDX file");
    fs::write(&images, [&[0, 0, 8, 3][..], &[0xff; 12]].concat()).unwrap();
    says("the product of the dimensions is too large");
    fs::write(&images, &sound[0]).unwrap();
    let mut wrong = sound[1].clone();
    wrong[8 + 17] = 10;
    fs::write(&labels, wrong).unwrap();
    says("train-labels-idx1-ubyte: label file: byte 25: label 10 is out of range");
    fs::write(&labels, &sound[1]).unwrap();
    fs::write(
        folder.path().join("manifest.json"),
        r#"{"files":[{"name":"t10k-images-idx3-ubyte","sha256":"00"}]}"#,
    )
    .unwrap();
    says("t10k-images-idx3-ubyte: its SHA-256 differs from the one in manifest.json");
    fs::remove_file(folder.path().join("manifest.json")).unwrap();
    fs::remove_file(&labels).unwrap();
    fs::write(folder.path().join("train-labels-idx1-ubyte.gz"), b"\x1f\x8b\x08\0\0\0").unwrap();
    says("train-labels-idx1-ubyte.gz: after 0 decompressed bytes:");
    fs::remove_file(folder.path().join("train-labels-idx1-ubyte.gz")).unwrap();
    says(
        "train-labels-idx1-ubyte is missing (uncompressed or .gz); the folder contains train-images-idx3-ubyte, ",
    );
}

#[test]
fn packed_files_are_read() {
    use std::io::Write;
    let folder = folder();
    let plain = succeed(folder.path(), &format!("{SHORT} --quiet --save plain.safetensors"));
    for name in ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        let file = folder.path().join(name);
        let packed = fs::File::create(folder.path().join(format!("{name}.gz"))).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
        encoder.write_all(&fs::read(&file).unwrap()).unwrap();
        encoder.finish().unwrap();
        fs::remove_file(file).unwrap();
    }
    let packed = succeed(folder.path(), &format!("{SHORT} --quiet --save packed.safetensors"));
    let steps = |summary: &str| summary.lines().next().unwrap().to_owned();
    assert_eq!(steps(&plain), steps(&packed));
    let read = |name| fs::read(folder.path().join(name)).unwrap();
    assert!(read("plain.safetensors") == read("packed.safetensors"));
}

#[test]
fn telemetry_has_the_documented_fields() {
    let mut documented: BTreeSet<_> = include_str!("../../TELEMETRY.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    // Several ranks alone write it: the tests under mpirun look at it.
    assert!(documented.remove("fast_ranks"));
    let folder = folder();
    // With what adds fields of its own.
    let more = "--optimizer adam --learning-rate 0.001 --coupling half_life --observe norm";
    succeed(folder.path(), &format!("{SHORT} {more} --telemetry run.jsonl"));
    let lines = lines(&folder.path().join("run.jsonl"));
    let fields = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(fields(lines.last().unwrap()), documented);
    let measured = lines.iter().filter(|line| line.get("accuracy").is_some()).count();
    assert!((4..=6).contains(&measured), "{measured} of {} lines", lines.len());
    for (k, line) in lines.iter().enumerate() {
        assert_eq!(line["step"], k as u64 + 1);
        assert!(fields(line).is_subset(&documented));
    }
}

#[test]
fn the_summary_tells_what_the_telemetry_tells() {
    let folder = folder();
    let output = run(folder.path(), &format!("{SHORT} --telemetry run.jsonl"));
    let (summary, progress) = (text(&output.stdout), text(&output.stderr));
    let lines = lines(&folder.path().join("run.jsonl"));
    let last = lines.last().unwrap();
    let value = |name: &str| {
        let row =
            summary.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{summary}"));
        row.trim().to_owned()
    };
    let seen = last["samples_seen"].as_u64().unwrap();
    assert_eq!(value("steps"), last["step"].to_string());
    assert_eq!(value("samples").replace(',', ""), seen.to_string());
    assert_eq!(value("average batch"), format!("{:.0}", seen as f64 / lines.len() as f64));
    assert_eq!(value("test accuracy"), format!("{:.2} %", 100.0 * last["accuracy"].as_f64().unwrap()));
    assert!(value("training loss").starts_with(&format!("{:.4} nats", last["loss"].as_f64().unwrap())));
    assert!(progress.lines().count() >= 4, "a line each time accuracy is measured: {progress}");
    assert_eq!(text(&run(folder.path(), &format!("{SHORT} --quiet")).stderr), "");
}

#[test]
fn settings_can_be_written_and_read() {
    let folder = folder();
    let flags = "--optimizer adam --beta1 0.8 --test augmented --theta 0.3 --decay cosine --final-fraction 0.1 \
                 --growth-cap 3 --seed 5 --learning-rate 0.0123456789012345678";
    let printed = succeed(folder.path(), &format!("train --print-config {flags}"));
    fs::write(folder.path().join("run.json"), &printed).unwrap();
    assert_eq!(printed, succeed(folder.path(), "train --print-config --config run.json"));
    let changed = succeed(folder.path(), "train --print-config --config run.json --beta2 0.9 --test none");
    let changed: Value = serde_json::from_str(&changed).unwrap();
    assert_eq!(changed["optimizer"]["beta1"], 0.8);
    assert_eq!(changed["optimizer"]["beta2"], 0.9);
    assert_eq!(changed["test"], Value::Null);
    assert_eq!(changed["controller"]["name"], "constant");
    fs::write(folder.path().join("run.json"), "{\"no_such_setting\": 1}").unwrap();
    assert!(
        refuse(folder.path(), "train --config run.json")
            .contains("run.json: no_such_setting is not a valid field; valid fields: ")
    );
}

#[test]
fn a_finished_run_can_be_given_more_samples() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    succeed(folder.path(), &format!("{SHORT} --quiet --telemetry whole.jsonl --save whole.safetensors"));
    succeed(
        folder.path(),
        &format!("{SHORT} --sample-budget 900 --quiet --telemetry part.jsonl --save part.safetensors"),
    );
    let resume = "train --data . --resume part.safetensors --sample-budget 2000 --evaluate-every 500 --quiet";
    succeed(folder.path(), &format!("{resume} --telemetry part.jsonl --save part.safetensors --threads 1"));
    assert!(fs::read(at("whole.safetensors")).unwrap() == fs::read(at("part.safetensors")).unwrap());
    // The first run also measured at its own end.
    let [whole, mut part] = ["whole.jsonl", "part.jsonl"].map(|name| timeless(&at(name)));
    for (line, expected) in part.iter_mut().zip(&whole) {
        if expected.get("accuracy").is_none() {
            line.as_object_mut().unwrap().retain(|name, _| name != "accuracy" && name != "test_loss");
        }
    }
    assert_eq!(part, whole);
    // Nothing is left to do; the summary still tells the accuracy.
    let summary = succeed(folder.path(), "train --data . --resume part.safetensors --quiet");
    assert!(!summary.lines().any(|line| line.starts_with("test accuracy") && line.contains("not measured")));
}

#[test]
fn a_run_keeps_its_data_set() {
    let folder = folder();
    let nowhere = refuse(folder.path(), &format!("{} --dataset own", SHORT.replace("--data . ", "")));
    assert!(nowhere.contains("--dataset own needs the folder of your data"), "{nowhere}");
    succeed(
        folder.path(),
        &format!("{SHORT} --dataset own --sample-budget 900 --quiet --save own.safetensors"),
    );
    let config = succeed(folder.path(), "train --data . --resume own.safetensors --print-config");
    assert!(config.contains("\"dataset\": \"own\""), "{config}");
    let nowhere = refuse(folder.path(), "train --resume own.safetensors --sample-budget 2000");
    assert!(nowhere.contains("give it with --data"), "{nowhere}");
    succeed(folder.path(), "train --data . --resume own.safetensors --sample-budget 2000 --quiet");
    let fashion = succeed(folder.path(), &format!("{SHORT} --dataset fashion-mnist --print-config"));
    assert!(fashion.contains("\"dataset\": \"fashion_mnist\""), "{fashion}");
}

#[test]
fn what_does_not_go_with_resume_is_refused() {
    let folder = folder();
    succeed(folder.path(), &format!("{SHORT} --quiet --save run.safetensors"));
    let said = refuse(folder.path(), "train --data . --resume run.safetensors --eta 0.2");
    assert!(said.contains("a resumed run keeps the settings of its checkpoint"), "{said}");
    let said = refuse(folder.path(), "train --data . --model cnn --max-batch 300 --load run.safetensors");
    let expected = "run.safetensors: it contains the model logistic, but the settings have cnn";
    assert!(said.contains(expected), "{said}");
    let [images, labels] = support::idx(250, 3);
    fs::write(folder.path().join("train-images-idx3-ubyte"), images).unwrap();
    fs::write(folder.path().join("train-labels-idx1-ubyte"), labels).unwrap();
    let said = refuse(folder.path(), "train --data . --resume run.safetensors");
    assert!(said.contains("the run was trained on 300 samples, but . has 250"), "{said}");
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_before_the_step() {
    let folder = folder();
    let flags = "train --data . --model mlp --test none --initial-batch 50 --max-batch 300 --learning-rate 1e20 \
                 --optimizer sgd --telemetry run.jsonl --quiet";
    let output = run(folder.path(), &format!("{flags} --save run.safetensors"));
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("is not a finite number, so the step was not applied"), "{said}");
    let steps = lines(&folder.path().join("run.jsonl")).len();
    assert!(said.contains(&format!("after step {steps}")), "{said}");
    let file = folder.path().join("run-failed.safetensors");
    let read = adadagrad_core::owned::checkpoint::load(&file);
    // What a step with an infinite result leaves behind is finite or said not to be.
    assert!(read.is_ok() || said.contains("no run can go on from them"), "{said}");
}

#[test]
fn statistics_are_one_json_object() {
    let folder = folder();
    succeed(folder.path(), &format!("{SHORT} --quiet --save run.safetensors"));
    let command = "statistics --data . --model logistic --load run.safetensors --dataset mnist --device cpu";
    let read = |flags: &str| -> Value {
        serde_json::from_str(&succeed(folder.path(), &format!("{command} {flags}"))).unwrap()
    };
    let report = read("--first 64 --eta 0.5");
    let number = |name: &str| report[name].as_f64().unwrap_or_else(|| panic!("{name}: {report}"));
    assert_eq!(report["samples"], 64);
    assert!((0.0..=1.0).contains(&number("accuracy")) && number("loss") > 0.0);
    let [n, v, s] = ["mean_norm_sq", "variance", "sum_squared_norms"].map(number);
    let [along, across] = ["variance_along", "variance_orthogonal"].map(number);
    assert!((v - (s - 64.0 * n) / 63.0).abs() <= 1e-12 * v);
    assert!((v - (across + along / n)).abs() <= 1e-9 * v);
    let required = &report["required"];
    assert!((required["norm"].as_f64().unwrap() - v / (0.25 * n)).abs() <= 1e-9 * v / n);
    for test in ["inner_product", "orthogonality", "augmented", "coordinate_norm", "worker_norm"] {
        assert!(required[test].is_f64(), "{test}: {report}");
        assert!(report["threshold"][test].is_f64(), "{test}: {report}");
    }
    assert_eq!(report["reasons"], serde_json::json!({}));

    let single = read("--first 1");
    assert_eq!(single["variance"], Value::Null);
    assert_eq!(single["required"]["norm"], Value::Null);
    assert_eq!(single["reasons"]["norm"], "single_sample");
    assert_eq!(single["reasons"]["variance"], "single_sample");

    assert_eq!(read("--first 10 --start 290")["samples"], 10);

    // A run's first batch, and the same by any number of threads.
    assert_eq!(read("--batch 200 --threads 1"), read("--batch 200 --threads 3"));
    let table = succeed(folder.path(), &format!("{command} --first 64 --table"));
    assert!(table.contains("coordinate_norm") && table.contains("would just pass at"), "{table}");
    for (flags, sentence) in [
        ("--first 301", "--first is 301, but must be from 1 to 300"),
        ("--first 2 --start 299", "--first is 2, but must be from 1 to 1 (of 300 training samples)"),
        ("--first 1 --start 300", "--start is 300, but there are only 300 training samples"),
        ("--batch 301 --start 5", "--batch is 301, but must be from 1 to 300"),
        ("--first 0", "--first is 0, but must be from 1 to 300"),
        ("", "--first <N>"),
    ] {
        let said = refuse(folder.path(), &format!("{command} {flags}"));
        assert!(said.contains(sentence), "{flags}: {said}");
    }
}

#[test]
fn evaluate_tells_what_the_run_told() {
    let folder = folder();
    succeed(folder.path(), &format!("{SHORT} --quiet --telemetry run.jsonl --save run.safetensors"));
    let last = lines(&folder.path().join("run.jsonl")).pop().unwrap();
    let report = succeed(folder.path(), "evaluate --data . --load run.safetensors --json");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["accuracy"], last["accuracy"]);
    assert_eq!(report["loss"], last["test_loss"]);
    assert_eq!(report["samples"], 100);
    let tables = succeed(folder.path(), "evaluate --data . --load run.safetensors");
    assert!(tables.contains("test accuracy") && tables.contains("class"), "{tables}");
}

/// What telemetry says step by step, the summary says once.
#[test]
fn the_summary_says_why_a_batch_did_not_grow() {
    let folder = folder();
    let train = |flags: &str| {
        let common =
            "train --data . --model logistic --quiet --sample-budget 200 --threads 1 --max-batch 300";
        let said = succeed(folder.path(), &format!("{common} {flags}"));
        said.lines().filter(|line| line.starts_with("In ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let stages = "--test none --controller stages --schedule 0:4,12:64";
    assert_eq!(
        train(&format!("--optimizer adam --coupling sde {stages}")),
        [
            "In 48 of 50 steps the size that the rule chose was not possible, and the batch kept its size (now 4 \
             samples): the coupling leaves no β for a batch of that size. Let the batch grow in smaller steps, or choose \
             another --coupling."
        ]
    );
    assert_eq!(train(&format!("--optimizer adam --coupling sqrt {stages}")), [""; 0]);
    assert_eq!(train("--test none --controller constant --initial-batch 8"), [""; 0]);
    let said =
        train("--test none --controller big_batch --optimizer sgd --learning-rate 1e-30 --initial-batch 8");
    assert!(said.len() <= 1, "{said:?}");
}

#[test]
fn help_teaches() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["", "train ", "statistics ", "evaluate ", "export "] {
        let help = succeed(folder.path(), &format!("{command}--help"));
        assert!(help.contains("Example"), "{help}");
    }
    // However its lines are broken.
    let help = succeed(folder.path(), "train --help").split_whitespace().collect::<Vec<_>>().join(" ");
    for word in ["T = v/(eta^2 n)", "samples", "above 0 and at most 1", "--resume", "Exit codes"] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

/// Whether there is a GPU to test on: a visible skip without one, a failure when `REQUIRE_GPU=1`.
fn has_gpu(folder: &Path) -> bool {
    let output = run(folder, "devices");
    let found = output.status.success();
    let why = text(&output.stderr);
    assert!(found || std::env::var("REQUIRE_GPU").as_deref() != Ok("1"), "{why}");
    if !found {
        eprintln!("skipped: {why}");
    }
    found
}

/// Every number within a JSON object, by its path.
fn numbers(value: &Value, path: &str, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => found.push((path.to_owned(), number.as_f64().unwrap())),
        Value::Object(fields) => {
            for (name, value) in fields {
                numbers(value, &format!("{path}.{name}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn statistics_are_the_same_on_the_gpu() {
    let folder = folder();
    if !has_gpu(folder.path()) {
        return;
    }
    for model in ["logistic", "mlp"] {
        // A middle quantile: a single coordinate with a gradient near 0 hangs on the order of sums.
        let command = format!("statistics --data . --model {model} --batch 100 --quantile 0.5 --device");
        let [gpu, cpu] = ["gpu", "cpu"].map(|device| {
            let object = succeed(folder.path(), &format!("{command} {device}"));
            let mut found = Vec::new();
            numbers(&serde_json::from_str(&object).unwrap(), "", &mut found);
            found
        });
        assert!(gpu.len() >= 15, "{gpu:?}");
        assert_eq!(gpu.len(), cpu.len());
        for ((name, gpu), (_, cpu)) in gpu.iter().zip(&cpu) {
            assert!(
                (gpu - cpu).abs() <= 1e-3 * cpu.abs(),
                "{model} {name}: {gpu} on the GPU, {cpu} on the CPU"
            );
        }
    }
}

#[test]
fn a_run_on_the_gpu_is_saved_and_goes_on_as_if_it_had_not_stopped() {
    let folder = folder();
    if !has_gpu(folder.path()) {
        return;
    }
    let path = folder.path();
    succeed(path, &format!("{SHORT} --device gpu --telemetry whole.jsonl --quiet"));
    succeed(
        path,
        &format!("{SHORT} --device gpu --sample-budget 700 --telemetry part.jsonl --save a.safetensors -q"),
    );
    succeed(
        path,
        "train --data . --device gpu --resume a.safetensors --sample-budget 2000 --telemetry part.jsonl -q",
    );
    let [whole, part] = ["whole.jsonl", "part.jsonl"].map(|file| timeless(&path.join(file)));
    let batches = |lines: &[Value]| lines.iter().map(|line| line["samples"].clone()).collect::<Vec<_>>();
    assert_eq!(batches(&whole), batches(&part));
    assert_eq!(whole.last().unwrap()["loss"], part.last().unwrap()["loss"]);
    let said = succeed(path, &format!("{SHORT} --device gpu --gpu-memory 16 --quiet"));
    assert!(said.contains("micro-batches of"), "{said}");
    let refused =
        refuse(path, "evaluate --data . --load a.safetensors --device gpu --adapter none-of-that-name");
    assert!(refused.contains("no adapter's name contains “none-of-that-name”"), "{refused}");
}

#[test]
fn devices_are_listed_with_kind_and_limits() {
    let folder = folder();
    if !has_gpu(folder.path()) {
        return;
    }
    let listed = succeed(folder.path(), "devices");
    for word in ["adapter", "kind", "driver", "largest binding", "storage buffers", "MiB"] {
        assert!(listed.contains(word), "{listed}");
    }
}

#[test]
fn a_profile_tells_time_arithmetic_and_bytes_by_kernel() {
    let folder = folder();
    if !has_gpu(folder.path()) {
        return;
    }
    let said = succeed(folder.path(), &format!("{SHORT} --model mlp --device gpu --profile --quiet"));
    let lines: Vec<&str> = said.lines().collect();
    let head = lines.iter().position(|line| line.starts_with("kernel "));
    let Some(head) = head else {
        assert!(said.contains("this device has no timestamps"), "{said}");
        return;
    };
    for word in ["calls", "ms", "share", "GFLOP/s", "GB/s"] {
        assert!(lines[head].contains(word), "{said}");
    }
    let row = |kernel: &str| {
        let line = lines[head..].iter().find(|line| line.starts_with(kernel));
        let line = line.unwrap_or_else(|| panic!("{kernel}: {said}"));
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let steps: u64 = lines[0].split_whitespace().last().unwrap().parse().unwrap();
    // Every step draws once and updates once.
    let calls = |kernel: &str| row(kernel)[1].replace(',', "").parse::<u64>().unwrap();
    assert!(calls("adagrad") >= steps && calls("draw_bytes") >= steps, "{said}");
    assert!(row("product").last().unwrap().parse::<f64>().unwrap() > 0.0, "{said}");
    // By batch size, steps after which accuracy was measured left out.
    let sizes = lines.iter().position(|line| line.starts_with("batch ")).unwrap_or_else(|| panic!("{said}"));
    let rows: Vec<Vec<&str>> =
        lines[sizes + 1..].iter().map(|line| line.split_whitespace().collect()).collect();
    let counted: u64 = rows.iter().map(|row| row[1].parse::<u64>().unwrap()).sum();
    assert!(counted > 0 && counted < steps, "{said}");
    for row in rows {
        let share: f64 = row[3].parse().unwrap();
        assert!(share > 0.0 && share <= 100.0, "{said}");
    }
}

#[test]
fn the_choice_of_kernels_is_remembered_and_a_broken_file_is_no_error() {
    let folder = folder();
    if !has_gpu(folder.path()) {
        return;
    }
    let file = folder.path().join("cache/adadagrad/kernels.json");
    let command = format!("{SHORT} --sample-budget 40 --device gpu --quiet");
    succeed(folder.path(), &command);
    if !cfg!(target_os = "linux") {
        return;
    }
    let first = fs::read_to_string(&file).unwrap();
    let choices: Value = serde_json::from_str(&first).unwrap();
    assert!(choices[0]["variants"]["product"].is_string(), "{first}");
    // Another choice stays as it is: no new one is made.
    let mut other = choices.clone();
    let chosen = choices[0]["variants"]["conv2d_forward"].as_str().unwrap();
    other[0]["variants"]["conv2d_forward"] = if chosen == "plain" { "wide" } else { "plain" }.into();
    let other = serde_json::to_string(&other).unwrap();
    fs::write(&file, &other).unwrap();
    succeed(folder.path(), &command);
    assert_eq!(fs::read_to_string(&file).unwrap(), other);
    for broken in ["", "[{\"version\": 1}]", "{"] {
        fs::write(&file, broken).unwrap();
        succeed(folder.path(), &command);
        let again: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(again[0]["adapter"], choices[0]["adapter"]);
    }
    // A folder in its place cannot be written.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    succeed(folder.path(), &command);
}

#[test]
fn the_self_test_passes_and_its_report_is_one_json_file() {
    let folder = folder();
    if !has_gpu(folder.path()) {
        return;
    }
    let said = succeed(folder.path(), "selftest --device gpu --output report.json");
    assert!(said.contains("Every kernel agrees with the reference."), "{said}");
    let report: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(report["version"], 1);
    assert!(report["adapter"]["name"].is_string() && report["adapter"]["driver"].is_string());
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.len() >= 40);
    for check in checks {
        assert!(
            check["cases"].as_u64().unwrap() > 0 && check["failures"] == serde_json::json!([]),
            "{check}"
        );
    }
    for row in report["throughput"].as_array().unwrap() {
        assert!(row["samples_per_second"].as_f64().unwrap() > 0.0, "{row}");
        if report["adapter"]["has_timestamps"] == true {
            assert!(row["busy"].as_f64().unwrap() > 0.0 && !row["kernels"].as_array().unwrap().is_empty());
        }
    }
    for (arguments, sentence) in [
        ("selftest --device cpu", "invalid value 'cpu' for '--device <DEVICE>'"),
        ("selftest --adapter none-of-that-name", "no adapter's name contains “none-of-that-name”"),
        ("selftest --output no/such/folder/x", "no/such/folder/x: its folder does not exist"),
    ] {
        let refused = refuse(folder.path(), arguments);
        assert!(refused.contains(sentence), "{refused}");
    }
}

/// Several of a program that knows nothing of the others would write over each other's files.
#[cfg(not(feature = "mpi"))]
#[test]
fn several_that_a_launcher_has_started_are_refused_without_mpi() {
    let folder = folder();
    for [of_rank, of_size] in [
        ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"],
        ["PMI_RANK", "PMI_SIZE"],
        ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS"],
    ] {
        let started = |rank: &str, size: &str| {
            let mut command = program(folder.path(), &format!("{SHORT} --save run.st"));
            command.env(of_rank, rank).env(of_size, size).output().unwrap()
        };
        let first = started("0", "2");
        assert_eq!(first.status.code(), Some(1));
        let said = text(&first.stderr);
        assert!(said.contains("built without MPI") && said.lines().count() == 1, "{said}");
        let second = started("1", "2");
        let silent = (Some(0), &b""[..], &b""[..]);
        assert_eq!((second.status.code(), &second.stderr[..], &second.stdout[..]), silent);
        assert!(!folder.path().join("run.st").exists());
        if of_size.starts_with("OMPI") {
            assert!(started("0", "1").status.success());
            fs::remove_file(folder.path().join("run.st")).unwrap();
        }
    }
}
