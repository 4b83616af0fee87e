//! One network with memory for micro-batches of any size, and everything a batch can say about it.

use adadagrad_core::backend::Backend;
use adadagrad_core::dataset::{Dataset, Visit};
use adadagrad_core::network::{Network, Score, Sweep, Workspace};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::real::Real;
use adadagrad_core::statistics::{Evidence, Inner, Needs, Statistics};

/// Everything that a test may ask for.
#[must_use]
pub fn all_needs() -> Needs {
    Needs { norms: true, inner: true, coordinate_quantile: Some(1.0), parts: 0, ..Needs::NONE }
}

/// What one batch says.
#[derive(Clone, Debug)]
pub struct Batch<F> {
    /// The tests' evidence, with everything in it.
    pub evidence: Evidence<f64>,
    /// ḡ.
    pub mean_gradient: Vec<F>,
    /// Σ gᵢ².
    pub second_moment: Vec<F>,
    /// Each sample's loss.
    pub losses: Vec<f64>,
    /// Each sample's outputs.
    pub outputs: Vec<F>,
    /// sᵢ.
    pub square_norms: Vec<f64>,
    /// pᵢ.
    pub inner_products: Vec<f64>,
}

/// Calls `act` with a sweep over micro-batches of up to `capacity` samples, in memory filled with NaN: what
/// is read before it is written shows.
pub fn with_sweep<F: Real, M: Backend<F> + Copy, T>(
    network: Network<'_>,
    product: M,
    capacity: usize,
    act: impl FnOnce(&mut Sweep<'_, F, M>) -> T,
) -> T {
    let len = network.workspace(capacity);
    let mut values = vec![F::nan(); len.values];
    let mut sums = vec![F::Sum::of(f64::NAN); len.sums];
    let mut visits = vec![Visit { sample: u32::MAX, pass: u64::MAX }; len.visits];
    let mut labels = vec![u32::MAX; len.labels];
    let workspace =
        Workspace { values: &mut values, sums: &mut sums, visits: &mut visits, labels: &mut labels };
    let mut sweep = Sweep::new(network, product, capacity, workspace).expect("memory of the right size");
    act(&mut sweep)
}

/// Sweeps over `samples` in micro-batches of `micro_batch`, twice: the second time for the inner products.
///
/// # Errors
/// What the engine refused.
pub fn measure<F: Real<Sum = f64>>(
    network: &OwnedNetwork,
    product: impl Backend<F> + Copy,
    parameters: &[F],
    dataset: &impl Dataset<F>,
    samples: &[u32],
    micro_batch: usize,
) -> Result<Batch<F>, String> {
    let network = network.view();
    let mut gradient_sum = vec![F::zero(); network.parameters()];
    let mut second_moment = vec![F::zero(); network.parameters()];
    let mut mean_gradient = vec![F::zero(); network.parameters()];
    let mut inner = Inner::default();
    let mut batch = with_sweep(network, product, micro_batch, |sweep| {
        let mut statistics =
            Statistics::new(&mut gradient_sum, &mut second_moment).map_err(|error| error.to_string())?;
        let mut outputs = Vec::new();
        for part in samples.chunks(micro_batch) {
            sweep
                .accumulate(parameters, dataset, part.iter().copied(), &all_needs(), &mut statistics)
                .map_err(|error| error.to_string())?;
            outputs.extend_from_slice(sweep.outputs(part.len()));
        }
        statistics.mean_gradient(&mut mean_gradient).map_err(|error| error.to_string())?;
        for part in samples.chunks(micro_batch) {
            sweep
                .project(parameters, &mean_gradient, dataset, part.iter().copied(), &mut inner)
                .map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(Batch {
            second_moment: statistics.second_moment.to_vec(),
            evidence: statistics.evidence(&all_needs(), Some(inner)),
            mean_gradient: mean_gradient.clone(),
            losses: Vec::new(),
            outputs,
            square_norms: Vec::new(),
            inner_products: Vec::new(),
        })
    })?;
    for &sample in samples {
        let single = single(network, product, parameters, &mean_gradient, dataset, sample)?;
        batch.losses.push(single.loss);
        batch.square_norms.push(single.square_norm);
        batch.inner_products.push(single.inner_product);
    }
    Ok(batch)
}

/// The same of a network that keeps its weights by inputs, for parameters, and with results, in the order of files.
///
/// # Errors
/// What the engine refused.
pub fn measure_by_inputs<F: Real<Sum = f64>>(
    network: &OwnedNetwork,
    product: impl Backend<F> + Copy,
    parameters: &[F],
    dataset: &impl Dataset<F>,
    samples: &[u32],
    micro_batch: usize,
) -> Result<Batch<F>, String> {
    let network = network.clone().by_inputs();
    let mut own = parameters.to_vec();
    network.view().to_own_order(parameters, &mut own).map_err(|error| error.to_string())?;
    let found = measure(&network, product, &own, dataset, samples, micro_batch)?;
    let [mean_gradient, second_moment] =
        [&found.mean_gradient, &found.second_moment].map(|own| network.as_files_hold(own));
    Ok(Batch { mean_gradient, second_moment, ..found })
}

struct Single {
    loss: f64,
    square_norm: f64,
    inner_product: f64,
}

/// One sample's own numbers: what a batch of one gives.
fn single<F: Real<Sum = f64>>(
    network: Network<'_>,
    product: impl Backend<F> + Copy,
    parameters: &[F],
    mean_gradient: &[F],
    dataset: &impl Dataset<F>,
    sample: u32,
) -> Result<Single, String> {
    let mut inner = Inner::<f64>::default();
    let Score { loss, .. } = with_sweep(network, product, 1, |sweep| {
        sweep.project(parameters, mean_gradient, dataset, [sample], &mut inner)?;
        sweep.evaluate(parameters, dataset, [sample])
    })
    .map_err(|error| error.to_string())?;
    // The sums of one sample are s p and s²: s is the root of the second, and p their quotient.
    let square_norm = inner.sum_squared_square_norms.sqrt();
    let inner_product = inner.sum_norm_inner_products / square_norm;
    Ok(Single { loss, square_norm, inner_product })
}
