//! `cargo xtask firmware`: training on emulated microcontrollers. What a board prints must be, line by line, what this
//! machine and WebAssembly print; what it costs must not grow.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::project::Project;
use crate::report::Outcome;
use crate::{debian, npm, process, tools};

/// The folder with the firmware, a workspace of its own.
const FOLDER: &str = "tests/firmware";
/// Its manifest.
pub(crate) const MANIFEST: &str = "tests/firmware/Cargo.toml";
/// Where it is built.
const TARGET_FOLDER: &str = "target/firmware";
/// What the programs cost when that was last accepted.
const ACCEPTED: &str = "tests/firmware/measured.json";
/// Where users read of these costs.
const README: &str = "core/README.md";
/// The emulator, which is also the name of Debian's package.
const QEMU: &str = "qemu-system-arm";
/// A program that has not ended by then never will: it takes a second or two.
const LONGEST: Duration = Duration::from_secs(120);
/// What a cost may grow by before the test fails.
const TOLERANCE: f64 = 0.05;
/// How to accept other costs.
const ACCEPT: &str = "if this is intended, `cargo xtask firmware --accept` writes the new numbers";

/// Options of `cargo xtask firmware`.
#[derive(Args)]
pub(crate) struct Options {
    /// Accept what the programs cost now: writes tests/firmware/measured.json and the table in core/README.md
    #[arg(long)]
    accept: bool,
}

/// An emulated board.
struct Board {
    /// What QEMU calls it.
    machine: &'static str,
    /// What its processor is called.
    processor: &'static str,
    target: &'static str,
    /// What it trains.
    programs: &'static [Program],
}

/// A program, and what it trains.
#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    title: &'static str,
}

const MLP: Program = Program { name: "mlp", title: "MLP 64-32-10" };
const SOFTMAX: Program = Program { name: "softmax", title: "softmax regression 784-10" };
const PAIRS: Program = Program { name: "mlp_pairs", title: "MLP 64-32-10, sums in pairs of `f32`" };
const CNN: Program = Program { name: "cnn", title: "CNN, two convolutions" };

const BOARDS: [Board; 2] = [
    Board { machine: "lm3s6965evb", processor: "Cortex-M3", target: "thumbv7m-none-eabi", programs: &[MLP] },
    Board {
        machine: "mps2-an386",
        processor: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        programs: &[MLP, PAIRS, SOFTMAX, CNN],
    },
];

/// What a program costs on a board. Sizes in bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    program: String,
    processor: String,
    /// Code and constants, without the digits.
    flash: u64,
    /// The digits that it trains on.
    digits: u64,
    /// Static memory.
    r#static: u64,
    /// The deepest that the stack was.
    stack: u64,
    /// Means over the run.
    instructions_per_step: u64,
    instructions_per_sample: u64,
}

/// Runs all of it.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    qemu()?;
    let costs = measure(project)?;
    if options.accept {
        fs::write(project.path(ACCEPTED), serde_json::to_string_pretty(&costs)? + "\n")?;
        let readme = fs::read_to_string(project.path(README))?;
        fs::write(project.path(README), with_table(&readme, &table(&costs))?)?;
        println!("The costs are accepted: {ACCEPTED} and {README} are written.");
        return Ok(());
    }
    check(project, &costs)
}

/// The stage of the tests.
pub(crate) fn stage(project: &Project) -> Result<Outcome> {
    tools::component("clippy", "clippy")?;
    for (package, target) in [
        ("firmware-runs", None),
        ("firmware-wasm", Some(tools::WASM)),
        ("firmware-boards", Some(BOARDS[1].target)),
    ] {
        let mut clippy = cargo(project, "clippy", package, target)?;
        process::run(clippy.args(["--", "-D", "warnings"]))?;
    }
    let costs = measure(project)?;
    check(project, &costs)?;
    Ok(Outcome::PassedWith(format!("{} programs on emulated boards", costs.len())))
}

/// Makes sure that the emulator is there.
pub(crate) fn qemu() -> Result<()> {
    if which::which(QEMU).is_ok() {
        return Ok(());
    }
    debian::install(QEMU, "QEMU, which emulates microcontrollers,")?;
    ensure!(which::which(QEMU).is_ok(), "the package {QEMU} did not provide {QEMU}: install it manually");
    Ok(())
}

/// Builds and runs everything, and compares the lines.
fn measure(project: &Project) -> Result<Vec<Cost>> {
    npm::check_node()?;
    process::run(&mut cargo(project, "build", "firmware-runs", None)?)?;
    process::run(&mut cargo(project, "build", "firmware-wasm", Some(tools::WASM))?)?;
    let lines = [MLP, PAIRS, SOFTMAX, CNN].map(|program| reference(project, program));
    let lines = lines.into_iter().collect::<Result<HashMap<_, _>>>()?;
    let mut costs = Vec::new();
    for board in &BOARDS {
        let mut build = cargo(project, "build", "firmware-boards", Some(board.target))?;
        for program in board.programs {
            build.args(["--bin", program.name]);
        }
        process::run(&mut build)?;
        for program in board.programs {
            let cost = on_board(project, board, *program, &lines[program.name])
                .with_context(|| format!("{} on {}", program.title, board.processor))?;
            println!("{}", cost.line());
            costs.push(cost);
        }
    }
    Ok(costs)
}

