//! Samples that come once, and samples without labels.

use adadagrad_core::backend::PlainBackend;
use adadagrad_core::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use adadagrad_core::model::Model;
use adadagrad_core::network::{Shape, SweepError, initialise};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::statistics::{Inner, Needs, Statistics};
use adadagrad_tests::engine::with_sweep;
use adadagrad_tests::table::Table;

/// A table of which every sample can be read once.
struct Stream(Table);

impl Dataset<f32> for Stream {
    fn shape(&self) -> SampleShape {
        Dataset::<f32>::shape(&self.0)
    }

    fn len(&self) -> u32 {
        Dataset::<f32>::len(&self.0)
    }

    fn repeats(&self) -> bool {
        false
    }

    fn read(&self, visit: Visit, input: &mut [f32], targets: &mut Targets<'_, f32>) -> Result<(), ReadError> {
        self.0.read(visit, input, targets)
    }
}

fn network() -> (OwnedNetwork, Vec<f32>) {
    let shape = SampleShape::floats(Shape::vector(6), 4);
    let network = OwnedNetwork::of_model(Model::Mlp { hidden: 5 }, shape).unwrap();
    let mut parameters = vec![0.0; network.view().parameters()];
    initialise(network.view(), 3, &mut parameters).unwrap();
    (network, parameters)
}

#[test]
fn a_stream_is_refused_a_second_sweep_but_not_its_kept_activations() {
    let (network, parameters) = network();
    let stream = Stream(Table::random(2, 8, 6, 4));
    let mut gradient = vec![0.0; parameters.len()];
    with_sweep(network.view(), PlainBackend, 8, |sweep| {
        let mut statistics = Statistics::new(&mut gradient, &mut []).unwrap();
        sweep.accumulate(&parameters, &stream, 0..8, &Needs::NORMS, &mut statistics).unwrap();
        let mut mean = vec![0.0; parameters.len()];
        statistics.mean_gradient(&mut mean).unwrap();
        let mut inner = Inner::default();
        // `&stream` too: what stands for a data set says the same.
        let refused = sweep.project(&parameters, &mean, &&stream, 0..8, &mut inner).unwrap_err();
        assert_eq!(refused, SweepError::Stream);
        assert!(refused.to_string().contains("cannot be read again"));
        assert_eq!(inner, Inner::default());
        sweep.project_from_cache(&parameters, &mean, 8, &mut inner).unwrap();
        let mut again = Inner::default();
        sweep.project(&parameters, &mean, &stream.0, 0..8, &mut again).unwrap();
        assert_eq!(inner, again);
    });
}

#[test]
fn predictions_need_no_labels_and_are_those_of_an_evaluation() {
    let (network, parameters) = network();
    let table = Table::random(2, 8, 6, 4);
    let mut inputs = vec![0.0_f32; 8 * 6];
    for (sample, input) in (0_u32..).zip(inputs.chunks_exact_mut(6)) {
        table.read(sample.into(), input, &mut Targets::labels(&mut [0])).unwrap();
    }
    with_sweep(network.view(), PlainBackend, 8, |sweep| {
        sweep.evaluate(&parameters, &table, 0..8_u32).unwrap();
        let expected = sweep.outputs(8).to_vec();
        assert_eq!(sweep.predict(&parameters, &inputs).unwrap(), expected);
        assert_eq!(
            sweep.probabilities(8).1.chunks_exact(4).map(|p| p.iter().sum::<f32>().round()).sum::<f32>(),
            8.0
        );
        assert_eq!(sweep.predict(&parameters, &inputs[..6]).unwrap(), &expected[..4]);
        assert_eq!(sweep.predict(&parameters, &[]).unwrap(), &[0.0_f32; 0]);
        assert!(matches!(sweep.predict(&parameters, &inputs[1..]), Err(SweepError::Length(_))));
        assert!(matches!(sweep.predict(&parameters[1..], &inputs), Err(SweepError::Length(_))));
        let many = [&inputs[..], &inputs[..6]].concat();
        assert_eq!(
            sweep.predict(&parameters, &many).unwrap_err(),
            SweepError::TooManySamples { capacity: 8 }
        );
    });
}
