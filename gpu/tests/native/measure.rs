//! `adadagrad measure critical-batch`, `--observe`, `--coupling` and exit codes, as a user meets them.

use std::fs;

use crate::support::program::{SHORT, folder, lines, refuse, run, succeed, text};
use serde_json::Value;

#[test]
fn the_critical_batch_is_measured_from_a_checkpoint() {
    let folder = folder();
    succeed(folder.path(), &format!("{SHORT} --quiet --save m.safetensors"));
    let checkpoint = fs::read(folder.path().join("m.safetensors")).unwrap();
    let measure =
        "measure critical-batch --data . --load m.safetensors --base-batch 4 --largest-factor 8 --samples 90";
    let said = succeed(folder.path(), &format!("{measure} --quiet --output c.json"));
    assert!(said.contains("smoothed loss") && said.contains("The critical batch size is "), "{said}");
    let report = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(folder.path().join(name)).unwrap()).unwrap()
    };
    let found = report("c.json");
    // Whole batches of 32.
    assert_eq!((&found["samples"], &found["scaling"]), (&Value::from(96), &Value::from("sqrt")));
    let branches = found["branches"].as_array().unwrap();
    let first = branches[0]["learning_rate"].as_f64().unwrap();
    for (index, branch) in branches.iter().enumerate() {
        let factor = 1_u64 << index;
        assert_eq!(branch["batch"], 4 * factor);
        assert_eq!(branch["steps"], 96 / (4 * factor));
        let rate = branch["learning_rate"].as_f64().unwrap();
        assert!((rate / first - f64::from(1_u32 << index).sqrt()).abs() < 1e-12);
        assert!(branch["smoothed_loss"].as_f64().unwrap() > 0.0);
    }
    let answer = &found["critical_batch"];
    let within = branches.iter().rfind(|branch| branch["within"] == true).unwrap();
    assert_eq!(answer["batch"], within["batch"]);
    // The same again, and the file is as it was.
    succeed(folder.path(), &format!("{measure} --quiet --output again.json"));
    assert_eq!(report("again.json"), found);
    assert_eq!(fs::read(folder.path().join("m.safetensors")).unwrap(), checkpoint);
    // All within a wide tolerance: a lower bound.
    let said = succeed(folder.path(), &format!("{measure} --quiet --tolerance 100"));
    assert!(said.contains("at least 32") && said.contains("lower bound"), "{said}");
    // Another optimizer begins with a memory of its own.
    let said = succeed(
        folder.path(),
        &format!("{measure} --quiet --optimizer sgd --learning-rate 0.01 --output sgd.json"),
    );
    assert_eq!(report("sgd.json")["scaling"], "linear", "{said}");
    // Batches end at the size of the data set.
    let large = measure.replace("--largest-factor 8 --samples 90", "--largest-factor 100000 --samples 1");
    let said = run(folder.path(), &large);
    assert!(text(&said.stderr).contains("The largest batch is the training set"), "{said:?}");
    // A finite loss far above that of the checkpoint is no result.
    for rate in ["1e5", "1e30"] {
        let output = run(folder.path(), &format!("{measure} --learning-rate {rate}"));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(text(&output.stdout).contains("Every run diverged, so the critical batch size is unknown"));
    }
    for (flags, sentence) in [
        ("--output m.safetensors", "--output and --load are the same file"),
        ("--output train-images-idx3-ubyte", "--output and the data set are the same file"),
        ("--smoothing 1", "--smoothing is 1, but must be at least 0 and below 1"),
        ("--tolerance -1", "--tolerance is -1, but must be at least 0"),
    ] {
        let output = run(folder.path(), &format!("{measure} {flags}"));
        assert_eq!(output.status.code(), Some(2), "{flags}: {output:?}");
        assert!(text(&output.stderr).contains(sentence), "{flags}: {output:?}");
    }
    let output = run(folder.path(), &measure.replace("--base-batch 4", "--base-batch 100000"));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains("--base-batch is 100000, but must be from 1 to "), "{output:?}");
    let output = run(folder.path(), &measure.replace("--samples 90", "--samples 9007199254740000"));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        text(&output.stderr).contains("--samples is 9007199254740000, but must be from 1 to "),
        "{output:?}"
    );
}

