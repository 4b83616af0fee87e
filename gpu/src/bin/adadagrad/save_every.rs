//! How often a run is saved while it goes on: `--save-every`.

use std::str::FromStr;
use std::time::{Duration, Instant};

use adadagrad_core::training::Progress;

/// The interval between two checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SaveEvery {
    Never,
    Samples(u64),
    Steps(u64),
    Time(Duration),
}

impl FromStr for SaveEvery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            "expected a whole number of samples (60000) or steps (100 steps), a time (30 s, 10 minutes, 2 hours), or \
             never"
                .to_owned()
        };
        let text = text.trim();
        if text == "never" {
            return Ok(Self::Never);
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let count = || number.parse().ok().filter(|&count| count > 0).ok_or_else(expected);
        let time = |seconds: f64| {
            let number: f64 = number.parse().map_err(|_| expected())?;
            let time = Duration::try_from_secs_f64(number * seconds).ok().filter(|time| !time.is_zero());
            time.map(Self::Time).ok_or_else(expected)
        };
        match unit.trim() {
            "" | "sample" | "samples" => count().map(Self::Samples),
            "step" | "steps" => count().map(Self::Steps),
            "s" | "second" | "seconds" => time(1.0),
            "min" | "minute" | "minutes" => time(60.0),
            "h" | "hour" | "hours" => time(3600.0),
            _ => Err(expected()),
        }
    }
}

/// Says when the next checkpoint is due.
#[derive(Debug)]
pub(crate) struct Timetable {
    every: SaveEvery,
    samples: u64,
    steps: u64,
    time: Instant,
}

impl Timetable {
    /// From here on, where a run stands; without progress at its beginning.
    pub(crate) fn new(every: SaveEvery, progress: Option<&Progress<f64>>) -> Self {
        let (samples, steps) = progress.map_or((0, 0), |progress| (progress.samples_seen, progress.steps));
        Self { every, samples, steps, time: Instant::now() }
    }

    /// Whether a checkpoint is due; then the next one is due an interval later. Samples and steps are counted from the
    /// beginning of the run, so that a resumed run is saved after the same steps.
    pub(crate) fn is_due(&mut self, progress: &Progress<f64>) -> bool {
        let is_due = match self.every {
            SaveEvery::Never => false,
            SaveEvery::Samples(every) => progress.samples_seen / every > self.samples / every,
            SaveEvery::Steps(every) => progress.steps / every > self.steps / every,
            SaveEvery::Time(every) => self.time.elapsed() >= every,
        };
        if is_due {
            *self = Self::new(self.every, Some(progress));
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_with_their_unit() {
        let minutes = |n: u64| SaveEvery::Time(Duration::from_secs(60 * n));
        for (text, expected) in [
            ("60000", SaveEvery::Samples(60_000)),
            ("1 sample", SaveEvery::Samples(1)),
            ("100 steps", SaveEvery::Steps(100)),
            ("100steps", SaveEvery::Steps(100)),
            ("90 s", SaveEvery::Time(Duration::from_secs(90))),
            ("0.5 min", SaveEvery::Time(Duration::from_secs(30))),
            ("10 minutes", minutes(10)),
            (" 2 hours ", minutes(120)),
            ("never", SaveEvery::Never),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            "0",
            "0 steps",
            "0 s",
            "-1",
            "1.5",
            "1.5 steps",
            "1e5",
            "60,000",
            "5 m",
            "minutes",
            "nan",
            "inf s",
            "1..5 s",
            "10 minutes 5 s",
            "99999999999999999999",
            "1e400 s",
            "never ever",
        ] {
            assert!(wrong.parse::<SaveEvery>().is_err(), "{wrong}");
        }
    }
}
