import { formatCount } from '../format.js';

/** What the mosaic shows, for reading and for those who do not see it. `over`: the run has ended before that step. */
export function describeMosaic(batch: number, drawn: number, step: number, over = false): string {
  const images = batch === 1 ? '1 training image' : `${formatCount(batch)} training images`;
  const whose = over ? 'The batch of the next step' : `The batch of step ${formatCount(step)}`;
  const beginning = `${whose}: ${images}`;
  if (drawn >= batch) return `${beginning}, all shown.`;
  return `${beginning}; ${formatCount(drawn)} are shown, ${formatCount(batch - drawn)} more do not fit.`;
}
