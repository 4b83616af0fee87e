//! `adadagrad evaluate`.

use std::process::ExitCode;

use adadagrad_core::owned::Evaluated;
use adadagrad_core::owned::cluster::Reduction;
use adadagrad_core::statistics::Needs;
use adadagrad_gpu::data::Splits;
use adadagrad_gpu::engine::Engine;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::EvaluateArguments;
use crate::demand::Demand;
use crate::numbers::{grouped, percent};
use crate::output;
use crate::table::table;
use crate::{files, origin};

/// The JSON object.
#[derive(Serialize)]
struct Report<'a> {
    samples: u32,
    /// Mean loss in nats; null where it is not finite.
    loss: f64,
    accuracy: f64,
    /// Names of the classes, where the data have some.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    classes: &'a [String],
    /// Row: class; column: answer. Left out for sequences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    confusion: Vec<&'a [u32]>,
}

pub(crate) fn run(arguments: &EvaluateArguments) -> Outcome {
    arguments.place.check()?;
    let checkpoint = files::load_checkpoint(&arguments.load)?;
    let loaded = (arguments.load.as_path(), &checkpoint);
    let chosen = arguments.network.choose(Some(loaded), None)?;
    let (name, text) = origin::data_of(&arguments.place, Some(loaded))?;
    let data = arguments.place.load_data(name, text)?;
    if let Some(note) = origin::check_data(loaded, &data)? {
        output::message(note);
    }
    let data = origin::as_seen_by(data, Some(loaded));
    let network = chosen.network(data.training.shape())?;
    let demand = Demand { needs: Needs::NONE, largest: None, is_saved: false, reduction: Reduction::Exact };
    let mut engine =
        files::engine_of(&arguments.place, chosen.model, &network, 0, Some(loaded), &data, demand)?;
    let evaluated = engine.evaluate(&data.test)?;
    if arguments.json {
        output::result(serde_json::to_string(&report(&data, &evaluated))? + "\n");
    } else {
        output::result(tables(&data, &evaluated));
    }
    Ok(ExitCode::SUCCESS)
}

fn report<'a>(data: &'a Splits, evaluated: &'a Evaluated) -> Report<'a> {
    let Evaluated { evaluation, confusion } = evaluated;
    let confusion = confusion.rows().collect();
    Report {
        samples: data.test.len(),
        loss: evaluation.loss,
        accuracy: evaluation.accuracy,
        classes: &data.class_names,
        confusion,
    }
}

fn tables(data: &Splits, evaluated: &Evaluated) -> String {
    let Evaluated { evaluation, confusion } = evaluated;
    let loss = evaluation.loss;
    let summary = [
        ("test samples", grouped(data.test.len().into())),
        ("test accuracy", percent(evaluation.accuracy)),
        ("test loss", if loss.is_finite() { format!("{loss:.4} nats") } else { "not finite".to_owned() }),
    ];
    let summary = table(&summary.map(|(name, value)| vec![name.to_owned(), value]));
    let classes = confusion.rows().count();
    // None are counted over the positions of sequences.
    if classes == 0 {
        return summary;
    }
    let mut rows =
        vec![std::iter::once("class".to_owned()).chain((0..classes).map(|k| k.to_string())).collect()];
    for (class, counts) in confusion.rows().enumerate() {
        rows.push(
            std::iter::once(data.numbered_class(class))
                .chain(
                    counts
                        .iter()
                        .map(|&count| if count == 0 { "·".to_owned() } else { grouped(count.into()) }),
                )
                .collect::<Vec<_>>(),
        );
    }
    format!("{summary}\nConfusion matrix (rows: true class, columns: predicted class):\n{}", table(&rows))
}
