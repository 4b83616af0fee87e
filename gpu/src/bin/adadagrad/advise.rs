//! `adadagrad advise`: batch sizes for training loops in other languages, through a pipe.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::num::NonZero;
use std::process::ExitCode;

use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{AdAdaGrad, AnyController, Limits};
use adadagrad_core::json;
use adadagrad_core::optimizer::{AnyOptimizer, Sgd};
use adadagrad_core::required_settings;
use adadagrad_core::settings::Choices;
use adadagrad_core::sizer::{Advice, BatchSizer};
use adadagrad_core::statistics::{Evidence, Inner, Needs, Parts, Reason};
use adadagrad_gpu::text;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::AdviseArguments;
use crate::numbers::short;
use crate::output;
use crate::settings::explain;
use crate::usage::Usage;

/// The largest batch, where nothing says otherwise.
const MOST: u32 = 1 << 16;

type Sizer = BatchSizer<f64, AnyTest, AnyController>;

/// A line of standard input: what a batch says.
struct Batch {
    /// b.
    samples: u32,
    /// n = ‖ḡ‖².
    mean_norm_sq: f64,
    /// S = Σ‖gᵢ‖².
    sum_squared_norms: Option<f64>,
    /// The batch in parts, as data-parallel workers have them.
    parts: Option<Vec<Part>>,
    /// Σ⟨gᵢ, ḡ⟩².
    sum_squared_inner_products: Option<f64>,
    /// Σ‖gᵢ‖²⟨gᵢ, ḡ⟩.
    sum_norm_inner_products: Option<f64>,
    /// Σ‖gᵢ‖⁴.
    sum_squared_square_norms: Option<f64>,
    /// The quantile over the coordinates of Varⱼ/ḡⱼ².
    coordinate_ratio: Option<f64>,
    /// ‖Σ gᵢ‖² over the epoch so far, this batch included.
    epoch_norm_sq: Option<f64>,
    /// Mean loss.
    loss: Option<f64>,
    /// α, without the rule's factor; else as in the line before.
    learning_rate: Option<f64>,
    /// How long the last step took.
    seconds: Option<f64>,
}

required_settings!(Batch {
    samples,
    mean_norm_sq,
    sum_squared_norms,
    parts,
    sum_squared_inner_products,
    sum_norm_inner_products,
    sum_squared_square_norms,
    coordinate_ratio,
    epoch_norm_sq,
    loss,
    learning_rate,
    seconds,
});

struct Part {
    samples: u32,
    mean_norm_sq: f64,
}

required_settings!(Part { samples, mean_norm_sq });

/// A line of standard output.
#[derive(Serialize)]
struct Answer {
    /// Size of the next batch; the same as before where there is an error.
    next_batch: u32,
    /// Samples that this batch is to be extended by before its step.
    #[serde(skip_serializing_if = "is_zero")]
    extend_by: u32,
    /// Multiplies the learning rate.
    learning_rate_scale: f64,
    /// The size that the rule wanted.
    wanted: Option<f64>,
    /// T.
    required: Option<f64>,
    /// Why there is no T, or why the rule keeps the size.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// What is wrong with the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(samples: &u32) -> bool {
    *samples == 0
}

/// Every line is answered, also one that is not valid: who waits for an answer would wait for ever. The size is kept
/// then, and the exit code tells.
pub(crate) fn run(arguments: &AdviseArguments) -> Outcome {
    let mut sizer = sizer(arguments)?;
    // Where nobody asked for a number of parts, any will do.
    let least_parts = match sizer.test {
        Some(AnyTest::WorkerNorm(test)) if arguments.batch.test.gives("workers") => test.workers,
        _ => 0,
    };
    let mut last = None;
    let mut code = ExitCode::SUCCESS;
    // Bytes: a line that is not UTF-8 is answered too.
    for (number, line) in (1..).zip(stdin().lock().split(b'\n')) {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = advise(&mut sizer, &mut last, least_parts, &line).unwrap_or_else(|error| {
            let error = format!("line {number}: {error}");
            output::error(&error);
            code = ExitCode::FAILURE;
            Answer {
                next_batch: sizer.batch(),
                extend_by: 0,
                learning_rate_scale: sizer.learning_rate_scale,
                wanted: None,
                required: None,
                reason: None,
                error: Some(error),
            }
        });
        let mut stdout = stdout().lock();
        let shown = writeln!(stdout, "{}", serde_json::to_string(&answer)?).and_then(|()| stdout.flush());
        let has_no_reader = shown.is_err();
        output::take(shown);
        if has_no_reader {
            break;
        }
    }
    Ok(code)
}

