//! How the program ends: output that goes away, files that cannot be written, signals, and the way to continue.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use crate::support;
use crate::support::program::{PROGRAM, SHORT, folder, lines, program, refuse, run, succeed, text, timeless};

/// A run that never ends by itself, and says something after every step.
const ENDLESS: &str = "train --data . --model logistic --test none --initial-batch 2 --max-batch 300 \
                       --sample-budget 1000000000000 --evaluate-every 2 --threads 1";

/// A run under way. It stops soon after nobody reads its standard error any more, and cannot end before.
struct UnderWay {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: Vec<u8>,
}

impl UnderWay {
    /// Returns when this number of steps has been made.
    fn begin(command: &mut Command, steps: usize) -> Self {
        let mut command = with_default_signals(command);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut run = Self { child, stderr, said: Vec::new() };
        while text(&run.said).lines().filter(|line| line.starts_with("step ")).count() < steps {
            let read = run.stderr.read_until(b'\n', &mut run.said).unwrap();
            assert!(read > 0, "the run ended: {}", text(&run.said));
        }
        run
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// What it says from now on, to its end.
    fn end(mut self) -> Output {
        self.stderr.read_to_end(&mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Output { stderr: self.said, ..output }
    }

    fn end_by(self, name: &str) -> Output {
        self.signal(name);
        self.end()
    }
}

/// The same command with no signal ignored, as the tests themselves may have been started with `nohup` or by a shell
/// in the background.
fn with_default_signals(command: &Command) -> Command {
    if !cfg!(target_os = "linux") {
        let mut same = Command::new(command.get_program());
        same.args(command.get_args());
        return dressed(same, command);
    }
    let mut env = Command::new("env");
    env.arg("--default-signal=INT,TERM,HUP").arg(command.get_program()).args(command.get_args());
    dressed(env, command)
}

/// With the folder and the environment of another command.
fn dressed(mut command: Command, other: &Command) -> Command {
    command.envs(other.get_envs().filter_map(|(name, value)| Some((name, value?))));
    other.get_current_dir().into_iter().for_each(|folder| {
        command.current_dir(folder);
    });
    command
}

fn in_shell(folder: &Path, script: &str) -> Output {
    let mut command = Command::new("sh");
    command.current_dir(folder).env("PROGRAM", PROGRAM).env("XDG_CACHE_HOME", folder.join("cache"));
    command.args(["-c", script]).output().unwrap()
}

/// A pipe whose reader is gone.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full_device() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn output_that_goes_away_ends_nothing() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let train = format!("{SHORT} --evaluate-every 1 --save run.safetensors --telemetry run.jsonl");
    succeed(folder.path(), &train);
    let [model, telemetry] = [fs::read(at("run.safetensors")).unwrap(), fs::read(at("run.jsonl")).unwrap()];
    let count = |bytes: &[u8]| bytes.split(|&byte| byte == b'\n').count();
    fs::rename(at("run.safetensors"), at("model.safetensors")).unwrap();
    let statistics = "statistics --data . --model logistic --first 64";
    let evaluate = "evaluate --data . --load model.safetensors";
    let bench = "bench --data . --models logistic --batches 16 --seconds 0.001 --threads 1";
    let commands = [
        // The command, its exit code, and whether it prints a result.
        (train.clone(), 0, true),
        (format!("{train} --learning-rate 1e300 --optimizer sgd"), 2, false),
        ("train --print-config".to_owned(), 0, true),
        (statistics.to_owned(), 0, true),
        (format!("{statistics} --table"), 0, true),
        (evaluate.to_owned(), 0, true),
        (format!("{evaluate} --json"), 0, true),
        (bench.to_owned(), 0, true),
        ("--help".to_owned(), 0, true),
        ("train --help".to_owned(), 0, true),
        ("--version".to_owned(), 0, true),
        ("train --no-such-flag".to_owned(), 2, false),
        ("evaluate --load nothing".to_owned(), 1, false),
        ("devices --no-such-flag".to_owned(), 2, false),
    ];
    for (command, code, prints) in &commands {
        type Sink = fn() -> Stdio;
        let sinks: [(&str, Sink, Sink, bool); 4] = [
            ("both pipes closed", closed_pipe, closed_pipe, false),
            ("standard error full", Stdio::null, full_device, false),
            ("standard output full", full_device, Stdio::null, true),
            ("both full", full_device, full_device, true),
        ];
        for (name, stdout, stderr, loses_result) in sinks {
            for file in ["run.safetensors", "run.jsonl"] {
                let _ = fs::remove_file(at(file));
            }
            let status = program(folder.path(), command).stdout(stdout()).stderr(stderr()).status().unwrap();
            let expected = if *code == 0 && *prints && loses_result { 1 } else { *code };
            assert_eq!(status.code(), Some(expected), "{name}: {command}");
            if *command == train {
                assert!(fs::read(at("run.safetensors")).unwrap() == model, "{name}");
                assert_eq!(count(&fs::read(at("run.jsonl")).unwrap()), count(&telemetry), "{name}");
            }
        }
        let closed = in_shell(folder.path(), &format!("\"$PROGRAM\" {command} >&- 2>&-"));
        assert_eq!(closed.status.code(), Some(*code), "closed: {command}");
    }
    let lost = program(folder.path(), evaluate).stdout(full_device()).output().unwrap();
    let said = text(&lost.stderr);
    assert!(said.starts_with("error: standard output: No space left on device"), "{said}");
}

/// A command's refusal before anything is computed or written.
fn refused_at_once(folder: &Path, command: &mut Command) -> String {
    let before = tree(folder);
    let output = command.output().unwrap();
    assert!(matches!(output.status.code(), Some(1 | 2)), "{command:?}: {output:?}");
    assert_eq!(text(&output.stdout), "", "{command:?}");
    assert_eq!(tree(folder), before, "{command:?} changed a file");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Names and lengths of all files.
fn tree(folder: &Path) -> Vec<(OsString, u64)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "cache")
        .map(|entry| (entry.file_name(), entry.metadata().unwrap().len()))
        .collect();
    files.sort();
    files
}

