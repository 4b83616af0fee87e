//! How long the steps of a model take by batch size, measured by this program's own `bench`, and from which size on a larger batch
//! saves no more time.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::experiment::Timing;
use super::folder::{self, RUNS};
use super::runner::{End, Runner, last_error, typed};
use super::summary::Table;
use crate::bench::{Report, Row};
use crate::files::about;
use crate::numbers::{grouped, percent, rounded};

/// Seconds for each batch size, as `bench` counts them.
const SECONDS: [&str; 2] = ["2", "0.1"];
/// A batch size is fast enough at this share of the best speed.
const NEAR: f64 = 0.9;

/// A timing that is done.
pub(crate) struct Timed {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) rows: Vec<Speed>,
    pub(crate) command: String,
    pub(crate) program: String,
}

/// Speed at one batch size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed {
    pub(crate) batch: u32,
    /// Samples, or tokens of sequences, with the norm test's statistics.
    pub(crate) per_second: f64,
    /// Time with the statistics ÷ time without.
    pub(crate) with_over_without: f64,
    pub(crate) gflops: f64,
    pub(crate) share_of_peak: f64,
}

/// The file of a timing that is done.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    command: String,
    program: String,
    report: Report,
}

impl Runner<'_> {
    /// Measures speeds, unless they are measured already.
    ///
    /// # Errors
    /// What of the files could not be read or written.
    pub(crate) fn time(&self, timing: &Timing, quick: bool) -> Result<End<Timed>, String> {
        let arguments = self.bench_arguments(timing, quick);
        let command = typed(&[], &arguments);
        let file = |ending: &str| PathBuf::from(RUNS).join(format!("{}.{ending}", timing.name));
        let done_file = file("timing.json");
        let done = match self.read::<Done>(&done_file).filter(|done| done.command == command) {
            Some(done) => done,
            None => {
                folder::put_aside(self.folder, &done_file)?;
                let [output, log] = [file("bench.json"), file("bench.log")].map(|file| self.path(&file));
                let create = |file: &Path| File::create(file).map_err(|error| about(file, error));
                let status = self.run(&[], &arguments, [create(&output)?, create(&log)?], || {})?;
                if self.control.is_cancelled() {
                    return Ok(End::Interrupted);
                }
                if !status.success() {
                    return Ok(End::Failed(last_error(&log, status)));
                }
                let text = fs::read_to_string(&output).map_err(|error| about(&output, error))?;
                let report = serde_json::from_str(&text).map_err(|error| about(&output, error))?;
                let done = Done { command, program: super::report::program(), report };
                self.write(&done_file, &done)?;
                done
            }
        };
        let (name, title) = (timing.name.clone(), timing.title.clone());
        let rows = done.report.rows.iter().map(Speed::of).collect();
        Ok(End::Done(Timed { name, title, rows, command: done.command, program: done.program }))
    }

    fn bench_arguments(&self, timing: &Timing, quick: bool) -> Vec<OsString> {
        let batches: Vec<_> = timing.batches.iter().map(u32::to_string).collect();
        let seconds = SECONDS[usize::from(quick)];
        let (model, batches) = (timing.model.to_string(), batches.join(","));
        let mut words: Vec<OsString> =
            ["bench", "--json", "--models", &model, "--batches", &batches, "--seconds", seconds]
                .map(OsString::from)
                .to_vec();
        words.extend(["--dataset".into(), timing.dataset.name().replace('_', "-").into()]);
        if let Some(optimizer) = &timing.optimizer {
            words.extend(["--optimizer".into(), optimizer.replace('_', "-").into()]);
        }
        words.extend(self.data_words(timing.dataset));
        match timing.threads {
            Some(threads) => {
                words.extend(["--device", "cpu", "--threads", &threads.to_string()].map(OsString::from))
            }
            None => words.extend(self.flags.iter().cloned()),
        }
        words
    }
}

