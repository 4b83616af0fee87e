//! An experiment: what runs are compared, as a data file describes them. The files of this package are in `experiments`.

use std::collections::HashSet;
use std::fmt::Display;
use std::num::NonZero;

use adadagrad_core::config::{DatasetName, Preset, RunConfig};
use adadagrad_core::fields::Fault;
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::settings::Choices;
use serde::{Deserialize, Serialize};

use super::quantity::{Goal, Quality, Quantity};
use super::replay::LARGEST_SEED;
use super::settings::Settings;
use crate::config_file;
use crate::start::{self, Start};

/// The experiments of this package, by name.
const BUILT_IN: [(&str, &str); 8] = [
    ("paper-mnist", include_str!("../../../../experiments/paper-mnist.json")),
    ("thresholds", include_str!("../../../../experiments/thresholds.json")),
    ("rivals", include_str!("../../../../experiments/rivals.json")),
    ("cifar", include_str!("../../../../experiments/cifar.json")),
    ("generalisation", include_str!("../../../../experiments/generalisation.json")),
    ("transformer", include_str!("../../../../experiments/transformer.json")),
    ("coordinates", include_str!("../../../../experiments/coordinates.json")),
    ("utilisation", include_str!("../../../../experiments/utilisation.json")),
];

/// Of a name: several of them, and endings, must fit in the name of a file.
const MOST_LETTERS: usize = 80;
/// Settings that a replay has from the run that it replays.
const OF_REPLAYED: [&str; 3] = ["test", "controller", "initial_batch"];

/// Runs, and what of them is compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Experiment {
    pub(crate) title: String,
    /// What it asks.
    pub(crate) question: String,
    /// Where the set-up comes from.
    pub(crate) source: String,
    /// By what runs are compared.
    #[serde(default)]
    compares: Quality,
    /// What runs are to reach of it, in its unit: a share or nats.
    #[serde(default)]
    target: Option<f64>,
    /// Each run is made with each of them.
    pub(crate) seeds: Vec<u64>,
    /// Of all runs; what is left out is as in the preset paper-cnn.
    #[serde(default)]
    settings: Settings,
    pub(crate) groups: Vec<Group>,
    /// Speeds that are measured after the runs.
    #[serde(default)]
    pub(crate) timings: Vec<Timing>,
    /// What `--quick` makes of it.
    quick: Quick,
}

/// Runs that are compared with one another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) title: String,
    /// Of the group's runs, over those of the experiment.
    #[serde(default)]
    settings: Settings,
    /// With `--quick`, over those of the runs.
    #[serde(default)]
    quick: Settings,
    /// The run that the others are compared with.
    #[serde(default)]
    pub(crate) baseline: Option<String>,
    pub(crate) runs: Vec<Run>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) title: String,
    /// Over those of the group.
    #[serde(default)]
    settings: Settings,
    /// The batch sizes are those that this run of the group chose; the seed is another one, so that they know nothing of the
    /// gradients.
    #[serde(default)]
    pub(crate) replays: Option<String>,
    /// Figures of others.
    #[serde(default)]
    pub(crate) known: Vec<Known>,
}

/// How long the steps of a model take, by batch size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Timing {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) model: Model,
    pub(crate) dataset: DatasetName,
    #[serde(default)]
    pub(crate) optimizer: Option<String>,
    /// On so many threads of the CPU, whatever the command asks for.
    #[serde(default)]
    pub(crate) threads: Option<NonZero<usize>>,
    pub(crate) batches: Vec<u32>,
}

/// A figure to lay ours beside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    pub(crate) quantity: Quantity,
    pub(crate) value: f64,
    pub(crate) source: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quick {
    seeds: Vec<u64>,
    /// The runs, as GROUP/RUN; all where it is left out.
    #[serde(default)]
    runs: Option<Vec<String>>,
    /// The batch sizes of all timings.
    #[serde(default)]
    batches: Vec<u32>,
    /// What must come of them.
    bands: Vec<Band>,
}

/// Between which values a figure of a run must be, for each seed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Band {
    /// GROUP/RUN.
    pub(crate) run: String,
    pub(crate) quantity: Quantity,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// One run with one seed.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) group: String,
    pub(crate) run: String,
    pub(crate) seed: u64,
    /// Of a replay, without its batch sizes.
    pub(crate) config: RunConfig,
    /// The run of the same group whose batch sizes it gets.
    pub(crate) replays: Option<String>,
}

impl Planned {
    /// What its files are called.
    pub(crate) fn id(&self) -> String {
        format!("{}-{}-{}", self.group, self.run, self.seed)
    }

    /// As bands name it.
    pub(crate) fn path(&self) -> String {
        path(&self.group, &self.run)
    }
}

/// GROUP/RUN.
pub(crate) fn path(group: &str, run: &str) -> String {
    format!("{group}/{run}")
}

