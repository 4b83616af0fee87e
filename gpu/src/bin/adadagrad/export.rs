//! `adadagrad export`.

use std::process::ExitCode;

use adadagrad_core::dataset::Encoding;
use adadagrad_core::owned::checkpoint::{self, State};
use adadagrad_core::text::TokenKind;
use adadagrad_gpu::output_file::OutputFile;

use crate::Outcome;
use crate::arguments::ExportArguments;
use crate::distinct::refuse_shared;
use crate::files::{self, about};
use crate::numbers::grouped;
use crate::{origin, output};

pub(crate) fn run(arguments: &ExportArguments) -> Outcome {
    let (load, path) = (arguments.load.as_path(), arguments.output.as_path());
    // The checkpoint would lose all but its parameters.
    refuse_shared(("--output", path), &[Some(("--load", load)), arguments.network.file()])?;
    let checkpoint = files::load_checkpoint(load)?;
    let chosen = arguments.network.choose(Some((load, &checkpoint)), None)?;
    let network = chosen.network(origin::shape_of(&checkpoint, &chosen))?;
    let parameters = checkpoint.parameters(network.view()).map_err(|error| about(load, error))?;
    let bytes = checkpoint::write_parameters(network.view(), &parameters)?;
    let mut file = OutputFile::prove(path, bytes.len() as u64).map_err(|error| about(path, error))?;
    if file.exists() && !arguments.overwrite {
        return Err(about(path, "the file exists already; to replace it, add --overwrite").into());
    }
    file.write(&bytes).map_err(|error| about(path, error))?;
    let (model, parameters) = (chosen.model, grouped(parameters.len() as u64));
    output::message(format_args!("Wrote {}: {parameters} parameters of the model {model}.", path.display()));
    output::message(inputs(checkpoint.state.as_ref()));
    Ok(ExitCode::SUCCESS)
}

/// What PyTorch is to give the network, so that it sees what it was trained on.
fn inputs(state: Option<&State>) -> String {
    let Some(state) = state else {
        return "The file does not say whether the inputs of the network are normalised.".to_owned();
    };
    if let Some(vocabulary) = &state.vocabulary {
        return match vocabulary.kind() {
            TokenKind::Bytes => "The inputs of the network are the bytes of a text.".to_owned(),
            TokenKind::Characters => format!(
                "The inputs of the network are the places of characters, counted from 0, among these {}: {:?}",
                vocabulary.len(),
                vocabulary.characters().unwrap_or_default()
            ),
        };
    }
    let (mean, deviation) = match state.encoding {
        Some(Encoding::Bytes { mean, deviation }) => (mean, deviation),
        Some(Encoding::Tokens { .. }) => return "The inputs of the network are tokens.".to_owned(),
        Some(Encoding::Floats) => return "The inputs of the network are as they are stored.".to_owned(),
        None => return "The inputs of the network are pixel/255.".to_owned(),
    };
    let channels = state.sample_shape().input.channels as usize;
    let [mean, deviation] = [mean, deviation].map(|numbers| {
        let numbers: Vec<_> = numbers.iter().take(channels).map(f32::to_string).collect();
        numbers.join(", ")
    });
    format!(
        "The inputs of the network are (pixel/255 - mean)/deviation, per channel: in torchvision \
         ToTensor(), then Normalize([{mean}], [{deviation}])."
    )
}
