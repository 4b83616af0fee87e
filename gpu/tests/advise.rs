//! `adadagrad advise` and `adadagrad rules`, as other programs use them.
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::AnyController;
use adadagrad_core::settings::Choices;
use adadagrad_tests::golden::{self, ControllerRun, ControllersFile};
use serde_json::{Map, Value, json};
use support::program::{PROGRAM, refuse, succeed, text};

/// What `advise` is told of step k, and its answer: one line each, so that a lock-step loop never waits.
fn advise(flags: &[String], lines: &[String]) -> (Vec<Value>, bool, String) {
    let mut advisor = Command::new(PROGRAM)
        .arg("advise")
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = advisor.stdin.take().unwrap();
    let mut from = BufReader::new(advisor.stdout.take().unwrap());
    let answers = lines.iter().map(|line| {
        writeln!(to, "{line}").unwrap();
        let mut answer = String::new();
        from.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    });
    let answers: Vec<Value> = answers.collect();
    drop(to);
    let output = advisor.wait_with_output().unwrap();
    (answers, output.status.success(), text(&output.stderr))
}

/// The flags for one of the file's rules, where a line can say all that it needs.
fn flags_of(run: &ControllerRun) -> Option<Vec<String>> {
    let rule = &run.rule;
    let number = |name: &str| rule[name].to_string();
    let listed = |name: &str, between: &str| {
        let entries = rule[name].as_array().unwrap().iter();
        let entries = entries.map(|entry| match entry.as_array() {
            Some(pair) => pair.iter().map(Value::to_string).collect::<Vec<_>>().join(between),
            None => entry.to_string(),
        });
        entries.collect::<Vec<_>>().join(" ")
    };
    let mut flags = vec![
        "--initial-batch".to_owned(),
        run.first_batch.to_string(),
        "--min-batch".to_owned(),
        run.min_batch.to_string(),
        "--max-batch".to_owned(),
        run.max_batch.to_string(),
        "--training-samples".to_owned(),
        "256".to_owned(),
    ];
    let mut add = |flag: &str, value: String| flags.extend([format!("--{flag}"), value]);
    let name = rule["rule"].as_str().unwrap();
    match name {
        "norm_test" => {
            add("eta", number("eta"));
            if rule.contains_key("cap") {
                add("growth-cap", number("cap"));
            } else {
                add("controller-window", number("window"));
            }
        }
        "constant"
        | "linear"
        | "geometric"
        | "smith"
        | "seesaw"
        | "cabs"
        | "gradient_noise_scale"
        | "stages" => {
            add("test", "none".to_owned());
            add("controller", name.to_owned());
        }
        _ => return None,
    }
    match name {
        "stages" => add("controller-schedule", listed("stages", ":")),
        "linear" => {
            add("controller-last-batch", number("last_batch"));
            add("controller-over-samples", number("over_samples"));
        }
        "geometric" => {
            add("controller-every-epochs", number("every_epochs"));
            add("controller-factor", number("factor"));
            add("controller-gamma", number("gamma"));
        }
        "smith" => {
            add("controller-milestones", listed("milestones", " "));
            add("controller-factor", number("factor"));
        }
        "seesaw" => {
            add("controller-milestones", listed("milestones", " "));
            add("controller-cut", number("alpha"));
        }
        "cabs" => {
            add("controller-ema", number("ema"));
            add("controller-scale", number("c"));
        }
        "gradient_noise_scale" => {
            add("controller-ema", number("ema"));
            add("controller-scale", number("c"));
        }
        _ => {}
    }
    Some(flags)
}

