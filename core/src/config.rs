//! One run description, for the page, the program, a URL and files.

use core::fmt;

use crate::augmentation::Augmentation;
use crate::batch_test::{AnyTest, NormTest};
use crate::controller::{AdAdaGrad, AnyController, Constant, Controller};
use crate::coupling::{Coupling, CouplingError};
use crate::model::Model;
use crate::normalisation::Normalisation;
use crate::observe::{Measure, Observe};
use crate::optimizer::{AdaGrad, AdamW, AnyOptimizer, DecayOn};
use crate::real::Real;
use crate::schedule::Schedule;
pub use crate::settings::LARGEST_EXACT;
use crate::settings::{Choices, Field, Range, Rounding, Settings, Short};
use crate::statistics::Needs;
use crate::text::TextSettings;

/// The version of [`RunConfig`] and of [`crate::training::Telemetry`] that this crate reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// The data sets that settings can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum DatasetName {
    /// 60,000 + 10,000 handwritten digits.
    #[default]
    Mnist,
    /// 60,000 + 10,000 pieces of clothing, in ten kinds.
    FashionMnist,
    /// 50,000 + 10,000 colour photographs, in ten kinds.
    Cifar10,
    /// 50,000 + 10,000 colour photographs, in 100 kinds.
    Cifar100,
    /// Nine plays by William Shakespeare, 1,035,899 + 114,938 characters.
    Shakespeare,
    /// The user's own files, of any kind that the program reads.
    Own,
}

#[cfg(feature = "serde")]
crate::fields::name_setting!(DatasetName { Mnist, FashionMnist, Cifar10, Cifar100, Shakespeare, Own });

impl DatasetName {
    /// Its name in settings and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion_mnist",
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
            Self::Shakespeare => "shakespeare",
            Self::Own => "own",
        }
    }
}

/// Everything that determines a run: the same description gives the same run, bit for bit, on the same engine.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RunConfig {
    /// [`FORMAT_VERSION`].
    pub version: u32,
    /// The data set to train on.
    pub dataset: DatasetName,
    /// How the values of images are normalised.
    pub normalisation: Normalisation,
    /// How training images are varied.
    pub augmentation: Augmentation,
    /// How a text is read.
    pub text: TextSettings,
    /// The network.
    pub model: Model,
    /// The optimizer with its settings.
    pub optimizer: AnyOptimizer,
    /// Which parameters the optimizer's weight decay applies to.
    pub decay_on: DecayOn,
    /// c: where ‖ḡ‖ is larger, the step is made with ḡ c/‖ḡ‖. 0 for no limit.
    pub clip_norm: f64,
    /// α, before the schedule.
    pub learning_rate: f64,
    /// How the learning rate changes with the number of samples seen.
    pub schedule: Schedule,
    /// The batch-size test, or `None` if the rule needs none.
    pub test: Option<AnyTest>,
    /// The rule for the next batch size.
    pub controller: AnyController,
    /// Tests, noise scales and rules that are computed and reported, but do not affect the run.
    pub observe: Observe,
    /// How the learning rate and Adam's β follow a change of the batch size.
    pub coupling: Coupling,
    /// Initial batch size; at least 2 with a test, because one sample has no variance.
    pub initial_batch: u32,
    /// Smallest batch size.
    pub min_batch: u32,
    /// Largest batch size; at most the number of training samples.
    pub max_batch: u32,
    /// Largest number of parts that a batch is cut into; 0 for that of the network. See
    /// [`Cut::of_run`](crate::training::Cut::of_run).
    pub parts: u32,
    /// The run stops after the step in which the number of samples seen reaches this number.
    pub sample_budget: u64,
    /// Determines the initial parameters and the order of samples.
    pub seed: u64,
    /// Number of samples between two measurements of the test accuracy, which is also measured at the end.
    pub evaluate_every: u64,
}