#[test]
fn files_that_cannot_be_written_are_refused_before_the_first_step() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("models")).unwrap();
    fs::write(at("file"), "").unwrap();
    let made = Command::new("mkfifo").arg(at("fifo")).status().unwrap();
    assert!(made.success());
    let _socket = UnixListener::bind(at("socket")).unwrap();
    symlink("circle", at("circle")).unwrap();
    symlink("two", at("one")).unwrap();
    symlink("one", at("two")).unwrap();
    symlink("nowhere/model", at("dangling")).unwrap();
    symlink("fifo", at("to-fifo")).unwrap();
    symlink("models/", at("to-folder")).unwrap();
    let long = "x".repeat(256);
    let deep = format!("{}/x", "models/".repeat(2_000));
    let cases = [
        ("models", "models: is a folder"),
        ("models/", "is a folder"),
        ("models/.", "is a folder"),
        ("..", "is a folder"),
        ("missing/", "missing/: is the name of a folder"),
        ("nowhere/x", "nowhere/x: its folder does not exist"),
        ("file/x", "file/x: Not a directory"),
        ("socket", "is a socket"),
        ("circle", "circle: its symbolic links form a loop"),
        ("one", "one: its symbolic links form a loop"),
        ("dangling", "dangling: its folder does not exist"),
        ("to-folder", "is a folder"),
        (long.as_str(), "File name too long"),
        (deep.as_str(), "its folder"),
        ("/proc/x", "/proc/x: "),
    ];
    for (path, sentence) in cases {
        for flag in ["--save", "--telemetry"] {
            if path == "/proc/x" && !cfg!(target_os = "linux") {
                continue;
            }
            let mut command = program(folder.path(), SHORT);
            let said = refused_at_once(folder.path(), command.args([flag, path]));
            assert!(said.starts_with("error: ") && said.contains(sentence), "{flag} {path}: {said}");
        }
    }
    // What takes bytes one after the other serves for telemetry, if somebody takes them.
    for (path, sentence) in [
        ("fifo", "is a pipe (FIFO), but a regular file is expected"),
        ("to-fifo", "is a pipe (FIFO), but a regular file is expected"),
        ("/dev/null", "is a device, but a regular file is expected"),
        ("/dev/full", "is a device, but a regular file is expected"),
    ] {
        let mut command = program(folder.path(), SHORT);
        let said = refused_at_once(folder.path(), command.args(["--save", path]));
        assert!(said.contains(sentence), "{path}: {said}");
    }
    let said = refuse(folder.path(), &format!("{SHORT} --telemetry fifo"));
    assert!(said.contains("fifo: is a pipe (FIFO) that no program reads"), "{said}");
    // What is refused for another reason leaves nothing behind either.
    let mut command = program(folder.path(), &format!("{SHORT} --telemetry t --save s --load nothing"));
    let said = refused_at_once(folder.path(), &mut command);
    assert!(said.contains("nothing: No such file"), "{said}");
    // The same rules for the self-test's report, before it looks for a GPU.
    let said = refuse(folder.path(), "selftest --output fifo");
    assert!(said.contains("fifo: is a pipe (FIFO), but a regular file is expected"), "{said}");

    // A limit on the size of files stands for a disk without space.
    let script = format!("ulimit -f 16; exec \"$PROGRAM\" {SHORT} --save model");
    let output = in_shell(folder.path(), &script);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("model: File too large"), "{output:?}");
    assert!(!at("model").exists() && output.stdout.is_empty());

    // The longest name that is legal is not made longer.
    let longest = "y".repeat(255);
    succeed(folder.path(), &format!("{SHORT} --quiet --save {longest}"));
    assert!(at(&longest).exists());
}

