//! Which network a command works with: one that has a name, or the user's own.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use adadagrad_core::dataset::{Encoding, SampleShape};
use adadagrad_core::model::Model;
use adadagrad_core::network::Shape;
use adadagrad_core::owned::checkpoint::{OwnNetwork, network_of};
use adadagrad_core::owned::{OwnedNetwork, RunError};
use clap::Args;

use crate::distinct::Purpose;
use crate::files::{about, read_text};
use crate::origin::{self, Loaded};

/// Flags that name a network, for commands that need no other settings.
#[derive(Debug, Args)]
pub(crate) struct NetworkArguments {
    /// The network, as `adadagrad networks` lists them [default: the model of the checkpoint, where one is given]
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<Model>,
    /// Your own network: a JSON list of layers, as `adadagrad networks NAME --json` prints them
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    pub(crate) network: Option<PathBuf>,
}

impl NetworkArguments {
    /// The file of a custom network, and its flag.
    pub(crate) fn file(&self) -> Option<Purpose<'_>> {
        self.network.as_deref().map(|file| ("--network", file))
    }
}

/// A network without the samples that it is for.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) model: Model,
    /// Its layers, if it is a custom one.
    pub(crate) own: Option<OwnNetwork>,
}

/// The layers in a file.
pub(crate) fn read(file: &Path) -> Result<OwnNetwork, String> {
    OwnNetwork::read(&read_text(file)?).map_err(|error| about(file, error))
}

/// The layers in the file that a flag names, else those in the checkpoint.
pub(crate) fn own_layers(
    file: Option<&Path>,
    loaded: Option<Loaded<'_>>,
) -> Result<Option<OwnNetwork>, String> {
    let in_checkpoint = || loaded.and_then(|(_, checkpoint)| checkpoint.state.as_ref()?.network.clone());
    file.map_or_else(|| Ok(in_checkpoint()), |file| read(file).map(Some))
}

impl NetworkArguments {
    /// What was asked for, else what the checkpoint says, or its tensors show, else the default.
    ///
    /// # Errors
    /// When the flag contradicts the checkpoint, or nothing says which.
    pub(crate) fn choose(
        &self,
        loaded: Option<Loaded<'_>>,
        default: Option<Model>,
    ) -> Result<Chosen, String> {
        let own = own_layers(self.network.as_deref(), loaded)?;
        let asked = self.model.or_else(|| self.network.as_ref().and(own.as_ref()).map(OwnNetwork::model));
        let model = origin::model_of(asked, loaded, default)?;
        Ok(Chosen { model, own })
    }
}

impl Chosen {
    /// The network for samples of a shape.
    ///
    /// # Errors
    /// Which layer does not fit them, and why.
    pub(crate) fn network(&self, shape: SampleShape) -> Result<OwnedNetwork, String> {
        let Self { model, own } = self;
        network_of(*model, own.as_ref(), shape).map_err(|error| match error {
            RunError::Model(_) if own.is_none() && matches!(model, Model::Own { .. }) => {
                format!("the model {model} is a custom network: give its file with --network")
            }
            error => misfit(*model, shape, error),
        })
    }
}

/// That a model does not fit samples, with the reason.
fn misfit(model: Model, shape: SampleShape, error: impl Display) -> String {
    let SampleShape { input, encoding, classes, .. } = shape;
    let name = match model {
        Model::Own { .. } => "the network".to_owned(),
        model => format!("the model {model}"),
    };
    if let Encoding::Tokens { vocabulary } = encoding {
        let positions = input.width;
        return format!(
            "{name} does not fit sequences of {positions} of {vocabulary} different tokens: {error}"
        );
    }
    format!("{name} does not fit samples of shape {} with {classes} classes: {error}", InWords(input))
}

/// A shape with all its sizes.
struct InWords(Shape);

impl Display for InWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shape { channels, height, width } = self.0;
        write!(f, "{channels}×{height}×{width}")
    }
}
