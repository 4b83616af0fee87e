//! One run description, for the page, the program, a URL and files.

use core::fmt;

use crate::augmentation::Augmentation;
use crate::batch_test::{
    AnyTest, AugmentedTest, CoordinateNormTest, InnerProductTest, NormTest, WorkerNormTest,
};
use crate::controller::{AdAdaGrad, AnyController, Constant, MOST_IN_WINDOW};
use crate::model::Model;
use crate::noise_scale::Sensor;
use crate::normalisation::Normalisation;
use crate::optimizer::{AdaGrad, AnyOptimizer};
use crate::real::Real;
use crate::schedule::{Decay, Schedule};
use crate::statistics::Needs;
use crate::training::least_batch;

/// The version of [`RunConfig`] and of [`crate::training::Telemetry`] that this crate reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// Numbers beyond this are infinite in `f32`, which runs are computed in.
const LARGEST: f64 = f32::MAX as f64;

/// Whole numbers up to here survive a float, and so JavaScript: the largest that settings take.
pub const LARGEST_EXACT: u64 = (1 << 53) - 1;

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
    /// The user's own files, of any kind that the program reads.
    Own,
}

#[cfg(feature = "serde")]
crate::fields::name_setting!(DatasetName { Mnist, FashionMnist, Cifar10, Cifar100, Own });

impl DatasetName {
    /// What settings and files call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion_mnist",
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
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
    /// What an image's values are normalised by.
    pub normalisation: Normalisation,
    /// How training images are varied.
    pub augmentation: Augmentation,
    /// The network.
    pub model: Model,
    /// The optimizer with its settings.
    pub optimizer: AnyOptimizer,
    /// α, before the schedule.
    pub learning_rate: f64,
    /// How the learning rate changes with the number of samples seen.
    pub schedule: Schedule,
    /// The batch-size test, or `None`; then the rule must be one that does without.
    pub test: Option<AnyTest>,
    /// The rule for the next batch size.
    pub controller: AnyController,
    /// First batch; at least 2 with a test, because one sample has no variance.
    pub initial_batch: u32,
    /// Smallest batch.
    pub min_batch: u32,
    /// Largest batch; at most the number of training samples.
    pub max_batch: u32,
    /// The run stops at the first step after which this many samples were seen.
    pub sample_budget: u64,
    /// Determines the initial parameters and the order of samples.
    pub seed: u64,
    /// Test accuracy is measured each time this many more samples were seen, and at the end.
    pub evaluate_every: u64,
}

#[cfg(feature = "serde")]
crate::fields::settings!(RunConfig {
    version,
    dataset,
    normalisation,
    augmentation,
    model,
    optimizer,
    learning_rate,
    schedule,
    test,
    controller,
    initial_batch,
    min_batch,
    max_batch,
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
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Quick, Self::PaperCnn, Self::PaperLogistic];

    /// What settings call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::PaperCnn => "paper-cnn",
            Self::PaperLogistic => "paper-logistic",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Quick => "Quick: a CNN to 95 % in about a minute",
            Self::PaperCnn => "The paper's CNN: 6 million samples",
            Self::PaperLogistic => "The paper's softmax regression: 6 million samples",
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
            model: Model::Cnn,
            optimizer: AnyOptimizer::AdaGrad(AdaGrad::default()),
            learning_rate: 0.008,
            schedule: Schedule::default(),
            test: Some(AnyTest::Norm(NormTest::default())),
            controller: AnyController::AdAdaGrad(AdAdaGrad::default()),
            initial_batch: 8,
            min_batch: 1,
            max_batch: 60_000,
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
        }
    }
}

/// The values that a setting may take.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Range {
    /// least ≤ x ≤ most.
    Closed(f64, f64),
    /// least < x ≤ most.
    Above(f64, f64),
    /// least ≤ x < most.
    Below(f64, f64),
    /// Any at all.
    Needed,
    /// What goes with the other settings.
    Fitting,
}