#[cfg(feature = "serde")]
crate::fields::readable!(RunConfig {
    version,
    dataset,
    normalisation,
    augmentation,
    text,
    model,
    optimizer,
    decay_on,
    clip_norm,
    learning_rate,
    schedule,
    test,
    controller,
    observe,
    coupling,
    initial_batch,
    min_batch,
    max_batch,
    parts,
    sample_budget,
    seed,
    evaluate_every,
});

impl Default for RunConfig {
    fn default() -> Self {
        Preset::Quick.config()
    }
}

/// Ready-made runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// The CNN to 95 % in about a minute.
    Quick,
    /// The paper's CNN run: 6 million samples.
    PaperCnn,
    /// The paper's softmax regression.
    PaperLogistic,
    /// A small transformer for a text.
    Text,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Quick, Self::PaperCnn, Self::PaperLogistic, Self::Text];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::PaperCnn => "paper-cnn",
            Self::PaperLogistic => "paper-logistic",
            Self::Text => "text",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Quick => "Quick: a CNN to 95 % in about a minute",
            Self::PaperCnn => "The paper's CNN: 6 million samples",
            Self::PaperLogistic => "The paper's softmax regression: 6 million samples",
            Self::Text => "Text: a small transformer learns to write",
        }
    }

    /// The run description. The paper's settings are those of the authors' code for arXiv 2402.11215.
    #[must_use]
    pub fn config(self) -> RunConfig {
        let paper = RunConfig {
            version: FORMAT_VERSION,
            dataset: DatasetName::Mnist,
            normalisation: Normalisation::None,
            augmentation: Augmentation::NONE,
            text: TextSettings::default(),
            model: Model::Cnn,
            optimizer: AnyOptimizer::AdaGrad(AdaGrad::default()),
            decay_on: DecayOn::All,
            clip_norm: 0.0,
            learning_rate: 0.008,
            schedule: Schedule::default(),
            test: Some(AnyTest::Norm(NormTest::default())),
            controller: AnyController::AdAdaGrad(AdAdaGrad::default()),
            observe: Observe::NONE,
            coupling: Coupling::None,
            initial_batch: 8,
            min_batch: 1,
            max_batch: 60_000,
            parts: 0,
            sample_budget: 6_000_000,
            seed: 0,
            evaluate_every: 60_000,
        };
        match self {
            Self::PaperCnn => paper,
            Self::PaperLogistic => RunConfig { model: Model::Logistic, initial_batch: 2, ..paper },
            Self::Quick => RunConfig {
                learning_rate: 0.02,
                test: Some(AnyTest::Norm(NormTest { eta: 1.0, debiased: false })),
                controller: AnyController::AdAdaGrad(AdAdaGrad {
                    growth_cap: Some(2.0),
                    ..AdAdaGrad::default()
                }),
                max_batch: 4_096,
                sample_budget: 100_000,
                evaluate_every: 8_000,
                ..paper
            },
            Self::Text => RunConfig {
                dataset: DatasetName::Shakespeare,
                text: TextSettings { context: 32, ..TextSettings::default() },
                model: Model::Transformer { layers: 2, heads: 2, width: 64 },
                optimizer: AnyOptimizer::AdamW(AdamW::default()),
                decay_on: DecayOn::Matrices,
                learning_rate: 0.003,
                test: Some(AnyTest::Norm(NormTest { eta: 0.8, debiased: false })),
                controller: AnyController::AdAdaGrad(AdAdaGrad {
                    growth_cap: Some(2.0),
                    ..AdAdaGrad::default()
                }),
                max_batch: 1_024,
                sample_budget: 60_000,
                evaluate_every: 4_000,
                ..paper
            },
        }
    }
}

