//! Forward and backward over one micro-batch, with per-sample statistics on the way.

use core::fmt;
use core::ops::Range;

use num_traits::Zero;

use super::fusion::Stage;
use super::{Network, Placed, Workspace};
use crate::backend::Backend;
use crate::dataset::{Dataset, Visit};
use crate::layer::{Sink, softmax, softmax_cross_entropy};
use crate::real::{Real, power_of_two};
use crate::statistics::{Inner, LengthMismatch, Needs, Statistics, check_length, comfortable_exponent};

/// Why a sweep failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepError {
    /// A slice has the wrong length.
    Length(LengthMismatch),
    /// More samples than the workspace was made for.
    TooManySamples {
        /// Its capacity.
        capacity: usize,
    },
    /// A sample that the data set does not have.
    Sample {
        /// Which sample was requested.
        sample: u32,
        /// Number of samples.
        samples: u32,
    },
    /// A label that is not below the network's number of classes.
    Label {
        /// Which sample of the data set.
        sample: u32,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
}

impl fmt::Display for SweepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(error) => error.fmt(f),
            Self::TooManySamples { capacity } => {
                write!(f, "too many samples: the working memory holds at most {capacity}")
            }
            Self::Label { sample, label, classes } => {
                write!(f, "sample {sample} has label {label}, but the network has only {classes} classes")
            }
            Self::Sample { sample, samples } => {
                write!(f, "there is no sample {sample} in a data set of {samples} samples, counted from 0")
            }
        }
    }
}

impl core::error::Error for SweepError {}

impl From<LengthMismatch> for SweepError {
    fn from(error: LengthMismatch) -> Self {
        Self::Length(error)
    }
}

/// Loss and number of correct predictions over some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score<S> {
    /// Sum of the losses in nats.
    pub loss: S,
    /// Correct predictions.
    pub correct: u32,
}

impl<S: Real> Score<S> {
    /// Adds other samples' score.
    pub fn merge(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct = self.correct.saturating_add(other.correct);
    }
}

/// One thread's engine: sweeps over micro-batches of up to `capacity` samples.
#[derive(Debug)]
pub struct Sweep<'a, F: Real, B> {
    network: Network<'a>,
    backend: B,
    capacity: usize,
    workspace: Workspace<'a, F>,
}

/// The workspace's values, cut for a micro-batch.
pub(super) struct Buffers<'w, F> {
    pub(super) activations: &'w mut [F],
    pub(super) gradients: &'w mut [F],
    pub(super) scratch: &'w mut [F],
}

impl<'a, F: Real, B: Backend<F>> Sweep<'a, F, B> {
    /// An engine in the caller's memory, for micro-batches of up to `capacity` samples.
    ///
    /// # Errors
    /// When a slice has another length than [`Network::workspace`] asks for, or the network has no input or no outputs.
    pub fn new(
        network: Network<'a>,
        backend: B,
        capacity: usize,
        workspace: Workspace<'a, F>,
    ) -> Result<Self, LengthMismatch> {
        for (what, len) in [("the network's input", network.input().len()), ("its output", network.classes())]
        {
            check_length(what, len.max(1), len)?;
        }
        let expected = network.workspace(capacity);
        check_length("the workspace", expected.values, workspace.values.len())?;
        check_length("the workspace's sums", expected.sums, workspace.sums.len())?;
        check_length("the workspace's visits", expected.visits, workspace.visits.len())?;
        check_length("the workspace's labels", expected.labels, workspace.labels.len())?;
        Ok(Self { network, backend, capacity, workspace })
    }

