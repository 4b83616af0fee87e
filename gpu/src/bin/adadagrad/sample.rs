//! `adadagrad sample`: text that a network writes.

use std::process::ExitCode;

use adadagrad_core::owned::Writer;
use adadagrad_core::owned::text::Vocabulary;

use crate::arguments::SampleArguments;
use crate::files::{self, about};
use crate::usage::Usage;
use crate::{Outcome, output};

pub(crate) fn run(arguments: &SampleArguments) -> Outcome {
    let load = arguments.load.as_path();
    let checkpoint = files::load_checkpoint(load)?;
    let of_text = checkpoint.state.as_ref().and_then(|state| Some((state, state.vocabulary.as_ref()?)));
    let (state, vocabulary) = of_text.ok_or_else(|| {
        about(load, "it is not the checkpoint of a run on a text, so it holds no characters to write")
    })?;
    let network = state.network().map_err(|error| about(load, error))?;
    let prompt = prompt(arguments, vocabulary)?;
    let parameters = checkpoint.parameters(network.view()).map_err(|error| about(load, error))?;
    let mut writer =
        Writer::<f32>::new(network, parameters, arguments.seed).map_err(|error| about(load, error))?;
    let show = |token| output::result(vocabulary.bytes_of(&[token]).unwrap_or_default());
    for &token in &prompt {
        writer.read(token.into()).map_err(|error| about(load, error))?;
        show(token);
    }
    for _ in 0..arguments.characters {
        let token = writer.write(arguments.temperature).map_err(|error| about(load, error))?;
        // Tokens of a text fit in 16 bits.
        if !show(u16::try_from(token).unwrap_or(u16::MAX)) {
            // Nobody reads on.
            return Ok(ExitCode::SUCCESS);
        }
    }
    output::result("\n");
    Ok(ExitCode::SUCCESS)
}

/// The tokens to begin with: those of the prompt, else a line break, where there is one, or the first token.
fn prompt(arguments: &SampleArguments, vocabulary: &Vocabulary) -> Result<Vec<u16>, Usage> {
    let Some(prompt) = arguments.prompt.as_deref() else {
        return Ok(vocabulary.tokens_of("\n").unwrap_or_else(|| vec![0]));
    };
    if prompt.is_empty() {
        return Err("--prompt is empty, but the network continues a text: give at least one character".into());
    }
    vocabulary.tokens_of(prompt).ok_or_else(|| {
        let unknown =
            prompt.chars().find(|&character| vocabulary.tokens_of(&character.to_string()).is_none());
        format!(
            "--prompt has the character {:?}, which the text of the run does not have",
            unknown.unwrap_or_default()
        )
        .into()
    })
}