crate::settings::table!(RunConfig {
    title: "run",
    doc: "Everything that determines a run.",
    source: "",
    fields: {
        decay_on: DecayOn = DecayOn::All => Field::new(
            "weight decay on",
            "Which parameters the optimizer's weight decay applies to. all: all of them, as in PyTorch. matrices: tensors of two \
             or more dimensions, which are the weights of dense layers, convolutions and embeddings, and neither biases nor \
             γ and β of norms, as for GPT-2. Without weight decay it has no effect.",
        )
        .text("all", DecayOn::NAMES)
        .placeholder("TENSORS"),
        clip_norm: f64 = 0.0 => Field::new(
            "largest gradient norm",
            "Where the norm of the batch's mean gradient is larger, the step is made with the gradient scaled down to this \
             norm; 0 for no limit. Only the step is shorter: tests, rules and all reported statistics use the gradient as it \
             is. With a limit WebGPU waits for each batch's norm before it makes the step.",
        )
        .range(Range::NOT_NEGATIVE)
        .rounding(Rounding::Value)
        .retunable()
        .placeholder("NORM"),
        learning_rate: f64 = 0.02 => Field::new("learning rate", "The learning rate before the schedule.")
            .range(Range::POSITIVE)
            .rounding(Rounding::Value)
            .retunable()
            .placeholder("RATE"),
        observe: Observe = Observe::NONE => Field::new(
            "observed",
            "Names of up to eight tests, noise scales and rules that are computed and reported, but do not affect the \
             run. The run's own test and rule keep its settings; all others have their defaults, such as eta 0.1. The \
             list cannot change during a run, because memory is allocated for it. worker_norm and simi_grad compare \
             parts of a batch. They report a size only if the run cuts its batches into parts anyway, of 4 to \
             128 samples depending on the network: worker_norm needs at least two parts, simi_grad exactly two. On \
             WebGPU both need a run whose own test compares parts.",
        )
        .text("", &[])
        .placeholder("NAMES"),
        coupling: Coupling = Coupling::None => Field::new(
            "coupling",
            "How the learning rate, and β₁ and β₂ of Adam and AdamW, change when the batch becomes δ times as large. \
             none: not at all. linear: the rate times δ. sqrt: the rate times √δ. sde: the rate times √δ, and 1 − δ(1 \
             − β) for each β. half_life: β₂ to the power of δ. A change of this setting during a run affects later \
             changes of the batch size. sde and half_life need the optimizer adam or adamw. Rules that change the \
             learning rate (geometric, smith, seesaw, and dive_batch with scale_learning_rate), compute the size from \
             it (cabs) or extend a batch (big_batch) can only be combined with none.",
        )
        .text("none", Coupling::NAMES)
        .retunable()
        .placeholder("COUPLING"),
        initial_batch: u32 = 8 => size(
            "initial batch",
            "The size of the initial batch in samples; at least 2 with a test, because one sample has no variance.",
        ),
        min_batch: u32 = 1 => size("smallest batch", "The smallest batch in samples.").retunable(),
        max_batch: u32 = 4_096 => size(
            "largest batch",
            "The largest batch in samples, at most the number of training samples.",
        )
        .retunable(),
        parts: u32 = 0 => Field::new(
            "largest number of parts",
            "The largest number of parts that a batch is cut into, which threads, workers and the ranks of a cluster compute \
             side by side; 0 for the network's own number, 8 or 32. A part has no fewer samples than suit the network (4 to 128), \
             whatever this number is. Another number changes the order of the sums and so the last bits of the \
             result; for one number, the bits are the same for any number of threads, workers and ranks. Tests and rules that compare parts cut a batch as they need. WebGPU \
             adds a batch as a whole and needs no parts, unless the test compares them.",
        )
        .range(Range::whole(0, MOST_PARTS))
        .placeholder("N"),
        sample_budget: u64 = 100_000 => Field::new(
            "sample budget",
            "The run ends after the step in which the number of training samples seen reaches this number.",
        )
        .range(Range::at_least(1))
        .resumable()
        .placeholder("SAMPLES"),
        seed: u64 = 0 => Field::new(
            "seed",
            "Determines the initial parameters and the order of the samples: the same seed gives the same run, except with \
             cost_aware, which decides from measured times.",
        )
        .range(Range::at_least(0)),
        evaluate_every: u64 = 8_000 => Field::new(
            "measure accuracy every",
            "The number of training samples between two measurements of the accuracy.",
        )
        .range(Range::at_least(1))
        .resumable()
        .placeholder("SAMPLES"),
    }
});

