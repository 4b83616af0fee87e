//! `adadagrad networks`.

use std::error::Error;
use std::process::ExitCode;

use adadagrad_core::dataset::SampleShape;
use adadagrad_core::layer::Operation;
use adadagrad_core::model::Model;
use adadagrad_core::model::description::Description;
use adadagrad_core::network::{Node, Shape, Source};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::owned::checkpoint::OwnNetwork;

use crate::Outcome;
use crate::arguments::NetworksArguments;
use crate::network::{self, Chosen};
use crate::numbers::grouped;
use crate::output;
use crate::table::table_of_texts;
use crate::usage::Usage;

/// Colour images as those of CIFAR, unless others are asked for.
const COLOUR: Shape = Shape::image(3, 32, 32);

/// Tokens of a sequence, likewise.
const TOKENS: u32 = 64;

/// Tokens that there are, likewise: the characters of Shakespeare's plays.
const VOCABULARY: u32 = 65;

/// Classes, likewise.
const CLASSES: u32 = 10;

pub(crate) fn run(arguments: &NetworksArguments) -> Outcome {
    if let Some(classes) = arguments.classes.filter(|&classes| classes < 2) {
        return Err(Usage(format!("--classes is {classes}, but must be at least 2")).into());
    }
    let text = match (&arguments.network, arguments.name) {
        (Some(file), _) => {
            let own = network::read(file)?;
            shown(arguments, Chosen { model: own.model(), own: Some(own) })?
        }
        (None, Some(model)) => shown(arguments, Chosen { model, own: None })?,
        (None, None) if arguments.json => {
            return Err("--json prints the layers of one network: give its name, or --network".into());
        }
        (None, None) => list(arguments),
    };
    output::result(text);
    Ok(ExitCode::SUCCESS)
}

/// What samples are, as asked for, else as they usually are for the model.
fn samples(arguments: &NetworksArguments, model: Model) -> SampleShape {
    if model.takes_tokens() == Some(true) {
        let tokens = SampleShape::tokens(
            arguments.shape.map_or(TOKENS, |shape| shape.width),
            arguments.classes.unwrap_or(VOCABULARY),
        );
        return SampleShape { input: arguments.shape.unwrap_or(tokens.input), ..tokens };
    }
    let usual = if Model::MNIST.contains(&model) { SampleShape::MNIST.input } else { COLOUR };
    SampleShape::image(arguments.shape.unwrap_or(usual), arguments.classes.unwrap_or(CLASSES))
}

/// The same for a network of the user's own: tokens where it takes them.
fn samples_of(arguments: &NetworksArguments, chosen: &Chosen) -> Result<SampleShape, Usage> {
    let nodes = chosen.own.iter().flat_map(OwnNetwork::nodes);
    let vocabularies = nodes.filter_map(|node| match node.operation {
        Operation::Embedding(embedding) => Some(embedding.vocabulary),
        _ => None,
    });
    let Some(vocabulary) = vocabularies.min() else { return Ok(samples(arguments, chosen.model)) };
    if arguments.classes.is_some_and(|classes| classes != vocabulary) {
        return Err(Usage(format!(
            "--classes cannot be combined with this network, whose embedding has {vocabulary} tokens"
        )));
    }
    let tokens = SampleShape::tokens(TOKENS, vocabulary);
    // Nothing is trained, so that any labels will do.
    Ok(SampleShape { input: arguments.shape.unwrap_or(tokens.input), labels: 0, ..tokens })
}

/// One line for each ready-made network.
fn list(arguments: &NetworksArguments) -> String {
    let mut rows = vec![["network", "samples", "layers", "parameters", "FLOPs"].map(str::to_owned).to_vec()];
    for model in Model::ALL {
        let shape = samples(arguments, model);
        let fitting = OwnedNetwork::of_model(model, shape);
        let numbers = fitting.map_or_else(
            |_| ["–".to_owned(), "–".to_owned(), "does not fit".to_owned()],
            |network| {
                let network = network.view();
                let layers = network.nodes().len() as u64;
                [layers, network.parameters() as u64, network.forward_flops()].map(grouped)
            },
        );
        rows.push([model.to_string(), sizes(shape.input)].into_iter().chain(numbers).collect());
    }
    format!(
        "{}\nFLOPs: multiplications and additions of one sample's forward pass. {}.\nSizes may be given: \
         mlp-HIDDEN, resnet-DEPTH-WIDTH, resnet18-WIDTH, transformer-LAYERS-HEADS-WIDTH.\n",
        table_of_texts(&rows, 2),
        arguments.classes.map_or_else(
            || format!("{CLASSES} classes; {VOCABULARY} tokens for transformer"),
            |classes| format!("{classes} classes or tokens")
        )
    )
}

/// One network, layer by layer.
fn shown(arguments: &NetworksArguments, chosen: Chosen) -> Result<String, Box<dyn Error>> {
    let shape = samples_of(arguments, &chosen)?;
    let network = chosen.network(shape)?;
    let view = network.view();
    if arguments.json {
        let nodes = view.nodes().iter();
        let nodes = nodes.map(|node| Node {
            deviation: node.deviation,
            ..Node::with_inputs(node.operation, node.inputs).named(node.name)
        });
        return Ok(OwnNetwork::new(Description::new(nodes.collect())).to_text());
    }
    let name = |index: usize| {
        let name = view.nodes().get(index).map(|node| node.name);
        name.unwrap_or_default().or_number(index).to_string()
    };
    let mut rows =
        vec![["name", "layer", "inputs", "output", "parameters", "FLOPs"].map(str::to_owned).to_vec()];
    for (index, node) in view.nodes().iter().enumerate() {
        let inputs = node.inputs.iter().filter_map(|source| match *source {
            Source::None => None,
            Source::Input => Some("input".to_owned()),
            Source::Node(index) => Some(name(index.into())),
        });
        rows.push(vec![
            name(index),
            node.operation.to_string(),
            inputs.collect::<Vec<_>>().join(", "),
            node.output.to_string(),
            grouped((node.weights + node.biases) as u64),
            grouped(node.flops()),
        ]);
    }
    let total = [view.parameters() as u64, view.forward_flops()].map(grouped);
    let [parameters, flops] = total;
    rows.push(vec!["total".to_owned(), String::new(), String::new(), String::new(), parameters, flops]);
    Ok(format!(
        "{}, samples of shape {}, {} classes\n\n{}",
        chosen.model,
        sizes(shape.input),
        shape.classes,
        table_of_texts(&rows, 3)
    ))
}

/// A shape as --shape takes it.
fn sizes(Shape { channels, height, width }: Shape) -> String {
    format!("{channels}x{height}x{width}")
}