#[test]
fn a_file_has_one_purpose() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    succeed(folder.path(), &format!("{SHORT} --quiet --save model"));
    fs::write(at("settings.json"), succeed(folder.path(), "train --print-config")).unwrap();
    fs::hard_link(at("model"), at("hard")).unwrap();
    symlink("model", at("soft")).unwrap();
    fs::create_dir(at("sub")).unwrap();
    fs::write(at("manifest.json"), r#"{"files": []}"#).unwrap();
    for (flags, sentence) in [
        ("--save new --telemetry new", "new: --save and --telemetry are the same file"),
        ("--save new --telemetry sub/../new", "--save and --telemetry are the same file"),
        ("--save model --telemetry hard", "--save and --telemetry are the same file"),
        ("--save soft --telemetry model", "--save and --telemetry are the same file"),
        ("--load model --telemetry ./model", "--telemetry and --load are the same file"),
        ("--load model --telemetry hard", "--telemetry and --load are the same file"),
        ("--config settings.json --telemetry settings.json", "--telemetry and --config are the same file"),
        ("--config settings.json --save settings.json", "--save and --config are the same file"),
        ("--telemetry t10k-labels-idx1-ubyte", "--telemetry and the data set are the same file"),
        ("--save sub/../train-images-idx3-ubyte", "--save and the data set are the same file"),
        ("--telemetry manifest.json", "--telemetry and the data set are the same file"),
        ("--save manifest.json", "--save and the data set are the same file"),
    ] {
        let said = refused_at_once(folder.path(), &mut program(folder.path(), &format!("{SHORT} {flags}")));
        assert!(said.contains(sentence), "{flags}: {said}");
    }
    let resume = "train --data . --resume model --telemetry model";
    let said = refused_at_once(folder.path(), &mut program(folder.path(), resume));
    assert!(said.contains("--telemetry and --resume are the same file"), "{said}");
    for flag in ["--save", "--telemetry", "--data", "--config"] {
        let output =
            run(folder.path(), &format!("{SHORT} --data . {flag} a {flag} b").replacen("--data . ", "", 1));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains("cannot be used multiple times"), "{output:?}");
    }
    for (flags, sentence) in [
        ("--telemetry log > log", "--telemetry and standard output are the same file"),
        ("--save log > log", "--save and standard output are the same file"),
        ("--telemetry log 2>> log; cat log >&2; false", "--telemetry and standard error are the same file"),
    ] {
        let output = in_shell(folder.path(), &format!("\"$PROGRAM\" {SHORT} {flags}"));
        let code = if flags.ends_with("false") { 1 } else { 2 };
        assert_eq!(output.status.code(), Some(code), "{flags}");
        assert!(text(&output.stderr).contains(sentence), "{flags}: {output:?}");
    }
    // Of settings the last one counts, and from where a run begins it may end.
    succeed(folder.path(), &format!("{SHORT} --quiet --seed 1 --seed 2 --load model --save model"));
    succeed(folder.path(), "train --data . --quiet --resume model --save model");
}