/// What this machine and WebAssembly print, which must be the same.
fn reference(project: &Project, program: Program) -> Result<(&'static str, String)> {
    let host = product(project, None, "firmware-runs");
    let wasm = product(project, Some(tools::WASM), "firmware_wasm.wasm");
    let host = process::output(Command::new(host).arg(program.name))?;
    let mut node = Command::new("node");
    node.arg(project.path(FOLDER).join("wasm/run.mjs")).arg(wasm).arg(program.name);
    same_lines("WebAssembly", &process::output(&mut node)?, &host).context(program.title)?;
    Ok((program.name, host))
}

fn on_board(project: &Project, board: &Board, program: Program, expected: &str) -> Result<Cost> {
    let mut qemu = Command::new(QEMU);
    qemu.args(["-machine", board.machine, "-display", "none", "-monitor", "none", "-serial", "none"]);
    // Each instruction lasts one nanosecond of the board's time.
    qemu.args(["-semihosting-config", "enable=on,target=native", "-icount", "shift=0"]);
    qemu.arg("-kernel").arg(product(project, Some(board.target), program.name));
    let printed = process::output_within(&mut qemu, LONGEST)?;
    let (measured, run): (Vec<&str>, Vec<&str>) =
        printed.lines().partition(|line| line.starts_with(MEASURED));
    same_lines(board.processor, &run.join("\n"), expected)?;
    Cost::parse(&measured, board, program)
}

/// What lines of costs begin with.
const MEASURED: &str = "measured ";

/// Whether two texts have the same lines; otherwise the first that differs.
fn same_lines(what: &str, found: &str, expected: &str) -> Result<()> {
    let (mut found, mut expected) = (found.lines(), expected.lines());
    for number in 1.. {
        match (found.next(), expected.next()) {
            (None, None) if number > 1 => break,
            (found, expected) => ensure!(
                found.is_some() && found == expected,
                "line {number} of {what} is\n  {}\nbut this machine's is\n  {}",
                found.unwrap_or("missing"),
                expected.unwrap_or("missing")
            ),
        }
    }
    Ok(())
}

impl Cost {
    fn parse(measured: &[&str], board: &Board, program: Program) -> Result<Self> {
        let number = |name: &str| {
            let line = measured
                .iter()
                .find_map(|line| line.strip_prefix(MEASURED)?.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|number| number.parse().ok()).with_context(|| format!("{name} was not measured"))
        };
        Ok(Self {
            program: program.title.to_owned(),
            processor: board.processor.to_owned(),
            flash: number("flash")?,
            digits: number("digits")?,
            r#static: number("static")?,
            stack: number("stack")?,
            instructions_per_step: number("instructions_per_step")?,
            instructions_per_sample: number("instructions_per_sample")?,
        })
    }

    fn line(&self) -> String {
        let numbers = self.named().map(|(name, number)| format!("{name} {number}")).join(", ");
        format!("{} on {}: {numbers}", self.program, self.processor)
    }

    /// What must not grow.
    fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("flash", self.flash),
            ("static RAM", self.r#static),
            ("stack", self.stack),
            ("instructions per step", self.instructions_per_step),
            ("instructions per sample", self.instructions_per_sample),
        ]
    }
}

/// Whether nothing costs noticeably more than what was accepted, and the table tells it.
fn check(project: &Project, costs: &[Cost]) -> Result<()> {
    let accepted: Vec<Cost> = fs::read(project.path(ACCEPTED))
        .map_err(anyhow::Error::from)
        .and_then(|json| Ok(serde_json::from_slice(&json)?))
        .with_context(|| format!("{ACCEPTED}: {ACCEPT}"))?;
    let grown = grown(costs, &accepted);
    if !grown.is_empty() {
        bail!("{}; {ACCEPT}", grown.join("; "));
    }
    let readme = fs::read_to_string(project.path(README))?.replace("\r\n", "\n");
    ensure!(
        with_table(&readme, &table(&accepted))? == readme,
        "the table in {README} does not match {ACCEPTED}: {ACCEPT}"
    );
    Ok(())
}