#[test]
fn what_is_observed_is_reported_and_changes_nothing() {
    let folder = folder();
    succeed(folder.path(), &format!("{SHORT} --quiet --save plain.safetensors --telemetry plain.jsonl"));
    let observe = "--observe norm,inner-product,noise_scale,cabs,big_batch";
    assert!(
        refuse(folder.path(), &format!("{SHORT} {observe}")).contains("valid names: norm, inner_product, ")
    );
    let observe = observe.replace("inner-product", "inner_product");
    let said = succeed(
        folder.path(),
        &format!("{SHORT} --quiet {observe} --save o.safetensors --telemetry o.jsonl"),
    );
    for name in ["norm", "inner_product", "noise_scale", "cabs", "big_batch"] {
        assert!(said.contains(&format!("observed {name}")), "{said}");
    }
    let [plain, observed] = ["plain.jsonl", "o.jsonl"].map(|name| lines(&folder.path().join(name)));
    assert_eq!(plain.len(), observed.len());
    for (plain, observed) in plain.iter().zip(&observed) {
        assert_eq!(plain["loss"], observed["loss"]);
        assert_eq!(plain["next_batch"], observed["next_batch"]);
        assert_eq!(observed["observed"]["norm"]["size"], observed["required"]);
        assert!(plain.get("observed").is_none());
    }
    assert!(succeed(folder.path(), "rules").contains("--observe NAMES"));
}

#[test]
fn a_coupled_run_tells_its_learning_rate_and_betas() {
    let folder = folder();
    let adam = "--optimizer adam --learning-rate 0.001 --coupling half-life --telemetry t.jsonl";
    succeed(folder.path(), &format!("{SHORT} --quiet {adam}"));
    let lines = lines(&folder.path().join("t.jsonl"));
    let grown = lines.iter().find(|line| line["samples"] != 4).unwrap();
    let expected = 0.999_f64.powf(grown["samples"].as_f64().unwrap() / 4.0);
    assert!((grown["beta2"].as_f64().unwrap() - expected).abs() < 1e-9, "{grown}");
    assert_eq!(grown["beta1"], 0.9);
    for (flags, sentence) in [
        ("--coupling sde", "--coupling does not fit: sde and half_life change the β"),
        (
            "--coupling linear --controller geometric",
            "--coupling does not fit: the rule changes the learning rate",
        ),
    ] {
        assert!(
            refuse(folder.path(), &format!("{SHORT} {flags}").replace("--growth-cap 1.5 ", ""))
                .contains(sentence)
        );
    }
}

/// 2 for what was asked for, 1 for what failed.
#[test]
fn exit_codes_tell_mistakes_from_failures() {
    let folder = folder();
    fs::write(folder.path().join("bad.json"), r#"{"optimizer": {"name": "adam", "beta1": 2}}"#).unwrap();
    fs::write(folder.path().join("wrong.json"), r#"{"optimiser": 1}"#).unwrap();
    let train = "train --data . --model logistic --sample-budget 10 --max-batch 200 --quiet";
    for (flags, code) in [
        ("--eta 0", 2),
        ("--initial-batch 1", 2),
        ("--optimizer sgd --beta1 0.5", 2),
        ("--test none --eta 0.5", 2),
        ("--profile", 2),
        ("--threads 5000", 2),
        ("--config bad.json", 2),
        ("--config wrong.json", 2),
        ("--no-such-flag", 2),
        ("--observe norm,norm", 2),
        ("--controller accordion --controller-small 20 --controller-large 10", 2),
        ("--config missing.json", 1),
        ("--load missing.safetensors", 1),
        ("--data missing", 1),
    ] {
        let command = format!("{train} {flags}");
        let command = if flags.starts_with("--data") { command.replace("--data . ", "") } else { command };
        let output = run(folder.path(), &command);
        assert_eq!(output.status.code(), Some(code), "{flags}: {}", text(&output.stderr));
    }
    let said = refuse(
        folder.path(),
        &format!("{train} --controller accordion --controller-small 20 --controller-large 10"),
    );
    assert!(said.contains("--controller-large is 10, but must be from 20 to 200 (the large batch"), "{said}");
    let said = run(folder.path(), &format!("{train} --test worker_norm --workers 9"));
    assert!(text(&said.stderr).contains("fewer than --workers 9"), "{said:?}");
}