impl Range {
    /// Whether the upper end is only that of the float type, and not what is wrong with `x`.
    fn is_open_to(self, x: f64) -> bool {
        matches!(self, Self::Above(_, LARGEST) | Self::Below(_, LARGEST)) && (x.is_nan() || x < LARGEST)
    }

    /// False for NaN.
    fn contains(self, x: f64) -> bool {
        match self {
            Self::Closed(least, most) => least <= x && x <= most,
            Self::Above(least, most) => least < x && x <= most,
            Self::Below(least, most) => least <= x && x < most,
            Self::Needed => !x.is_nan(),
            Self::Fitting => false,
        }
    }
}

/// Settings that cannot run: which one, what it is, what it may be, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfigError {
    /// The setting's name.
    pub field: &'static str,
    found: f64,
    range: Range,
    because: &'static str,
}

impl ConfigError {
    /// A controller that adapts the batch, without a test to adapt it to.
    const NO_TEST: Self = Self {
        field: "test",
        found: f64::NAN,
        range: Range::Needed,
        because: "an adaptive batch size needs a batch-size test",
    };

    /// A setting that the rule for batch sizes cannot work with.
    const fn unfit(field: &'static str, because: &'static str) -> Self {
        Self { field, found: f64::NAN, range: Range::Fitting, because }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, range, because, .. } = self;
        if *range == Range::Needed {
            return write!(f, "{field} is missing: {because}");
        }
        if *range == Range::Fitting {
            return write!(f, "{field} does not fit: {because}");
        }
        write!(f, "{field} is {}, but must be {}", Short(self.found), InWords(*range, self.found))?;
        if because.is_empty() { Ok(()) } else { write!(f, " ({because})") }
    }
}

impl core::error::Error for ConfigError {}

/// A range, for a number that is not in it.
struct InWords(Range, f64);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(range, found) = *self;
        match range {
            Range::Needed | Range::Fitting => Ok(()),
            Range::Closed(least, most) if least == most => write!(f, "{}", Short(least)),
            Range::Closed(least, most) => write!(f, "from {} to {}", Short(least), Short(most)),
            Range::Above(least, _) if range.is_open_to(found) => write!(f, "a number above {}", Short(least)),
            Range::Above(least, most) => write!(f, "above {} and at most {}", Short(least), Short(most)),
            Range::Below(least, _) if range.is_open_to(found) => {
                write!(f, "a number of at least {}", Short(least))
            }
            Range::Below(least, most) => write!(f, "at least {} and below {}", Short(least), Short(most)),
        }
    }
}

/// A number, in powers of ten where it would take many zeros. Whole numbers that settings take are written out.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size != 0.0 && size.is_finite() && !(1e-6..1e21).contains(&size) {
            write!(f, "{:e}", self.0)
        } else {
            write!(f, "{}", self.0)
        }
    }
}

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
}

impl fmt::Display for RetuneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { field } => {
                write!(f, "{field} cannot change during a run: start a new run to change it")
            }
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RetuneError {}

impl From<ConfigError> for RetuneError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// A test with the thresholds of another of its kind.
fn with_thresholds((test, other): (AnyTest, AnyTest)) -> AnyTest {
    match (test, other) {
        (AnyTest::Norm(test), AnyTest::Norm(NormTest { eta, .. })) => AnyTest::Norm(NormTest { eta, ..test }),
        (AnyTest::InnerProduct(test), AnyTest::InnerProduct(InnerProductTest { theta, .. })) => {
            AnyTest::InnerProduct(InnerProductTest { theta, ..test })
        }
        (AnyTest::Orthogonality(_), AnyTest::Orthogonality(_)) => other,
        (AnyTest::Augmented(test), AnyTest::Augmented(AugmentedTest { theta, nu, .. })) => {
            AnyTest::Augmented(AugmentedTest { theta, nu, ..test })
        }
        (AnyTest::CoordinateNorm(test), AnyTest::CoordinateNorm(CoordinateNormTest { eta, .. })) => {
            AnyTest::CoordinateNorm(CoordinateNormTest { eta, ..test })
        }
        (AnyTest::WorkerNorm(test), AnyTest::WorkerNorm(WorkerNormTest { eta, .. })) => {
            AnyTest::WorkerNorm(WorkerNormTest { eta, ..test })
        }
        (test, _) => test,
    }
}

