//! A network of the reference numbers, and what its batch must say.

use adadagrad_core::network::Shape;
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::real::Real;
use adadagrad_core::statistics::Reason;

use crate::compare::{Check, all_close_to_largest, close, equal};
use crate::engine::Batch;
use crate::golden::{InputKind, NetworkCase, NetworkExpected};
use crate::table::Table;

impl NetworkCase {
    /// The network.
    ///
    /// # Panics
    /// When its sizes are not those that the file gives.
    #[must_use]
    pub fn network(&self) -> OwnedNetwork {
        let input = match *self.input_shape.as_slice() {
            [positions] if self.input_kind == InputKind::Token => Shape::sequence(1, positions),
            [width] => Shape::vector(width),
            [channels, positions] => Shape::sequence(channels, positions),
            [channels, height, width] => Shape::image(channels, height, width),
            _ => panic!("{}: an input of shape {:?}", self.name, self.input_shape),
        };
        let network =
            OwnedNetwork::new(input, &self.nodes()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        for (placed, row) in network.view().nodes().iter().zip(&self.layers) {
            if let Some(width) = row.layer.input() {
                assert_eq!(placed.input.channels, width, "{}", self.name);
            }
        }
        assert_eq!(network.view().parameters(), self.parameter_count, "{}", self.name);
        assert_eq!(network.view().output().channels as usize, self.classes, "{}", self.name);
        network
    }

    /// Its batch as a data set.
    #[must_use]
    pub fn table(&self) -> Table {
        let labels = self.labels.iter().flat_map(|labels| labels.as_slice().iter().copied());
        Table { inputs: self.inputs.clone(), labels: labels.collect() }
    }

    /// Everything that a batch says, against the file: within `unit` of the largest number of its kind.
    ///
    /// # Errors
    /// The first number that differs by more.
    pub fn check<F: Real>(&self, batch: &Batch<F>, unit: f64) -> Check {
        let (expected, evidence) = (&self.expected, &batch.evidence);
        let count = expected.losses.len();
        let b = count as f64;
        equal("B", &(evidence.samples as usize), &count)?;
        all_close_to_largest("logits", &batch.outputs, &expected.logits.concat(), unit)?;
        all_close_to_largest("losses", &batch.losses, &expected.losses, unit)?;
        close("mean_loss", evidence.loss, expected.mean_loss, unit * expected.mean_loss)?;
        let answers: usize = self.labels.iter().map(|labels| labels.as_slice().len()).sum();
        close("accuracy", f64::from(evidence.correct) / answers as f64, expected.accuracy, 1e-15)?;
        all_close_to_largest("mean_gradient", &batch.mean_gradient, &expected.mean_gradient, unit)?;
        let norms = &expected.per_sample_squared_norms;
        all_close_to_largest("per_sample_squared_norms", &batch.square_norms, norms, unit)?;
        let products = &expected.per_sample_inner_products;
        all_close_to_largest("per_sample_inner_products", &batch.inner_products, products, unit)?;
        let moments = &expected.sum_squared_gradients;
        all_close_to_largest("sum_squared_gradients", &batch.second_moment, moments, unit)?;
        let defined = |value: Result<f64, Reason>| value.map_err(|reason| reason.to_string());
        let NetworkExpected { n, S: s, P2: p2, .. } = *expected;
        let (norms, inner) = evidence.sum_squared_norms.zip(evidence.inner).ok_or("sums are missing")?;
        close("n", evidence.mean_norm_sq, n, unit * s / b)?;
        close("S", norms, s, unit * s)?;
        close("P2", inner.sum_squared_inner_products, p2, unit * s * s / b)?;
        close("v1", defined(evidence.variance())?, expected.v1, unit * s / (b - 1.0))?;
        close("v_ip", defined(evidence.variance_along())?, expected.v_ip, unit * s * s / (b * (b - 1.0)))?;
        close("v_orth", defined(evidence.variance_orthogonal())?, expected.v_orth, unit * s / (b - 1.0))?;
        close("n_unb", defined(evidence.debiased_norm_sq())?, expected.n_unb, unit * s / b)
    }
}
