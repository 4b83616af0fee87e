//! `adadagrad rules`.

use std::process::ExitCode;

use adadagrad_core::controller::AnyController;
use adadagrad_core::coupling::Coupling;
use adadagrad_core::observe::Quantity;
use adadagrad_core::settings::{Choice, Choices};
use adadagrad_core::statistics::Needs;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::RulesArguments;
use crate::output;
use crate::parts::flag_of;

/// A rule, as a program reads it.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    title: &'static str,
    summary: &'static str,
    source: &'static str,
    /// What is known against it; empty where nothing is.
    drawbacks: &'static str,
    needs: Vec<&'static str>,
    /// The default settings, as a run description has them.
    controller: AnyController,
}

pub(crate) fn run(arguments: &RulesArguments) -> Outcome {
    let rows: Vec<_> = AnyController::all()
        .into_iter()
        .zip(AnyController::CHOICES)
        .map(|(controller, &Choice { name, title, doc, source, .. })| Row {
            name,
            title,
            summary: doc,
            source,
            drawbacks: controller.words().against,
            needs: needs(&controller),
            controller,
        })
        .collect();
    output::result(if arguments.json {
        serde_json::to_string_pretty(&rows)? + "\n"
    } else {
        rows.iter().map(Row::in_words).chain([for_every_rule()]).collect::<Vec<_>>().join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

/// What every run can be given beside its rule.
fn for_every_rule() -> String {
    let observable: Vec<_> = Quantity::all().map(Quantity::name).collect();
    format!(
        "With any rule:\n  --observe NAMES: report the sizes of other tests, noise scales and rules, separated by commas: {}\n  \
         --coupling NAME: how the learning rate and Adam's beta follow the batch size: {}\n",
        observable.join(", "),
        Coupling::NAMES.join(", ")
    )
}

/// What a rule decides from beyond the size of the batch and the number of samples seen.
fn needs(rule: &AnyController) -> Vec<&'static str> {
    let Needs {
        norms,
        inner,
        coordinate_quantile: _,
        parts: _,
        halves,
        sensors: _,
        epoch,
        extends,
        step_time,
        apart: _,
    } = rule.needs();
    let all = [
        (rule.uses_test(), "a batch-size test"),
        (norms, "the squared norms of the samples' gradients"),
        (inner, "a second sweep over the batch"),
        (halves, "the mean gradients of two halves of the batch"),
        (epoch, "the sum of an epoch's gradients"),
        (extends, "batches that grow before their step"),
        (step_time, "the time that steps take"),
        (rule.uses_loss(), "the loss, the learning rate, and the steps of plain SGD"),
    ];
    all.into_iter().filter(|(is_needed, _)| *is_needed).map(|(_, what)| what).collect()
}

impl Row {
    fn in_words(&self) -> String {
        let Self { name, title, summary, source, drawbacks, .. } = self;
        let needs = if self.needs.is_empty() { "nothing".to_owned() } else { self.needs.join(", ") };
        let mut text = format!("{name} ({title})\n  {summary}\n  Needs: {needs}\n");
        for (what, words) in [("But", drawbacks), ("Source", source)] {
            if !words.is_empty() {
                text += &format!("  {what}: {words}\n");
            }
        }
        for field in self.controller.fields() {
            let flag = flag_of("controller", field.name).unwrap_or(field.name);
            text += &format!("  --{flag} [default: {}]\n", field.default);
        }
        text
    }
}