/// Pixels around an image that a crop may take in.
const PADDING: [u64; 2] = [0, Augmentation::LARGEST_PADDING as u64];
const POSITIVE: Range = Range::Above(0.0, LARGEST);
const NOT_NEGATIVE: Range = Range::Below(0.0, LARGEST);

fn check(field: &'static str, found: f64, range: Range, because: &'static str) -> Result<(), ConfigError> {
    if range.contains(found) { Ok(()) } else { Err(ConfigError { field, found, range, because }) }
}

/// A setting that the run computes with in `F`: in range also when it is rounded to that type, and not 0 unless it is
/// said to be.
fn check_in<F: Real>(
    field: &'static str,
    found: f64,
    range: Range,
    because: &'static str,
) -> Result<(), ConfigError> {
    check(field, found, range, because)?;
    let rounded = F::of(found).as_f64();
    let refused = |because| Err(ConfigError { field, found, range, because });
    if rounded == 0.0 && found != 0.0 {
        return refused(if range.contains(0.0) {
            "the run's float type rounds it to 0: use 0 or a larger number"
        } else {
            "the run's float type rounds it to 0"
        });
    }
    if range.contains(rounded) {
        Ok(())
    } else if rounded.is_infinite() {
        refused("it is too large for the run's float type")
    } else {
        refused("the run's float type rounds it to 1")
    }
}

#[allow(clippy::cast_precision_loss)]
fn check_count(
    field: &'static str,
    found: u64,
    [least, most]: [u64; 2],
    because: &'static str,
) -> Result<(), ConfigError> {
    check(field, found as f64, Range::Closed(least as f64, most as f64), because)
}

impl RunConfig {
    /// Whether this can run on `samples` training samples, in `f32`.
    ///
    /// # Errors
    /// The first setting out of its range, with the range.
    pub fn validate(&self, samples: u32) -> Result<(), ConfigError> {
        self.validate_in::<f32>(samples)
    }

    /// Whether this can run on `samples` training samples in the float type `F`: a small ε is 0 in one type, and a
    /// number in another.
    ///
    /// # Errors
    /// The first setting out of its range, as given or as rounded to `F`, with the range.
    pub fn validate_in<F: Real>(&self, samples: u32) -> Result<(), ConfigError> {
        let format = u64::from(FORMAT_VERSION);
        check_count("version", self.version.into(), [format; 2], "settings of another version")?;
        check_in::<F>("learning_rate", self.learning_rate, POSITIVE, "")?;
        check_count("padding", self.augmentation.padding.into(), PADDING, "")?;
        check_optimizer::<F>(&self.optimizer)?;
        check_schedule(&self.schedule)?;
        if let Some(test) = &self.test {
            check_test(test)?;
        }
        self.validate_controller()?;
        self.validate_batches(samples)?;
        check_count("sample_budget", self.sample_budget, [1, LARGEST_EXACT], "")?;
        check_count("seed", self.seed, [0, LARGEST_EXACT], "")?;
        check_count("evaluate_every", self.evaluate_every, [1, LARGEST_EXACT], "")
    }

