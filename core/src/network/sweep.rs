//! Forward and backward over one micro-batch, with per-sample statistics on the way.

use core::fmt;

use super::conv2d::Conv2d;
use super::dense::Dense;
use super::kernels::{BackwardOf, Conv2dKernels, Errors, ForwardOf, Outputs};
use super::loss::{softmax, softmax_cross_entropy};
use super::operation::Windows;
use super::{MatrixProduct, Network, Operation, Placed, Shape, activation, max_pool2d};
use crate::dataset::Dataset;
use num_traits::Zero;

use crate::real::{Real, power_of_two};
use crate::statistics::{Inner, LengthMismatch, Needs, Statistics, check_length, comfortable_exponent};

/// Working memory of a sweep, owned by the caller. [`Network::workspace`] gives the lengths.
#[derive(Debug)]
pub struct Workspace<'a, F: Real> {
    /// Activations, their gradients, and scratch.
    pub values: &'a mut [F],
    /// sᵢ and pᵢ of the micro-batch.
    pub sums: &'a mut [F::Sum],
    /// The micro-batch's labels.
    pub labels: &'a mut [u32],
}

/// How long the slices of a [`Workspace`] must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkspaceLen {
    /// Floats.
    pub values: usize,
    /// Sums.
    pub sums: usize,
    /// Labels.
    pub labels: usize,
}

impl Network<'_> {
    /// How much working memory a micro-batch of `samples` samples needs. What does not fit in a `usize` is its largest
    /// value, which no slice has.
    #[must_use]
    pub fn workspace(&self, samples: usize) -> WorkspaceLen {
        let scratch = self.nodes().iter().map(|node| scratch_len(node, samples)).max().unwrap_or(0);
        let twice = samples.saturating_mul(2);
        WorkspaceLen {
            values: twice.saturating_mul(self.activations()).saturating_add(scratch),
            sums: twice,
            labels: samples,
        }
    }

    /// The largest micro-batch, at most 128 samples, whose values stay within `budget` values (one at least).
    /// A function of the network alone for a given budget, because the cut decides the order of sums.
    #[must_use]
    pub fn micro_batch(&self, budget: usize) -> usize {
        (1..=128).rev().find(|&samples| self.workspace(samples).values <= budget).unwrap_or(1)
    }
}

fn scratch_len(node: &Placed, samples: usize) -> usize {
    match Layer::of(node, samples) {
        Layer::Dense(dense) => dense.scratch_len(),
        Layer::Conv2d(conv2d) => conv2d.scratch_len(),
        Layer::Other => 0,
    }
}

/// The layers that have parameters.
enum Layer {
    Dense(Dense),
    Conv2d(Conv2d),
    Other,
}

impl Layer {
    fn of(node: &Placed, samples: usize) -> Self {
        match node.operation {
            Operation::Dense { .. } => {
                let [inputs, outputs] = [node.input, node.output].map(Shape::len);
                Self::Dense(Dense { samples, inputs, outputs, by_inputs: node.by_inputs })
            }
            Operation::Conv2d { .. } => node
                .operation
                .windows(node.input, node.output)
                .map_or(Self::Other, |windows| Self::Conv2d(Conv2d { windows })),
            _ => Self::Other,
        }
    }
}

/// Where one backward pass sends what it finds. An empty slice is not asked for.
#[derive(Debug)]
pub(super) struct Sinks<'a, F: Real> {
    /// Σ gᵢ, D values.
    pub gradient_sum: &'a mut [F],
    /// Σ gᵢ², D values.
    pub second_moment: &'a mut [F],
    /// ḡ to project on, D values; goes with `inner_products`.
    pub mean_gradient: &'a [F],
    /// sᵢ of each sample of the micro-batch.
    pub square_norms: &'a mut [F::Sum],
    /// pᵢ of each sample of the micro-batch.
    pub inner_products: &'a mut [F::Sum],
}

impl<F: Real> Sinks<'_, F> {
    /// Nothing is asked for.
    fn none() -> Self {
        Self {
            gradient_sum: &mut [],
            second_moment: &mut [],
            mean_gradient: &[],
            square_norms: &mut [],
            inner_products: &mut [],
        }
    }

    /// The part that belongs to one layer's parameters.
    fn of_layer(&mut self, node: &Placed) -> Sinks<'_, F> {
        let range = node.parameter_offset..node.parameter_offset + node.weights + node.biases;
        Sinks {
            gradient_sum: self.gradient_sum.get_mut(range.clone()).unwrap_or_default(),
            second_moment: self.second_moment.get_mut(range.clone()).unwrap_or_default(),
            mean_gradient: self.mean_gradient.get(range).unwrap_or_default(),
            square_norms: self.square_norms,
            inner_products: self.inner_products,
        }
    }

    /// Whether nothing is asked for but the sum over samples.
    pub(super) fn only_gradient(&self) -> bool {
        self.second_moment.is_empty() && self.square_norms.is_empty() && self.inner_products.is_empty()
    }
}

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
pub struct Sweep<'a, F: Real, M> {
    network: Network<'a>,
    product: M,
    capacity: usize,
    workspace: Workspace<'a, F>,
}