#[test]
fn a_failed_run_is_saved_beside_a_good_file() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    succeed(folder.path(), &format!("{SHORT} --quiet --save good.safetensors"));
    let good = fs::read(at("good.safetensors")).unwrap();
    let diverge = "train --data . --model logistic --test none --initial-batch 50 --max-batch 300 \
                   --optimizer sgd --learning-rate 1e38 --load good.safetensors --save good.safetensors";
    for (flags, name) in [
        ("", "good-failed.safetensors"),
        ("--save-every 1", "good-failed-2.safetensors"),
        ("--quiet --telemetry t.jsonl", "good-failed-3.safetensors"),
    ] {
        let output = run(folder.path(), &format!("{diverge} {flags}"));
        assert_eq!(output.status.code(), Some(1));
        let (said, summary) = (text(&output.stderr), text(&output.stdout));
        assert!(said.contains("is not a finite number, so the step was not applied"), "{said}");
        assert!(said.contains(&format!("Saved {name} after step")), "{said}");
        assert!(summary.contains(&format!("saved in {name}")), "the summary is always printed: {summary}");
        assert!(at(name).exists());
        assert!(fs::read(at("good.safetensors")).unwrap() == good, "the good model is gone");
        assert!(!said.contains("Continue with"), "{said}");
    }
}

#[test]
fn the_summary_says_where_the_model_is() {
    let folder = folder();
    let last_line = |flags: &str| {
        let summary = succeed(folder.path(), &format!("{SHORT} --quiet {flags}"));
        summary.lines().last().unwrap().to_owned()
    };
    assert_eq!(last_line(""), "The model is not saved; to save it, use --save FILE.");
    assert_eq!(last_line("--save ./run"), "The model is saved in ./run.");
}

#[test]
fn a_signal_saves_the_run_and_is_the_exit_code() {
    let folder = folder();
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129), ("-XCPU", 128 + libc::SIGXCPU)] {
        let file = format!("run{signal}");
        let command = format!("{ENDLESS} --save {file}");
        let output = UnderWay::begin(&mut program(folder.path(), &command), 3).end_by(signal);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(&format!("Saved {file} after step")), "{said}");
        assert!(text(&output.stdout).contains(&format!("saved in {file}")));
        succeed(folder.path(), &format!("evaluate --data . --load {file}"));
    }
    // As `timeout` sends it: to the program, and to its whole group.
    let run = UnderWay::begin(&mut program(folder.path(), &format!("{ENDLESS} --save twice")), 3);
    run.signal("-TERM");
    run.signal("-HUP");
    let output = run.end_by("-TERM");
    assert!(matches!(output.status.code(), Some(143 | 129)), "{output:?}");
    succeed(folder.path(), "evaluate --data . --load twice");
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let folder = folder();
    let mut shell = Command::new("sh");
    let finite = ENDLESS.replace("1000000000000", "4000");
    shell.current_dir(folder.path()).env("PROGRAM", PROGRAM);
    shell.args(["-c", &format!("trap '' HUP INT; exec \"$PROGRAM\" {finite} --save run")]);
    let run = UnderWay::begin(&mut shell, 3);
    run.signal("-HUP");
    run.signal("-INT");
    let output = run.end();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("Saved run after step 2,000"), "{}", text(&output.stderr));
}

#[test]
fn rescued_runs_do_not_overwrite_one_another() {
    let folder = folder();
    let mut saved = Vec::new();
    for name in ["adadagrad-interrupted.safetensors", "adadagrad-interrupted-2.safetensors"] {
        let output = UnderWay::begin(&mut program(folder.path(), ENDLESS), 3).end_by("-INT");
        let said = text(&output.stderr);
        assert!(said.contains(&format!("Saved {name} after step")), "{said}");
        assert!(said.contains(&format!("--resume {name} --save {name} --data .")), "{said}");
        saved.push(fs::read(folder.path().join(name)).unwrap());
    }
    assert!(saved[0] == fs::read(folder.path().join("adadagrad-interrupted.safetensors")).unwrap());
}

#[test]
fn where_no_file_was_asked_for_any_place_will_do() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    for name in ["gone", "temporary"] {
        fs::create_dir(at(name)).unwrap();
    }
    let command = ENDLESS.replace("--data .", "--data ..");
    let mut command = program(&at("gone"), &command);
    let run = UnderWay::begin(command.env("TMPDIR", at("temporary")), 3);
    // No file can be written in a folder that is gone.
    fs::remove_dir_all(at("gone")).unwrap();
    let output = run.end_by("-INT");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    let file = at("temporary/adadagrad-interrupted.safetensors");
    assert!(said.contains(&format!("Saved {} after step", file.display())), "{said}");
    assert!(!said.contains("error"), "{said}");
    assert!(samples_seen(&file) >= 6);
}

