/** What a run cost, and what its batch sizes saved, in sentences. */
import { formatCount, formatPercent, formatSeconds, formatSteps } from '../format.js';
import { outcomeOf, targetOf } from '../runs/outcome.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { secondsOf } from './step-cost.js';
import type { StepCost } from './step-cost.js';

/** Below this share of a step its fixed part does not matter. */
const SMALL_PART = 0.1;

/** What a step costs on the engine of the run. */
export function describeCost(run: TrainedRun, cost: StepCost): string {
  const sizes = run.log.column('samples');
  const [smallest, largest] = [sizes.reduce((one, other) => Math.min(one, other)), sizes.reduce((one, other) => Math.max(one, other))];
  const per = `${formatSeconds(cost.perSample)} per sample`;
  const both = `a batch of ${formatCount(smallest)} takes ${formatSeconds(secondsOf(cost, smallest))}, one of ${formatCount(largest)} takes ${formatSeconds(secondsOf(cost, largest))}`;
  if (cost.fixed < SMALL_PART * secondsOf(cost, smallest)) return `Measured in this run, a step costs ${per} and hardly anything besides: ${both}.`;
  return `Measured in this run, a step costs ${formatSeconds(cost.fixed)}, and ${per}: ${both}.`;
}

/** The run's steps, and those that the same samples would be in batches of the first size: both as the fit has them. */
export function describeSaving({ log }: TrainedRun, cost: StepCost): string {
  const first = log.value('samples', 0) ?? 1;
  const [samples, steps] = [log.last('samples_seen') ?? 0, log.last('step') ?? 0];
  if (steps === 0 || samples / steps <= first) return '';
  const constantSteps = Math.ceil(samples / first);
  const seconds = (count: number): string => formatSeconds(count * cost.fixed + samples * cost.perSample);
  return (
    `So the ${formatCount(steps)} steps of this run take about ${seconds(steps)}; in batches of ${formatCount(first)}, the same ` +
    `${formatCount(samples)} samples would be ${formatCount(constantSteps)} steps and take about ${seconds(constantSteps)}.`
  );
}

/** Which of several runs was first to the same accuracy, by seconds, by steps and by samples. */
export function describeFirst(runs: readonly TrainedRun[]): string {
  const [some] = runs;
  if (some === undefined || runs.length < 2) return '';
  const target = formatPercent(targetOf(some.config)).replace('.0', '');
  const outcomes = runs.map((run) => ({ name: run.name, ...outcomeOf(run) }));
  const reached = outcomes.filter(({ samplesToTarget }) => samplesToTarget !== null);
  if (reached.length === 0) return `None of these runs reached ${target} accuracy with its samples.`;
  const least = (by: 'secondsToTarget' | 'stepsToTarget' | 'samplesToTarget', format: (value: number) => string): string => {
    const [best] = [...reached].sort((one, other) => (one[by] ?? Infinity) - (other[by] ?? Infinity));
    return `${best?.name ?? ''} (${format(best?.[by] ?? 0)})`;
  };
  const missed = outcomes.filter(({ samplesToTarget }) => samplesToTarget === null).map(({ name }) => name);
  return (
    `To ${target} accuracy, the fastest was ${least('secondsToTarget', formatSeconds)}; the fewest steps were made by ` +
    `${least('stepsToTarget', formatSteps)}, and the fewest samples were needed by ${least('samplesToTarget', (samples) => `${formatCount(samples)} samples`)}.` +
    (missed.length === 0 ? '' : ` Not reached by: ${missed.join('; ')}.`)
  );
}

/** Which of the runs that reached the accuracy would be first if steps had a higher cost of their own, and from which cost on. */
export function describeDearerSteps(runs: readonly TrainedRun[]): string {
  const reached = runs.flatMap((run) => {
    const { secondsToTarget, stepsToTarget } = outcomeOf(run);
    return secondsToTarget === null || stepsToTarget === null ? [] : [{ name: run.name, seconds: secondsToTarget, steps: stepsToTarget }];
  });
  const [fastest] = [...reached].sort((one, other) => one.seconds - other.seconds);
  if (fastest === undefined || reached.length < 2) return '';
  const [first] = reached
    .filter(({ steps }) => steps < fastest.steps)
    .map(({ name, seconds, steps }) => ({ name, extra: (seconds - fastest.seconds) / (fastest.steps - steps) }))
    .sort((one, other) => one.extra - other.extra);
  if (first === undefined) return `Even if steps took longer, for example to exchange gradients between machines, ${fastest.name} would still be the fastest.`;
  return `If each step took ${formatSeconds(first.extra)} longer, for example to exchange gradients between machines, ${first.name} would be as fast as ${fastest.name}; beyond that, it would be faster.`;
}