impl Speed {
    #[allow(clippy::cast_precision_loss)]
    fn of(row: &Row) -> Self {
        Self {
            batch: row.batch,
            per_second: row.samples_per_second_with_test * row.positions as f64,
            with_over_without: row.with_over_without,
            gflops: row.gflops,
            share_of_peak: row.share_of_peak,
        }
    }
}

/// One row for each timing; the sizes are in their own order, the smallest first.
pub(crate) fn table(timed: &[Timed]) -> Table {
    let head = [
        "network",
        "smallest batch",
        "samples/s at that size",
        "highest samples/s",
        "at batch size",
        "share of the matrix-product peak",
        "time with ÷ without the test",
        "smallest batch with 90 % of the highest speed",
    ];
    let rows = timed.iter().filter_map(|timing| {
        let smallest = timing.rows.iter().min_by_key(|row| row.batch)?;
        let best = timing.rows.iter().max_by(|one, other| one.per_second.total_cmp(&other.per_second))?;
        let near = timing.rows.iter().filter(|row| row.per_second >= NEAR * best.per_second);
        let near = near.map(|row| row.batch).min()?;
        Some(vec![
            timing.title.clone(),
            grouped(smallest.batch.into()),
            rounded(smallest.per_second),
            rounded(best.per_second),
            grouped(best.batch.into()),
            percent(best.share_of_peak),
            format!("{:.3}", best.with_over_without),
            grouped(near.into()),
        ])
    });
    Table { rows: rows.collect(), head: head.map(str::to_owned).to_vec() }
}

/// Columns of `timings.csv` after the name.
const COLUMNS: [&str; 5] =
    ["batch", "samples per second", "with over without the test", "GFLOP/s", "share of the peak"];

/// Every size of every timing, with the command that measured it.
pub(crate) fn csv(timed: &[Timed]) -> Result<String, Box<dyn Error>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["timing"].into_iter().chain(COLUMNS).chain(["command"]))?;
    for timing in timed {
        for row in &timing.rows {
            let values =
                [f64::from(row.batch), row.per_second, row.with_over_without, row.gflops, row.share_of_peak]
                    .map(|value| value.to_string());
            let name = [timing.name.clone()];
            writer.write_record(name.into_iter().chain(values).chain([timing.command.clone()]))?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The timings of a `timings.csv`, by the titles of an experiment.
    pub(crate) fn timings_in(file: &Path, known: &[Timing]) -> Vec<Timed> {
        let mut reader = csv::Reader::from_path(file).expect("a readable file");
        let records: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
        let of = |timing: &Timing| {
            let own = records.iter().filter(|row| row[0] == timing.name);
            let rows = own.map(|row| {
                let value = |column: usize| row[column].parse::<f64>().expect("a number");
                Speed {
                    batch: row[1].parse().expect("a size"),
                    per_second: value(2),
                    with_over_without: value(3),
                    gflops: value(4),
                    share_of_peak: value(5),
                }
            });
            let (name, title) = (timing.name.clone(), timing.title.clone());
            Timed { name, title, rows: rows.collect(), command: String::new(), program: String::new() }
        };
        known.iter().map(of).collect()
    }

    #[test]
    fn the_size_from_which_on_larger_batches_save_no_time() {
        let speed = |batch, per_second| Speed {
            batch,
            per_second,
            with_over_without: 1.05,
            gflops: 1.0,
            share_of_peak: 0.25,
        };
        let rows = vec![speed(2, 100.0), speed(8, 300.0), speed(32, 480.0), speed(128, 500.0)];
        let (title, name) = ("A model".to_owned(), "model".to_owned());
        let timed = Timed { name, title, rows, command: "bench".into(), program: String::new() };
        let expected = ["A model", "2", "100", "500", "128", "25.00 %", "1.050", "32"];
        assert_eq!(table(std::slice::from_ref(&timed)).rows, [expected.map(str::to_owned).to_vec()]);
        assert!(csv(&[timed]).expect("a table").contains("model,8,300,1.05,1,0.25,bench\n"));
    }
}
