//! What an experiment leaves: `runs.csv` with every run, `report.md` with the tables, charts as SVG, and `report.html` with all of it
//! in one file.

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

use super::charts::{self, Curve};
use super::experiment::{Experiment, Group};
use super::folder::save;
use super::quantity::{Course, Quality, Quantity};
use super::summary::{Figures, Table, plain, tables};
use super::timing::{self, Timed};

const RUNS_CSV: &str = "runs.csv";
const TIMINGS_CSV: &str = "timings.csv";
const SPEEDS_SVG: &str = "speeds.svg";
const REPORT_MD: &str = "report.md";
pub(super) const REPORT_HTML: &str = "report.html";

/// A run that is done.
pub(crate) struct Made {
    pub(crate) figures: Figures,
    pub(crate) course: Course,
    pub(crate) command: String,
    /// The version of the program that made it.
    pub(crate) program: String,
}

/// What is said of how the figures came about.
pub(crate) struct Provenance {
    /// What was typed.
    pub(crate) command: String,
    /// What failed, a sentence each.
    pub(crate) faults: Vec<String>,
}

/// A part of the report.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) table: Table,
    /// The name of each chart, and the chart.
    charts: Vec<(String, String)>,
}

/// Before a command in Markdown.
const COMMAND: &str = "Command: `";

impl Provenance {
    fn lines(&self, made: &[Made], timed: &[Timed]) -> Vec<String> {
        let of_timings = timed.iter().map(|timing| timing.program.as_str());
        let programs: BTreeSet<&str> =
            made.iter().map(|run| run.program.as_str()).chain(of_timings).collect();
        let programs: Vec<_> = programs.into_iter().collect();
        let mut lines = vec![
            format!("{COMMAND}{}`", self.command),
            format!("Program: {}", programs.join("; ")),
            format!("Machine: {}", machine()),
            format!("Written: {:.0}", jiff::Timestamp::now()),
        ];
        lines.extend(self.faults.iter().cloned());
        lines
    }
}

/// This program, and the commit of the checkout that it was built in, as far as it still lies there.
pub(crate) fn program() -> String {
    format!("adadagrad {}, commit {}", env!("CARGO_PKG_VERSION"), commit())
}

fn commit() -> String {
    let mut git = Command::new("git");
    let own = env::current_exe().ok();
    git.current_dir(own.as_deref().and_then(Path::parent).unwrap_or(Path::new("/")));
    git.args(["describe", "--always", "--dirty", "--abbrev=12"]).stderr(Stdio::null()).stdin(Stdio::null());
    let named = git.output().ok().filter(|output| output.status.success());
    named.map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let threads = available_parallelism().map_or(1, usize::from);
    let model = model.map_or_else(|| std::env::consts::ARCH.to_owned(), |name| name.trim().to_owned());
    format!("{model}, {threads} threads, {}", std::env::consts::OS)
}

/// Writes everything; gives the sections of the report.
pub(crate) fn write(
    folder: &Path,
    experiment: &Experiment,
    made: &[Made],
    timed: &[Timed],
    provenance: &Provenance,
) -> Result<Vec<Section>, Box<dyn Error>> {
    let sections = sections(experiment, made, timed)?;
    for (name, svg) in sections.iter().flat_map(|section| &section.charts) {
        save(&folder.join(name), svg)?;
    }
    save(&folder.join(RUNS_CSV), &csv(made)?)?;
    if !timed.is_empty() {
        save(&folder.join(TIMINGS_CSV), &timing::csv(timed)?)?;
    }
    let lines = provenance.lines(made, timed);
    save(&folder.join(REPORT_MD), &markdown(experiment, &sections, &lines, !timed.is_empty()))?;
    save(&folder.join(REPORT_HTML), &html(experiment, &sections, &lines, &commands(made, timed)))?;
    Ok(sections)
}

/// One for each group of runs, and one for the timings.
fn sections(experiment: &Experiment, made: &[Made], timed: &[Timed]) -> Result<Vec<Section>, Box<dyn Error>> {
    let figures: Vec<Figures> = made.iter().map(|run| run.figures.clone()).collect();
    let mut sections = Vec::new();
    for (group, table) in tables(experiment, &figures) {
        let charts = charts_of(group, experiment.goal().quality, made)?;
        sections.push(Section { title: group.title.clone(), table, charts });
    }
    if !timed.is_empty() {
        let chart = charts::speeds(SPEEDS, timed)?;
        let charts = vec![(SPEEDS_SVG.to_owned(), chart)];
        sections.push(Section { title: SPEEDS.to_owned(), table: timing::table(timed), charts });
    }
    Ok(sections)
}