fn sizer(arguments: &AdviseArguments) -> Result<Sizer, Box<dyn Error>> {
    let base = RunConfig {
        test: Some(AnyTest::Norm(NormTest::default())),
        controller: AnyController::AdAdaGrad(AdAdaGrad::default()),
        // The optimizer is the other program's: this one fits every rule that can be served here.
        optimizer: AnyOptimizer::Sgd(Sgd::default()),
        initial_batch: 64,
        min_batch: 1,
        max_batch: arguments.training_samples.map_or(MOST, |samples| samples.get().min(MOST)),
        ..RunConfig::default()
    };
    let config = arguments.batch.over(base)?;
    let RunConfig { controller, initial_batch, min_batch, max_batch, .. } = config;
    // A test that nobody asked for has nothing to say beside a rule that does without.
    let test = config.test.filter(|_| controller.uses_test() || arguments.batch.test.is_given());
    if !controller.needs().sensors.is_empty() {
        return Err(Usage::from(
            "advise does not read squares of single coordinates: use a rule with the plain noise scale",
        )
        .into());
    }
    config
        .validate(arguments.training_samples.map_or(u32::MAX, NonZero::get))
        .map_err(|error| explain(&error))?;
    let training_samples = match arguments.training_samples {
        None if controller.uses_training_samples() => {
            let name = controller.name();
            return Err(Usage(format!("--controller {name} needs --training-samples")).into());
        }
        samples => samples.map_or(u32::MAX, NonZero::get),
    };
    let limits = Limits { min: min_batch, max: max_batch };
    let mut sizer = BatchSizer::new(test, controller, limits, initial_batch);
    sizer.training_samples = training_samples;
    // A rule that uses it must be told.
    sizer.learning_rate = f64::NAN;
    Ok(sizer)
}

/// `last`: the size of the batch before. A line that is not valid changes nothing.
fn advise(
    sizer: &mut Sizer,
    last: &mut Option<u32>,
    least_parts: u32,
    line: &[u8],
) -> Result<Answer, Box<dyn Error>> {
    let batch = Batch::read(line)?;
    let evidence = batch.evidence()?;
    if let Some(what) = batch.missing_for_leave_one_out(sizer) {
        return Err(format!("{what} is missing, which --leave-one-out needs").into());
    }
    if let Some(count) = evidence.parts.map(|parts| parts.count).filter(|&count| count < least_parts) {
        return Err(format!("there are {count} parts, but --workers requires at least {least_parts}").into());
    }
    let seconds = batch.seconds.map(|seconds| positive("seconds", seconds)).transpose()?;
    let rate = batch.learning_rate.map(|rate| positive("learning_rate", rate)).transpose()?;
    let rate = rate.unwrap_or(sizer.learning_rate);
    if sizer.controller.uses_loss() && (batch.loss.is_none() || rate.is_nan()) {
        let (name, what) = (sizer.controller.name(), if rate.is_nan() { "learning_rate" } else { "loss" });
        return Err(format!("{what} is missing, which --controller {name} needs").into());
    }
    sizer.learning_rate = rate;
    if let (Some(samples), Some(seconds)) = (*last, seconds) {
        sizer.measured(samples, seconds);
    }
    let Advice { next, extend_by, learning_rate_scale, wanted, required, reason } = sizer.advise(&evidence);
    *last = Some(batch.samples);
    // A rule of evidence that has wanted nothing, such as one that decides at the end of an epoch.
    let waits = !sizer.controller.uses_test() && sizer.controller.needs() != Needs::NONE && wanted.is_none();
    let reason = reason.or_else(|| (waits && next == batch.samples).then_some(Reason::OtherSteps));
    let required = required.filter(|size| size.is_finite());
    Ok(Answer { next_batch: next, extend_by, learning_rate_scale, wanted, required, reason, error: None })
}