    /// Adds a micro-batch's loss, gradient and whatever `needs` names to `statistics`. Of no samples, nothing is added.
    ///
    /// # Errors
    /// When lengths do not fit, or there is no such sample or class; then `statistics` is as it was.
    pub fn accumulate(
        &mut self,
        parameters: &[F],
        dataset: &impl Dataset<F>,
        samples: impl IntoIterator<Item = impl Into<Visit>>,
        needs: &Needs,
        statistics: &mut Statistics<'_, F>,
    ) -> Result<(), SweepError> {
        let parameters_len = self.network.parameters();
        check_length("the gradient", parameters_len, statistics.gradient_sum.len())?;
        if !statistics.second_moment.is_empty() {
            check_length("the second moment", parameters_len, statistics.second_moment.len())?;
        }
        let (count, score) = self.forward(parameters, dataset, samples)?;
        if count == 0 {
            return Ok(());
        }
        let norms = if needs.norms { count } else { 0 };
        let exponent = statistics.exponent_for(self.largest_error(count));
        let (square_norms, _) = self.workspace.sums.split_at_mut(norms);
        square_norms.fill(F::Sum::zero());
        let values = &mut *self.workspace.values;
        let mut sink = Sink {
            gradient_sum: statistics.gradient_sum,
            second_moment: statistics.second_moment,
            square_norms,
            ..Sink::default()
        };
        if exponent == 0 || sink.only_sum() {
            backward(self.network, &self.backend, Way::Whole, count, parameters, values, sink);
        } else {
            // First the sum of gradients that are so small, then their squares, from gradients that are not.
            let only_sum = Sink { gradient_sum: sink.gradient_sum, ..Sink::default() };
            backward(self.network, &self.backend, Way::Whole, count, parameters, values, only_sum);
            sink.gradient_sum = &mut [];
            scale_gradients(self.network, count, values, exponent);
            backward(self.network, &self.backend, Way::Kept, count, parameters, values, sink);
            scale_gradients(self.network, count, values, -exponent);
            let unscale = power_of_two::<F::Sum>(-exponent);
            for norm in &mut self.workspace.sums[..norms] {
                *norm = *norm * unscale * unscale;
            }
        }
        statistics.totals.loss += score.loss;
        let totals = &mut statistics.totals;
        totals.correct = totals.correct.saturating_add(score.correct);
        totals.samples = totals.samples.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        statistics.totals.sum_squared_norms += self.workspace.sums[..norms].iter().copied().sum();
        Ok(())
    }

    /// The second sweep: adds a micro-batch's inner products with ḡ to `inner`. Of no samples, nothing is added.
    ///
    /// # Errors
    /// When lengths do not fit, or there is no such sample or class; then `inner` is as it was.
    pub fn project(
        &mut self,
        parameters: &[F],
        mean_gradient: &[F],
        dataset: &impl Dataset<F>,
        samples: impl IntoIterator<Item = impl Into<Visit>>,
        inner: &mut Inner<F::Sum>,
    ) -> Result<(), SweepError> {
        check_length("the mean gradient", self.network.parameters(), mean_gradient.len())?;
        let (count, _) = self.forward(parameters, dataset, samples)?;
        self.project_by(Way::Whole, parameters, mean_gradient, count, inner);
        Ok(())
    }

    /// The second sweep over the `samples` samples that were accumulated last, from their activations and gradients
    /// that are still in this memory. The result has the same bits as [`Self::project`]'s, for a third of its work.
    ///
    /// # Errors
    /// When lengths do not fit; then `inner` is as it was.
    pub fn project_kept(
        &mut self,
        parameters: &[F],
        mean_gradient: &[F],
        samples: usize,
        inner: &mut Inner<F::Sum>,
    ) -> Result<(), SweepError> {
        check_length("the parameters", self.network.parameters(), parameters.len())?;
        check_length("the mean gradient", self.network.parameters(), mean_gradient.len())?;
        let capacity = self.capacity;
        if samples > capacity {
            return Err(SweepError::TooManySamples { capacity });
        }
        self.project_by(Way::Kept, parameters, mean_gradient, samples, inner);
        Ok(())
    }

    fn project_by(
        &mut self,
        way: Way,
        parameters: &[F],
        mean_gradient: &[F],
        count: usize,
        inner: &mut Inner<F::Sum>,
    ) {
        if count == 0 {
            return;
        }
        self.workspace.sums.fill(F::Sum::zero());
        let exponent = comfortable_exponent(self.largest_error(count));
        let (network, backend, values) = (self.network, &self.backend, &mut *self.workspace.values);
        let (square_norms, inner_products) = self.workspace.sums.split_at_mut(self.capacity);
        let sink = Sink {
            mean_gradient,
            square_norms: &mut square_norms[..count],
            inner_products: &mut inner_products[..count],
            ..Sink::default()
        };
        if exponent == 0 {
            backward(network, backend, way, count, parameters, values, sink);
        } else {
            if way == Way::Whole {
                backward(network, backend, way, count, parameters, values, Sink::default());
            }
            scale_gradients(network, count, values, exponent);
            backward(network, backend, Way::Kept, count, parameters, values, sink);
            scale_gradients(network, count, values, -exponent);
        }
        let unscale = power_of_two::<F::Sum>(-exponent);
        for (&square_norm, &inner_product) in square_norms[..count].iter().zip(&inner_products[..count]) {
            inner.add(square_norm * unscale * unscale, inner_product * unscale);
        }
    }