/// As many as the worker-gradient test may ask for.
const MOST_PARTS: u64 = 1_024;

/// A batch size. What is allowed depends on the others and on the data: see [`RunConfig::validate_batches`].
const fn size(title: &'static str, doc: &'static str) -> Field {
    Field::new(title, doc).range(Range::whole(1, u32::MAX as u64)).placeholder("SAMPLES")
}

/// A setting with which a run is not possible: its name, its value, the values that it may have, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfigError {
    /// The setting's name.
    pub field: &'static str,
    /// The part of the settings that it belongs to: `optimizer`; empty for those of the run itself.
    pub part: &'static str,
    fault: Fault,
    because: &'static str,
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// It is missing.
    Missing,
    /// It cannot be combined with the other settings.
    Unfit,
    /// It is out of its range.
    Outside { found: f64, range: Range },
}

impl ConfigError {
    /// A controller that adapts the batch, without a test to adapt it to.
    const NO_TEST: Self = Self {
        field: "test",
        part: "",
        fault: Fault::Missing,
        because: "an adaptive batch size needs a batch-size test",
    };

    /// A setting that the rule for batch sizes cannot work with.
    const fn unfit(field: &'static str, part: &'static str, because: &'static str) -> Self {
        Self { field, part, fault: Fault::Unfit, because }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, because, .. } = self;
        match self.fault {
            Fault::Missing => return write!(f, "{field} is missing: {because}"),
            Fault::Unfit => return write!(f, "{field} does not fit: {because}"),
            Fault::Outside { found, range } => {
                write!(f, "{field} is {}, but must be {}", Short(found), range.said_of(found))?;
            }
        }
        if because.is_empty() { Ok(()) } else { write!(f, " ({because})") }
    }
}

impl core::error::Error for ConfigError {}

/// Why a run cannot continue with other settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RetuneError {
    /// A setting that cannot change during a run.
    Fixed {
        /// Its name.
        field: &'static str,
    },
    /// Settings that cannot run.
    Config(ConfigError),
    /// The limits require another size of the next batch, for which the coupling leaves no β.
    Coupling(CouplingError),
}

impl fmt::Display for RetuneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { field } => {
                write!(f, "{field} cannot change during a run: start a new run to change it")
            }
            Self::Config(error) => error.fmt(f),
            Self::Coupling(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RetuneError {}

impl From<ConfigError> for RetuneError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// Why there is no preconditioned noise scale.
const NO_SQUARES: &str = "a preconditioned noise scale needs an optimizer that keeps squares of gradients: adagrad, \
                          rmsprop, adam or adamw";

/// A setting of the run whose range depends on others, or on the data.
#[allow(clippy::cast_precision_loss)]
fn check_size(
    field: &'static str,
    found: u32,
    range: [u64; 2],
    because: &'static str,
) -> Result<(), ConfigError> {
    let [least, most] = range;
    let (found, range) = (f64::from(found), Range::Closed(least as f64, most as f64));
    if range.contains(found) {
        Ok(())
    } else {
        Err(ConfigError { field, part: "", fault: Fault::Outside { found, range }, because })
    }
}

/// The settings of a part that are numbers, each in its range: also where the run's float type rounds it.
fn check_part<F: Real>(
    part: &'static str,
    fields: &[Field],
    number: impl Fn(usize) -> Option<f64>,
) -> Result<(), ConfigError> {
    let numbers = fields.iter().enumerate().filter_map(|(row, field)| Some((field, number(row)?)));
    for (field, found) in numbers {
        let fault = Fault::Outside { found, range: field.range };
        let refused = |because| ConfigError { field: field.name, part, fault, because };
        if !field.range.contains(found) {
            return Err(refused(field.because));
        }
        if let Some(because) = spoilt_by_rounding::<F>(field, found) {
            return Err(refused(because));
        }
    }
    Ok(())
}

/// Why the run's float type cannot hold a number that is in its range.
fn spoilt_by_rounding<F: Real>(&Field { range, rounding, .. }: &Field, found: f64) -> Option<&'static str> {
    match rounding {
        Rounding::None => None,
        Rounding::Square => (F::Sum::of(found).squared().as_f64() == 0.0)
            .then_some("its square rounds to 0 in the run's float type"),
        Rounding::Value => {
            let rounded = F::of(found).as_f64();
            if rounded == 0.0 && found != 0.0 {
                Some(if range.contains(0.0) {
                    "the run's float type rounds it to 0: use 0 or a larger number"
                } else {
                    "the run's float type rounds it to 0"
                })
            } else if range.contains(rounded) {
                None
            } else if rounded.is_infinite() {
                Some("it is too large for the run's float type")
            } else {
                Some("the run's float type rounds it to 1")
            }
        }
    }
}

