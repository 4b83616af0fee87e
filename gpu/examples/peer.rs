//! What the checks with PyTorch (`tests/peers`) ask this project for:
//!
//! ```sh
//! peer initial MODEL CxHxW CLASSES SEED FILE    # writes the parameters that a run with this seed begins with
//! peer logits MODEL CxHxW CLASSES FILE IMAGES   # prints the outputs for images, as JSON
//! ```
//!
//! `IMAGES` is a file of bytes: images one after the other, each as planes. The network sees byte/255.

use std::error::Error;
use std::path::Path;

use adadagrad_core::backend::FastBackend;
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::model::Model;
use adadagrad_core::network::{Shape, initialise};
use adadagrad_core::owned::{OwnedNetwork, Predictor, checkpoint};
use adadagrad_gpu::dataset::Images;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let &[command, model, shape, classes, fifth, sixth] = arguments.as_slice() else {
        return Err("expected six arguments: see the head of this file".into());
    };
    let sizes = shape.split('x').map(str::parse::<u32>).collect::<Result<Vec<_>, _>>()?;
    let &[channels, height, width] = sizes.as_slice() else { return Err("expected CxHxW".into()) };
    let shape = SampleShape::image(Shape::image(channels, height, width), classes.parse()?);
    let network = OwnedNetwork::of_model(model.parse::<Model>()?, shape)?;
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

fn logits(
    network: OwnedNetwork,
    shape: SampleShape,
    file: &Path,
    images: &Path,
) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::read(images)?;
    let labels = vec![0_u8; bytes.len() / shape.input.len()];
    let images = Images::new(bytes.into(), labels.into(), shape.input, shape.classes);
    let images = images.ok_or("the file does not contain whole images")?;
    let count = u32::try_from(images.labels().len())?;
    let parameters = checkpoint::load(file)?.parameters(network.view())?;
    let mut predictor = Predictor::<f32, _>::new(network, FastBackend)?;
    let parameters = predictor.in_own_order(&parameters)?;
    let mut rows = Vec::new();
    let capacity = predictor.capacity();
    for first in (0..count).step_by(capacity as usize) {
        let samples = first..count.min(first + capacity);
        predictor
            .predict(&parameters, &images, samples, |_, prediction| rows.push(prediction.outputs.to_vec()))?;
    }
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}