/// The samples seen at a checkpoint.
fn samples_seen(file: &Path) -> u64 {
    adadagrad_core::owned::checkpoint::load(file).unwrap().state.unwrap().progress.samples_seen
}

/// The same run without an interruption, up to some samples.
fn whole(folder: &Path, samples: u64) {
    let whole = ENDLESS.replace("1000000000000", &samples.to_string());
    succeed(folder, &format!("{whole} --quiet --save whole.safetensors --telemetry whole.jsonl"));
}

#[test]
fn an_interrupted_run_goes_on_as_if_it_had_not_stopped() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let endless = "train --data . --model cnn --initial-batch 16 --eta 1 --growth-cap 2 --max-batch 300 \
                   --sample-budget 1000000000000 --evaluate-every 1";
    let mut command = format!("{endless} --telemetry part.jsonl --save part.safetensors");
    for steps in [2, 3, 4] {
        let output = UnderWay::begin(&mut program(folder.path(), &command), steps).end_by("-INT");
        assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
        command = "train --data . --resume part.safetensors --telemetry part.jsonl --save part.safetensors"
            .to_owned();
    }
    let samples = samples_seen(&at("part.safetensors")) + 300;
    succeed(folder.path(), &format!("{command} --sample-budget {samples} --quiet"));
    let whole = endless.replace("1000000000000", &samples.to_string());
    succeed(folder.path(), &format!("{whole} --quiet --telemetry whole.jsonl --save whole.safetensors"));
    assert_eq!(timeless(&at("whole.jsonl")), timeless(&at("part.jsonl")));
    assert!(fs::read(at("whole.safetensors")).unwrap() == fs::read(at("part.safetensors")).unwrap());
}

#[test]
fn the_command_to_go_on_can_be_pasted_into_a_shell() {
    let folder = folder();
    let name = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    // A space, quotes, what a shell would expand, a line's end, bytes that are not UTF-8, a leading dash.
    let odd = folder.path().join(name(b"it's \"$HOME\" `x` * \\ \n \xff\xfe"));
    fs::create_dir(&odd).unwrap();
    fs::create_dir(odd.join("data")).unwrap();
    support::write_data(&odd.join("data"));
    let save = name(b"-m'\xe9 $(touch pwned).safetensors");
    let mut command = program(&odd, &ENDLESS.replace("--data .", "--data data"));
    let mut flag = OsString::from("--save=");
    flag.push(&save);
    command.arg(flag).arg("--telemetry").arg("~/../t ; #.jsonl").args(["--save-every", "7 steps"]);
    fs::create_dir(odd.join("~")).unwrap();
    let output = UnderWay::begin(&mut command, 4).end_by("-INT");
    assert_eq!(output.status.code(), Some(130));
    let said = output.stderr;
    let mark = b"Continue with: ";
    let start = said.windows(mark.len()).rposition(|window| window == mark).unwrap() + mark.len();
    let pasted = said[start..].strip_suffix(b"\n").unwrap();
    for flag in ["--data data", "--save-every '7 steps'", "--threads 1", "--telemetry"] {
        assert!(String::from_utf8_lossy(pasted).contains(flag), "{}", String::from_utf8_lossy(pasted));
    }
    let samples = samples_seen(&odd.join(&save)) + 100;
    let script = [pasted, format!(" --quiet --sample-budget {samples}").as_bytes()].concat();
    let output = Command::new("sh").current_dir(&odd).arg("-c").arg(name(&script)).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!odd.join("pwned").exists());
    support::write_data(&odd);
    whole(&odd, samples);
    assert!(fs::read(odd.join(&save)).unwrap() == fs::read(odd.join("whole.safetensors")).unwrap());
    assert_eq!(timeless(&odd.join("t ; #.jsonl")), timeless(&odd.join("whole.jsonl")));
}

