//! What an experiment leaves: `runs.csv` with every run, `report.md` with the tables, charts as SVG, and `report.html` with all of it
//! in one file.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

use super::charts::{self, Curve};
use super::experiment::{Experiment, Group, Quality};
use super::quantity::{Course, Quantity};
use super::summary::{Figures, Table, plain};
use crate::files::about;

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

impl Provenance {
    fn lines(&self, made: &[Made]) -> Vec<String> {
        let programs: BTreeSet<&str> = made.iter().map(|run| run.program.as_str()).collect();
        let programs: Vec<_> = programs.into_iter().collect();
        let mut lines = vec![
            format!("Command: `{}`", self.command),
            format!("Program: {}", programs.join("; ")),
            format!("Machine: {}", machine()),
            format!("Written: {:.0}", jiff::Timestamp::now()),
        ];
        lines.extend(self.faults.iter().cloned());
        lines
    }
}

/// This program, and the commit of the checkout that it is run in.
pub(crate) fn program() -> String {
    format!("adadagrad {}, commit {}", env!("CARGO_PKG_VERSION"), commit())
}

fn commit() -> String {
    let mut git = Command::new("git");
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

/// Writes everything.
pub(crate) fn write(
    folder: &Path,
    experiment: &Experiment,
    made: &[Made],
    tables: &[(String, Table)],
    provenance: &Provenance,
) -> Result<(), Box<dyn Error>> {
    let mut charts = Vec::new();
    for group in &experiment.groups {
        for (name, svg) in charts_of(group, experiment.compares, made)? {
            save(&folder.join(&name), &svg)?;
            charts.push((group.title.clone(), name, svg));
        }
    }
    save(&folder.join("runs.csv"), &csv(made)?)?;
    let lines = provenance.lines(made);
    save(&folder.join("report.md"), &markdown(experiment, tables, &charts, &lines))?;
    save(&folder.join("report.html"), &html(experiment, tables, &charts, &lines, made))?;
    Ok(())
}

fn save(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| about(file, error))
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
        (format!("{}-batch.svg", group.name), charts::batches(&group.title, &curves)?),
        (format!("{}-quality.svg", group.name), charts::quality(&group.title, of_loss, &curves)?),
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

fn markdown(
    experiment: &Experiment,
    tables: &[(String, Table)],
    charts: &[(String, String, String)],
    lines: &[String],
) -> String {
    let [title, question, source] =
        [&experiment.title, &experiment.question, &experiment.source].map(|text| plain(text));
    let mut text = format!("# {title}\n\n{question}\n\n{source}\n");
    for (title, table) in tables {
        let of_group = charts.iter().filter(|(group, ..)| group == title);
        let title = plain(title);
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {title}\n\n{}", table.markdown());
        for (_, name, _) in of_group {
            let _ = write!(text, "\n![{title}]({name})\n");
        }
    }
    let _ = write!(text, "\n## How these figures were made\n\n");
    lines.iter().for_each(|line| text += &format!("- {}\n", plain(line)));
    text + "- Every run and its command: [runs.csv](runs.csv)\n"
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;\
background:#fff}table{border-collapse:collapse;display:block;overflow-x:auto}th,td{padding:.3rem .6rem;border-bottom:1px solid #ccc;\
text-align:right;font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}\
code{font-size:.85em;overflow-wrap:anywhere}";

fn html(
    experiment: &Experiment,
    tables: &[(String, Table)],
    charts: &[(String, String, String)],
    lines: &[String],
    made: &[Made],
) -> String {
    let title = escaped(&experiment.title);
    let mut body = format!(
        "<h1>{title}</h1><p>{}</p><p>{}</p>",
        escaped(&experiment.question),
        escaped(&experiment.source)
    );
    for (group, table) in tables {
        let _ = write!(body, "<h2>{}</h2>{}", escaped(group), table_html(table));
        for (_, _, svg) in charts.iter().filter(|(other, ..)| other == group) {
            let _ = write!(body, "<figure>{svg}</figure>");
        }
    }
    body += "<h2>How these figures were made</h2><ul>";
    lines.iter().for_each(|line| body += &format!("<li>{}</li>", escaped(line).replace('`', "")));
    body += "</ul><h2>Every run</h2><ul>";
    for run in made {
        let Figures { group, run: name, seed, .. } = &run.figures;
        let _ = write!(
            body,
            "<li>{}/{}, seed {seed}: <code>{}</code></li>",
            escaped(group),
            escaped(name),
            escaped(&run.command)
        );
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

    use super::super::summary::tables;
    use super::*;

    /// The runs of a `runs.csv`.
    fn figures_in(file: &Path) -> Vec<Figures> {
        let mut reader = csv::Reader::from_path(file).expect("a readable file");
        let titles = reader.headers().expect("a head").clone();
        let rows = reader.records().map(|row| {
            let row = row.expect("a row");
            let value = |quantity: Quantity| {
                let column = titles.iter().position(|title| title == quantity.title()).expect("a column");
                (quantity, row[column].parse().expect("a number"))
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
            for (title, table) in tables(&experiment, &figures_in(&folder.join("runs.csv"))) {
                assert!(
                    report.contains(&table.markdown()),
                    "{name}: the table of {title} is not that of runs.csv"
                );
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
    fn what_others_wrote_cannot_become_part_of_the_page() {
        let table = Table { head: vec!["<b>".into()], rows: vec![vec!["**won** & \"more\"".into()]] };
        assert_eq!(
            table_html(&table),
            "<table><tr><th>&lt;b&gt;</th></tr><tr><td>won &amp; &quot;more&quot;</td></tr></table>"
        );
    }
}
