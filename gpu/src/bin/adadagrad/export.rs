//! `adadagrad export`.

use std::process::ExitCode;

use adadagrad_core::owned::checkpoint;
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
    refuse_shared(("--output", path), &[Some(("--load", load))])?;
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
    Ok(ExitCode::SUCCESS)
}
