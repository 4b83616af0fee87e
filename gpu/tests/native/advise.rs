//! `adadagrad advise` and `adadagrad rules`, as other programs use them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::support::program::{PROGRAM, refuse, succeed, text};
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::AnyController;
use adadagrad_core::settings::Choices;
use adadagrad_tests::golden::{self, ControllerRun, ControllersFile};
use serde_json::{Map, Value, json};

/// What `advise` is told of step k, and its answer: one line each, so that a lock-step loop never waits.
fn advise(flags: &[String], lines: &[Vec<u8>]) -> (Vec<Value>, bool, String) {
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
        to.write_all(&[line, &b"\n"[..]].concat()).unwrap();
        let mut answer = String::new();
        from.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    });
    let answers: Vec<Value> = answers.collect();
    drop(to);
    let output = advisor.wait_with_output().unwrap();
    (answers, output.status.success(), text(&output.stderr))
}

/// The numbers of a rule by their names in the file, with the flags that set them.
const FLAGS: [(&str, &str); 23] = [
    ("eta", "eta"),
    ("cap", "growth-cap"),
    ("window", "controller-window"),
    ("window_kind", "controller-window-kind"),
    ("stages", "schedule"),
    ("last_batch", "controller-last-batch"),
    ("over_samples", "controller-over-samples"),
    ("every_epochs", "controller-every-epochs"),
    ("factor", "controller-factor"),
    ("gamma", "controller-gamma"),
    ("milestones", "controller-milestones"),
    ("alpha", "controller-cut"),
    ("ema", "controller-ema"),
    ("c", "controller-scale"),
    ("delta", "controller-delta"),
    ("theta", "controller-theta"),
    ("nu", "controller-nu"),
    ("small", "controller-small"),
    ("large", "controller-large"),
    ("threshold", "controller-threshold"),
    ("gain", "controller-gain"),
    ("t0", "controller-fixed-time"),
    ("t1", "controller-time-per-sample"),
];

/// The flags for one of the file's rules; `None` where the file has not what a line must say: means of halves, and the
/// evidence of a batch before it is extended.
fn flags_of(run: &ControllerRun) -> Option<Vec<String>> {
    let name = run.rule["rule"].as_str().unwrap();
    let mut flags = match name {
        "simi_grad" | "big_batch" => return None,
        "norm_test" => String::new(),
        // It waits before its first change and between two of them, but not in the file.
        "cost_aware" => {
            format!("--test none --controller {name} --controller-warm-up 0 --controller-dwell 0")
        }
        _ => format!("--test none --controller {name}"),
    };
    let [first, min, max] = [run.first_batch, run.min_batch, run.max_batch];
    flags += &format!(" --initial-batch {first} --min-batch {min} --max-batch {max} --training-samples 256");
    for (number, flag) in FLAGS {
        let Some(value) = run.rule.get(number) else { continue };
        flags += &format!(" --{flag} {}", in_words(value));
    }
    Some(flags.split_whitespace().map(str::to_owned).collect())
}

/// A value as flags take it: `0:64,1K:256` for a list of pairs.
fn in_words(value: &Value) -> String {
    let joined =
        |entries: &[Value], between: &str| entries.iter().map(in_words).collect::<Vec<_>>().join(between);
    match value {
        Value::String(word) => word.clone(),
        Value::Array(entries) if entries.iter().all(Value::is_number) && entries.len() == 2 => {
            joined(entries, ":")
        }
        Value::Array(entries) => joined(entries, ","),
        number => number.to_string(),
    }
}

/// What a loop would tell of step k.
fn line(run: &ControllerRun, k: usize, rate: &Value) -> String {
    let mut line = json!({ "learning_rate": rate });
    let columns = [
        ("samples", "batch"),
        ("mean_norm_sq", "n"),
        ("sum_squared_norms", "S"),
        ("loss", "loss"),
        ("sum_squared_inner_products", "P2"),
        ("epoch_norm_sq", "epoch_gradient_norm_sq"),
    ];
    for (field, column) in columns {
        if let Some(column) = run.steps.get(column) {
            line[field] = column[k].clone();
        }
    }
    if let Some(norm) = run.steps.get("epoch_gradient_norm") {
        line["epoch_norm_sq"] = json!(norm[k].as_f64().unwrap().powi(2));
    }
    line.to_string()
}