/// The workspace's values, cut for a micro-batch.
struct Buffers<'w, F> {
    activations: &'w mut [F],
    gradients: &'w mut [F],
    scratch: &'w mut [F],
}

impl<'a, F: Real, M: MatrixProduct<F>> Sweep<'a, F, M> {
    /// An engine in the caller's memory, for micro-batches of up to `capacity` samples.
    ///
    /// # Errors
    /// When a slice has another length than [`Network::workspace`] asks for, or the network has no input or no outputs.
    pub fn new(
        network: Network<'a>,
        product: M,
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
        check_length("the workspace's labels", expected.labels, workspace.labels.len())?;
        Ok(Self { network, product, capacity, workspace })
    }

    /// Adds a micro-batch's loss, gradient and whatever `needs` names to `statistics`. Of no samples, nothing is added.
    ///
    /// # Errors
    /// When lengths do not fit, or there is no such sample or class; then `statistics` is as it was.
    pub fn accumulate(
        &mut self,
        parameters: &[F],
        dataset: &impl Dataset<F>,
        samples: impl IntoIterator<Item = u32>,
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
        let mut sinks = Sinks {
            gradient_sum: statistics.gradient_sum,
            second_moment: statistics.second_moment,
            square_norms,
            ..Sinks::none()
        };
        if exponent == 0 || sinks.only_gradient() {
            backward(self.network, self.product, Way::Whole, count, parameters, values, sinks);
        } else {
            // First the sum of gradients that are so small, then their squares, from gradients that are not.
            let only_sum = Sinks { gradient_sum: sinks.gradient_sum, ..Sinks::none() };
            backward(self.network, self.product, Way::Whole, count, parameters, values, only_sum);
            sinks.gradient_sum = &mut [];
            scale_gradients(self.network, count, values, exponent);
            backward(self.network, self.product, Way::Kept, count, parameters, values, sinks);
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
        samples: impl IntoIterator<Item = u32>,
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
        let (network, product, values) = (self.network, self.product, &mut *self.workspace.values);
        let (square_norms, inner_products) = self.workspace.sums.split_at_mut(self.capacity);
        let sinks = Sinks {
            mean_gradient,
            square_norms: &mut square_norms[..count],
            inner_products: &mut inner_products[..count],
            ..Sinks::none()
        };
        if exponent == 0 {
            backward(network, product, way, count, parameters, values, sinks);
        } else {
            if way == Way::Whole {
                backward(network, product, way, count, parameters, values, Sinks::none());
            }
            scale_gradients(network, count, values, exponent);
            backward(network, product, Way::Kept, count, parameters, values, sinks);
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
        samples: impl IntoIterator<Item = u32>,
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
        samples: impl IntoIterator<Item = u32>,
    ) -> Result<(usize, Score<F::Sum>), SweepError> {
        check_length("the parameters", self.network.parameters(), parameters.len())?;
        let input_len = self.network.input().len();
        check_length("a sample of the data set", input_len, dataset.input_len())?;
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
            let stage = Stage::at(nodes, first, self.product, buffers.scratch.len());
            stage.run(self.product, count, parameters, &mut buffers);
            first += stage.len();
        }
        Ok((count, self.score(count)))
    }

    /// Notes the samples where their labels will be, and sends for them. Returns how many there are.
    fn list(
        &mut self,
        dataset: &impl Dataset<F>,
        samples: impl IntoIterator<Item = u32>,
    ) -> Result<usize, SweepError> {
        let capacity = self.capacity;
        let len = dataset.len();
        let mut count = 0;
        for sample in samples {
            if sample >= len {
                return Err(SweepError::Sample { sample, samples: len });
            }
            *self.workspace.labels.get_mut(count).ok_or(SweepError::TooManySamples { capacity })? = sample;
            dataset.approach(sample);
            count += 1;
        }
        Ok(count)
    }

    /// Reads the samples that are noted.
    fn read(&mut self, dataset: &impl Dataset<F>, count: usize) -> Result<(), SweepError> {
        let classes = self.network.classes();
        let inputs = self.workspace.values.chunks_exact_mut(self.network.input().len());
        for (noted, input) in self.workspace.labels[..count].iter_mut().zip(inputs) {
            let sample = core::mem::replace(noted, dataset.read(*noted, input));
            let label = *noted;
            if !usize::try_from(label).is_ok_and(|label| label < classes) {
                return Err(SweepError::Label { sample, label, classes });
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
        let mut buffers = cut(self.network, count, self.workspace.values);
        let classes = last.output.len();
        clear_gradients(self.network, self.product, count, &mut buffers);
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

/// A node's input and output within a buffer of activations or gradients. The input always lies before the
/// output: nodes only read earlier ones.
fn ends<'w, F>(node: &Placed, samples: usize, buffer: &'w mut [F]) -> (&'w mut [F], &'w mut [F]) {
    let (before, from_output) = buffer.split_at_mut(node.output_offset * samples);
    let start = node.input_offset * samples;
    (&mut before[start..start + node.input.len() * samples], &mut from_output[..node.output.len() * samples])
}

fn layer_parameters<'p, F>(node: &Placed, parameters: &'p [F]) -> &'p [F] {
    &parameters[node.parameter_offset..][..node.weights + node.biases]
}

/// What is computed in one pass: a node, or a convolution with the ReLU and the 2×2 max-pooling behind it.
enum Stage<'n, F: Real> {
    Node(&'n Placed),
    /// What lies between is not kept: where the convolution's outputs would be are the places of the largest.
    Pooling {
        conv: &'n Placed,
        pool: &'n Placed,
        windows: Windows,
        kernels: Conv2dKernels<F>,
    },
}

impl<'n, F: Real> Stage<'n, F> {
    /// The stage that begins at a node.
    fn at(nodes: &'n [Placed], first: usize, product: impl MatrixProduct<F>, scratch: usize) -> Self {
        Self::pooling(nodes, first, product, scratch).unwrap_or(Self::Node(&nodes[first]))
    }

    /// The stage that ends before a node.
    fn before(nodes: &'n [Placed], end: usize, product: impl MatrixProduct<F>, scratch: usize) -> Self {
        let pooling = end.checked_sub(3).and_then(|first| Self::pooling(nodes, first, product, scratch));
        pooling.unwrap_or(Self::Node(&nodes[end - 1]))
    }

    fn pooling(
        nodes: &'n [Placed],
        first: usize,
        product: impl MatrixProduct<F>,
        scratch: usize,
    ) -> Option<Self> {
        let [conv, relu, pool] = nodes.get(first..)?.first_chunk()?;
        let is_pooling = (relu.operation, pool.operation)
            == (Operation::Relu, Operation::MaxPool2d { kernel: 2, stride: 2 });
        let Layer::Conv2d(conv2d) = Layer::of(conv, 1) else { return None };
        let kernels = conv2d.kernels(product, scratch).filter(|_| is_pooling)?;
        let reads = |before: &Placed| nodes.iter().filter(|node| node.reads(before)).count();
        let is_chain = relu.reads(conv) && pool.reads(relu) && reads(conv) == 1 && reads(relu) == 1;
        is_chain.then_some(Self::Pooling { conv, pool, windows: conv2d.windows, kernels })
    }

    /// Nodes that it consists of.
    const fn len(&self) -> usize {
        match self {
            Self::Node(_) => 1,
            Self::Pooling { .. } => 3,
        }
    }

    fn run(
        &self,
        product: impl MatrixProduct<F>,
        samples: usize,
        parameters: &[F],
        buffers: &mut Buffers<'_, F>,
    ) {
        match self {
            Self::Node(node) => run(node, product, samples, parameters, buffers),
            Self::Pooling { conv, pool, windows, kernels } => {
                let (x, places, y) = three(conv, pool, samples, buffers.activations);
                let parameters = layer_parameters(conv, parameters);
                let of = ForwardOf { parameters, x, outputs: Outputs::Pooled { places, y } };
                (kernels.forward)(*windows, of, buffers.scratch);
            }
        }
    }

    fn run_backward(
        &self,
        product: impl MatrixProduct<F>,
        samples: usize,
        way: Way,
        parameters: &[F],
        buffers: &mut Buffers<'_, F>,
        sinks: &mut Sinks<'_, F>,
    ) {
        match self {
            Self::Node(Placed { operation: Operation::Flatten, .. }) => {}
            Self::Node(node) => {
                let passes_on = way.passes_on(node);
                let parameters = layer_parameters(node, parameters);
                let sinks = &mut sinks.of_layer(node);
                run_backward(node, product, samples, passes_on, parameters, buffers, sinks);
            }
            Self::Pooling { conv, pool, windows, kernels } => {
                let (x, places, y) = three(conv, pool, samples, buffers.activations);
                let (dx, _, dy) = three(conv, pool, samples, buffers.gradients);
                let of = BackwardOf {
                    parameters: layer_parameters(conv, parameters),
                    x,
                    errors: Errors::Pooled { places, y, dy },
                    dx: way.passes_on(conv).then_some(dx),
                };
                (kernels.backward)(*windows, of, &mut sinks.of_layer(conv), buffers.scratch);
            }
        }
    }
}

/// A convolution's input and outputs, and the outputs of the pooling behind it.
fn three<'w, F>(
    conv: &Placed,
    pool: &Placed,
    samples: usize,
    buffer: &'w mut [F],
) -> (&'w mut [F], &'w mut [F], &'w mut [F]) {
    let (before, from_pool) = buffer.split_at_mut(pool.output_offset * samples);
    let (x, outputs) = ends(conv, samples, before);
    (x, outputs, &mut from_pool[..pool.output.len() * samples])
}

/// Zeros for everything that a backward pass adds to.
fn clear_gradients<F: Real>(
    network: Network<'_>,
    product: impl MatrixProduct<F>,
    samples: usize,
    buffers: &mut Buffers<'_, F>,
) {
    let nodes = network.nodes();
    let mut first = 0;
    while first < nodes.len() {
        let stage = Stage::at(nodes, first, product, buffers.scratch.len());
        let last = match stage {
            Stage::Node(node) => node,
            Stage::Pooling { pool, .. } => pool,
        };
        if last.operation != Operation::Flatten {
            let start = last.output_offset * samples;
            buffers.gradients[start..start + last.output.len() * samples].fill(F::zero());
        }
        first += stage.len();
    }
}

/// One node's forward pass.
fn run<F: Real>(
    node: &Placed,
    product: impl MatrixProduct<F>,
    samples: usize,
    parameters: &[F],
    buffers: &mut Buffers<'_, F>,
) {
    if node.operation == Operation::Flatten {
        return;
    }
    let (x, y) = ends(node, samples, buffers.activations);
    let parameters = layer_parameters(node, parameters);
    match Layer::of(node, samples) {
        Layer::Dense(dense) => dense.forward(product, parameters, x, y, buffers.scratch),
        Layer::Conv2d(conv2d) => conv2d.forward(product, parameters, x, y, buffers.scratch),
        Layer::Other => match (node.operation, node.operation.windows(node.input, node.output)) {
            (Operation::Relu, _) => activation::relu(x, y),
            (Operation::Tanh, _) => activation::tanh(x, y),
            (_, Some(windows)) => max_pool2d::forward(windows, x, y),
            _ => {}
        },
    }
}

/// What a backward pass computes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The gradients of all activations, and what the sinks ask for.
    Whole,
    /// What the sinks ask for: the gradients are there already.
    Kept,
}

