//! The program under `mpirun`: the same bits for any number of ranks, and a last message and an exit code for every way in which a run can end.
//!
//! Needs Open MPI. Ranks share the processors of one machine.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use adadagrad_core::owned::checkpoint;
use adadagrad_gpu::cluster::{launched, within_job};
use support::program::{PROGRAM, folder, lines, succeed, text, timeless};
use support::write_data;

/// Batches of several parts.
const RUN: &str = "train --data . --model mlp-16 --initial-batch 150 --growth-cap 1.5 --max-batch 200 --sample-budget 4000 \
                   --evaluate-every 1000 --threads 1";
/// The same without an end.
const ENDLESS: &str = "train --data . --model mlp-16 --initial-batch 150 --max-batch 200 --sample-budget 9000000000 \
                       --evaluate-every 9000000000 --threads 1 --save-every 1steps";

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

/// Small parts, as many as the settings allow: the same bits however they are spread.
#[test]
fn the_number_of_parts_is_a_setting() {
    let folder = folder();
    write_data(folder.path());
    let mut found = Vec::new();
    for parts in [5, 16] {
        let run =
            "train --data . --model cnn --initial-batch 150 --max-batch 200 --sample-budget 400 --threads 1";
        let run = format!("{run} --parts {parts}");
        succeed(folder.path(), &format!("{run} --save alone.st"));
        let alone = fs::read(folder.path().join("alone.st")).unwrap();
        for ranks in [2, 3] {
            well(&mut on_ranks(folder.path(), ranks, &format!("{run} --save on.st")));
            assert!(fs::read(folder.path().join("on.st")).unwrap() == alone, "{parts} parts, {ranks} ranks");
            fs::remove_file(folder.path().join("on.st")).unwrap();
        }
        fs::remove_file(folder.path().join("alone.st")).unwrap();
        found.push(alone);
    }
    assert!(found[0] != found[1]);
}

/// Each rank on a GPU of its own, as far as the machine has several.
#[test]
fn ranks_on_gpus_write_the_same_checkpoint() {
    if support::device().is_none() {
        return;
    }
    let folder = folder();
    write_data(folder.path());
    let run = "train --data . --model cnn --initial-batch 40 --max-batch 60 --sample-budget 200 --device gpu";
    let checkpoints = [1, 2].map(|ranks| {
        let output = well(&mut on_ranks(folder.path(), ranks, &format!("{run} --save {ranks}.st")));
        if ranks == 2 {
            assert!(text(&output.stdout).contains("2 ranks with "), "{}", text(&output.stdout));
        }
        fs::read(folder.path().join(format!("{ranks}.st"))).unwrap()
    });
    assert!(checkpoints[0] == checkpoints[1]);
    let refused = refusal(&mut on_ranks(folder.path(), 2, &run.replace("--device gpu", "--device auto")));
    assert!(refused.contains("several ranks must all compute on the same kind of device"), "{refused}");
    let refused = refusal(&mut on_ranks(folder.path(), 2, &format!("{run} --adapter nothing-of-that-name")));
    assert_eq!(refused.matches("no adapter's name contains").count(), 1, "{refused}");
}