#[test]
fn a_killed_run_loses_no_more_than_save_every() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("theirs.safetensors"), "another run's").unwrap();
    for (save, checkpoint) in
        [("own.safetensors", "own.safetensors"), ("theirs.safetensors", "theirs-unfinished.safetensors")]
    {
        let command = format!("{ENDLESS} --save {save} --save-every '5 steps' --telemetry run.jsonl");
        let mut shell = Command::new("sh");
        shell.current_dir(folder.path()).env("PROGRAM", PROGRAM);
        shell.args(["-c", &format!("exec \"$PROGRAM\" {command}")]);
        let output = UnderWay::begin(&mut shell, 23).end_by("-KILL");
        assert_eq!(output.status.code(), None);
        // Two samples a step.
        let saved = samples_seen(&at(checkpoint)) / 2;
        let text = fs::read_to_string(at("run.jsonl")).unwrap();
        let made = text.matches('\n').count() as u64;
        assert!(
            saved.is_multiple_of(5) && made >= 22 && (saved..=saved + 5).contains(&made),
            "{saved} of {made} steps"
        );
        let samples = 2 * made + 50;
        succeed(
            folder.path(),
            &format!(
                "train --data . --quiet --resume {checkpoint} --save {checkpoint} --telemetry run.jsonl \
                 --sample-budget {samples}"
            ),
        );
        whole(folder.path(), samples);
        assert!(fs::read(at(checkpoint)).unwrap() == fs::read(at("whole.safetensors")).unwrap());
        assert_eq!(timeless(&at("run.jsonl")), timeless(&at("whole.jsonl")));
    }
    assert_eq!(fs::read_to_string(at("theirs.safetensors")).unwrap(), "another run's");
    // A run that ends well replaces it, and what it was saved in meanwhile is gone.
    fs::remove_file(at("theirs-unfinished.safetensors")).unwrap();
    succeed(folder.path(), &format!("{SHORT} --quiet --save theirs.safetensors --save-every 100"));
    assert!(samples_seen(&at("theirs.safetensors")) >= 2_000);
    assert!(!at("theirs-unfinished.safetensors").exists());
    let said = refuse(folder.path(), &format!("{SHORT} --save x --save-every -5"));
    assert!(said.contains("expected a whole number of samples"), "{said}");
    let said = refuse(folder.path(), &format!("{SHORT} --save-every 5"));
    assert!(said.contains("--save <FILE>"), "{said}");
}

#[test]
fn two_runs_do_not_write_to_one_file() {
    let folder = folder();
    fs::write(folder.path().join("model"), "an earlier one").unwrap();
    let first = UnderWay::begin(
        &mut program(folder.path(), &format!("{ENDLESS} --save model --telemetry t.jsonl")),
        3,
    );
    for flags in ["--telemetry t.jsonl", "--telemetry ./t.jsonl --save other", "--save model"] {
        let said = refuse(folder.path(), &format!("{SHORT} {flags}"));
        assert!(said.contains("another run is writing to this file"), "{flags}: {said}");
    }
    assert!(!folder.path().join("other").exists());
    first.end_by("-INT");
    let telemetry = lines(&folder.path().join("t.jsonl"));
    assert!(telemetry.len() >= 3);
    for (k, line) in telemetry.iter().enumerate() {
        assert_eq!(line["step"], k as u64 + 1);
    }
    // The lock ends with the run.
    succeed(folder.path(), &format!("{SHORT} --quiet --save model --telemetry t.jsonl"));
}

#[test]
fn telemetry_that_cannot_be_written_does_not_end_the_run() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let command = "train --data . --model logistic --optimizer sgd --test none --initial-batch 2 --max-batch 300 \
                   --sample-budget 1000 --quiet";
    succeed(folder.path(), &format!("{command} --save whole --telemetry whole.jsonl"));
    let whole = fs::read(at("whole")).unwrap();
    let size = fs::metadata(at("whole.jsonl")).unwrap().len();
    assert!(size > 100_000, "{size} bytes");
    let check = |output: Output, file: &str| {
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(
            said.matches("The run continues, and writing these lines is tried again").count(),
            1,
            "{said}"
        );
        assert!(said.contains("lines are missing"), "{said}");
        assert!(text(&output.stdout).contains("saved in"), "the summary is printed");
        assert!(fs::read(at(file)).unwrap() == whole);
    };
    check(run(folder.path(), &format!("{command} --save a --telemetry /dev/full")), "a");
    // A disk that gets full in the middle: no file grows beyond 64 KiB, in whatever blocks the shell counts.
    let blocks = if in_shell(folder.path(), "ulimit -f 1; head -c 1000 /dev/zero > x").status.success() {
        64
    } else {
        128
    };
    let script = format!("ulimit -f {blocks}; exec \"$PROGRAM\" {command} --save b --telemetry b.jsonl");
    check(in_shell(folder.path(), &script), "b");
    let part = fs::read_to_string(at("b.jsonl")).unwrap();
    assert!(part.len() as u64 >= 60_000 && (part.len() as u64) < size, "{} of {size} bytes", part.len());

    // A run that is resumed says which lines it does not have.
    let resumed = run(
        folder.path(),
        "train --data . --quiet --resume b --sample-budget 1010 --telemetry b.jsonl --save b",
    );
    let said = text(&resumed.stderr);
    assert!(resumed.status.success() && said.contains("b.jsonl: the lines of steps"), "{said}");

    // Somebody reads a pipe, or standard output.
    let piped = in_shell(
        folder.path(),
        // The shell opens the FIFO when its reader has.
        &format!(
            "mkfifo fifo; cat fifo > piped.jsonl & exec 3> fifo; \"$PROGRAM\" {command} --telemetry fifo; \
             code=$?; exec 3>&-; wait; exit $code"
        ),
    );
    assert!(piped.status.success(), "{piped:?}");
    assert_eq!(timeless(&at("piped.jsonl")), timeless(&at("whole.jsonl")));
    let shown = succeed(folder.path(), &format!("{command} --telemetry /dev/stdout"));
    assert_eq!(shown.lines().filter(|line| line.starts_with('{')).count(), 500);
}