impl Way {
    /// Whether a node's input is given its gradient. That of the network's input nobody asks for.
    fn passes_on(self, node: &Placed) -> bool {
        self == Self::Whole && !node.first
    }
}

/// The backward pass over all nodes, from the gradients that `score` left at the outputs.
fn backward<F: Real>(
    network: Network<'_>,
    product: impl MatrixProduct<F>,
    way: Way,
    samples: usize,
    parameters: &[F],
    values: &mut [F],
    mut sinks: Sinks<'_, F>,
) {
    let mut buffers = cut(network, samples, values);
    let mut end = network.nodes().len();
    while end > 0 {
        let stage = Stage::before(network.nodes(), end, product, buffers.scratch.len());
        stage.run_backward(product, samples, way, parameters, &mut buffers, &mut sinks);
        end -= stage.len();
    }
}

/// One node's backward pass. Where it passes on, it *adds* to its input's gradient, so that a node may feed
/// several others.
fn run_backward<F: Real>(
    node: &Placed,
    product: impl MatrixProduct<F>,
    samples: usize,
    passes_on: bool,
    parameters: &[F],
    buffers: &mut Buffers<'_, F>,
    sinks: &mut Sinks<'_, F>,
) {
    let (x, y) = ends(node, samples, buffers.activations);
    let (dx, e) = ends(node, samples, buffers.gradients);
    let scratch = &mut *buffers.scratch;
    match Layer::of(node, samples) {
        Layer::Dense(dense) => {
            dense.statistics(product, x, e, sinks, scratch);
            if passes_on {
                dense.input_gradient(product, parameters, e, dx);
            }
        }
        Layer::Conv2d(conv2d) => {
            let dx = passes_on.then_some(dx);
            conv2d.backward(product, parameters, x, e, dx, sinks, scratch);
        }
        Layer::Other if !passes_on => {}
        Layer::Other => match (node.operation, node.operation.windows(node.input, node.output)) {
            (Operation::Relu, _) => activation::relu_backward(y, e, dx),
            (Operation::Tanh, _) => activation::tanh_backward(y, e, dx),
            (_, Some(windows)) => max_pool2d::backward(windows, x, e, dx),
            _ => {}
        },
    }
}