impl RunConfig {
    /// The default settings for your own network and data, which have no names in files.
    #[must_use]
    pub fn own() -> Self {
        Self { dataset: DatasetName::Own, model: Model::UNNAMED, ..Self::default() }
    }

    /// Whether this can run on `samples` training samples, in `f32`.
    ///
    /// # Errors
    /// The first setting out of its range, with the range.
    pub fn validate(&self, samples: u32) -> Result<(), ConfigError> {
        self.validate_in::<f32>(samples)
    }

    /// Whether this can run on `samples` training samples in the float type `F`: a small ε may be rounded to 0 in one
    /// type and not in another.
    ///
    /// # Errors
    /// The first setting out of its range, as given or as rounded to `F`, with the range.
    pub fn validate_in<F: Real>(&self, samples: u32) -> Result<(), ConfigError> {
        let format = u64::from(FORMAT_VERSION);
        check_size("version", self.version, [format; 2], "settings of another version")?;
        let Self { augmentation, text, optimizer, schedule, test, controller, .. } = self;
        check_part::<F>("augmentation", Augmentation::ABOUT.fields, |row| augmentation.number(row))?;
        check_part::<F>("text", TextSettings::ABOUT.fields, |row| text.number(row))?;
        check_part::<F>("optimizer", optimizer.fields(), |row| optimizer.number(row))?;
        check_part::<F>("schedule", Schedule::ABOUT.fields, |row| schedule.number(row))?;
        check_part::<F>("schedule.decay", schedule.decay.fields(), |row| schedule.decay.number(row))?;
        if let Some(test) = test {
            check_part::<F>("test", test.fields(), |row| test.number(row))?;
        } else if controller.uses_test() {
            return Err(ConfigError::NO_TEST);
        }
        check_part::<F>("controller", controller.fields(), |row| controller.number(row))?;
        self.check_needs()?;
        self.check_observed()?;
        self.check_coupling()?;
        self.check_limits(samples)?;
        self.check_rule_sizes()?;
        self.check_initial_batch()?;
        check_part::<F>("", Self::ABOUT.fields, |row| self.number(row))
    }

    /// Whether a run that has made steps can continue with these settings: its initial batch size no longer matters.
    ///
    /// # Errors
    /// As [`Self::validate`].
    pub fn validate_under_way(&self, samples: u32) -> Result<(), ConfigError> {
        self.validate_under_way_in::<f32>(samples)
    }

    /// The same in the float type `F`.
    ///
    /// # Errors
    /// As [`Self::validate_in`].
    pub fn validate_under_way_in<F: Real>(&self, samples: u32) -> Result<(), ConfigError> {
        let least = self.min_batch.max(self.own_needs().least_batch());
        Self { initial_batch: self.initial_batch.max(least).min(self.max_batch), ..*self }
            .validate_in::<F>(samples)
    }

