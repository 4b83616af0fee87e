//! The program under `mpirun`: the same bits for any number of ranks, and a last message and an exit code for every way in which a run can end.
//!
//! Needs Open MPI. Ranks share the processors of one machine.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use adadagrad_core::owned::checkpoint;
use adadagrad_gpu::cluster::{launched, within_job};
use support::program::{PROGRAM, folder, lines, succeed, text, timeless};
use support::write_data;

/// Batches of several parts.
const RUN: &str = "train --data . --model mlp-16 --initial-batch 150 --growth-cap 1.5 --max-batch 200 --sample-budget 4000 \
                   --evaluate-every 1000 --threads 1";
/// The same without an end.
const ENDLESS: &str = "train --data . --model mlp-16 --initial-batch 150 --max-batch 200 --sample-budget 9000000000 \
                       --evaluate-every 9000000000 --threads 1 --save run.st --save-every 1steps";

/// As many ranks as wanted, by root too, in turns on whatever processors there are.
fn mpirun(folder: &Path) -> Command {
    let mut command = Command::new("mpirun");
    command.current_dir(folder).stdin(Stdio::null());
    for (name, value) in [
        ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
        ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
        ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
        ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ] {
        command.env(name, value);
    }
    command
}

fn on_ranks(folder: &Path, ranks: usize, arguments: &str) -> Command {
    let mut command = mpirun(folder);
    command.args(["-n", &ranks.to_string(), PROGRAM]).args(arguments.split_whitespace());
    command
}

fn well(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}

/// What a run that does not begin says.
fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", text(&output.stdout));
    text(&output.stderr)
}

