//! `adadagrad evaluate`.

use std::process::ExitCode;

use adadagrad_gpu::engine::{Engine, Evaluated};
use serde::Serialize;

use crate::Outcome;
use crate::arguments::EvaluateArguments;
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
    /// Row: class; column: answer.
    confusion: Vec<&'a [u32]>,
}

pub(crate) fn run(arguments: &EvaluateArguments) -> Outcome {
    arguments.place.check()?;
    let checkpoint = files::load_checkpoint(&arguments.load)?;
    let loaded = (arguments.load.as_path(), &checkpoint);
    let chosen = arguments.network.choose(Some(loaded), None)?;
    let data = arguments.place.load_data(origin::dataset_of(arguments.place.dataset, Some(loaded))?)?;
    if let Some(note) = origin::check_data(loaded, &data)? {
        output::message(note);
    }
    let network = chosen.network(data.training.shape())?;
    let mut engine = files::engine_of(&arguments.place, chosen.model, &network, 0, Some(loaded), &data)?;
    let evaluated = engine.evaluate(&data.test)?;
    let samples = data.test.len();
    if arguments.json {
        output::result(serde_json::to_string(&report(samples, &evaluated))? + "\n");
    } else {
        output::result(tables(samples, &evaluated));
    }
    Ok(ExitCode::SUCCESS)
}

fn report(samples: u32, evaluated: &Evaluated) -> Report<'_> {
    let Evaluated { evaluation, confusion } = evaluated;
    let confusion = confusion.rows().collect();
    Report { samples, loss: evaluation.loss, accuracy: evaluation.accuracy, confusion }
}

fn tables(samples: u32, evaluated: &Evaluated) -> String {
    let Evaluated { evaluation, confusion } = evaluated;
    let loss = evaluation.loss;
    let summary = [
        ("test samples", grouped(samples.into())),
        ("test accuracy", percent(evaluation.accuracy)),
        ("test loss", if loss.is_finite() { format!("{loss:.4} nats") } else { "not finite".to_owned() }),
    ];
    let summary = table(&summary.map(|(name, value)| vec![name.to_owned(), value]));
    let classes = confusion.rows().count();
    let mut rows =
        vec![std::iter::once("class".to_owned()).chain((0..classes).map(|k| k.to_string())).collect()];
    for (class, counts) in confusion.rows().enumerate() {
        rows.push(
            std::iter::once(class.to_string())
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
