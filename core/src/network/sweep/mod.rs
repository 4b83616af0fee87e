//! Forward and backward passes over one micro-batch, with per-sample statistics.

mod accumulate;
mod project;

use super::buffers::{Buffers, OfNode, cut};
use super::fusion::Stage;
use super::{Network, Score, SweepError, Workspace};
use crate::backend::Backend;
use crate::dataset::{Dataset, SampleShape, Targets, Visit};
use crate::layer::Embedding;
use crate::loss::{Loss, Target, softmax_of_positions};
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
        for (what, len) in [("the network's input", network.input().len()), ("its output", network.outputs())]
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

    /// The outputs \[m, outputs\] of the micro-batch that was swept last. Empty if `samples` is more than a
    /// micro-batch.
    #[must_use]
    pub fn outputs(&self, samples: usize) -> &[F] {
        let last = self.network.nodes().last().filter(|_| samples <= self.capacity);
        let Some(last) = last else { return &[] };
        let start = last.output_offset * samples;
        &self.workspace.values[start..start + last.output.len() * samples]
    }

    /// The labels of the micro-batch that was swept last, \[m, positions\]; `u32::MAX` where the data set wrote none. Empty
    /// if `samples` is more than a micro-batch.
    #[must_use]
    pub fn labels(&self, samples: usize) -> &[u32] {
        self.workspace.labels.get(..samples * self.network.positions()).unwrap_or_default()
    }

    /// The outputs \[m, outputs\] of m samples that have no labels, given by their values as a data set's `read` writes
    /// them. [`Self::probabilities`] turns them into probabilities.
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
        if let Some(embedding) = self.network.embedding() {
            for (sample, input) in (0..).zip(inputs.chunks_exact(input_len)) {
                check_tokens(embedding, sample, input)?;
            }
        }
        self.run_forward(parameters, samples);
        Ok(self.outputs(samples))
    }

    /// The outputs, and their softmax probabilities, \[m, outputs\] each, of the micro-batch that was evaluated last,
    /// for networks of classes; of a sequence those of each position. Empty if `samples` is more than a micro-batch.
    #[must_use]
    pub fn probabilities(&mut self, samples: usize) -> (&[F], &[F]) {
        let last = self.network.nodes().last().filter(|_| samples <= self.capacity);
        let Some(last) = last else { return (&[], &[]) };
        let (len, positions) = (last.output.len(), last.output.plane());
        let buffers = cut(self.network, samples, self.workspace.values);
        let OfNode { outputs, gradients: probabilities, .. } = buffers.of_node(last, samples);
        for (z, p) in outputs.chunks_exact(len).zip(probabilities.chunks_exact_mut(len)) {
            softmax_of_positions(z, positions, p);
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
        let SampleShape { input, labels, values, .. } = dataset.shape();
        check_length("a sample of the data set", self.network.input().len(), input.len())?;
        check_length("the targets of the data set's samples", self.network.targets(), values as usize)?;
        dataset.loss().check(self.network.output(), labels, self.network.targets())?;
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
        let loss = dataset.loss();
        self.read(dataset, &loss, count)?;
        self.run_forward(parameters, count);
        Ok(self.score(&loss, count))
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
    fn read(&mut self, dataset: &dyn Dataset<F>, loss: &Loss<'_, F>, count: usize) -> Result<(), SweepError> {
        let (classes, positions, len) =
            (self.network.output().channels, self.network.positions(), self.network.targets());
        let embedding = self.network.embedding();
        let Workspace { values, visits, labels, .. } = &mut self.workspace;
        let Buffers { activations, targets: values, .. } = cut(self.network, count, values);
        let inputs = activations.chunks_exact_mut(self.network.input().len());
        let rows = visits[..count].iter().zip(labels.chunks_exact_mut(positions)).zip(inputs).enumerate();
        for (row, ((&visit, labels), input)) in rows {
            let (sample, values) = (visit.sample, &mut values[row * len..][..len]);
            // That of no class, unless the data set writes one.
            labels.fill(u32::MAX);
            dataset
                .read(visit, input, &mut Targets { labels, values })
                .map_err(|error| SweepError::Read { sample, error })?;
            if let Some(embedding) = embedding {
                check_tokens(embedding, sample, input)?;
            }
            if !loss.takes(Target { labels, values }, classes) {
                let wrong = labels.iter().find(|&&label| label >= classes);
                return Err(match wrong.filter(|_| loss.takes_labels()) {
                    Some(&label) => SweepError::Label { sample, label, classes: classes as usize },
                    None => SweepError::Target { sample },
                });
            }
        }
        Ok(())
    }

    /// The largest gradient of an output that `score` left.
    fn largest_error(&mut self, count: usize) -> F {
        let Some(last) = self.network.nodes().last() else { return F::zero() };
        let OfNode { gradients, .. } = cut(self.network, count, self.workspace.values).of_node(last, count);
        gradients.iter().fold(F::zero(), |largest, error| largest.max(error.abs()))
    }

    fn score(&mut self, loss: &Loss<'_, F>, count: usize) -> Score<F::Sum> {
        let mut score = Score::default();
        let Some(last) = self.network.nodes().last() else { return score };
        let (targets, positions) = (self.network.targets(), self.network.positions());
        let kernels = self.backend.kernels().filter(|_| loss.takes_labels() && positions > 1);
        let of_last = cut(self.network, count, self.workspace.values).of_node(last, count);
        let z = of_last.outputs.chunks_exact(last.output.len());
        let rows = z
            .zip(of_last.gradients.chunks_exact_mut(last.output.len()))
            .zip(self.workspace.labels.chunks_exact(positions));
        for (row, ((z, dz), labels)) in rows.enumerate() {
            let target = Target { labels, values: &of_last.targets[row * targets..][..targets] };
            let sample = match kernels {
                Some(kernels) => (kernels.cross_entropy)(z, labels, dz).unwrap_or_default(),
                None => loss.of_sample(z, target, dz),
            };
            score.loss += sample.loss.widen();
            score.correct = score.correct.saturating_add(sample.correct);
        }
        score
    }
}

/// Whether an embedding takes all of a sample's values.
fn check_tokens<F: Real>(embedding: Embedding, sample: u32, input: &[F]) -> Result<(), SweepError> {
    match input.iter().position(|&token| !embedding.takes(token)) {
        None => Ok(()),
        Some(position) => Err(SweepError::Token { sample, position, vocabulary: embedding.vocabulary }),
    }
}