    /// Loss and correct predictions of a micro-batch, without a backward pass. Without samples, both are 0.
    ///
    /// # Errors
    /// When lengths do not fit, or there is no such sample or class.
    pub fn evaluate(
        &mut self,
        parameters: &[F],
        dataset: &impl Dataset<F>,
        samples: impl IntoIterator<Item = impl Into<Visit>>,
    ) -> Result<Score<F::Sum>, SweepError> {
        self.forward(parameters, dataset, samples).map(|(_, score)| score)
    }

    /// The outputs \[m, classes\] of the micro-batch that was swept last. None where `samples` are more than fit one.
    #[must_use]
    pub fn outputs(&self, samples: usize) -> &[F] {
        let last = self.network.nodes().last().filter(|_| samples <= self.capacity);
        let Some(last) = last else { return &[] };
        let start = last.output_offset * samples;
        &self.workspace.values[start..start + last.output.len() * samples]
    }

    /// The outputs, and the probabilities that softmax makes of them, \[m, classes\] each, of the micro-batch that
    /// was evaluated last. None where `samples` are more than fit one.
    #[must_use]
    pub fn probabilities(&mut self, samples: usize) -> (&[F], &[F]) {
        let last = self.network.nodes().last().filter(|_| samples <= self.capacity);
        let Some(last) = last else { return (&[], &[]) };
        let classes = last.output.len();
        let range = last.output_offset * samples..(last.output_offset + classes) * samples;
        let buffers = cut(self.network, samples, self.workspace.values);
        let (outputs, probabilities) = (&buffers.activations[range.clone()], &mut buffers.gradients[range]);
        for (z, p) in outputs.chunks_exact(classes).zip(probabilities.chunks_exact_mut(classes)) {
            softmax(z, p);
        }
        (outputs, probabilities)
    }

    /// Reads the samples, runs the network, and leaves the loss's gradient at the outputs. Returns how many
    /// samples there were.
    fn forward(
        &mut self,
        parameters: &[F],
        dataset: &impl Dataset<F>,
        samples: impl IntoIterator<Item = impl Into<Visit>>,
    ) -> Result<(usize, Score<F::Sum>), SweepError> {
        check_length("the parameters", self.network.parameters(), parameters.len())?;
        let input_len = self.network.input().len();
        check_length("a sample of the data set", input_len, dataset.shape().input.len())?;
        let count = self.list(dataset, samples)?;
        if count == 0 {
            // Kernels need not know of it.
            return Ok((0, Score::default()));
        }
        self.read(dataset, count)?;
        let mut buffers = cut(self.network, count, self.workspace.values);
        let nodes = self.network.nodes();
        let mut first = 0;
        while first < nodes.len() {
            let stage = Stage::at(nodes, first, &self.backend, buffers.scratch.len());
            stage.forward(&self.backend, count, parameters, &mut buffers);
            first += stage.len();
        }
        Ok((count, self.score(count)))
    }

    /// Notes the visits, and lets the data set fetch their samples. Returns how many there are.
    fn list(
        &mut self,
        dataset: &impl Dataset<F>,
        samples: impl IntoIterator<Item = impl Into<Visit>>,
    ) -> Result<usize, SweepError> {
        let capacity = self.capacity;
        let len = dataset.len();
        let mut count = 0;
        for visit in samples {
            let visit: Visit = visit.into();
            if visit.sample >= len {
                return Err(SweepError::Sample { sample: visit.sample, samples: len });
            }
            *self.workspace.visits.get_mut(count).ok_or(SweepError::TooManySamples { capacity })? = visit;
            dataset.prefetch(visit.sample);
            count += 1;
        }
        Ok(count)
    }

    /// Reads the samples that are noted.
    fn read(&mut self, dataset: &impl Dataset<F>, count: usize) -> Result<(), SweepError> {
        let classes = self.network.classes();
        let Workspace { values, visits, labels, .. } = &mut self.workspace;
        let inputs = values.chunks_exact_mut(self.network.input().len());
        for ((&visit, label), input) in visits[..count].iter().zip(&mut **labels).zip(inputs) {
            dataset.read(visit, input, core::slice::from_mut(label));
            let label = *label;
            if !usize::try_from(label).is_ok_and(|label| label < classes) {
                return Err(SweepError::Label { sample: visit.sample, label, classes });
            }
        }
        Ok(())
    }