/// What was run, and the command.
fn commands(made: &[Made], timed: &[Timed]) -> Vec<(String, String)> {
    let of_runs = made.iter().map(|run| {
        let Figures { group, run: name, seed, .. } = &run.figures;
        (format!("{group}/{name}, seed {seed}"), run.command.clone())
    });
    of_runs.chain(timed.iter().map(|timing| (timing.name.clone(), timing.command.clone()))).collect()
}

/// The title of the section of the timings.
const SPEEDS: &str = "Speed by batch size";

fn batch_chart(group: &Group) -> String {
    format!("{}-batch.svg", group.name)
}

fn quality_chart(group: &Group) -> String {
    format!("{}-quality.svg", group.name)
}

impl Experiment {
    /// The files of its report.
    pub(super) fn report_files(&self) -> Vec<String> {
        let charts = self.groups.iter().flat_map(|group| [batch_chart(group), quality_chart(group)]);
        let timings = if self.timings.is_empty() { &[][..] } else { &[TIMINGS_CSV, SPEEDS_SVG] };
        let others = [RUNS_CSV, REPORT_MD, REPORT_HTML].into_iter().chain(timings.iter().copied());
        charts.chain(others.map(str::to_owned)).collect()
    }
}

/// The name of each chart of a group, and the chart.
fn charts_of(
    group: &Group,
    compares: Quality,
    made: &[Made],
) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let curves: Vec<Curve<'_>> = group
        .runs
        .iter()
        .filter_map(|run| {
            let first =
                made.iter().find(|made| made.figures.group == group.name && made.figures.run == run.name)?;
            Some(Curve { title: &run.title, course: &first.course })
        })
        .collect();
    if curves.is_empty() {
        return Ok(Vec::new());
    }
    let of_loss = compares == Quality::TestLoss;
    Ok(vec![
        (batch_chart(group), charts::batches(&group.title, &curves)?),
        (quality_chart(group), charts::quality(&group.title, of_loss, &curves)?),
    ])
}

