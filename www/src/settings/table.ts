/** The core’s table of settings, written by the tests with WRITE_GENERATED=1: change it in the core. */
import type { Choice, Row } from './rows.js';

export const OPTIMIZER_ROWS = [
  {
    name: 'sgd',
    title: 'SGD',
    doc: 'The step is the learning rate times the gradient: x ← x − α g.',
    source: '',
    fields: [
      { name: 'weight_decay', title: 'weight decay', symbol: 'λ', doc: 'L2 regularisation, added to the gradient; AdamW decouples it from the gradient.', kind: 'number', default: 0.0, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'momentum',
    title: 'SGD with momentum',
    doc: 'Heavy-ball momentum.',
    source: '',
    fields: [
      { name: 'momentum', title: 'momentum', symbol: 'μ', doc: 'The momentum factor.', kind: 'number', default: 0.9, least: 0, texts: [], range: 'at least 0 and below 1', retunable: false },
      { name: 'weight_decay', title: 'weight decay', symbol: 'λ', doc: 'L2 regularisation, added to the gradient; AdamW decouples it from the gradient.', kind: 'number', default: 0.0, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'nesterov',
    title: 'SGD with Nesterov momentum',
    doc: 'Nesterov momentum.',
    source: '',
    fields: [
      { name: 'momentum', title: 'momentum', symbol: 'μ', doc: 'The momentum factor.', kind: 'number', default: 0.9, least: 0, texts: [], range: 'at least 0 and below 1', retunable: false },
      { name: 'weight_decay', title: 'weight decay', symbol: 'λ', doc: 'L2 regularisation, added to the gradient; AdamW decouples it from the gradient.', kind: 'number', default: 0.0, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'adagrad',
    title: 'AdaGrad',
    doc: 'A step size per coordinate from the sum of squares.',
    source: 'Duchi, Hazan, Singer 2011',
    fields: [
      { name: 'initial_accumulator', title: 'initial accumulator', symbol: 'v₀', doc: 'The initial value of the sums of squared gradients.', kind: 'number', default: 0.0, least: 0, texts: [], range: '', retunable: false },
      { name: 'epsilon', title: 'epsilon', symbol: 'ε', doc: 'Added to the square root in the denominator.', kind: 'number', default: 1e-10, least: 0, texts: [], range: '', retunable: false },
      { name: 'weight_decay', title: 'weight decay', symbol: 'λ', doc: 'L2 regularisation, added to the gradient; AdamW decouples it from the gradient.', kind: 'number', default: 0.0, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'adagrad_norm',
    title: 'AdaGrad-Norm',
    doc: 'One step size from the sum of squared norms.',
    source: 'Ward, Wu, Bottou 2019, arXiv 1806.01811',
    fields: [
      { name: 'initial_norm', title: 'initial norm', symbol: 'b₀', doc: 'The square root of the initial value of the sum of squared gradient norms.', kind: 'number', default: 0.01, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'rmsprop',
    title: 'RMSProp',
    doc: 'A step size per coordinate from a running mean of squares.',
    source: '',
    fields: [
      { name: 'alpha', title: 'alpha', symbol: 'ρ', doc: 'The decay rate of the running mean of squared gradients.', kind: 'number', default: 0.99, least: 0, texts: [], range: 'at least 0 and below 1', retunable: false },
      { name: 'epsilon', title: 'epsilon', symbol: 'ε', doc: 'Added to the square root in the denominator.', kind: 'number', default: 1e-8, least: 0, texts: [], range: '', retunable: false },
      { name: 'weight_decay', title: 'weight decay', symbol: 'λ', doc: 'L2 regularisation, added to the gradient; AdamW decouples it from the gradient.', kind: 'number', default: 0.0, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'adam',
    title: 'Adam',
    doc: 'Momentum and a running mean of squares, with bias correction.',
    source: 'Kingma, Ba 2015, arXiv 1412.6980',
    fields: [
      { name: 'beta1', title: 'beta1', symbol: 'β₁', doc: 'The decay rate of the first moment.', kind: 'number', default: 0.9, least: 0, texts: [], range: 'at least 0 and below 1', retunable: false },
      { name: 'beta2', title: 'beta2', symbol: 'β₂', doc: 'The decay rate of the second moment.', kind: 'number', default: 0.999, least: 0, texts: [], range: 'at least 0 and below 1', retunable: false },
      { name: 'epsilon', title: 'epsilon', symbol: 'ε', doc: 'Added to the square root in the denominator.', kind: 'number', default: 1e-8, least: 0, texts: [], range: '', retunable: false },
      { name: 'weight_decay', title: 'weight decay', symbol: 'λ', doc: 'L2 regularisation, added to the gradient; AdamW decouples it from the gradient.', kind: 'number', default: 0.0, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'adamw',
    title: 'AdamW',
    doc: 'Adam with decoupled weight decay.',
    source: 'Loshchilov, Hutter 2019, arXiv 1711.05101',
    fields: [
      { name: 'beta1', title: 'beta1', symbol: 'β₁', doc: 'The decay rate of the first moment.', kind: 'number', default: 0.9, least: 0, texts: [], range: 'at least 0 and below 1', retunable: false },
      { name: 'beta2', title: 'beta2', symbol: 'β₂', doc: 'The decay rate of the second moment.', kind: 'number', default: 0.999, least: 0, texts: [], range: 'at least 0 and below 1', retunable: false },
      { name: 'epsilon', title: 'epsilon', symbol: 'ε', doc: 'Added to the square root in the denominator.', kind: 'number', default: 1e-8, least: 0, texts: [], range: '', retunable: false },
      { name: 'weight_decay', title: 'weight decay', symbol: 'λ', doc: 'L2 regularisation, added to the gradient; AdamW decouples it from the gradient.', kind: 'number', default: 0.01, least: 0, texts: [], range: '', retunable: false },
    ],
  },
] as const satisfies readonly Choice[];

export const TEST_ROWS = [
  {
    name: 'norm',
    title: 'norm test',
    doc: 'Bounds the noise of the mean gradient by η times its norm: v/b ≤ η² n.',
    source: 'Byrd, Chin, Nocedal, Wu 2012; AdAdaGrad, arXiv 2402.11215',
    fields: [
      { name: 'eta', title: 'threshold', symbol: 'η', doc: 'The noise that is allowed, relative to the gradient\'s norm; a smaller threshold requires larger batches.', kind: 'number', default: 0.1, least: 0, texts: [], range: '', retunable: true },
      { name: 'debiased', title: 'debiased ‖ḡ‖²', symbol: '', doc: 'Takes the debiased n − v/b instead of n, which noise increases by about v/b.', kind: 'switch', default: false, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'inner_product',
    title: 'inner product test',
    doc: 'Bounds the variance along the mean gradient: v_along/b ≤ ϑ² n². Costs a second sweep.',
    source: 'Bollapragada, Byrd, Nocedal 2018, arXiv 1710.11258',
    fields: [
      { name: 'theta', title: 'threshold', symbol: 'ϑ', doc: 'Limits the noise along the mean gradient.', kind: 'number', default: 0.9, least: 0, texts: [], range: '', retunable: true },
      { name: 'leave_one_out', title: 'exclude each sample from its own mean', symbol: '', doc: 'Compares each sample\'s gradient with the mean of the other samples\' gradients.', kind: 'switch', default: false, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'orthogonality',
    title: 'orthogonality test',
    doc: 'Bounds the variance orthogonal to the mean gradient: v_orth/b ≤ ν² n. Costs a second sweep.',
    source: 'Bollapragada, Byrd, Nocedal 2018, arXiv 1710.11258',
    fields: [
      { name: 'nu', title: 'threshold', symbol: 'ν', doc: 'Limits the noise orthogonal to the mean gradient.', kind: 'number', default: 5.84, least: 0, texts: [], range: '', retunable: true },
    ],
  },
  {
    name: 'augmented',
    title: 'augmented inner product test',
    doc: 'Inner product and orthogonality.',
    source: 'Bollapragada, Byrd, Nocedal 2018, arXiv 1710.11258',
    fields: [
      { name: 'theta', title: 'threshold', symbol: 'ϑ', doc: 'Limits the noise along the mean gradient.', kind: 'number', default: 0.9, least: 0, texts: [], range: '', retunable: true },
      { name: 'nu', title: 'threshold', symbol: 'ν', doc: 'Limits the noise orthogonal to the mean gradient.', kind: 'number', default: 5.84, least: 0, texts: [], range: '', retunable: true },
      { name: 'leave_one_out', title: 'exclude each sample from its own mean', symbol: '', doc: 'Compares each sample\'s gradient with the mean of the other samples\' gradients.', kind: 'switch', default: false, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'coordinate_norm',
    title: 'coordinate-wise norm test',
    doc: 'The norm test in every coordinate, or in a fraction of them.',
    source: 'AdAdaGrad, arXiv 2402.11215',
    fields: [
      { name: 'eta', title: 'threshold', symbol: 'η', doc: 'The noise that is allowed, relative to the gradient\'s norm; a smaller threshold requires larger batches.', kind: 'number', default: 0.1, least: 0, texts: [], range: '', retunable: true },
      { name: 'quantile', title: 'fraction of coordinates', symbol: '', doc: 'The fraction of the coordinates that must pass; 1 tests every coordinate, as in the paper.', kind: 'number', default: 1.0, least: 0, texts: [], range: 'above 0 and at most 1', retunable: false },
    ],
  },
  {
    name: 'worker_norm',
    title: 'worker-gradient norm test',
    doc: 'The norm test estimated from the mean gradients of several parts, as with data-parallel workers.',
    source: 'DDP-Norm, arXiv 2406.13936 and 2412.21124',
    fields: [
      { name: 'eta', title: 'threshold', symbol: 'η', doc: 'The noise that is allowed, relative to the gradient\'s norm; a smaller threshold requires larger batches.', kind: 'number', default: 0.1, least: 0, texts: [], range: '', retunable: true },
      { name: 'workers', title: 'parts', symbol: '', doc: 'The number of parts of the batch from which the noise is estimated.', kind: 'size', default: 4, least: 2, texts: [], range: 'from 2 to 1024', retunable: false },
    ],
  },
] as const satisfies readonly Choice[];

export const CONTROLLER_ROWS = [
  {
    name: 'adadagrad',
    title: 'AdAdaGrad',
    doc: 'The next batch has the size that the test requires, and never fewer samples than this one.',
    source: 'AdAdaGrad, arXiv 2402.11215',
    fields: [
      { name: 'growth_cap', title: 'growth cap', symbol: '', doc: 'The largest growth factor of the batch size in one step; none, as in the paper, where it is left out.', kind: 'optional', default: null, least: 0, texts: [], range: '', retunable: true },
    ],
  },
  {
    name: 'constant',
    title: 'constant batch',
    doc: 'The batch keeps its size; the result of a test is reported, but has no effect.',
    source: '',
    fields: [],
  },
] as const satisfies readonly Choice[];

export const DECAY_ROWS = [
  {
    name: 'constant',
    title: 'no decay',
    doc: 'No decay.',
    source: '',
    fields: [],
  },
  {
    name: 'cosine',
    title: 'cosine',
    doc: 'Half a cosine wave, down to the final fraction of the rate at the end of the sample budget.',
    source: '',
    fields: [
      { name: 'final_fraction', title: 'final fraction of the learning rate', symbol: '', doc: 'What is left of it at the end of the sample budget.', kind: 'number', default: 0.0, least: 0, texts: [], range: 'from 0 to 1', retunable: true },
    ],
  },
  {
    name: 'step',
    title: 'step',
    doc: 'Multiplied by the decay factor at equal intervals.',
    source: '',
    fields: [
      { name: 'every_samples', title: 'samples between decays', symbol: '', doc: 'After each interval of this length, the learning rate is multiplied by the decay factor.', kind: 'count', default: 60000, least: 1, texts: [], range: '', retunable: true },
      { name: 'factor', title: 'decay factor', symbol: '', doc: 'The factor of each decay.', kind: 'number', default: 0.5, least: 0, texts: [], range: 'above 0 and at most 1', retunable: true },
    ],
  },
] as const satisfies readonly Choice[];

export const RUN_ROWS = [
  { name: 'learning_rate', title: 'learning rate', symbol: 'α', doc: 'The learning rate α, before the schedule.', kind: 'number', default: 0.02, least: 0, texts: [], range: '', retunable: true },
  { name: 'initial_batch', title: 'initial batch', symbol: '', doc: 'The size of the first batch in samples; at least 2 with a test, because one sample has no variance.', kind: 'size', default: 8, least: 1, texts: [], range: '', retunable: false },
  { name: 'min_batch', title: 'smallest batch', symbol: '', doc: 'The smallest batch in samples.', kind: 'size', default: 1, least: 1, texts: [], range: '', retunable: true },
  { name: 'max_batch', title: 'largest batch', symbol: '', doc: 'The largest batch in samples, at most the number of training samples.', kind: 'size', default: 4096, least: 1, texts: [], range: '', retunable: true },
  { name: 'sample_budget', title: 'sample budget', symbol: '', doc: 'The run ends after the first step by which this number of training samples were seen.', kind: 'count', default: 100000, least: 1, texts: [], range: '', retunable: true },
  { name: 'seed', title: 'seed', symbol: '', doc: 'Determines the initial parameters and the order of the samples: the same seed gives the same run.', kind: 'count', default: 0, least: 0, texts: [], range: '', retunable: false },
  { name: 'evaluate_every', title: 'measure accuracy every', symbol: '', doc: 'The number of training samples between two measurements of the accuracy.', kind: 'count', default: 8000, least: 1, texts: [], range: '', retunable: true },
] as const satisfies readonly Row[];

export const SCHEDULE_ROWS = [
  { name: 'warm_up_samples', title: 'warm-up samples', symbol: '', doc: 'The learning rate rises linearly from 0 over this number of samples; 0 for no warm-up.', kind: 'count', default: 0, least: 0, texts: [], range: '', retunable: true },
] as const satisfies readonly Row[];

export const AUGMENTATION_ROWS = [
  { name: 'padding', title: 'crop padding', symbol: '', doc: 'Training images are padded with this number of black pixels on each side and cropped at random; 0 for no crop.', kind: 'size', default: 0, least: 0, texts: [], range: 'from 0 to 32', retunable: false },
  { name: 'flip', title: 'random flip', symbol: '', doc: 'Mirrors every other training image, at random, left to right.', kind: 'switch', default: false, least: 0, texts: [], range: '', retunable: false },
] as const satisfies readonly Row[];
