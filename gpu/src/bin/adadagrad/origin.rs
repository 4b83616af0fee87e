//! What a checkpoint says about where it comes from: one rule for every setting (flag, else file, else default), and no
//! flag or data set that contradicts the file.

use std::path::Path;

use adadagrad_core::augmentation::Augmentation;
use adadagrad_core::config::{DatasetName, RunConfig};
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::checkpoint::{Checkpoint, State};
use adadagrad_core::owned::text::Vocabulary;
use adadagrad_core::text::{TextSettings, TokenKind};
use adadagrad_gpu::data::Splits;
use serde_json::Value;

use crate::arguments::PlaceArguments;
use crate::files::about;
use crate::network::Chosen;
use crate::numbers::grouped;

/// A checkpoint, and the file that it was read from.
pub(crate) type Loaded<'c> = (&'c Path, &'c Checkpoint);

/// The data set of a command that goes on with, or looks into, a checkpoint's run: that run's.
///
/// # Errors
/// When the flag names another.
pub(crate) fn dataset_of(place: &PlaceArguments, loaded: Option<Loaded<'_>>) -> Result<DatasetName, String> {
    let asked = place.dataset.map(DatasetName::from);
    let own = loaded.and_then(|(file, checkpoint)| Some((file, checkpoint.state.as_ref()?.config.dataset)));
    match (asked, own) {
        (Some(asked), Some((file, own))) if asked != own => {
            let (asked, own) = (asked.name(), own.name());
            let text = format!(
                "its run was trained on the data set {own}, but --dataset is {asked}: omit --dataset, or start a new \
                 run with train --load"
            );
            Err(about(file, text))
        }
        (_, Some((_, own))) => Ok(own),
        (_, None) => place.dataset_or(DatasetName::default()),
    }
}

/// The data of such a command: which, and how a text is read.
///
/// # Errors
/// When a flag contradicts the checkpoint.
pub(crate) fn data_of(
    place: &PlaceArguments,
    loaded: Option<Loaded<'_>>,
) -> Result<(DatasetName, TextSettings), String> {
    Ok((dataset_of(place, loaded)?, text_of(place, loaded)?))
}

/// How a text is read: as in the checkpoint's run, else as the flags say.
///
/// # Errors
/// When a flag says something else than the run had.
pub(crate) fn text_of(place: &PlaceArguments, loaded: Option<Loaded<'_>>) -> Result<TextSettings, String> {
    let run = loaded.and_then(|(file, checkpoint)| Some((file, checkpoint.state.as_ref()?)));
    let own = run.map_or_else(TextSettings::default, |(_, state)| state.config.text);
    let asked = place.reading.text_over(own);
    let Some((file, _)) = run.filter(|(_, state)| state.vocabulary.is_some() && asked != own) else {
        return Ok(asked);
    };
    let (flag, own, asked) = if own.tokens == asked.tokens {
        ("--context", own.context.to_string(), asked.context.to_string())
    } else {
        ("--tokens", own.tokens.name().to_owned(), asked.tokens.name().to_owned())
    };
    let text = format!(
        "its run was trained with {flag} {own}, but {flag} is {asked}: omit {flag}, or start a new run with train --load"
    );
    Err(about(file, text))
}

/// Refuses a text whose tokens do not stand for what they stood for in the checkpoint's run.
///
/// # Errors
/// How the vocabularies differ.
pub(crate) fn check_vocabulary((file, checkpoint): Loaded<'_>, data: &Splits) -> Result<(), String> {
    let own = checkpoint.state.as_ref().and_then(|state| state.vocabulary.as_ref());
    let (Some(own), Some(found)) = (own, data.vocabulary()) else { return Ok(()) };
    if own == found {
        return Ok(());
    }
    let what = |vocabulary: &Vocabulary| match vocabulary.kind() {
        TokenKind::Bytes => "bytes".to_owned(),
        TokenKind::Characters => format!("{} different characters", grouped(vocabulary.len().into())),
    };
    let (own, found, place) = (what(own), what(found), data.folder.display());
    let text = if own == found {
        format!(
            "the run was trained on other tokens than those of {place}: both have {own}, but in another order"
        )
    } else {
        format!("the run was trained on other tokens than those of {place}: {own}, not {found}")
    };
    Err(about(file, text))
}