    /// Whether a run that has made steps can continue with these settings: the first batch is past.
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
        let least = if self.test.is_some() { self.min_batch.max(2) } else { self.min_batch };
        Self { initial_batch: self.initial_batch.max(least).min(self.max_batch), ..*self }
            .validate_in::<F>(samples)
    }

    /// Whether a run with these settings may continue with `next`: the learning rate and its schedule, the
    /// test's thresholds, growth cap, smallest and largest batch, sample budget and how often accuracy is
    /// measured may change, and nothing else.
    ///
    /// # Errors
    /// The first setting that differs and may not.
    pub fn check_retune(&self, next: &Self) -> Result<(), RetuneError> {
        // The numbers of a rule may change, as long as engines and memory need not.
        let same_rule =
            core::mem::discriminant(&self.controller) == core::mem::discriminant(&next.controller);
        let same_needs = self.controller.needs() == next.controller.needs();
        let fixed = [
            ("version", self.version == next.version),
            ("dataset", self.dataset == next.dataset),
            ("normalisation", self.normalisation == next.normalisation),
            ("augmentation", self.augmentation == next.augmentation),
            ("model", self.model == next.model),
            ("optimizer", self.optimizer == next.optimizer),
            ("test", self.test.zip(next.test).map(with_thresholds).or(self.test) == next.test),
            ("controller", same_rule && same_needs),
            ("initial_batch", self.initial_batch == next.initial_batch),
            ("seed", self.seed == next.seed),
        ];
        match fixed.iter().find(|(_, same)| !same) {
            None => Ok(()),
            Some(&(field, _)) => Err(RetuneError::Fixed { field }),
        }
    }

    /// These settings with no batch larger than the training set: where `max_batch` is, the largest, smallest and first
    /// batch are limited to its size. `None` if nothing has to change.
    #[must_use]
    pub fn fitted(&self, samples: u32) -> Option<Self> {
        let [max_batch, min_batch, initial_batch] =
            [self.max_batch, self.min_batch, self.initial_batch].map(|size| size.min(samples));
        (self.max_batch > samples).then_some(Self { max_batch, min_batch, initial_batch, ..*self })
    }

    fn validate_controller(&self) -> Result<(), ConfigError> {
        if self.controller.uses_test() && self.test.is_none() {
            return Err(ConfigError::NO_TEST);
        }
        check_rule(&self.controller, self.max_batch)?;
        self.check_needs()
    }

    /// Whether optimizer and test give what the rule needs.
    fn check_needs(&self) -> Result<(), ConfigError> {
        let needs = self.controller.needs();
        let of_test = self.test.map_or(Needs::default(), |test| test.as_test::<f64>().needs());
        let keeps_squares = matches!(
            self.optimizer,
            AnyOptimizer::AdaGrad(_)
                | AnyOptimizer::RmsProp(_)
                | AnyOptimizer::Adam(_)
                | AnyOptimizer::AdamW(_)
        );
        if matches!(self.controller, AnyController::Cabs(_))
            && !matches!(self.optimizer, AnyOptimizer::Sgd(_))
        {
            return Err(ConfigError::unfit("optimizer", "CABS assumes the steps of plain SGD"));
        }
        if needs.sensor == Sensor::Preconditioned && !keeps_squares {
            return Err(ConfigError::unfit(
                "sensor",
                "a preconditioned noise scale needs an optimizer that keeps squares of gradients: adagrad, rmsprop, \
                 adam or adamw",
            ));
        }
        if needs.extends && (of_test.inner || of_test.moments()) {
            return Err(ConfigError::unfit(
                "test",
                "a batch that is extended is not swept twice: choose the norm test, the worker test or none",
            ));
        }
        if needs.halves && of_test.parts > 0 {
            return Err(ConfigError::unfit(
                "test",
                "the rule cuts the batch into two halves, and the test into parts",
            ));
        }
        Ok(())
    }

    fn validate_batches(&self, samples: u32) -> Result<(), ConfigError> {
        let samples = u64::from(samples);
        let (min, max) = (u64::from(self.min_batch), u64::from(self.max_batch));
        check_count("max_batch", max, [1, samples], "a batch cannot be larger than the training set")?;
        check_count("min_batch", min, [1, max], "it cannot be above max_batch")?;
        let least = min.max(least_batch(self).into());
        let because = match self.test {
            Some(_) if max < least => "with a batch-size test, max_batch must be at least 2",
            Some(_) => "a batch-size test needs at least two samples",
            None if least > min => "the rule compares samples, and needs at least two",
            None => "it must lie between min_batch and max_batch",
        };
        check_count("initial_batch", self.initial_batch.into(), [least, max], because)
    }
}