fn csv(made: &[Made]) -> Result<String, Box<dyn Error>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let quantities = Quantity::ALL.iter().map(|quantity| quantity.title());
    writer.write_record(["group", "run", "seed"].into_iter().chain(quantities).chain(["command"]))?;
    for Made { figures, command, .. } in made {
        let values = figures.values.iter().map(|(_, value)| value.to_string());
        let names = [figures.group.clone(), figures.run.clone(), figures.seed.to_string()];
        writer.write_record(names.into_iter().chain(values).chain([command.clone()]))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn markdown(experiment: &Experiment, sections: &[Section], lines: &[String], has_timings: bool) -> String {
    let [title, question, source] =
        [&experiment.title, &experiment.question, &experiment.source].map(|text| plain(text));
    let mut text = format!("# {title}\n\n{question}\n\n{source}\n");
    for section in sections {
        let title = plain(&section.title);
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {title}\n\n{}", section.table.markdown());
        for (name, _) in &section.charts {
            let _ = write!(text, "\n![{title}]({name})\n");
        }
    }
    let _ = write!(text, "\n## How these figures were made\n\n");
    lines.iter().for_each(|line| text += &format!("- {}\n", plain(line)));
    text += "- Values are means over the seeds ± the standard error. p is from Welch's t-test against the baseline, without \
             correction for several comparisons; bold: p < 0.01.\n";
    if has_timings {
        text += "- Every timing and its command: [timings.csv](timings.csv)\n";
    }
    text + "- Every run and its command, to be typed in the folder that `adadagrad reproduce` fills: [runs.csv](runs.csv)\n"
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;\
background:#fff}table{border-collapse:collapse;display:block;overflow-x:auto}th,td{padding:.3rem .6rem;border-bottom:1px solid #ccc;\
text-align:right;font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}\
code{font-size:.85em;overflow-wrap:anywhere}";

fn html(
    experiment: &Experiment,
    sections: &[Section],
    lines: &[String],
    commands: &[(String, String)],
) -> String {
    let title = escaped(&experiment.title);
    let mut body = format!(
        "<h1>{title}</h1><p>{}</p><p>{}</p>",
        escaped(&experiment.question),
        escaped(&experiment.source)
    );
    for section in sections {
        let _ = write!(body, "<h2>{}</h2>{}", escaped(&section.title), table_html(&section.table));
        for (_, svg) in &section.charts {
            let _ = write!(body, "<figure>{svg}</figure>");
        }
    }
    body += "<h2>How these figures were made</h2><ul>";
    for line in lines {
        let command = line.strip_prefix(COMMAND).and_then(|line| line.strip_suffix('`'));
        let item = command
            .map_or_else(|| escaped(line), |command| format!("Command: <code>{}</code>", escaped(command)));
        let _ = write!(body, "<li>{item}</li>");
    }
    body += "</ul><h2>Every run</h2><ul>";
    for (what, command) in commands {
        let _ = write!(body, "<li>{}: <code>{}</code></li>", escaped(what), escaped(command));
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><body>{body}</ul></body></html>\n"
    )
}

fn table_html(table: &Table) -> String {
    let row = |cells: &[String], tag: &str| {
        let cells = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell).replace("**", "")));
        format!("<tr>{}</tr>", cells.collect::<String>())
    };
    let rows: String = table.rows.iter().map(|cells| row(cells, "td")).collect();
    format!("<table>{}{rows}</table>", row(&table.head, "th"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::timing::tests::timings_in;
    use super::*;
    use crate::numbers::grouped;

    /// The runs of a `runs.csv`.
    fn figures_in(file: &Path) -> Vec<Figures> {
        let mut reader = csv::Reader::from_path(file).expect("a readable file");
        let titles = reader.headers().expect("a head").clone();
        let rows = reader.records().map(|row| {
            let row = row.expect("a row");
            let value = |quantity: Quantity| {
                let column = titles.iter().position(|title| title == quantity.title());
                // A file may be older than the last columns.
                assert!(column.is_some() || quantity.is_of_target(), "{quantity:?} has no column");
                let value = column.map_or(f64::NAN, |column| row[column].parse().expect("a number"));
                (quantity, value)
            };
            let [group, run] = [0, 1].map(|column| row[column].to_owned());
            let seed = row[2].parse().expect("a seed");
            Figures { group, run, seed, values: Quantity::ALL.map(value).to_vec() }
        });
        rows.collect()
    }

    /// Where this package lies in its repository.
    fn documented() -> Option<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/results");
        folder.is_dir().then_some(folder)
    }

    #[test]
    fn documented_tables_are_those_of_their_runs() {
        let Some(folder) = documented() else { return };
        let mut count = 0;
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let folder = entry.expect("an entry").path();
            if !folder.is_dir() {
                continue;
            }
            let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
            let experiment = Experiment::named(&name).expect("its experiment is there").expect("a valid one");
            let report = fs::read_to_string(folder.join("report.md")).expect("a report");
            let figures = figures_in(&folder.join("runs.csv"));
            let of_groups = tables(&experiment, &figures).into_iter().map(|(_, table)| table);
            let timings = folder.join("timings.csv");
            let of_timings =
                timings.exists().then(|| timing::table(&timings_in(&timings, &experiment.timings(false))));
            for table in of_groups.chain(of_timings) {
                let text = table.markdown();
                assert!(report.contains(&text), "{name}: not a table of its runs:\n{text}");
                count += 1;
            }
            for chart in report
                .split("](")
                .filter_map(|link| link.split(')').next())
                .filter(|link| link.ends_with(".svg"))
            {
                assert!(folder.join(chart).exists(), "{name}: {chart} is missing");
            }
        }
        assert!(count > 0, "no result is documented");
    }

    #[test]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    fn the_guide_to_thresholds_has_the_figures_of_its_runs() {
        let Some(folder) = documented() else { return };
        let guide = fs::read_to_string(folder.join("../thresholds.md")).expect("the guide");
        let all = figures_in(&folder.join("thresholds/runs.csv"));
        assert!(!all.is_empty(), "no run is documented");
        for figures in all {
            let name = figures.run.rsplit('-').next().expect("a name").replace("constant", "none, b = 64");
            let count = |quantity| grouped(figures.value(quantity).round() as u64);
            let row = format!(
                "| {name} | {} | {} | {} | {:.2} % | {:.0} |",
                count(Quantity::Steps),
                count(Quantity::AverageBatch),
                count(Quantity::LargestBatch),
                100.0 * figures.value(Quantity::Accuracy),
                figures.value(Quantity::Seconds)
            );
            assert!(guide.contains(&row), "{row} is not in the guide");
        }
    }

    #[test]
    fn what_others_wrote_cannot_become_part_of_the_page() {
        let table = Table { head: vec!["<b>".into()], rows: vec![vec!["**won** & \"more\"".into()]] };
        assert_eq!(
            table_html(&table),
            "<table><tr><th>&lt;b&gt;</th></tr><tr><td>won &amp; &quot;more&quot;</td></tr></table>"
        );
    }
}