impl Batch {
    fn read(line: &[u8]) -> Result<Self, String> {
        // A line of its own has no line number worth telling.
        json::read(text::decode(line)?)
            .map_err(|fault| fault.to_string().replace(" at line 1 column ", " at column "))
    }

    /// What a test that leaves each sample out of its mean needs, and is not there.
    fn missing_for_leave_one_out(&self, sizer: &Sizer) -> Option<&'static str> {
        let leaves_out = match sizer.test? {
            AnyTest::InnerProduct(test) => test.leave_one_out,
            AnyTest::Augmented(test) => test.leave_one_out,
            _ => false,
        };
        let sums = [
            ("sum_squared_norms", self.sum_squared_norms),
            ("sum_squared_inner_products", self.sum_squared_inner_products),
            ("sum_norm_inner_products", self.sum_norm_inner_products),
            ("sum_squared_square_norms", self.sum_squared_square_norms),
        ];
        sums.into_iter().find(|(_, sum)| leaves_out && sum.is_none()).map(|(what, _)| what)
    }

    fn evidence(&self) -> Result<Evidence<f64>, Box<dyn Error>> {
        let evidence = match self.sum_squared_norms {
            Some(sum) => Evidence::from_norms(self.samples, self.mean_norm_sq, sum)?,
            None => Evidence::from_part_norms(self.mean_norm_sq, &[(self.samples, self.mean_norm_sq)])?,
        };
        let sums = [
            ("sum_squared_square_norms", self.sum_squared_square_norms),
            ("coordinate_ratio", self.coordinate_ratio),
            ("epoch_norm_sq", self.epoch_norm_sq),
        ];
        for (what, sum) in sums {
            if let Some(found) = sum.filter(|sum| *sum < 0.0) {
                return Err(format!("{what} is {}, but must be a number of at least 0", short(found)).into());
            }
        }
        let evidence = match self.sum_squared_inner_products {
            None => evidence,
            Some(sum_squared_inner_products) => evidence.with_inner(Inner {
                sum_squared_inner_products,
                // Where these are used and were not given, there is no size.
                sum_norm_inner_products: self.sum_norm_inner_products.unwrap_or(f64::NAN),
                sum_squared_square_norms: self.sum_squared_square_norms.unwrap_or(f64::NAN),
            })?,
        };
        Ok(Evidence {
            parts: self.parts()?,
            coordinate_ratio: self.coordinate_ratio,
            epoch_norm_sq: self.epoch_norm_sq,
            loss: self.loss.unwrap_or_default(),
            ..evidence
        })
    }

    fn parts(&self) -> Result<Option<Parts<f64>>, Box<dyn Error>> {
        let Some(parts) = &self.parts else { return Ok(None) };
        let parts: Vec<_> = parts.iter().map(|part| (part.samples, part.mean_norm_sq)).collect();
        let evidence = Evidence::from_part_norms(self.mean_norm_sq, &parts)?;
        if evidence.samples != self.samples {
            let (found, whole) = (evidence.samples, self.samples);
            return Err(format!("the parts have {found} samples, but the batch has {whole}").into());
        }
        Ok(evidence.parts)
    }
}

fn positive(what: &str, found: f64) -> Result<f64, String> {
    if found.is_finite() && found > 0.0 {
        Ok(found)
    } else {
        Err(format!("{what} is {}, but must be a number above 0", short(found)))
    }
}
