//! The table of an experiment: each run over its seeds, beside the run that it is compared with.

use std::collections::HashMap;

use super::experiment::{Experiment, Group};
use super::quantity::{Course, Goal, Quantity};
use super::statistics::Mean;
use crate::numbers::significant;

/// The columns.
const COLUMNS: [Quantity; 10] = [
    Quantity::Steps,
    Quantity::AverageBatch,
    Quantity::LargestBatch,
    Quantity::Accuracy,
    Quantity::TestLoss,
    Quantity::Gap,
    Quantity::SamplesToNear,
    Quantity::Seconds,
    Quantity::SamplesToTarget,
    Quantity::SecondsToTarget,
];
/// Below this a difference is called one.
const SIGNIFICANT: f64 = 0.01;

/// Figures of a run with one seed.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) group: String,
    pub(crate) run: String,
    pub(crate) seed: u64,
    pub(crate) values: Vec<(Quantity, f64)>,
}

impl Figures {
    pub(crate) fn of(group: &str, run: &str, seed: u64, course: &Course, goal: Goal) -> Self {
        let values = Quantity::ALL.map(|quantity| (quantity, course.value(quantity, goal))).to_vec();
        Self { group: group.to_owned(), run: run.to_owned(), seed, values }
    }

    pub(crate) fn value(&self, quantity: Quantity) -> f64 {
        self.values.iter().find(|(other, _)| *other == quantity).map_or(f64::NAN, |(_, value)| *value)
    }
}

/// A table of texts: its head and its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// In Markdown.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<_> = cells.iter().map(|cell| plain(cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<String> =
            (0..self.head.len()).map(|column| if column == 0 { "---" } else { "--:" }.to_owned()).collect();
        let rows = self.rows.iter().map(|row| line(row));
        line(&self.head) + &line(&rule) + &rows.collect::<String>()
    }
}

/// A text whose characters stand for themselves in Markdown's tables and HTML.
pub(crate) fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

/// The figures of a group of runs.
fn table(group: &Group, goal: Goal, figures: &[Figures]) -> Table {
    let quality = goal.quality.quantity();
    let columns = || COLUMNS.into_iter().filter(|quantity| goal.target.is_some() || !quantity.is_of_target());
    let mut of_runs: HashMap<&str, Vec<&Figures>> = HashMap::new();
    for figures in figures.iter().filter(|figures| figures.group == group.name) {
        of_runs.entry(&figures.run).or_default().push(figures);
    }
    let mean = |run: &str, quantity: Quantity| {
        let values: Vec<f64> = of_runs.get(run)?.iter().map(|figures| figures.value(quantity)).collect();
        Some(Mean::of(&values))
    };
    let mut head = vec!["run".to_owned(), "seeds".to_owned()];
    head.extend(columns().map(|quantity| quantity.title().to_owned()));
    if let Some(baseline) = &group.baseline {
        let title = group.runs.iter().find(|run| run.name == *baseline).map_or(baseline, |run| &run.title);
        head.push(format!("{} compared with {title}", quality.title()));
    }
    let known = group.runs.iter().any(|run| !run.known.is_empty());
    head.extend(known.then(|| "published figures".to_owned()));
    let rows = group.runs.iter().filter(|run| of_runs.contains_key(run.name.as_str())).map(|run| {
        let seeds = of_runs[run.name.as_str()].len();
        let mut row = vec![run.title.clone(), seeds.to_string()];
        row.extend(columns().map(|quantity| {
            mean(&run.name, quantity).map_or_else(String::new, |mean| shown(quantity, mean))
        }));
        if let Some(baseline) = &group.baseline {
            let pair = (mean(&run.name, quality), mean(baseline, quality));
            row.push(match pair {
                (Some(own), Some(other)) if run.name != *baseline => verdict(quality, own, other),
                _ => "–".to_owned(),
            });
        }
        row.extend(known.then(|| {
            let known = run.known.iter();
            let known = known.map(|known| {
                format!("{} {} ({})", known.quantity.title(), known.quantity.shown(known.value), known.source)
            });
            known.collect::<Vec<_>>().join("; ")
        }));
        row
    });
    Table { rows: rows.collect(), head }
}

fn shown(quantity: Quantity, mean: Mean) -> String {
    let value = quantity.shown(mean.mean);
    if mean.standard_error.is_nan() || mean.mean.is_nan() {
        return value;
    }
    format!("{value} ± {}", quantity.shown(mean.standard_error))
}

/// Which of two runs is better, and how sure that is.
fn verdict(quality: Quantity, own: Mean, other: Mean) -> String {
    let gain = if quality == Quantity::TestLoss { other.mean - own.mean } else { own.mean - other.mean };
    let size = match quality {
        Quantity::TestLoss => format!("{} nats", significant(gain.abs())),
        _ => format!("{:.2} points", 100.0 * gain.abs()),
    };
    let what = match gain {
        _ if gain.is_nan() => return "–".to_owned(),
        0.0 => return "equal".to_owned(),
        _ if gain < 0.0 => "lost",
        _ => "won",
    };
    match own.same_expectation(&other) {
        None => format!("{what} {size} (one seed)"),
        Some(p) if p < SIGNIFICANT => format!("**{what} {size}** (p = {})", significant(p)),
        Some(p) => format!("{what} {size} (p = {}: not certain)", significant(p)),
    }
}

/// The table of each group of which there are runs.
pub(crate) fn tables<'a>(experiment: &'a Experiment, figures: &[Figures]) -> Vec<(&'a Group, Table)> {
    let goal = experiment.goal();
    let groups = experiment.groups.iter().map(|group| (group, table(group, goal, figures)));
    groups.filter(|(_, table)| !table.rows.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn winners_and_losers_are_named_with_their_certainty() {
        let [low, high] = [&[0.90, 0.91, 0.92], &[0.96, 0.97, 0.98]].map(|values| Mean::of(values));
        assert_eq!(verdict(Quantity::Accuracy, low, high), "**lost 6.00 points** (p = 0.001826)");
        assert!(verdict(Quantity::TestLoss, low, high).starts_with("**won 0.06000 nats**"));
        assert_eq!(verdict(Quantity::Accuracy, Mean::of(&[0.5]), high), "lost 47.00 points (one seed)");
        assert!(verdict(Quantity::Accuracy, Mean::of(&[0.9, 0.98]), high).contains("not certain"));
    }

    #[test]
    fn a_table_in_markdown() {
        let table =
            Table { head: vec!["run".into(), "steps".into()], rows: vec![vec!["a|<b>".into(), "1".into()]] };
        assert_eq!(table.markdown(), "| run | steps |\n| --- | --: |\n| a\\|&lt;b> | 1 |\n");
    }
}