#[test]
fn any_number_of_ranks_writes_the_same_checkpoint() {
    let folder = folder();
    write_data(folder.path());
    for more in ["", " --test coordinate_norm --quantile 0.9 --optimizer adam", " --test augmented"] {
        succeed(folder.path(), &format!("{RUN}{more} --save alone.st --telemetry alone.jsonl"));
        let alone = fs::read(folder.path().join("alone.st")).unwrap();
        for ranks in [1, 2, 3] {
            let files = format!("--save {ranks}.st --telemetry {ranks}.jsonl");
            let output = well(&mut on_ranks(folder.path(), ranks, &format!("{RUN}{more} {files}")));
            // One rank speaks.
            assert_eq!(text(&output.stdout).matches("The model is saved").count(), 1);
            let file = |name: String| folder.path().join(name);
            assert!(fs::read(file(format!("{ranks}.st"))).unwrap() == alone, "{ranks} ranks{more}");
            assert_eq!(timeless(&file(format!("{ranks}.jsonl"))), timeless(&file("alone.jsonl".to_owned())));
            fs::remove_file(file(format!("{ranks}.st"))).unwrap();
            fs::remove_file(file(format!("{ranks}.jsonl"))).unwrap();
        }
        for name in ["alone.st", "alone.jsonl"] {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
}

#[test]
fn the_fast_reduction_is_told() {
    let folder = folder();
    write_data(folder.path());
    well(&mut on_ranks(folder.path(), 2, &format!("{RUN} --reduce fast --telemetry fast.jsonl")));
    let lines = lines(&folder.path().join("fast.jsonl"));
    assert!(lines.len() > 5 && lines.iter().all(|line| line["fast_ranks"] == 2), "{}", lines[0]);
}

/// A run that goes on until something happens to it. Every step is saved.
struct Endless {
    mpirun: Child,
    /// Process ids of the ranks, in their order.
    ranks: Vec<String>,
}

impl Endless {
    /// Starts it, and waits until the run was saved.
    fn start(folder: &Path, ranks: usize) -> Self {
        let fifo = folder.join("steps");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let mut mpirun = on_ranks(folder, ranks, &format!("{ENDLESS} --telemetry steps"));
        let mut mpirun = mpirun.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut steps = BufReader::new(fs::File::open(&fifo).unwrap());
        // When the third line comes, the second step was saved.
        for _ in 0..3 {
            assert!(
                steps.read_line(&mut String::new()).unwrap() > 0,
                "{}",
                all(mpirun.stderr.as_mut().unwrap())
            );
        }
        std::thread::spawn(move || std::io::copy(&mut steps, &mut std::io::sink()));
        let ranks = (0..ranks).map(|rank| process_of(mpirun.id(), rank)).collect();
        Self { mpirun, ranks }
    }

    /// Sends a signal, and returns what is said at the end.
    fn end(mut self, signal: &str, process: Option<usize>) -> String {
        let process = process.map_or_else(|| self.mpirun.id().to_string(), |rank| self.ranks[rank].clone());
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
        let said = all(self.mpirun.stderr.as_mut().unwrap());
        assert!(!self.mpirun.wait().unwrap().success(), "{said}");
        said
    }
}

fn all(stream: &mut impl Read) -> String {
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    text(&said)
}

/// The process of a rank, among the children of mpirun.
fn process_of(mpirun: u32, rank: usize) -> String {
    let wanted = format!("OMPI_COMM_WORLD_RANK={rank}");
    let children = fs::read_to_string(format!("/proc/{mpirun}/task/{mpirun}/children")).unwrap();
    let is_rank = |process: &&str| {
        let variables = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        variables.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    children.split_whitespace().find(is_rank).unwrap().to_owned()
}

/// From the last checkpoint of an endless run, another number of ranks continues as one process does.
fn continues(folder: &Path) {
    let state = fs::read(folder.join("run.st")).unwrap();
    for name in ["on.st", "alone.st"] {
        fs::write(folder.join(name), &state).unwrap();
    }
    let seen = checkpoint::read(&state).unwrap().state.unwrap().progress.samples_seen;
    let more = format!("--data . --threads 1 --evaluate-every 9000 --sample-budget {}", seen + 1500);
    succeed(folder, &format!("train --resume alone.st --save alone.st {more}"));
    well(&mut on_ranks(folder, 3, &format!("train --resume on.st --save on.st {more}")));
    assert!(fs::read(folder.join("on.st")).unwrap() == fs::read(folder.join("alone.st")).unwrap());
}

#[test]
fn a_killed_rank_ends_the_run_and_the_last_checkpoint_continues_it() {
    let folder = folder();
    write_data(folder.path());
    let said = Endless::start(folder.path(), 2).end("-KILL", Some(1));
    let words = said.lines().rfind(|line| line.contains("checkpoint"));
    assert_eq!(words, Some("The other ranks do not answer. The last checkpoint is run.st."), "{said}");
    assert!(said.contains("Continue with: mpirun -n 2 "), "{said}");
    continues(folder.path());
}

#[test]
fn a_signal_to_mpirun_saves_the_run() {
    let folder = folder();
    write_data(folder.path());
    let said = Endless::start(folder.path(), 2).end("-TERM", None);
    assert!(said.contains("Saved run.st after step "), "{said}");
    continues(folder.path());
}

/// A rank of the test below.
#[test]
#[ignore = "is one of several ranks, which another test starts"]
fn panicking_rank() {
    let Some(launch) = launched() else { return };
    within_job(
        || {
            assert!(launch.rank != 1, "rank 1 panics");
            // The others wait for ever.
            loop {
                std::thread::park();
            }
        },
        || eprintln!("last words"),
    )
    .unwrap()
}

#[test]
fn a_panic_ends_all_ranks() {
    let folder = folder();
    let mut command = mpirun(folder.path());
    command.arg("-n").arg("3").arg(std::env::current_exe().unwrap());
    command.args(["panicking_rank", "--exact", "--ignored", "--nocapture"]);
    let said = refusal(&mut command);
    assert!(said.contains("rank 1 panics") && said.contains("last words"), "{said}");
}

#[test]
fn a_full_disk_is_told_once_and_ends_with_an_error() {
    let folder = folder();
    write_data(folder.path());
    let said =
        refusal(&mut on_ranks(folder.path(), 2, &format!("{RUN} --telemetry /dev/full --save run.st")));
    assert_eq!(
        said.matches("The run continues, and writing these lines is tried again later.").count(),
        1,
        "{said}"
    );
    assert!(folder.path().join("run.st").exists(), "{said}");
}

#[test]
fn ranks_that_differ_are_refused_and_one_that_is_not_ready_is_named() {
    let folder = folder();
    write_data(folder.path());
    let two = |first: &str, second: &str| {
        let mut command = mpirun(folder.path());
        for (index, more) in [first, second].into_iter().enumerate() {
            if index > 0 {
                command.arg(":");
            }
            command.args(["-n", "1", PROGRAM]).args(RUN.split_whitespace()).args(more.split_whitespace());
        }
        refusal(&mut command)
    };
    let said = two("", "--eta 0.7");
    assert!(said.contains("error: rank 1 has different settings than rank 0"), "{said}");
    let said = two("", "--seed 5");
    assert!(said.contains("error: rank 1 has different settings than rank 0"), "{said}");
    let said = two("", "--config nowhere.json");
    assert!(said.contains("error: rank 1: ") && said.contains("nowhere.json"), "{said}");
    let said = two("--save nowhere/run.st", "--save nowhere/run.st");
    assert_eq!(said.matches("error: ").count(), 1, "{said}");
}

#[test]
fn other_commands_are_not_for_ranks() {
    let folder = folder();
    let said = refusal(&mut on_ranks(folder.path(), 2, "rules"));
    assert_eq!(said.matches("error: only `train` runs on several ranks").count(), 1, "{said}");
}