/// The names of the experiments of this package, each with its title.
pub(crate) fn built_in() -> impl Iterator<Item = (&'static str, Result<Experiment, String>)> {
    BUILT_IN.into_iter().map(|(name, text)| (name, Experiment::parse(text)))
}

impl Experiment {
    /// One of this package, by its name.
    pub(crate) fn named(name: &str) -> Option<Result<Self, String>> {
        built_in().find_map(|(own, experiment)| (own == name).then_some(experiment))
    }

    /// # Errors
    /// What is wrong with the description.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let experiment: Self =
            serde_json::from_str(text).map_err(|error| format!("not a valid experiment: {error}"))?;
        experiment.check()?;
        Ok(experiment)
    }

    fn check(&self) -> Result<(), String> {
        let plain = |name: &str| {
            (1..=MOST_LETTERS).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let names = self
            .groups
            .iter()
            .flat_map(|group| std::iter::once(&group.name).chain(group.runs.iter().map(|run| &run.name)))
            .chain(self.timings.iter().map(|timing| &timing.name));
        if let Some(name) = names.into_iter().find(|name| !plain(name)) {
            return Err(format!(
                "{name:?} is not a valid name: it is used in file names, so it must have 1 to {MOST_LETTERS} characters, each a letter, a digit \
                 or one of - _ ."
            ));
        }
        let mut paths: Vec<_> = self.paths().collect();
        paths.sort();
        if let Some(pair) = paths.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("{} is the name of two runs", pair[0]));
        }
        let leaves_all_out = self.quick.runs.as_ref().is_some_and(Vec::is_empty);
        if paths.is_empty() || self.seeds.is_empty() || self.quick.seeds.is_empty() || leaves_all_out {
            return Err("an experiment and its quick form each need at least one run and one seed".to_owned());
        }
        self.check_words()?;
        self.check_timings()?;
        self.check_seeds()?;
        for group in &self.groups {
            let run = |name: &String| group.runs.iter().find(|run| run.name == *name);
            if let Some(baseline) = group.baseline.as_ref().filter(|name| run(name).is_none()) {
                return Err(format!("{}: {baseline} is not a run of this group", group.name));
            }
            let mut replayed = group.runs.iter().filter_map(|run| run.replays.as_ref());
            if let Some(name) = replayed.find(|name| run(name).is_none_or(|run| run.replays.is_some())) {
                return Err(format!(
                    "{}: {name} is not a valid run to replay: it must be a run of this group that is not itself a replay",
                    group.name
                ));
            }
        }
        let named = self.quick.runs.iter().flatten().chain(self.quick.bands.iter().map(|band| &band.run));
        match named.into_iter().find(|name| !paths.contains(name)) {
            Some(name) => Err(format!("quick: {name} is not a run of this experiment")),
            None => self.check_plans(),
        }
    }

    fn paths(&self) -> impl Iterator<Item = String> {
        self.groups.iter().flat_map(|group| group.runs.iter().map(|run| path(&group.name, &run.name)))
    }

    /// Every run with every seed, in the order in which they are made: a replay after the run that it replays.
    ///
    /// # Errors
    /// The run whose settings are not valid, and which of them.
    pub(crate) fn planned(&self, quick: bool) -> Result<Vec<Planned>, String> {
        let seeds = if quick { &self.quick.seeds } else { &self.seeds };
        let mut planned = Vec::new();
        for &seed in seeds {
            for group in &self.groups {
                let (replays, runs): (Vec<_>, Vec<_>) =
                    group.runs.iter().partition(|run| run.replays.is_some());
                for run in runs.into_iter().chain(replays) {
                    let path = path(&group.name, &run.name);
                    if quick && self.quick.runs.as_ref().is_some_and(|wanted| !wanted.contains(&path)) {
                        continue;
                    }
                    let about = |error: &dyn Display| format!("{path}: {error}");
                    let config = self.config(group, run, seed, quick).map_err(|fault| about(&fault))?;
                    start::validate(&config, Start::New, u32::MAX).map_err(|error| about(&error))?;
                    let (group, run, replays) = (group.name.clone(), run.name.clone(), run.replays.clone());
                    planned.push(Planned { group, run, seed, config, replays });
                }
            }
        }
        Ok(planned)
    }

    fn config(&self, group: &Group, run: &Run, seed: u64, quick: bool) -> Result<RunConfig, Fault> {
        let mut settings = self.settings.clone();
        let shortened = if quick { group.quick.clone() } else { Settings::default() };
        for over in [group.settings.clone(), run.settings.clone(), shortened] {
            settings.extend(over);
        }
        // Read once: a test that is switched off decides the default of the rule.
        config_file::read(&settings.text(seed), Preset::PaperCnn.config())
    }

    /// What must come of the short runs.
    pub(crate) fn bands(&self) -> &[Band] {
        &self.quick.bands
    }

    pub(crate) const fn goal(&self) -> Goal {
        Goal { quality: self.compares, target: self.target }
    }

    /// The timings; the short ones with fewer sizes.
    pub(crate) fn timings(&self, quick: bool) -> Vec<Timing> {
        let timings = self.timings.iter().cloned();
        let batches = &self.quick.batches;
        timings.map(|own| if quick { Timing { batches: batches.clone(), ..own } } else { own }).collect()
    }

    /// Control characters would reach terminals and files.
    fn check_words(&self) -> Result<(), String> {
        let of_run = |run: &'_ Run| {
            let known = run.known.iter().map(|known| known.source.clone());
            known.chain([run.title.clone()]).collect::<Vec<_>>()
        };
        let of_groups = self.groups.iter().flat_map(|group| {
            group.runs.iter().flat_map(of_run).chain([group.title.clone()]).collect::<Vec<_>>()
        });
        let of_timings = self.timings.iter().map(|timing| timing.title.clone());
        let mut all =
            of_groups.chain(of_timings).chain([&self.title, &self.question, &self.source].map(Clone::clone));
        match all.find(|text| text.chars().any(char::is_control)) {
            Some(text) => Err(format!("{text:?} is not a valid text: it contains a control character")),
            None => Ok(()),
        }
    }

    fn check_timings(&self) -> Result<(), String> {
        let mut names = HashSet::new();
        for timing in self.timings.iter().chain(&self.timings(true)) {
            let name = &timing.name;
            if timing.batches.is_empty() {
                return Err(format!("{name}: a timing and its quick form each need at least one batch size"));
            }
            if let Some(batch) = timing.batches.iter().find(|&&batch| batch < 2) {
                return Err(format!("{name}: a batch of {batch} has no variance to test"));
            }
            let is_known =
                |name: &String| AnyOptimizer::all().iter().any(|optimizer| optimizer.name() == name);
            if let Some(optimizer) = timing.optimizer.as_ref().filter(|name| !is_known(name)) {
                return Err(format!("{name}: {optimizer} is not a valid optimizer"));
            }
        }
        match self.timings.iter().find(|timing| !names.insert(&timing.name)) {
            Some(timing) => Err(format!("{} is the name of two timings", timing.name)),
            None => Ok(()),
        }
    }

    /// Seeds are listed, once each, and a replay's is larger than its run's.
    fn check_seeds(&self) -> Result<(), String> {
        for seeds in [&self.seeds, &self.quick.seeds] {
            let mut known = HashSet::new();
            if let Some(seed) = seeds.iter().find(|seed| !known.insert(*seed)) {
                return Err(format!("seed {seed} is listed twice"));
            }
            if let Some(seed) = seeds.iter().find(|&&seed| seed > LARGEST_SEED) {
                return Err(format!("seed {seed} is too large: the largest is {LARGEST_SEED}"));
            }
        }
        let of_groups = self.groups.iter().flat_map(|group| [&group.settings, &group.quick]);
        let of_runs = || self.groups.iter().flat_map(|group| &group.runs);
        let mut all = of_groups.chain(of_runs().map(|run| &run.settings)).chain([&self.settings]);
        if all.any(|settings| settings.names("seed")) {
            return Err("seed is not a setting of an experiment: list the seeds in \"seeds\"".to_owned());
        }
        let mut replays = of_runs().filter(|run| run.replays.is_some());
        let fixed = replays.find_map(|run| {
            let name = OF_REPLAYED.into_iter().find(|&name| run.settings.names(name))?;
            Some(format!(
                "{}: {name} is not a setting of a replay, whose batch sizes are those of another run",
                run.name
            ))
        });
        fixed.map_or(Ok(()), Err)
    }

    /// Refuses runs that would share files, replays without the run that they replay, and short runs that check nothing.
    fn check_plans(&self) -> Result<(), String> {
        for quick in [false, true] {
            let planned = self.planned(quick)?;
            let mut ids = HashSet::new();
            if let Some(run) = planned.iter().find(|run| !ids.insert(run.id())) {
                return Err(format!("two runs would write to the same files, {}", run.id()));
            }
            let source = |run: &Planned| Some(Planned { run: run.replays.clone()?, ..run.clone() });
            let lacks = |run: &&Planned| source(run).is_some_and(|source| !ids.contains(&source.id()));
            if let Some(run) = planned.iter().find(lacks) {
                return Err(format!("quick: {} replays a run that is left out", run.path()));
            }
            let is_made = |band: &Band| planned.iter().any(|run| run.path() == band.run);
            if let Some(band) = self.quick.bands.iter().find(|band| !is_made(band)) {
                return Err(format!(
                    "quick: a band is given for {}, which is not one of the quick runs",
                    band.run
                ));
            }
        }
        match self.quick.bands.iter().find(|band| band.from > band.to) {
            Some(band) => {
                Err(format!("quick: the band of {} is not valid: \"from\" is above \"to\"", band.run))
            }
            None => Ok(()),
        }
    }
}