    /// Whether a run with these settings may continue with `next`: the settings that their tables call
    /// retunable may change (the learning rate and its schedule, the test's thresholds, the limits of the batch, the
    /// sample budget, …), and nothing else.
    ///
    /// # Errors
    /// The first setting that differs and may not.
    pub fn check_retune(&self, next: &Self) -> Result<(), RetuneError> {
        let test = match (self.test, next.test) {
            (Some(test), Some(next)) => test.may_become(&next),
            (test, next) => test.is_none() && next.is_none(),
        };
        // Whatever its table says, engines and memory need not change.
        let controller = self.controller.may_become(&next.controller)
            && self.controller.needs() == next.controller.needs();
        let own = self.fixed_change(next);
        let fixed = [
            ("version", self.version == next.version),
            ("dataset", self.dataset == next.dataset),
            ("normalisation", self.normalisation == next.normalisation),
            ("augmentation", self.augmentation.fixed_change(&next.augmentation).is_none()),
            ("text", self.text.fixed_change(&next.text).is_none()),
            ("model", self.model == next.model),
            ("optimizer", self.optimizer.may_become(&next.optimizer)),
            ("schedule", self.schedule.fixed_change(&next.schedule).is_none()),
            ("schedule", self.schedule.decay.may_become(&next.schedule.decay)),
            ("test", test),
            ("controller", controller),
            (own.unwrap_or_default(), own.is_none()),
        ];
        match fixed.iter().find(|(_, same)| !same) {
            None => Ok(()),
            Some(&(field, _)) => Err(RetuneError::Fixed { field }),
        }
    }

    /// These settings for a training set of this size: if `max_batch` is larger, the largest, smallest and initial
    /// batch size are limited to it. `None` if nothing has to change.
    #[must_use]
    pub fn fitted(&self, samples: u32) -> Option<Self> {
        let [max_batch, min_batch, initial_batch] =
            [self.max_batch, self.min_batch, self.initial_batch].map(|size| size.min(samples));
        (self.max_batch > samples).then_some(Self { max_batch, min_batch, initial_batch, ..*self })
    }

    /// Whether optimizer and test give what the rule needs.
    fn check_needs(&self) -> Result<(), ConfigError> {
        let needs = self.controller.needs();
        let of_test = self.test.map_or(Needs::NONE, |test| test.as_test::<f64>().needs());
        if matches!(self.controller, AnyController::Cabs(_))
            && !matches!(self.optimizer, AnyOptimizer::Sgd(_))
        {
            return Err(ConfigError::unfit("optimizer", "", "CABS assumes the steps of plain SGD"));
        }
        if needs.sensors.preconditioned && !self.optimizer.keeps_squares() {
            return Err(ConfigError::unfit("sensor", "controller", NO_SQUARES));
        }
        if needs.extends && (of_test.inner || of_test.moments()) {
            return Err(ConfigError::unfit(
                "test",
                "",
                "a rule that extends batches cannot use a test that needs a second sweep or single coordinates: \
                 choose norm, worker_norm or none",
            ));
        }
        if needs.halves && of_test.parts > 0 {
            return Err(ConfigError::unfit(
                "test",
                "",
                "the rule needs the batch in two halves, but the test cuts it into other parts",
            ));
        }
        Ok(())
    }

    /// Whether what is observed can be computed in this run.
    fn check_observed(&self) -> Result<(), ConfigError> {
        let extends = self.own_needs().extends;
        for measure in self.observe.quantities().iter().map(|quantity| quantity.in_run(self)) {
            let needs = measure.needs();
            let because = match measure {
                Measure::Rule(rule) if rule.uses_test() && self.test.is_none() => {
                    "the rule adadagrad needs the run's test, but the run has none: observe a test instead"
                }
                _ if needs.sensors.preconditioned && !self.optimizer.keeps_squares() => NO_SQUARES,
                _ if extends && (needs.inner || needs.moments()) => {
                    "the rule extends batches, for which second sweeps and statistics of single coordinates are not \
                     computed"
                }
                _ => continue,
            };
            return Err(ConfigError::unfit("observe", "", because));
        }
        Ok(())
    }