fn check_optimizer<F: Real>(optimizer: &AnyOptimizer) -> Result<(), ConfigError> {
    let number = check_in::<F>;
    let fraction = |field, found| number(field, found, Range::Below(0.0, 1.0), "");
    let weight_decay = |found| number("weight_decay", found, NOT_NEGATIVE, "");
    let epsilon = |found| number("epsilon", found, POSITIVE, "it is the divisor where the gradient is zero");
    let adam = |[beta1, beta2]: [f64; 2], eps, decay| {
        fraction("beta1", beta1)?;
        fraction("beta2", beta2)?;
        epsilon(eps)?;
        weight_decay(decay)
    };
    match *optimizer {
        AnyOptimizer::Sgd(sgd) => weight_decay(sgd.weight_decay),
        AnyOptimizer::Momentum(rule) => {
            fraction("momentum", rule.momentum)?;
            weight_decay(rule.weight_decay)
        }
        AnyOptimizer::Nesterov(rule) => {
            fraction("momentum", rule.momentum)?;
            weight_decay(rule.weight_decay)
        }
        AnyOptimizer::AdaGrad(rule) => {
            number("initial_accumulator", rule.initial_accumulator, NOT_NEGATIVE, "")?;
            epsilon(rule.epsilon)?;
            weight_decay(rule.weight_decay)
        }
        AnyOptimizer::AdaGradNorm(rule) => {
            let (field, found) = ("initial_norm", rule.initial_norm);
            check(field, found, POSITIVE, "")?;
            // What the sum begins with, in the wider type.
            if F::Sum::of(found).squared().as_f64() == 0.0 {
                let because = "its square rounds to 0 in the run's float type";
                return Err(ConfigError { field, found, range: POSITIVE, because });
            }
            Ok(())
        }
        AnyOptimizer::AdaGradNormDelayed(rule) => number("beta", rule.beta, POSITIVE, ""),
        AnyOptimizer::RmsProp(rule) => {
            fraction("alpha", rule.alpha)?;
            epsilon(rule.epsilon)?;
            weight_decay(rule.weight_decay)
        }
        AnyOptimizer::Adam(rule) => adam([rule.beta1, rule.beta2], rule.epsilon, rule.weight_decay),
        AnyOptimizer::AdamW(rule) => adam([rule.beta1, rule.beta2], rule.epsilon, rule.weight_decay),
    }
}