/// Processes that another MPI library's launcher has started know nothing of each other.
#[test]
fn processes_of_another_launcher_are_refused() {
    let folder = folder();
    write_data(folder.path());
    for [rank, size] in [["PMI_RANK", "PMI_SIZE"], ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS"]] {
        let start = |number: &str| {
            let mut command = Command::new(PROGRAM);
            command.current_dir(folder.path()).env(rank, number).env(size, "3");
            command.args(format!("{RUN} --save run.st").split_whitespace()).output().unwrap()
        };
        let first = start("0");
        let said = text(&first.stderr);
        assert_eq!(first.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: the launcher has started 3 processes, but Open MPI v"), "{said}");
        assert!(said.contains("knows of 1, so each would train alone"), "{said}");
        assert_eq!(text(&start("1").stderr), "");
    }
    assert!(!folder.path().join("run.st").exists());
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
    /// Lines of telemetry.
    steps: BufReader<fs::File>,
    said: BufReader<ChildStderr>,
    /// Process ids of the ranks, in their order.
    ranks: Vec<String>,
}

impl Endless {
    /// Starts it, and waits until the run was saved.
    fn start(folder: &Path, ranks: usize) -> Self {
        Self::begin(
            folder,
            on_ranks(folder, ranks, &format!("{ENDLESS} --save run.st --telemetry steps")),
            ranks,
        )
    }

    /// The same of any command that becomes `mpirun`, with telemetry in `steps`.
    fn begin(folder: &Path, mut command: Command, ranks: usize) -> Self {
        let fifo = folder.join("steps");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let mut mpirun = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let steps = BufReader::new(fs::File::open(&fifo).unwrap());
        let said = BufReader::new(mpirun.stderr.take().unwrap());
        let mut run = Self { mpirun, steps, said, ranks: Vec::new() };
        // When the third line comes, the second step was saved.
        run.make_steps(3);
        run.ranks = (0..ranks).map(|rank| process_of(run.mpirun.id(), rank)).collect();
        run
    }

    /// Waits for steps.
    fn make_steps(&mut self, count: usize) {
        for _ in 0..count {
            let has_line = self.steps.read_line(&mut String::new()).unwrap() > 0;
            assert!(has_line, "{}", all(&mut self.said));
        }
    }

    /// Waits until something is said, with the run going on meanwhile, and returns the line.
    fn hear(&mut self, words: &str) -> String {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "it ended without a word of {words}");
        }
        line
    }

    /// Sends a signal, and returns what is said at the end.
    fn end(self, signal: &str, process: Option<usize>) -> String {
        let Self { mut mpirun, mut steps, mut said, ranks } = self;
        std::thread::spawn(move || std::io::copy(&mut steps, &mut std::io::sink()));
        let process = process.map_or_else(|| mpirun.id().to_string(), |rank| ranks[rank].clone());
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
        let said = all(&mut said);
        assert!(!mpirun.wait().unwrap().success(), "{said}");
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

/// From a checkpoint of an endless run, another number of ranks continues as one process does.
fn continues(folder: &Path, checkpoint: &str) {
    let state = fs::read(folder.join(checkpoint)).unwrap();
    for name in ["on.st", "alone.st"] {
        fs::write(folder.join(name), &state).unwrap();
    }
    let seen = seen(&state);
    let more = format!("--data . --threads 1 --evaluate-every 9000 --sample-budget {}", seen + 1500);
    succeed(folder, &format!("train --resume alone.st --save alone.st {more}"));
    well(&mut on_ranks(folder, 3, &format!("train --resume on.st --save on.st {more}")));
    assert!(fs::read(folder.join("on.st")).unwrap() == fs::read(folder.join("alone.st")).unwrap());
}

/// Samples that a run had seen when it was saved.
fn seen(checkpoint: &[u8]) -> u64 {
    checkpoint::read(checkpoint).unwrap().state.unwrap().progress.samples_seen
}

#[test]
fn a_killed_rank_ends_the_run_and_the_last_checkpoint_continues_it() {
    let folder = folder();
    write_data(folder.path());
    let said = Endless::start(folder.path(), 2).end("-KILL", Some(1));
    let words = said.lines().rfind(|line| line.contains("checkpoint"));
    assert_eq!(words, Some("The other ranks do not answer. The last checkpoint is run.st."), "{said}");
    assert!(said.contains("Continue with: mpirun -n 2 "), "{said}");
    continues(folder.path(), "run.st");
}

/// Nobody names the file then, and it is whole all the same.
#[test]
fn a_run_whose_first_rank_is_killed_continues_too() {
    let folder = folder();
    write_data(folder.path());
    Endless::start(folder.path(), 2).end("-KILL", Some(0));
    continues(folder.path(), "run.st");
}

#[test]
fn signals_to_mpirun_save_the_run() {
    for signal in ["-TERM", "-INT"] {
        let folder = folder();
        write_data(folder.path());
        let said = Endless::start(folder.path(), 2).end(signal, None);
        assert!(said.contains("Saved run.st after step "), "{signal}: {said}");
        assert!(said.contains("Continue with: mpirun -n 2 "), "{signal}: {said}");
        continues(folder.path(), "run.st");
    }
}

/// A rank of the test below.
#[test]
#[ignore = "is one of several ranks, which another test starts"]
fn panicking_rank() {
    let Some(launch) = launched() else { return };
    within_job(
        &launch,
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

/// Bytes: room for three checkpoints.
const SMALL_DISK: u64 = 400 << 10;

/// The command with the folder `disk` as a small disk of its own, which no others see. `None` where only root may mount one.
fn on_small_disk(folder: &Path, more: &Command) -> Option<Command> {
    let flags: [&[&str]; 2] = [&["--mount"], &["--mount", "--user", "--map-root-user"]];
    let mut commands = flags.into_iter().map(|flags| {
        let mut command = Command::new("unshare");
        command.current_dir(folder).stdin(Stdio::null()).args(flags);
        let script = format!("mount -t tmpfs -o size={SMALL_DISK} small disk && exec \"$@\"");
        command.args(["sh", "-c", &script, "sh"]);
        command.arg(more.get_program()).args(more.get_args());
        command.envs(more.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    });
    let is_possible = |command: &Command| {
        let mut trial = Command::new(command.get_program());
        trial.current_dir(folder).args(command.get_args().take_while(|argument| *argument != "sh"));
        trial.args(["mount", "-t", "tmpfs", "small", "disk"]);
        trial.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    commands.find(is_possible)
}

/// A disk that is full for a while: the run goes on and says so once, the checkpoint on it stays whole, and the next ones
/// come when there is space again.
#[test]
fn a_disk_that_gets_full_ends_nothing_and_leaves_the_last_checkpoint() {
    let folder = folder();
    write_data(folder.path());
    fs::create_dir(folder.path().join("disk")).unwrap();
    let run = on_ranks(folder.path(), 2, &format!("{ENDLESS} --save disk/run.st --telemetry steps"));
    let small = on_small_disk(folder.path(), &run);
    let has_disk = small.is_some();
    let mut run = Endless::begin(folder.path(), small.unwrap_or(run), 2);
    // Only its own processes see the disk.
    let disk = Path::new("/proc").join(run.mpirun.id().to_string()).join("root");
    let disk = disk.join(folder.path().strip_prefix("/").unwrap()).join("disk");
    let filler = disk.join("filler");
    // Where no disk can be made, no file of the first rank may grow beyond a part of a checkpoint.
    let first_rank = run.ranks[0].clone();
    let limit_files = |limit: &str| {
        let limited = Command::new("prlimit").args(["--pid", &first_rank, limit]).status().unwrap();
        assert!(limited.success());
    };
    if has_disk {
        // So large that beside one checkpoint there is no room for another. While one takes the other's place, there is
        // none for this either.
        let checkpoint = fs::metadata(disk.join("run.st")).unwrap().len();
        let filling = vec![1; usize::try_from(SMALL_DISK - checkpoint * 3 / 2).unwrap()];
        while let Err(full) = fs::write(&filler, &filling) {
            assert_eq!(full.kind(), ErrorKind::StorageFull);
            run.make_steps(1);
        }
    } else {
        limit_files("--fsize=50000:unlimited");
    }
    let error = run.hear("The run continues, and saving is tried again.");
    let reason = if has_disk { "No space left on device" } else { "File too large" };
    assert!(error.starts_with("disk/run.st: ") && error.contains(reason), "{error}");
    run.make_steps(3);
    let last = fs::read(disk.join("run.st")).unwrap();
    run.make_steps(3);
    assert!(fs::read(disk.join("run.st")).unwrap() == last, "it was replaced");
    fs::write(folder.path().join("last.st"), &last).unwrap();
    if has_disk {
        fs::remove_file(&filler).unwrap();
    } else {
        limit_files("--fsize=unlimited:unlimited");
    }
    run.make_steps(3);
    let next = fs::read(disk.join("run.st")).unwrap();
    assert!(seen(&next) > seen(&last));
    let said = run.end("-TERM", None);
    assert!(said.contains("Saved disk/run.st after step ") && !said.contains("tried again"), "{said}");
    continues(folder.path(), "last.st");
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