    /// Whether optimizer and rule leave to the coupling what it changes.
    fn check_coupling(&self) -> Result<(), ConfigError> {
        let unfit = |because| Err(ConfigError::unfit("coupling", "", because));
        let has_betas = self.optimizer.as_optimizer::<f32>().betas().is_some();
        match self.coupling {
            Coupling::None => Ok(()),
            _ if matches!(self.controller, AnyController::Cabs(_)) => unfit(
                "CABS computes the batch size from the learning rate, which would follow the batch size",
            ),
            _ if self.controller.needs().extends => unfit(
                "the rule extends a batch before its step, when the learning rate of the step is already set",
            ),
            _ if self.controller.changes_learning_rate() => {
                unfit("the rule changes the learning rate itself")
            }
            coupling if coupling.changes_betas() && !has_betas => {
                unfit("sde and half_life change the β of adam and adamw, which this optimizer does not have")
            }
            _ => Ok(()),
        }
    }

    /// Sizes that the rule names itself must be possible.
    fn check_rule_sizes(&self) -> Result<(), ConfigError> {
        let smallest = self.min_batch.max(self.own_needs().least_batch());
        let in_range = |field, found: u32, least: u32, because| {
            let range = [least.max(smallest).into(), self.max_batch.into()];
            check_size(field, found, range, because)
                .map_err(|error| ConfigError { part: "controller", ..error })
        };
        let because = "a batch size of the rule cannot be below min_batch or above max_batch";
        let size = |field, found: u32, least: u32| in_range(field, found, least, because);
        match self.controller {
            AnyController::Stages(rule) => {
                rule.schedule.iter().try_for_each(|(_, stage)| size("schedule", stage, 1))
            }
            AnyController::Linear(rule) => size("last_batch", rule.last_batch, 1),
            AnyController::Accordion(rule) => {
                size("small", rule.small, 1)?;
                if rule.large < rule.small {
                    return in_range(
                        "large",
                        rule.large,
                        rule.small,
                        "the large batch cannot be below the small one",
                    );
                }
                size("large", rule.large, 1)
            }
            _ => Ok(()),
        }
    }

    /// Why a batch of one sample is too small.
    const fn why_several(&self) -> &'static str {
        if self.test.is_some() {
            "a batch-size test needs at least two samples"
        } else {
            "the rule compares samples, and needs at least two"
        }
    }

    fn check_limits(&self, samples: u32) -> Result<(), ConfigError> {
        let largest = "a batch cannot be larger than the training set";
        check_size("max_batch", self.max_batch, [1, samples.into()], largest)?;
        let least = self.own_needs().least_batch();
        check_size(
            "max_batch",
            self.max_batch,
            [least, samples.max(least)].map(u64::from),
            self.why_several(),
        )?;
        check_size("min_batch", self.min_batch, [1, self.max_batch.into()], "it cannot be above max_batch")
    }

    fn check_initial_batch(&self) -> Result<(), ConfigError> {
        let (min, max) = (u64::from(self.min_batch), u64::from(self.max_batch));
        let least = min.max(self.own_needs().least_batch().into());
        let because =
            if least > min { self.why_several() } else { "it must lie between min_batch and max_batch" };
        // A rule may have a first batch of its own.
        let first = Controller::<f64>::first_batch(&self.controller, self.initial_batch);
        if first == self.initial_batch {
            check_size("initial_batch", self.initial_batch, [least, max], because)
        } else {
            Ok(())
        }
    }
}

impl RunConfig {
    /// min(1, c/‖ḡ‖), the factor of a mean gradient whose squared norm is `mean_norm_sq`; 1 where there is no limit.
    #[must_use]
    pub fn clip<S: Real>(&self, mean_norm_sq: S) -> S {
        let limit = S::of(self.clip_norm);
        let norm = mean_norm_sq.root();
        if limit > S::zero() && norm > limit { limit / norm } else { S::one() }
    }

    /// These settings with a constant batch size and without a test.
    #[must_use]
    pub fn without_test(self) -> Self {
        Self { test: None, controller: AnyController::Constant(Constant {}), ..self }
    }
}