/// A rule's own numbers. Sizes that it names itself must be possible.
fn check_rule(rule: &AnyController, max_batch: u32) -> Result<(), ConfigError> {
    let ema = |ema| check("ema", ema, Range::Below(0.0, 1.0), "");
    let positive = |field, found| check(field, found, POSITIVE, "");
    let size = |field, found: u32, least: u32| {
        let range = [least.into(), max_batch.into()];
        check_count(field, found.into(), range, "a batch of the rule cannot be above max_batch")
    };
    let window = |length: u32| check_count("window", length.into(), [1, MOST_IN_WINDOW.into()], "");
    let epochs = |every| check_count("every_epochs", every, [1, LARGEST_EXACT], "");
    let time = |field, found: Option<f64>| check(field, found.unwrap_or_default(), NOT_NEGATIVE, "");
    match *rule {
        AnyController::Constant(_) => Ok(()),
        AnyController::AdAdaGrad(rule) => {
            check("growth_cap", rule.growth_cap.unwrap_or(2.0), Range::Above(1.0, LARGEST), "")?;
            window(rule.window)
        }
        AnyController::Stages(rule) => {
            rule.schedule.iter().try_for_each(|(_, stage)| size("schedule", stage, 1))
        }
        AnyController::Linear(rule) => {
            size("last_batch", rule.last_batch, 1)?;
            check_count("over_samples", rule.over_samples, [1, LARGEST_EXACT], "")
        }
        AnyController::AdaBatch(rule) => {
            epochs(rule.every_epochs)?;
            check("factor", rule.factor, Range::Below(1.0, LARGEST), "")?;
            check("gamma", rule.gamma, Range::Above(0.0, 1.0), "")
        }
        AnyController::Smith(rule) => {
            check("factor", rule.factor, Range::Above(1.0, LARGEST), "")?;
            check("limit", rule.limit.unwrap_or_default(), NOT_NEGATIVE, "")
        }
        AnyController::Seesaw(rule) => {
            positive("cut", rule.cut)?;
            check("cut", rule.cut, Range::Below(0.0, 1.0), "")
        }
        AnyController::Cabs(rule) => {
            ema(rule.ema)?;
            positive("scale", rule.scale)
        }
        AnyController::DiveBatch(rule) => {
            positive("delta", rule.delta)?;
            epochs(rule.every_epochs)
        }
        AnyController::GradientNoiseScale(rule) => {
            ema(rule.ema)?;
            positive("scale", rule.scale)
        }
        AnyController::AdaBatchGrad(rule) => {
            positive("theta", rule.theta)?;
            positive("nu", rule.nu)?;
            window(rule.window)
        }
        AnyController::BigBatch(rule) => positive("growth", rule.growth),
        AnyController::SimiGrad(rule) => check("target", rule.target, Range::Closed(-1.0, 1.0), ""),
        AnyController::Accordion(rule) => {
            size("small", rule.small, 1)?;
            size("large", rule.large, rule.small)?;
            positive("threshold", rule.threshold)
        }
        AnyController::CostAware(rule) => {
            ema(rule.ema)?;
            check("gain", rule.gain, NOT_NEGATIVE, "")?;
            time("fixed_time", rule.fixed_time)?;
            time("time_per_sample", rule.time_per_sample)
        }
    }
}

fn check_schedule(schedule: &Schedule) -> Result<(), ConfigError> {
    check_count("warm_up_samples", schedule.warm_up_samples, [0, LARGEST_EXACT], "")?;
    match schedule.decay {
        Decay::Constant {} => Ok(()),
        Decay::Cosine { final_fraction } => {
            check("final_fraction", final_fraction, Range::Closed(0.0, 1.0), "")
        }
        Decay::Step { every_samples, factor } => {
            check_count("every_samples", every_samples, [1, LARGEST_EXACT], "")?;
            check("factor", factor, Range::Above(0.0, 1.0), "")
        }
    }
}

fn check_test(test: &AnyTest) -> Result<(), ConfigError> {
    match *test {
        AnyTest::Norm(test) => check("eta", test.eta, POSITIVE, ""),
        AnyTest::InnerProduct(test) => check("theta", test.theta, POSITIVE, ""),
        AnyTest::Orthogonality(test) => check("nu", test.nu, POSITIVE, ""),
        AnyTest::Augmented(test) => {
            check("theta", test.theta, POSITIVE, "")?;
            check("nu", test.nu, POSITIVE, "")
        }
        AnyTest::CoordinateNorm(test) => {
            check("eta", test.eta, POSITIVE, "")?;
            check("quantile", test.quantile, Range::Above(0.0, 1.0), "")
        }
        AnyTest::WorkerNorm(test) => {
            check("eta", test.eta, POSITIVE, "")?;
            check_count("workers", test.workers.into(), [2, 1024], "")
        }
    }
}

impl RunConfig {
    /// A batch of constant size without a test, otherwise as it is.
    #[must_use]
    pub fn without_test(self) -> Self {
        Self { test: None, controller: AnyController::Constant(Constant {}), ..self }
    }
}