/// The model: as asked for, else as the checkpoint says or its tensors show, else the default.
///
/// # Errors
/// When the flag contradicts the checkpoint, or nothing says which.
pub(crate) fn model_of(
    asked: Option<Model>,
    loaded: Option<Loaded<'_>>,
    default: Option<Model>,
) -> Result<Model, String> {
    let own = loaded.and_then(|(file, checkpoint)| Some((file, named_model(checkpoint)?)));
    if let (Some(asked), Some(own)) = (asked, own) {
        check_model(asked, own)?;
    }
    let found = || loaded.and_then(|(_, checkpoint)| shown_model(checkpoint));
    asked.or(own.map(|(_, model)| model)).or_else(found).or(default).ok_or_else(|| {
        let text =
            "the file does not name its model, and its tensors do not fit any known model: choose one with --model or --network";
        loaded.map_or_else(|| text.to_owned(), |(file, _)| about(file, text))
    })
}

/// Refuses another model than the checkpoint's.
pub(crate) fn check_model(asked: Model, (file, own): (&Path, Model)) -> Result<(), String> {
    if asked == own {
        return Ok(());
    }
    let text = format!("it contains the model {own}, but the settings have {asked}");
    Err(about(file, text))
}

/// The model that a checkpoint's run has.
pub(crate) fn named_model(checkpoint: &Checkpoint) -> Option<Model> {
    Some(checkpoint.state.as_ref()?.config.model)
}

/// The model that a checkpoint's tensors fit, for samples as they usually are.
pub(crate) fn shown_model(checkpoint: &Checkpoint) -> Option<Model> {
    USUAL_SHAPES.into_iter().find_map(|shape| checkpoint.model(shape))
}

/// What the samples are that a checkpoint's network is for: as it says, else as its tensors show.
pub(crate) fn shape_of(checkpoint: &Checkpoint, network: &Chosen) -> SampleShape {
    let own = checkpoint.state.as_ref().map(State::sample_shape);
    let fits = |shape: &SampleShape| {
        network.network(*shape).is_ok_and(|network| checkpoint.parameters(network.view()).is_ok())
    };
    own.or_else(|| USUAL_SHAPES.into_iter().find(fits)).unwrap_or(SampleShape::MNIST)
}

/// Samples of MNIST, CIFAR-10 and CIFAR-100, to recognise networks by whose files do not say what their samples are.
const USUAL_SHAPES: [SampleShape; 3] = [
    SampleShape::MNIST,
    SampleShape::image(Shape::image(3, 32, 32), 10),
    SampleShape::image(Shape::image(3, 32, 32), 100),
];

/// Refuses other data than the checkpoint's run learned from. Returns what the user should know where that is unknown.
///
/// # Errors
/// How they differ.
pub(crate) fn check_data((file, checkpoint): Loaded<'_>, data: &Splits) -> Result<Option<String>, String> {
    let Some(State { training_samples, training_data, .. }) = &checkpoint.state else { return Ok(None) };
    check_vocabulary((file, checkpoint), data)?;
    let (folder, samples) = (data.folder.display(), data.training.len());
    if *training_samples != samples {
        let [own, found] = [*training_samples, samples].map(|samples| grouped(samples.into()));
        return Err(about(file, format!("the run was trained on {own} samples, but {folder} has {found}")));
    }
    match training_data {
        Some(own) if *own != data.digest => Err(about(
            file,
            format!(
                "the run was trained on other data than those in {folder}: the SHA-256 of its training data is {own}, \
                 that of these data is {}",
                data.digest
            ),
        )),
        Some(_) => Ok(None),
        None => Ok(Some(about(
            file,
            format!(
                "a checkpoint of an earlier version, without the SHA-256 of its training data: assuming the data in \
                 {folder}"
            ),
        ))),
    }
}

/// The data as a checkpoint's run sees them: normalised as its training data were, and not augmented.
pub(crate) fn as_seen_by(data: Splits, loaded: Option<Loaded<'_>>) -> Splits {
    let Some(state) = loaded.and_then(|(_, checkpoint)| checkpoint.state.as_ref()) else { return data };
    data.for_run(&RunConfig { augmentation: Augmentation::NONE, ..state.config }, state.encoding)
}

/// A threshold of the checkpoint's test, by its name in settings.
pub(crate) fn threshold(loaded: Option<Loaded<'_>>, name: &str) -> Option<Value> {
    let test = loaded?.1.state.as_ref()?.config.test?;
    serde_json::to_value(test).ok()?.get(name).cloned()
}