#[test]
fn golden_controllers_are_followed_through_a_pipe() {
    let file: ControllersFile = golden::read("controllers.json");
    let mut followed = 0;
    for run in &file.runs {
        let Some(flags) = flags_of(run) else { continue };
        followed += 1;
        let [next, rate] = ["next_batch", "learning_rate"].map(|name| &run.steps[name]);
        // What the rule has made of the rate is its own: a loop tells the rate without.
        let sets_rate = matches!(run.rule["rule"].as_str().unwrap(), "geometric" | "smith" | "seesaw");
        let told = |k: usize| if sets_rate { &rate[0] } else { &rate[k] };
        let lines: Vec<_> = (0..next.len()).map(|k| line(run, k, told(k)).into_bytes()).collect();
        let (answers, succeeded, stderr) = advise(&flags, &lines);
        assert!(succeeded, "{}: {stderr}", run.name);
        let sizes: Vec<&Value> = answers.iter().map(|answer| &answer["next_batch"]).collect();
        assert_eq!(sizes, next.iter().collect::<Vec<_>>(), "{}", run.name);
        let steps = answers.iter().zip(&rate[1..]).enumerate();
        for (k, (answer, next)) in steps.filter(|_| sets_rate) {
            let scale = answer["learning_rate_scale"].as_f64().unwrap();
            let expected = next.as_f64().unwrap() / rate[0].as_f64().unwrap();
            assert!((scale - expected).abs() <= 1e-8 * expected, "{}, step {k}: {scale}", run.name);
        }
    }
    assert_eq!(followed, 18);
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
        r#"{"samples":504,"mean_norm_sq":0.01,"epoch_norm_sq":-7}"#,
    ]
    .map(|line| line.as_bytes().to_vec());
    let lines = [&lines[..], &[vec![0xff]]].concat();
    let (answers, succeeded, stderr) = advise(&["--eta".to_owned(), "0.5".to_owned()], &lines);
    assert!(!succeeded);
    assert!(answers.iter().all(|answer| answer["next_batch"] == 504), "{answers:?}");
    let expected = [
        (1, "line 2: the sum of the squared norms is 0.1"),
        (2, "line 3: not valid JSON: expected"),
        (3, "line 4: sum_of_norms is not a valid field; valid fields: samples, mean_norm_sq, "),
        (4, "line 5: a batch, and each of its parts, has at least one sample"),
        (5, "line 6: the parts have 3 samples, but the batch has 4"),
        (6, "line 7: seconds is -1"),
        (8, "line 9: epoch_norm_sq is -7"),
        (9, "line 10: byte 0 is not UTF-8 text"),
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

/// A list is no object, what a test lacks is named, and long numbers are short.
#[test]
fn what_is_wrong_with_a_line_is_said_exactly() {
    let flags = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let error = |options: &str, line: &str| {
        let (answers, succeeded, _) = advise(&flags(options), &[line.as_bytes().to_vec()]);
        assert!(!succeeded && answers[0]["next_batch"] == 64, "{answers:?}");
        answers[0]["error"].as_str().unwrap().to_owned()
    };
    let said = error("--eta 0.5", "[64, 0.01, 80]");
    assert_eq!(said, "line 1: it is a list, but must be an object");
    let said = error("--eta 0.5", r#"{"samples":4,"mean_norm_sq":0.01,"parts":[[2,1],[2,1]]}"#);
    assert!(said.contains("parts.0 is a list, but must be an object"), "{said}");
    for (line, words) in [
        ("\u{feff}[1]", "line 1: it is a list, but must be an object"),
        (r#"{"samples":"64"}"#, "samples is \"64\", but must be a whole number from 0 to 4294967295"),
        (r#"{"samples":64.5,"mean_norm_sq":1}"#, "samples is 64.5, but must be a whole number"),
        (r#"{"samples":64,"mean_norm_sq":1,"loss":true}"#, "loss is true, but must be a number"),
        (r#"{"samples":64,"mean_norm_sq":1,"parts":{}}"#, "parts is an object, but must be a list"),
        (r#"{"samples":64,"mean_norm_sq":1,"parts":[{"samples":64}]}"#, "parts.0.mean_norm_sq is missing"),
        (r#"{"samples":64,"mean_norm_sq":1e400}"#, "mean_norm_sq is 1e400, which is too large"),
        (
            r#"{"samples":64,"mean_norm_sq":1e-400}"#,
            "mean_norm_sq is 1e-400, which is too small: it would be rounded to 0",
        ),
        (r#"{"samples":64,"samples":65,"mean_norm_sq":1}"#, "samples appears twice"),
        (r#"{"samples":64}"#, "mean_norm_sq is missing"),
        ("null", "it is null, but must be an object"),
    ] {
        let said = error("--eta 0.5", line);
        assert!(said.contains(words), "{line}: {said}");
        assert!(!said.contains("u32") && !said.contains("struct") && !said.contains("expected"), "{said}");
    }
    let marked = "\u{feff}{\"samples\":64,\"mean_norm_sq\":0.01,\"sum_squared_norms\":80}";
    let (answers, succeeded, _) = advise(&flags("--eta 0.5"), &[marked.as_bytes().to_vec()]);
    assert!(succeeded && answers[0]["next_batch"] == 504, "{answers:?}");
    let leave_one_out = "--test inner_product --leave-one-out";
    let line = r#"{"samples":64,"mean_norm_sq":0.01,"sum_squared_norms":80,"sum_squared_inner_products":0.5"#;
    let said = error(leave_one_out, &format!("{line}}}"));
    assert!(said.contains("sum_norm_inner_products is missing, which --leave-one-out needs"), "{said}");
    let said = error(leave_one_out, &format!(r#"{line},"sum_norm_inner_products":1}}"#));
    assert!(said.contains("sum_squared_square_norms is missing"), "{said}");
    let said = error("--eta 0.5", r#"{"samples":64,"mean_norm_sq":0.01,"epoch_norm_sq":-1e308}"#);
    assert!(said.contains("epoch_norm_sq is -1e308,"), "{said}");
    let said = error("--eta 0.5", r#"{"samples":64,"mean_norm_sq":1e300,"sum_squared_norms":1}"#);
    assert!(said.contains("= 6.4e301"), "{said}");
    let parts = r#"{"samples":8,"mean_norm_sq":1,"parts":[{"samples":4,"mean_norm_sq":2},{"samples":4,"mean_norm_sq":2}]}"#;
    let said = error("--test worker_norm --workers 4", parts);
    assert!(said.contains("there are 2 parts, but --workers requires at least 4"), "{said}");
    let (answers, succeeded, _) = advise(&flags("--test worker_norm"), &[parts.as_bytes().to_vec()]);
    assert!(succeeded && answers[0]["required"].is_number(), "{answers:?}");
}

#[test]
fn a_rule_must_be_told_what_it_uses_and_a_refused_line_changes_nothing() {
    let flags: Vec<String> = "--controller cabs --test none".split(' ').map(str::to_owned).collect();
    let line = |more: &str| {
        format!(r#"{{"samples":64,"mean_norm_sq":0.5,"sum_squared_norms":6400{more}}}"#).into_bytes()
    };
    let told = line(r#","loss":1,"learning_rate":100"#);
    let lines = [
        line(r#","loss":1"#),
        line(r#","learning_rate":100"#),
        told.clone(),
        line(r#","loss":1,"learning_rate":1000,"seconds":-1"#),
        line(r#","loss":1"#),
    ];
    let (answers, succeeded, stderr) = advise(&flags, &lines);
    assert!(!succeeded);
    assert!(stderr.contains("line 1: learning_rate is missing, which --controller cabs needs"), "{stderr}");
    assert!(stderr.contains("line 2: loss is missing"), "{stderr}");
    let (without, ..) = advise(&flags, &[told, line(r#","loss":1"#)]);
    assert_eq!([&answers[2], &answers[4]], [&without[0], &without[1]]);
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let mut advisor = Command::new(PROGRAM)
        .arg("advise")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(advisor.stdout.take());
    // Until nobody reads any more.
    let mut to = advisor.stdin.take().unwrap();
    while writeln!(to, r#"{{"samples":64,"mean_norm_sq":0.01,"sum_squared_norms":80}}"#).is_ok() {}
    assert!(advisor.wait().unwrap().success());
}

#[test]
fn what_cannot_be_advised_is_refused_before_the_first_line() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, text) in [
        ("--controller dive_batch", "--controller dive_batch needs --training-samples"),
        (
            "--controller gradient_noise_scale --controller-sensor sign",
            "use a rule with the plain noise scale",
        ),
        ("--eta 0", "--eta is 0, but must be a number above 0"),
        ("--max-batch 100 --training-samples 10", "--max-batch is 100"),
        ("--training-samples 0", "expected a number of at least 1"),
        ("--test none --controller stages --schedule 0:64 --min-batch 128", "below --min-batch"),
        ("--test none --eta 1", "--eta is a setting of a test, but --test is none"),
        (
            "--test none --controller stages --schedule 5:64",
            "--schedule: \"5:64\": the first stage must begin at 0",
        ),
    ] {
        let said = refuse(folder.path(), &format!("advise {flags}"));
        assert!(said.contains(text), "{flags}: {said}");
    }
}

#[test]
fn the_largest_batch_is_that_of_the_data_and_a_rule_may_have_a_first_one() {
    let line = br#"{"samples":64,"mean_norm_sq":1e-9,"sum_squared_norms":80}"#.to_vec();
    let flags: Vec<String> = "--training-samples 1000".split(' ').map(str::to_owned).collect();
    assert_eq!(advise(&flags, std::slice::from_ref(&line)).0[0]["next_batch"], 1000);
    let stages = "--test none --controller stages --schedule 0:128 --min-batch 100";
    let flags: Vec<String> = stages.split(' ').map(str::to_owned).collect();
    assert_eq!(advise(&flags, &[line]).0[0]["next_batch"], 128);
    let folder = tempfile::tempdir().unwrap();
    let error = refuse(folder.path(), &format!("advise {stages} --initial-batch 110"));
    assert!(error.contains("the first batch of --controller stages has 128 samples"), "{error}");
}

/// Between the ends of epochs a rule that decides there says so.
#[test]
fn a_rule_that_waits_says_so() {
    let line = br#"{"samples":64,"mean_norm_sq":0.25,"sum_squared_norms":80,"epoch_norm_sq":9000}"#.to_vec();
    let flags = "--test none --controller dive_batch --training-samples 1000";
    let flags: Vec<String> = flags.split(' ').map(str::to_owned).collect();
    let (answers, succeeded, _) = advise(&flags, &[line]);
    assert!(succeeded && answers[0]["reason"] == "other_steps", "{answers:?}");
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
