//! Forward and backward over one micro-batch, with per-sample statistics on the way.

mod accumulate;
mod project;

use super::buffers::cut;
use super::fusion::Stage;
use super::{Network, Score, SweepError, Workspace};
use crate::backend::Backend;
use crate::dataset::{Dataset, Visit};
use crate::layer::{softmax, softmax_cross_entropy};
use crate::real::Real;
use crate::statistics::{LengthMismatch, Needs, check_least, check_length};

/// One thread's engine: sweeps over micro-batches of up to `capacity` samples.
#[derive(Debug)]
pub struct Sweep<'a, F: Real, B> {
    network: Network<'a>,
    backend: B,
    capacity: usize,
    workspace: Workspace<'a, F>,
}

impl<'a, F: Real, B: Backend<F>> Sweep<'a, F, B> {
    /// An engine in the caller's memory, for micro-batches of up to `capacity` samples.
    ///
    /// # Errors
    /// When a slice is shorter than [`Network::workspace_for`] asks for with the norm test, or the network has no input or
    /// no outputs.
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
        let sweep = Self { network, backend, capacity, workspace };
        sweep.check_workspace(&Needs::NORMS)?;
        Ok(sweep)
    }

    /// Samples in a micro-batch, at most.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether the workspace is long enough for what is asked of it.
    fn check_workspace(&self, needs: &Needs) -> Result<(), LengthMismatch> {
        let Workspace { values, sums, visits, labels } = &self.workspace;
        let least = self.network.workspace_for(self.capacity, needs);
        check_least("the workspace", least.values, values.len())?;
        check_least("the workspace's sums", least.sums, sums.len())?;
        check_least("the workspace's visits", least.visits, visits.len())?;
        check_least("the workspace's labels", least.labels, labels.len())
    }

    /// Loss and correct predictions of a micro-batch, without a backward pass. Without samples, both are 0.
    ///
    /// # Errors
    /// When lengths do not fit, or there is no such sample or class.
    pub fn evaluate(
        &mut self,
        parameters: &[F],
        dataset: &dyn Dataset<F>,
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

    /// The outputs \[m, classes\] of m samples that have no labels, given by their values as a data set's `read` writes
    /// them. [`Self::probabilities`] makes probabilities of them.
    ///
    /// # Errors
    /// When lengths do not fit, or there are more samples than fit one micro-batch.
    pub fn predict(&mut self, parameters: &[F], inputs: &[F]) -> Result<&[F], SweepError> {
        check_length("the parameters", self.network.parameters(), parameters.len())?;
        let input_len = self.network.input().len();
        check_length("the inputs", inputs.len().next_multiple_of(input_len), inputs.len())?;
        let (samples, capacity) = (inputs.len() / input_len, self.capacity);
        if samples > capacity {
            return Err(SweepError::TooManySamples { capacity });
        }
        self.workspace.values[..inputs.len()].copy_from_slice(inputs);
        self.run_forward(parameters, samples);
        Ok(self.outputs(samples))
    }

    /// The outputs, and the probabilities that softmax makes of them, \[m, classes\] each, of the micro-batch that
    /// was evaluated last. None where `samples` are more than fit one.
    #[must_use]
    pub fn probabilities(&mut self, samples: usize) -> (&[F], &[F]) {
        let last = self.network.nodes().last().filter(|_| samples <= self.capacity);
        let Some(last) = last else { return (&[], &[]) };
        let classes = last.output.len();
        let buffers = cut(self.network, samples, self.workspace.values);
        let (outputs, probabilities) = buffers.of_node(last, samples);
        for (z, p) in outputs.chunks_exact(classes).zip(probabilities.chunks_exact_mut(classes)) {
            softmax(z, p);
        }
        (outputs, probabilities)
    }

    /// Reads the samples, runs the network, and leaves the loss's gradient at the outputs. Returns how many
    /// samples there were. What depends on the kind of iterator is [`Self::list`] alone: the rest is compiled once.
    fn forward(
        &mut self,
        parameters: &[F],
        dataset: &dyn Dataset<F>,
        samples: impl IntoIterator<Item = impl Into<Visit>>,
    ) -> Result<(usize, Score<F::Sum>), SweepError> {
        check_length("the parameters", self.network.parameters(), parameters.len())?;
        let input_len = self.network.input().len();
        check_length("a sample of the data set", input_len, dataset.shape().input.len())?;
        let count = self.list(dataset, samples)?;
        Ok((count, self.forward_listed(parameters, dataset, count)?))
    }

    /// The same for the samples that are noted.
    fn forward_listed(
        &mut self,
        parameters: &[F],
        dataset: &dyn Dataset<F>,
        count: usize,
    ) -> Result<Score<F::Sum>, SweepError> {
        if count == 0 {
            return Ok(Score::default());
        }
        self.read(dataset, count)?;
        self.run_forward(parameters, count);
        Ok(self.score(count))
    }

    /// Runs the network on the inputs that are there.
    fn run_forward(&mut self, parameters: &[F], count: usize) {
        if count == 0 {
            // Kernels need not know of it.
            return;
        }
        let mut buffers = cut(self.network, count, self.workspace.values);
        let nodes = self.network.nodes();
        let mut first = 0;
        while first < nodes.len() {
            let stage = Stage::at(nodes, first, &self.backend, buffers.scratch.len());
            stage.forward(&self.backend, count, parameters, &mut buffers);
            first += stage.len();
        }
    }

    /// Notes the visits, and lets the data set fetch their samples. Returns how many there are.
    fn list(
        &mut self,
        dataset: &dyn Dataset<F>,
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
    fn read(&mut self, dataset: &dyn Dataset<F>, count: usize) -> Result<(), SweepError> {
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
        let (_, errors) = cut(self.network, count, self.workspace.values).of_node(last, count);
        errors.iter().fold(F::zero(), |largest, error| largest.max(error.abs()))
    }

    fn score(&mut self, count: usize) -> Score<F::Sum> {
        let mut score = Score::default();
        let Some(last) = self.network.nodes().last() else { return score };
        let buffers = cut(self.network, count, self.workspace.values);
        let classes = last.output.len();
        let (z, dz) = buffers.of_node(last, count);
        let outputs = z.chunks_exact(classes).zip(dz.chunks_exact_mut(classes));
        for ((z, dz), &label) in outputs.zip(&*self.workspace.labels) {
            if let Some((loss, correct)) = softmax_cross_entropy(z, label, dz) {
                score.loss += loss.widen();
                score.correct += u32::from(correct);
            }
        }
        score
    }
}