/// What costs more than was accepted, and by how much.
fn grown(costs: &[Cost], accepted: &[Cost]) -> Vec<String> {
    let mut grown = Vec::new();
    for cost in costs {
        let before = accepted
            .iter()
            .find(|before| before.program == cost.program && before.processor == cost.processor);
        let Some(before) = before else {
            grown.push(format!("{} on {} is new", cost.program, cost.processor));
            continue;
        };
        for ((name, now), (_, before)) in cost.named().into_iter().zip(before.named()) {
            #[allow(clippy::cast_precision_loss, reason = "sizes and counts far below 2⁵³")]
            let ratio = now as f64 / before.max(1) as f64;
            if ratio > 1.0 + TOLERANCE {
                grown.push(format!("{} on {}: {name} is {now}, was {before}", cost.program, cost.processor));
            }
        }
    }
    grown
}

const TABLE_BEGINS: &str = "<!-- measured by `cargo xtask firmware` -->\n";
const TABLE_ENDS: &str = "<!-- end of what is measured -->\n";

/// The costs as a table in Markdown.
fn table(costs: &[Cost]) -> String {
    let mut table = String::from(
        "| network | processor | flash (bytes) | static RAM (bytes) | stack (bytes) | instructions per step | per sample |\n\
         |---|---|--:|--:|--:|--:|--:|\n",
    );
    for cost in costs {
        let numbers = cost.named().map(|(_, number)| grouped(number)).join(" | ");
        table += &format!("| {} | {} | {numbers} |\n", cost.program, cost.processor);
    }
    table
}

/// A number with commas between groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// A text with another table in its place.
fn with_table(text: &str, table: &str) -> Result<String> {
    let place = text.split_once(TABLE_BEGINS).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(TABLE_ENDS)?;
        Some((before, after))
    });
    let (before, after) =
        place.with_context(|| format!("{README} does not contain the markers of the table"))?;
    Ok(format!("{before}{TABLE_BEGINS}{table}{TABLE_ENDS}{after}"))
}

/// `cargo build` or the like of one package, for this machine or another target.
fn cargo(project: &Project, subcommand: &str, package: &str, target: Option<&str>) -> Result<Command> {
    let mut command =
        process::cargo(project.root(), &[subcommand, "--locked", "--release", "--manifest-path"]);
    command.arg(MANIFEST).arg("--target-dir").arg(project.path(TARGET_FOLDER)).args(["--package", package]);
    if let Some(target) = target {
        tools::target(target)?;
        command.args(["--target", target]);
    }
    Ok(command)
}

/// What was built.
fn product(project: &Project, target: Option<&str>, name: &str) -> PathBuf {
    let folder = project.path(TARGET_FOLDER).join(target.unwrap_or_default()).join("release");
    match target {
        Some(_) => folder.join(name),
        None => folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(flash: u64) -> Cost {
        let measured = ["measured flash", "measured digits", "measured static", "measured stack"];
        let mut lines: Vec<String> = measured.iter().map(|line| format!("{line} {flash}")).collect();
        lines.extend(["step", "sample"].map(|per| format!("measured instructions_per_{per} 1234567")));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        Cost::parse(&lines, &BOARDS[0], MLP).expect("all numbers")
    }

    #[test]
    fn growth_beyond_the_tolerance_is_told() {
        assert!(grown(&[cost(105)], &[cost(100)]).is_empty());
        assert!(grown(&[cost(50)], &[cost(100)]).is_empty());
        let grown_by = grown(&[cost(106)], &[cost(100)]);
        assert_eq!(grown_by.len(), 3, "{grown_by:?}");
        assert_eq!(grown_by[0], "MLP 64-32-10 on Cortex-M3: flash is 106, was 100");
        assert_eq!(grown(&[cost(1)], &[]), ["MLP 64-32-10 on Cortex-M3 is new"]);
    }

    #[test]
    fn a_missing_number_is_an_error() {
        assert!(Cost::parse(&["measured flash 1"], &BOARDS[0], MLP).is_err());
    }

    #[test]
    fn every_line_must_be_the_same() {
        assert!(same_lines("a board", "a\nb", "a\nb\n").is_ok());
        for (found, expected) in [("", ""), ("a", "a\nb"), ("a\nb", "a"), ("a\nc", "a\nb"), ("", "a")] {
            assert!(same_lines("a board", found, expected).is_err(), "{found:?} {expected:?}");
        }
    }

    #[test]
    fn a_table_takes_the_place_of_another() {
        let text = format!("before\n{TABLE_BEGINS}old\n{TABLE_ENDS}after\n");
        let table = table(&[cost(12_345)]);
        assert!(
            table.ends_with(
                "| MLP 64-32-10 | Cortex-M3 | 12,345 | 12,345 | 12,345 | 1,234,567 | 1,234,567 |\n"
            )
        );
        let new = with_table(&text, &table).expect("a place");
        assert!(new.starts_with("before\n") && new.ends_with("after\n") && !new.contains("old"));
        assert_eq!(with_table(&new, &table).expect("a place"), new);
        assert!(with_table("", &table).is_err());
    }
}
