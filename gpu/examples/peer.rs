//! What the checks with PyTorch (`tests/peers`) ask this project for:
//!
//! ```sh
//! peer initial MODEL SHAPE CLASSES SEED FILE    # writes the parameters that a run with this seed begins with
//! peer logits MODEL SHAPE CLASSES FILE SAMPLES  # prints the outputs for samples, as JSON
//! ```
//!
//! `SHAPE` is `CxHxW` for images. `SAMPLES` is then a file of bytes: images one after the other, each as planes; the network
//! sees byte/255. For a transformer `SHAPE` is `1x1xPOSITIONS`, `CLASSES` the size of the vocabulary, and each byte of
//! `SAMPLES` a token; outputs of a sequence are one channel after the other.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use adadagrad_core::backend::FastBackend;
use adadagrad_core::dataset::{Encoding, SampleShape};
use adadagrad_core::model::Model;
use adadagrad_core::network::{Shape, initialise};
use adadagrad_core::owned::{OwnedNetwork, Predictor, SharedDataset, checkpoint};
use adadagrad_core::sequences::Sequences;
use adadagrad_gpu::dataset::Images;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let &[command, model, shape, classes, fifth, sixth] = arguments.as_slice() else {
        return Err("expected six arguments: see the head of this file".into());
    };
    let sizes = shape.split('x').map(str::parse::<u32>).collect::<Result<Vec<_>, _>>()?;
    let &[channels, height, width] = sizes.as_slice() else { return Err("expected CxHxW".into()) };
    let (model, classes) = (model.parse::<Model>()?, classes.parse()?);
    let shape = match model {
        Model::Transformer { .. } => SampleShape::tokens(width, classes),
        _ => SampleShape::image(Shape::image(channels, height, width), classes),
    };
    let network = OwnedNetwork::of_model(model, shape)?;
    match command {
        "initial" => initial(&network, fifth.parse()?, Path::new(sixth)),
        "logits" => logits(network, shape, Path::new(fifth), Path::new(sixth)),
        _ => Err("expected initial or logits".into()),
    }
}

fn initial(network: &OwnedNetwork, seed: u64, file: &Path) -> Result<(), Box<dyn Error>> {
    let mut parameters = vec![0.0; network.view().parameters()];
    initialise(network.view(), seed, &mut parameters)?;
    Ok(std::fs::write(file, checkpoint::write_parameters(network.view(), &parameters)?)?)
}

/// What a file of bytes holds.
fn samples(bytes: Vec<u8>, shape: SampleShape) -> Result<SharedDataset, Box<dyn Error>> {
    if let Encoding::Tokens { vocabulary } = shape.encoding {
        // The last sequence needs a token behind it, which only its loss looks at.
        let tokens = [bytes, vec![0]].concat();
        return Ok(Arc::new(Sequences::<Vec<u8>, u8>::new(tokens, shape.input.width, vocabulary)?));
    }
    let labels = vec![0_u8; bytes.len() / shape.input.len()];
    let images = Images::new(bytes.into(), labels.into(), shape.input, shape.classes);
    Ok(Arc::new(images.ok_or("the file does not contain whole images")?))
}

fn logits(
    network: OwnedNetwork,
    shape: SampleShape,
    file: &Path,
    bytes: &Path,
) -> Result<(), Box<dyn Error>> {
    let samples = samples(std::fs::read(bytes)?, shape)?;
    let count = samples.len();
    let parameters = checkpoint::load(file)?.parameters(network.view())?;
    let mut predictor = Predictor::<f32, _>::new(network, FastBackend)?;
    let parameters = predictor.in_own_order(&parameters)?;
    let mut rows = Vec::new();
    let capacity = predictor.capacity();
    for first in (0..count).step_by(capacity as usize) {
        let some = first..count.min(first + capacity);
        predictor
            .predict(&parameters, &*samples, some, |_, prediction| rows.push(prediction.outputs.to_vec()))?;
    }
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}