#[test]
fn golden_controllers_are_followed_through_a_pipe() {
    let file: ControllersFile = golden::read("controllers.json");
    let mut followed = 0;
    for run in &file.runs {
        let Some(flags) = flags_of(run) else { continue };
        followed += 1;
        let column = |name: &str| &run.steps[name];
        let [batch, n, sum, loss, rate, next] =
            ["batch", "n", "S", "loss", "learning_rate", "next_batch"].map(column);
        let scaled = matches!(run.rule["rule"].as_str().unwrap(), "geometric" | "smith" | "seesaw");
        let lines: Vec<String> = (0..batch.len())
            .map(|k| {
                // What the rule has made of the rate is its own: a loop tells the rate without.
                let rate = if scaled { &rate[0] } else { &rate[k] };
                json!({
                    "samples": batch[k], "mean_norm_sq": n[k], "sum_squared_norms": sum[k], "loss": loss[k],
                    "learning_rate": rate,
                })
                .to_string()
            })
            .collect();
        let (answers, succeeded, stderr) = advise(&flags, &lines);
        assert!(succeeded, "{}: {stderr}", run.name);
        let sizes: Vec<&Value> = answers.iter().map(|answer| &answer["next_batch"]).collect();
        assert_eq!(sizes, next.iter().collect::<Vec<_>>(), "{}", run.name);
        for (k, answer) in answers.iter().enumerate().take(answers.len() - 1).filter(|_| scaled) {
            let scale = answer["learning_rate_scale"].as_f64().unwrap();
            let expected = rate[k + 1].as_f64().unwrap() / rate[0].as_f64().unwrap();
            assert!((scale - expected).abs() <= 1e-8 * expected, "{}, step {k}: {scale}", run.name);
        }
    }
    assert_eq!(followed, 12);
}

#[test]
fn a_line_that_is_not_valid_is_answered_and_keeps_the_size() {
    let lines = [
        r#"{"samples":64,"mean_norm_sq":0.01,"sum_squared_norms":80}"#,
        // A mean in place of the sum.
        r#"{"samples":64,"mean_norm_sq":0.01,"sum_squared_norms":0.1}"#,
        "no JSON",
        r#"{"samples":504,"mean_norm_sq":0.01,"sum_of_norms":3}"#,
        r#"{"samples":0,"mean_norm_sq":0.01}"#,
        r#"{"samples":4,"mean_norm_sq":0.01,"parts":[{"samples":3,"mean_norm_sq":1}]}"#,
        r#"{"samples":504,"mean_norm_sq":0.01,"seconds":-1}"#,
        r#"{"samples":504,"mean_norm_sq":0.01}"#,
    ]
    .map(str::to_owned);
    let (answers, succeeded, stderr) = advise(&["--eta".to_owned(), "0.5".to_owned()], &lines);
    assert!(!succeeded);
    assert!(answers.iter().all(|answer| answer["next_batch"] == 504), "{answers:?}");
    let expected = [
        (1, "line 2: the sum of the squared norms is 0.1"),
        (2, "line 3: expected"),
        (3, "line 4: unknown field `sum_of_norms`"),
        (4, "line 5: a batch, and each of its parts, has at least one sample"),
        (5, "line 6: the parts have 3 samples, but the batch has 4"),
        (6, "line 7: seconds is -1"),
    ];
    for (k, text) in expected {
        let error = answers[k]["error"].as_str().unwrap();
        assert!(error.starts_with(text), "{error}");
        assert!(stderr.contains(text), "{stderr}");
    }
    // Nothing wrong, but nothing to decide from.
    assert_eq!(answers[7]["reason"], "missing_evidence");
    assert_eq!(answers[7].get("error"), None);
}

#[test]
fn what_cannot_be_advised_is_refused_before_the_first_line() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, text) in [
        ("--controller dive_batch", "--controller dive_batch counts epochs: give --training-samples"),
        ("--controller gradient_noise_scale --controller-sensor sign", "the plain noise scale only"),
        ("--eta 0", "--eta is 0, but must be a number above 0"),
        ("--max-batch 100 --training-samples 10", "--max-batch is 100"),
        ("--test none --eta 1", "--eta is a setting of a test, but --test is none"),
    ] {
        let said = refuse(folder.path(), &format!("advise {flags}"));
        assert!(said.contains(text), "{flags}: {said}");
    }
}

#[test]
fn every_rule_is_listed_and_its_settings_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let listed = succeed(folder.path(), "rules");
    let rows: Vec<Map<String, Value>> =
        serde_json::from_str(&succeed(folder.path(), "rules --json")).unwrap();
    assert_eq!(rows.len(), AnyController::CHOICES.len());
    for (row, choice) in rows.iter().zip(AnyController::CHOICES) {
        assert_eq!(row["name"], choice.name);
        assert!(listed.contains(&format!("{} ({})", choice.name, choice.title)), "{listed}");
        assert!(listed.contains(choice.doc), "{listed}");
        let config: RunConfig = serde_json::from_value(json!({ "controller": row["controller"] })).unwrap();
        assert_eq!(Some(config.controller), AnyController::named(choice.name));
    }
}
