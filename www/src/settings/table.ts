/** The core’s table of settings, written by the tests with WRITE_GENERATED=1: change it in the core. */
import type { Choice, Row } from './rows.js';

export const OPTIMIZER_ROWS = [
  {
    name: 'sgd',
    title: 'SGD',
    doc: 'The step is the learning rate times the gradient.',
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
    name: 'adagrad_norm_delayed',
    title: 'AdaGrad-Norm, delayed',
    doc: 'AdaGrad-Norm without this step\'s own gradient in the sum.',
    source: 'Ostroukhov, Zhumabayeva, Xiang, Gasnikov, Takáč, Kamzolov 2024, arXiv 2402.05264',
    fields: [
      { name: 'beta', title: 'beta', symbol: 'β', doc: 'The constant that is added to the sum of squared gradient norms.', kind: 'number', default: 1.0, least: 0, texts: [], range: '', retunable: false },
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
    doc: 'Bounds the noise of the mean gradient by η times its norm: v/b ≤ η² ‖ḡ‖², with v the variance of the samples\' gradients.',
    source: 'Byrd, Chin, Nocedal, Wu 2012; AdAdaGrad, arXiv 2402.11215',
    fields: [
      { name: 'eta', title: 'threshold', symbol: 'η', doc: 'The noise that is allowed, relative to the gradient\'s norm; a smaller threshold requires larger batches.', kind: 'number', default: 0.1, least: 0, texts: [], range: '', retunable: true },
      { name: 'debiased', title: 'debiased ‖ḡ‖²', symbol: '', doc: 'Takes the debiased ‖ḡ‖² − v/b instead of ‖ḡ‖², which noise increases by about v/b.', kind: 'switch', default: false, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'inner_product',
    title: 'inner product test',
    doc: 'Bounds the variance along the mean gradient: v_along/b ≤ ϑ² ‖ḡ‖⁴. Costs a second sweep.',
    source: 'Bollapragada, Byrd, Nocedal 2018, arXiv 1710.11258',
    fields: [
      { name: 'theta', title: 'threshold', symbol: 'ϑ', doc: 'Limits the noise along the mean gradient.', kind: 'number', default: 0.9, least: 0, texts: [], range: '', retunable: true },
      { name: 'leave_one_out', title: 'exclude each sample from its own mean', symbol: '', doc: 'Compares each sample\'s gradient with the mean of the other samples\' gradients.', kind: 'switch', default: false, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'orthogonality',
    title: 'orthogonality test',
    doc: 'Bounds the variance orthogonal to the mean gradient: v_orth/b ≤ ν² ‖ḡ‖². Costs a second sweep.',
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
    doc: 'The next batch is as large as the test requires, and never smaller than this one.',
    source: 'Lau, Liu, Kolar 2024, arXiv 2402.11215',
    words: {
      grew: 'the test needed {required} samples',
      shrank: 'the largest batch in the settings was reduced',
      kept: 'the batch was large enough for the test',
      against: 'A very small initial batch can require far too much by chance, and the batch never shrinks again.',
    },
    fields: [
      { name: 'growth_cap', title: 'growth cap', symbol: '', doc: 'The largest growth factor of the batch size per step; by default there is no limit, as in the paper.', kind: 'optional', default: null, least: 0, texts: [], range: '', retunable: true },
      { name: 'window', title: 'window', symbol: '', doc: 'The smallest of this number of required sizes is used; 1 for no window.', kind: 'size', default: 1, least: 1, texts: [], range: 'from 1 to 16', retunable: true },
      { name: 'window_kind', title: 'kind of window', symbol: '', doc: 'Whether the smallest is taken at every step, or once per full window.', kind: 'text', default: 'sliding', least: 0, texts: ['sliding', 'block'], range: '', retunable: true },
    ],
  },
  {
    name: 'cabs',
    title: 'CABS',
    doc: 'The batch is the learning rate times the gradients\' variance over the loss; it may shrink.',
    source: 'Balles, Romero, Hennig 2017, arXiv 1612.05086',
    words: {
      grew: 'the learning rate times the variance of the gradients, divided by the loss, is above the batch size',
      shrank: 'the learning rate times the variance of the gradients, divided by the loss, is below the batch size',
      kept: 'the learning rate times the variance of the gradients, divided by the loss, requires no other size',
      against: 'It assumes the steps of plain SGD and a smallest possible loss of 0.',
    },
    fields: [
      { name: 'ema', title: 'decay of the averages', symbol: '', doc: 'The decay factor of the running averages per step.', kind: 'number', default: 0.95, least: 0, texts: [], range: 'at least 0 and below 1', retunable: true },
      { name: 'scale', title: 'scale', symbol: '', doc: 'The factor by which the size is multiplied.', kind: 'number', default: 1.0, least: 0, texts: [], range: '', retunable: true },
    ],
  },
  {
    name: 'dive_batch',
    title: 'DiveBatch',
    doc: 'Every few epochs the batch grows with the diversity of the epoch\'s gradients.',
    source: 'arXiv 2509.16173',
    words: {
      grew: 'an epoch ended whose gradients were diverse enough for a larger batch',
      shrank: 'the largest batch in the settings was reduced',
      kept: 'DiveBatch changes the size at most once per {every_epochs:epochs}',
      against: 'Every adaptive scheme in DiveBatch’s own CIFAR-10 table loses 0.4 to 1.7 points to constant b = 128.',
    },
    fields: [
      { name: 'delta', title: 'scale', symbol: 'δ', doc: 'The factor by which the diversity of the gradients is multiplied.', kind: 'number', default: 0.1, least: 0, texts: [], range: '', retunable: true },
      { name: 'every_epochs', title: 'epochs between changes', symbol: '', doc: 'The number of epochs between two changes.', kind: 'count', default: 20, least: 1, texts: [], range: '', retunable: true },
      { name: 'scale_learning_rate', title: 'scale the learning rate', symbol: '', doc: 'Multiplies the learning rate by the growth of the batch.', kind: 'switch', default: false, least: 0, texts: [], range: '', retunable: true },
    ],
  },
  {
    name: 'gradient_noise_scale',
    title: 'gradient noise scale',
    doc: 'The batch is a multiple of the smoothed gradient noise scale; it may shrink.',
    source: 'McCandlish, Kaplan, Amodei et al. 2018, arXiv 1812.06162',
    words: {
      grew: '{scale:times}{sensor:noise} is above the batch size',
      shrank: '{scale:times}{sensor:noise} is below the batch size',
      kept: '{scale:times}{sensor:noise} requires no other size',
      against: 'The noise scale can underestimate the critical batch by orders of magnitude under Adam (arXiv 2505.23971).',
    },
    fields: [
      { name: 'sensor', title: 'noise scale', symbol: '', doc: 'How the noise scale is measured: plain, with gradients divided by the root of the optimizer\'s second moments, or from signs.', kind: 'text', default: 'plain', least: 0, texts: ['plain', 'preconditioned', 'sign'], range: '', retunable: false },
      { name: 'scale', title: 'scale', symbol: '', doc: 'The factor by which the size is multiplied.', kind: 'number', default: 1.0, least: 0, texts: [], range: '', retunable: true },
      { name: 'ema', title: 'decay of the averages', symbol: '', doc: 'The decay factor of the running averages per step.', kind: 'number', default: 0.95, least: 0, texts: [], range: 'at least 0 and below 1', retunable: true },
    ],
  },
  {
    name: 'ada_batch_grad',
    title: 'AdaBatchGrad',
    doc: 'Grows to the smallest of the last sizes that the augmented inner product test required.',
    source: 'Ostroukhov, Zhumabayeva, Xiang, Gasnikov, Takáč, Kamzolov 2024, arXiv 2402.05264',
    words: {
      grew: 'the smallest of the last {window} sizes that its test required is larger',
      shrank: 'the largest batch in the settings was reduced',
      kept: 'the smallest of the last {window} sizes that its test required is not larger, or is not known yet',
      against: 'Its test needs a second sweep over each batch, and the batch never shrinks again.',
    },
    fields: [
      { name: 'theta', title: 'threshold along ḡ', symbol: 'ϑ', doc: 'Limits the noise along the mean gradient.', kind: 'number', default: 0.1, least: 0, texts: [], range: '', retunable: true },
      { name: 'nu', title: 'orthogonal threshold', symbol: 'ν', doc: 'Limits the noise orthogonal to the mean gradient.', kind: 'number', default: 0.1, least: 0, texts: [], range: '', retunable: true },
      { name: 'window', title: 'window', symbol: '', doc: 'The smallest of this number of required sizes is used; 1 for no window.', kind: 'size', default: 5, least: 1, texts: [], range: 'from 1 to 16', retunable: true },
      { name: 'window_kind', title: 'kind of window', symbol: '', doc: 'Whether the smallest is taken at every step, or once per full window.', kind: 'text', default: 'block', least: 0, texts: ['sliding', 'block'], range: '', retunable: true },
    ],
  },
  {
    name: 'accordion',
    title: 'Accordion',
    doc: 'Large batches in epochs whose gradient is similar to that of the previous epoch, small ones in the others.',
    source: 'Agarwal, Wang, Lee, Venkataraman, Papailiopoulos 2020, arXiv 2010.16248',
    words: {
      grew: 'the gradient of the last epoch was similar to that of the epoch before',
      shrank: 'the gradient of the last epoch differed from that of the epoch before',
      kept: 'Accordion chooses between its two sizes only at the end of an epoch',
      against: 'The batch jumps between two sizes, and the learning rate stays as it is.',
    },
    fields: [
      { name: 'small', title: 'small batch', symbol: '', doc: 'The batch while the gradient changes much.', kind: 'size', default: 512, least: 1, texts: [], range: '', retunable: true },
      { name: 'large', title: 'large batch', symbol: '', doc: 'The batch while the gradient changes little.', kind: 'size', default: 4096, least: 1, texts: [], range: '', retunable: true },
      { name: 'threshold', title: 'largest change', symbol: '', doc: 'The batch is large if the relative change of the gradient\'s norm from one epoch to the next is below this.', kind: 'number', default: 0.5, least: 0, texts: [], range: '', retunable: true },
    ],
  },
  {
    name: 'cost_aware',
    title: 'cost-aware',
    doc: 'Doubles or halves toward the batch that makes the most progress per second, according to measured step times.',
    source: 'github.com/mattsq/snr-grad, 2026',
    words: {
      grew: 'a larger batch promised more progress per second, or had to be timed first',
      shrank: 'a smaller batch promised more progress per second, or had to be timed first',
      kept: 'no other size promised at least {gain:percent} more progress per second, or the size had changed within the last {dwell} steps',
      against: 'Its choice depends on this machine’s speed, so a run does not repeat exactly. The noise scale can underestimate the critical batch by orders of magnitude under Adam (arXiv 2505.23971).',
    },
    fields: [
      { name: 'sensor', title: 'noise scale', symbol: '', doc: 'How the noise scale is measured: plain, with gradients divided by the root of the optimizer\'s second moments, or from signs.', kind: 'text', default: 'plain', least: 0, texts: ['plain', 'preconditioned', 'sign'], range: '', retunable: false },
      { name: 'ema', title: 'decay of the averages', symbol: '', doc: 'The decay factor of the running averages per step.', kind: 'number', default: 0.95, least: 0, texts: [], range: 'at least 0 and below 1', retunable: true },
      { name: 'gain', title: 'smallest gain', symbol: '', doc: 'The relative gain in speed that is worth a change.', kind: 'number', default: 0.05, least: 0, texts: [], range: '', retunable: true },
      { name: 'warm_up', title: 'warm-up steps', symbol: '', doc: 'The number of steps before the first change.', kind: 'size', default: 5, least: 0, texts: [], range: '', retunable: true },
      { name: 'dwell', title: 'steps between changes', symbol: '', doc: 'The smallest number of steps between two changes.', kind: 'size', default: 5, least: 0, texts: [], range: '', retunable: true },
      { name: 'fixed_time', title: 'time per step', symbol: 't₀', doc: 'Seconds per step that do not depend on the batch size; measured by default.', kind: 'optional', default: null, least: 0, texts: [], range: '', retunable: false },
      { name: 'time_per_sample', title: 'time per sample', symbol: 't₁', doc: 'Seconds per sample; measured by default.', kind: 'optional', default: null, least: 0, texts: [], range: '', retunable: false },
    ],
  },
  {
    name: 'constant',
    title: 'constant batch',
    doc: 'The batch keeps its size; the result of a test is reported, but has no effect.',
    source: '',
    words: {
      grew: 'the smallest batch in the settings was raised',
      shrank: 'the largest batch in the settings was reduced',
      kept: 'the rule keeps the batch constant',
      against: '',
    },
    fields: [],
  },
  {
    name: 'stages',
    title: 'list of sizes',
    doc: 'The batch size follows a list: each size applies from a given number of samples seen.',
    source: 'as in Megatron-LM and PyTorch scripts',
    words: {
      grew: 'the list of sizes has reached its next stage',
      shrank: 'the list of sizes has reached its next stage',
      kept: 'the list of sizes has not reached another stage',
      against: 'The list is fixed before the run and does not depend on the gradients.',
    },
    fields: [
      { name: 'schedule', title: 'stages', symbol: '', doc: 'Pairs start:size, with the number of samples seen at which each size begins, such as 0:64 1M:256 4M:1024.', kind: 'text', default: '0:64', least: 0, texts: [], range: '', retunable: true },
    ],
  },
  {
    name: 'linear',
    title: 'linear growth',
    doc: 'The batch grows linearly with the number of samples seen, up to a last size.',
    source: 'Megatron-LM\'s batch-size ramp',
    words: {
      grew: 'the size follows the samples seen, to {last_batch} after {over_samples} samples',
      shrank: 'the size follows the samples seen, to {last_batch} after {over_samples} samples',
      kept: 'the size only follows the samples seen, to {last_batch} after {over_samples} samples',
      against: 'The growth is fixed before the run and does not depend on the gradients.',
    },
    fields: [
      { name: 'last_batch', title: 'last batch', symbol: '', doc: 'The batch size at the end of the growth.', kind: 'size', default: 1024, least: 1, texts: [], range: '', retunable: true },
      { name: 'over_samples', title: 'samples of the growth', symbol: '', doc: 'The number of samples seen at which the last size is reached.', kind: 'count', default: 1000000, least: 1, texts: [], range: '', retunable: true },
    ],
  },
  {
    name: 'geometric',
    title: 'AdaBatch',
    doc: 'Every few epochs the batch is doubled, and the learning rate reduced a little.',
    source: 'Devarakonda, Naumov, Garland 2017, arXiv 1712.02029',
    words: {
      grew: 'AdaBatch multiplies the batch by {factor} once per {every_epochs:epochs}',
      shrank: 'the largest batch in the settings was reduced',
      kept: 'AdaBatch multiplies the batch by {factor} only once per {every_epochs:epochs}',
      against: 'The growth is fixed before the run and does not depend on the gradients.',
    },
    fields: [
      { name: 'every_epochs', title: 'epochs between changes', symbol: '', doc: 'The number of epochs between two changes.', kind: 'count', default: 20, least: 1, texts: [], range: '', retunable: true },
      { name: 'factor', title: 'growth of the batch', symbol: '', doc: 'The factor by which the batch size is multiplied at each change.', kind: 'number', default: 2.0, least: 0, texts: [], range: '', retunable: true },
      { name: 'gamma', title: 'factor of the learning rate', symbol: 'γ', doc: 'The factor by which the learning rate is multiplied at each change.', kind: 'number', default: 0.75, least: 0, texts: [], range: 'above 0 and at most 1', retunable: true },
    ],
  },
  {
    name: 'smith',
    title: 'Smith et al.',
    doc: 'Where a schedule would cut the learning rate, the batch grows instead, up to a tenth of the data.',
    source: 'Smith, Kindermans, Ying, Le 2018, arXiv 1711.00489',
    words: {
      grew: 'a milestone was reached at which a schedule would reduce the learning rate',
      shrank: 'the largest batch in the settings was reduced',
      kept: 'no milestone was reached, or the learning rate was reduced instead',
      against: 'The milestones are fixed before the run and do not depend on the gradients.',
    },
    fields: [
      { name: 'milestones', title: 'milestones', symbol: '', doc: 'The numbers of samples seen at which the learning rate would be cut, such as 60K 120K 240K.', kind: 'text', default: '60K 120K 240K', least: 0, texts: [], range: '', retunable: true },
      { name: 'factor', title: 'growth of the batch', symbol: '', doc: 'The factor by which the batch size is multiplied at each milestone.', kind: 'number', default: 5.0, least: 0, texts: [], range: '', retunable: true },
      { name: 'limit', title: 'largest batch by the rule', symbol: '', doc: 'The largest batch size of this rule. Where the batch would exceed it, the learning rate is cut instead. By default a tenth of the training set.', kind: 'optional', default: null, least: 0, texts: [], range: '', retunable: true },
    ],
  },
  {
    name: 'seesaw',
    title: 'Seesaw',
    doc: 'Where a schedule would halve the learning rate, the batch is doubled and the rate divided by √2.',
    source: 'arXiv 2510.14717',
    words: {
      grew: 'a milestone was reached at which a schedule would reduce the learning rate',
      shrank: 'the largest batch in the settings was reduced',
      kept: 'no milestone was reached, or only the learning rate was reduced',
      against: 'The milestones are fixed before the run and do not depend on the gradients.',
    },
    fields: [
      { name: 'milestones', title: 'milestones', symbol: '', doc: 'The numbers of samples seen at which the learning rate would be cut, such as 60K 120K 240K.', kind: 'text', default: '60K 120K 240K', least: 0, texts: [], range: '', retunable: true },
      { name: 'cut', title: 'cut', symbol: 'c', doc: 'The factor by which a schedule would multiply the learning rate at each milestone.', kind: 'number', default: 0.5, least: 0, texts: [], range: 'above 0 and below 1', retunable: true },
    ],
  },
  {
    name: 'big_batch',
    title: 'Big Batch SGD',
    doc: 'A batch is extended before its step until its mean gradient is larger than the noise.',
    source: 'De, Yadav, Jacobs, Goldstein 2016, arXiv 1610.05792',
    words: {
      grew: 'the mean gradient of a smaller batch was not larger than the noise',
      shrank: 'the largest batch in the settings was reduced',
      kept: 'the mean gradient of a batch of this size was larger than the noise, or no larger batch is allowed',
      against: 'The batch never shrinks again, and each extension costs another pass over the new samples.',
    },
    fields: [
      { name: 'growth', title: 'growth', symbol: '', doc: 'The fraction of the batch by which it is extended each time.', kind: 'number', default: 0.1, least: 0, texts: [], range: '', retunable: true },
    ],
  },
  {
    name: 'simi_grad',
    title: 'SimiGrad',
    doc: 'The batch grows or shrinks by a tenth, depending on the cosine between the mean gradients of its two halves.',
    source: 'Qin, Rajbhandari, Ruwase, Yan, Yang, He 2021, NeurIPS',
    words: {
      grew: 'the mean gradients of the batch’s halves were less alike than the target (cosine below {target})',
      shrank: 'the mean gradients of the batch’s halves were more alike than the target (cosine above {target})',
      kept: 'the mean gradients of the batch’s halves were as alike as the target (cosine {target}), or the limits allow no other size',
      against: 'The right target depends on the task, and the size changes after almost every step.',
    },
    fields: [
      { name: 'target', title: 'target', symbol: '', doc: 'The cosine above which the batch shrinks, and below which it grows.', kind: 'number', default: 0.1, least: 0, texts: [], range: 'from -1 to 1', retunable: true },
    ],
  },
] as const satisfies readonly Choice[];

export const DECAY_ROWS = [
  {
    name: 'constant',
    title: 'no decay',
    doc: 'The learning rate stays constant.',
    source: '',
    fields: [],
  },
  {
    name: 'cosine',
    title: 'cosine',
    doc: 'Half a cosine wave, down to the final fraction of the rate at the end of the sample budget.',
    source: '',
    fields: [
      { name: 'final_fraction', title: 'final fraction of the learning rate', symbol: '', doc: 'The fraction of the learning rate that is left at the end of the sample budget.', kind: 'number', default: 0.0, least: 0, texts: [], range: 'from 0 to 1', retunable: true },
    ],
  },
  {
    name: 'step',
    title: 'step',
    doc: 'The learning rate is multiplied by the decay factor at equal intervals.',
    source: '',
    fields: [
      { name: 'every_samples', title: 'samples between decays', symbol: '', doc: 'After each interval of this length, the learning rate is multiplied by the decay factor.', kind: 'count', default: 60000, least: 1, texts: [], range: '', retunable: true },
      { name: 'factor', title: 'decay factor', symbol: '', doc: 'The factor of each decay.', kind: 'number', default: 0.5, least: 0, texts: [], range: 'above 0 and at most 1', retunable: true },
    ],
  },
] as const satisfies readonly Choice[];

export const RUN_ROWS = [
  { name: 'decay_on', title: 'weight decay on', symbol: '', doc: 'Which parameters the optimizer\'s weight decay applies to. all: all of them, as in PyTorch. matrices: tensors of two or more dimensions, which are the weights of dense layers, convolutions and embeddings, and neither biases nor γ and β of norms, as for GPT-2. Without weight decay it has no effect.', kind: 'text', default: 'all', least: 0, texts: ['all', 'matrices'], range: '', retunable: false },
  { name: 'clip_norm', title: 'largest gradient norm', symbol: '', doc: 'Where the norm of the batch\'s mean gradient is larger, the step is made with the gradient scaled down to this norm; 0 for no limit. Only the step is shorter: tests, rules and all reported statistics use the gradient as it is. With a limit WebGPU waits for each batch\'s norm before it makes the step.', kind: 'number', default: 0.0, least: 0, texts: [], range: '', retunable: true },
  { name: 'learning_rate', title: 'learning rate', symbol: '', doc: 'The learning rate before the schedule.', kind: 'number', default: 0.02, least: 0, texts: [], range: '', retunable: true },
  { name: 'observe', title: 'observed', symbol: '', doc: 'Names of up to eight tests, noise scales and rules that are computed and reported, but do not affect the run. The run\'s own test and rule keep its settings; all others have their defaults, such as eta 0.1. The list cannot change during a run, because memory is allocated for it. worker_norm and simi_grad compare parts of a batch. They report a size only if the run cuts its batches into parts anyway, of 4 to 128 samples depending on the network: worker_norm needs at least two parts, simi_grad exactly two. On WebGPU both need a run whose own test compares parts.', kind: 'text', default: '', least: 0, texts: [], range: '', retunable: false },
  { name: 'coupling', title: 'coupling', symbol: '', doc: 'How the learning rate, and β₁ and β₂ of Adam and AdamW, change when the batch becomes δ times as large. none: not at all. linear: the rate times δ. sqrt: the rate times √δ. sde: the rate times √δ, and 1 − δ(1 − β) for each β. half_life: β₂ to the power of δ. A change of this setting during a run affects later changes of the batch size. sde and half_life need the optimizer adam or adamw. Rules that change the learning rate (geometric, smith, seesaw, and dive_batch with scale_learning_rate), compute the size from it (cabs) or extend a batch (big_batch) can only be combined with none.', kind: 'text', default: 'none', least: 0, texts: ['none', 'linear', 'sqrt', 'sde', 'half_life'], range: '', retunable: true },
  { name: 'initial_batch', title: 'initial batch', symbol: '', doc: 'The size of the initial batch in samples; at least 2 with a test, because one sample has no variance.', kind: 'size', default: 8, least: 1, texts: [], range: '', retunable: false },
  { name: 'min_batch', title: 'smallest batch', symbol: '', doc: 'The smallest batch in samples.', kind: 'size', default: 1, least: 1, texts: [], range: '', retunable: true },
  { name: 'max_batch', title: 'largest batch', symbol: '', doc: 'The largest batch in samples, at most the number of training samples.', kind: 'size', default: 4096, least: 1, texts: [], range: '', retunable: true },
  { name: 'parts', title: 'largest number of parts', symbol: '', doc: 'The largest number of parts that a batch is cut into, which threads, workers and the ranks of a cluster compute side by side; 0 for the network\'s own number, 8 or 32. A part has no fewer samples than suit the network (4 to 128), whatever this number is. Another number changes the order of the sums and so the last bits of the result; for one number, the bits are the same for any number of threads, workers and ranks. Tests and rules that compare parts cut a batch as they need. WebGPU adds a batch as a whole and needs no parts, unless the test compares them.', kind: 'size', default: 0, least: 0, texts: [], range: 'from 0 to 1024', retunable: false },
  { name: 'sample_budget', title: 'sample budget', symbol: '', doc: 'The run ends after the step in which the number of training samples seen reaches this number.', kind: 'count', default: 100000, least: 1, texts: [], range: '', retunable: true },
  { name: 'seed', title: 'seed', symbol: '', doc: 'Determines the initial parameters and the order of the samples: the same seed gives the same run, except with cost_aware, which decides from measured times.', kind: 'count', default: 0, least: 0, texts: [], range: '', retunable: false },
  { name: 'evaluate_every', title: 'measure accuracy every', symbol: '', doc: 'The number of training samples between two measurements of the accuracy.', kind: 'count', default: 8000, least: 1, texts: [], range: '', retunable: true },
] as const satisfies readonly Row[];

export const SCHEDULE_ROWS = [
  { name: 'warm_up_samples', title: 'warm-up samples', symbol: '', doc: 'The learning rate rises linearly from 0 over this number of samples; 0 for no warm-up.', kind: 'count', default: 0, least: 0, texts: [], range: '', retunable: true },
] as const satisfies readonly Row[];

export const AUGMENTATION_ROWS = [
  { name: 'padding', title: 'crop padding', symbol: '', doc: 'Training images are padded with this number of black pixels on each side and cropped at random; 0 for no crop.', kind: 'size', default: 0, least: 0, texts: [], range: 'from 0 to 32', retunable: false },
  { name: 'flip', title: 'random flip', symbol: '', doc: 'Mirrors training images left to right at random, with probability ½.', kind: 'switch', default: false, least: 0, texts: [], range: '', retunable: false },
] as const satisfies readonly Row[];

export const TEXT_ROWS = [
  { name: 'tokens', title: 'tokens', symbol: '', doc: 'The tokens of a text: characters (Unicode code points), or bytes, of which there are 256.', kind: 'text', default: 'characters', least: 0, texts: ['characters', 'bytes'], range: '', retunable: false },
  { name: 'context', title: 'context length', symbol: '', doc: 'The number of tokens in a sample of a text: the positions of a sequence.', kind: 'size', default: 64, least: 1, texts: [], range: '', retunable: false },
] as const satisfies readonly Row[];