    /// The largest gradient of an output that `score` left.
    fn largest_error(&mut self, count: usize) -> F {
        let Some(last) = self.network.nodes().last() else { return F::zero() };
        let range = last.output_offset * count..(last.output_offset + last.output.len()) * count;
        let errors = &cut(self.network, count, self.workspace.values).gradients[range];
        errors.iter().fold(F::zero(), |largest, error| largest.max(error.abs()))
    }

    fn score(&mut self, count: usize) -> Score<F::Sum> {
        let mut score = Score::default();
        let Some(last) = self.network.nodes().last() else { return score };
        let buffers = cut(self.network, count, self.workspace.values);
        let classes = last.output.len();
        let range = last.output_offset * count..(last.output_offset + classes) * count;
        let z = buffers.activations[range.clone()].chunks_exact(classes);
        let dz = buffers.gradients[range].chunks_exact_mut(classes);
        for ((z, dz), &label) in z.zip(dz).zip(&*self.workspace.labels) {
            if let Some((loss, correct)) = softmax_cross_entropy(z, label, dz) {
                score.loss += loss.widen();
                score.correct += u32::from(correct);
            }
        }
        score
    }
}

fn cut<'w, F>(network: Network<'_>, samples: usize, values: &'w mut [F]) -> Buffers<'w, F> {
    let (activations, rest) = values.split_at_mut(samples * network.activations());
    let (gradients, scratch) = rest.split_at_mut(samples * network.activations());
    Buffers { activations, gradients, scratch }
}

/// All gradients of activations times 2ᵏ.
fn scale_gradients<F: Real>(network: Network<'_>, samples: usize, values: &mut [F], exponent: i32) {
    let factor = power_of_two::<F>(exponent);
    cut(network, samples, values).gradients.iter_mut().for_each(|gradient| *gradient *= factor);
}

/// Zeros for what a stage adds to, where it is the first to, and for its own gradient where nobody has added any: just
/// before they are used, so that they are still in the processor's caches then.
fn clear_gradients<F: Real>(
    nodes: &[Placed],
    stage: Range<usize>,
    way: Way,
    samples: usize,
    gradients: &mut [F],
) {
    let (Some(first), Some(last)) = (nodes.get(stage.start), nodes.get(stage.end - 1)) else { return };
    let given = nodes.last().map(|last| last.output_offset);
    let is_zero =
        |offset| Some(offset) != given && !nodes[stage.end..].iter().any(|node| node.reads_values_at(offset));
    let mut clear = |offset: usize, len: usize| {
        if len > 0 && is_zero(offset) {
            gradients[offset * samples..][..len * samples].fill(F::zero());
        }
    };
    if way == Way::Kept || last.is_flatten() {
        return;
    }
    clear(last.output_offset, last.output.len());
    for (k, values) in first.values.iter().enumerate().filter(|&(k, _)| way.passes_on(first, k)) {
        if k == 0 || values.offset != first.values[0].offset {
            clear(values.offset, values.len);
        }
    }
}

/// What a backward pass computes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The gradients of all activations, and what the sink ask for.
    Whole,
    /// What the sink ask for: the gradients are there already.
    Kept,
}

impl Way {
    /// Whether one of a node's inputs is given its gradient. That of the network's input nobody asks for.
    pub(super) fn passes_on(self, node: &Placed, input: usize) -> bool {
        let values = node.values[input];
        self == Self::Whole && !values.is_network_input && values.len > 0
    }
}

/// The backward pass over all nodes, from the gradients that `score` left at the outputs.
fn backward<F: Real>(
    network: Network<'_>,
    backend: &dyn Backend<F>,
    way: Way,
    samples: usize,
    parameters: &[F],
    values: &mut [F],
    mut sink: Sink<'_, F>,
) {
    let mut buffers = cut(network, samples, values);
    let mut end = network.nodes().len();
    while end > 0 {
        let stage = Stage::before(network.nodes(), end, backend, buffers.scratch.len());
        clear_gradients(network.nodes(), end - stage.len()..end, way, samples, buffers.gradients);
        stage.backward(backend, samples, way, parameters, &mut buffers, &mut sink);
        end -= stage.len();
    }
}