#[test]
fn a_model_that_cannot_be_saved_where_it_was_asked_for_is_saved_elsewhere() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("models")).unwrap();
    let run = UnderWay::begin(&mut program(folder.path(), &format!("{ENDLESS} --save models/m")), 3);
    fs::remove_dir(at("models")).unwrap();
    let output = run.end_by("-INT");
    let (said, summary) = (text(&output.stderr), text(&output.stdout));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: models/m: "), "{said}");
    assert!(said.contains("Saved adadagrad-rescued.safetensors after step"), "{said}");
    assert!(summary.contains("saved in adadagrad-rescued.safetensors"), "{summary}");
    succeed(folder.path(), "evaluate --data . --load adadagrad-rescued.safetensors");

    // A file that another program made meanwhile is not this run's.
    let run = UnderWay::begin(&mut program(folder.path(), &format!("{ENDLESS} --save new.safetensors")), 3);
    fs::write(at("new.safetensors"), "theirs").unwrap();
    let output = run.end_by("-INT");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("another program has written this file in the meantime"), "{said}");
    assert!(said.contains("Saved new-rescued.safetensors after step"), "{said}");
    assert_eq!(fs::read_to_string(at("new.safetensors")).unwrap(), "theirs");
}

/// What a summary says of a run that does not progress, and that it says nothing of one that does.
#[test]
fn a_run_that_does_not_progress_says_what_is_seen_and_the_way_out() {
    let folder = folder();
    let seen = |flags: &str| {
        let said =
            succeed(folder.path(), &format!("train --data . --model logistic --quiet --threads 1 {flags}"));
        said.lines().filter(|line| line.starts_with("Seen at step ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let about = |seen: &[String], words: &str| seen.iter().filter(|line| line.contains(words)).count();
    // A learning rate with which nothing is learned, and a threshold that every batch passes.
    let plateau = seen(
        "--initial-batch 40 --max-batch 300 --eta 9 --learning-rate 1e-9 --optimizer sgd --sample-budget 12000",
    );
    assert_eq!(about(&plateau, "The loss has fallen by less than 1 %"), 1, "{plateau:?}");
    // One with which the steps overshoot ever more.
    let rise = seen(
        "--initial-batch 4 --max-batch 8 --eta 0.01 --learning-rate 1 --optimizer momentum --momentum 0.99 --sample-budget 4000",
    );
    assert!(about(&rise, "The loss is rising") >= 1, "{rise:?}");
    let limited = seen("--initial-batch 4 --max-batch 8 --eta 0.01 --sample-budget 800");
    assert_eq!(about(&limited, "the test requires at least twice as much"), 1, "{limited:?}");
    // Where hardly anything is left to learn, batches of four are mostly noise.
    let noise = seen(
        "--initial-batch 4 --max-batch 300 --eta 9 --optimizer sgd --learning-rate 0.01 --sample-budget 12000",
    );
    assert!(about(&noise, "is noise, so the norm test requires about b/η²") >= 1, "{noise:?}");
    let fine = seen("--initial-batch 4 --growth-cap 1.5 --max-batch 300 --eta 0.9 --sample-budget 4000");
    let others = fine.iter().filter(|line| !line.contains("of the time of a step"));
    assert_eq!(others.count(), 0, "{fine:?}");
}
