import { formatCount } from '../format.js';

/** What the mosaic shows, for reading and for those who do not see it. `over`: the run has ended before that step. */
export function describeMosaic(batch: number, drawn: number, step: number, over = false): string {
  const images = batch === 1 ? '1 training image' : `${formatCount(batch)} training images`;
  const whose = over ? 'The batch that would come next' : `The batch of step ${formatCount(step)}`;
  const beginning = `${whose}: ${images}`;
  if (drawn >= batch) return `${beginning}, all of them drawn.`;
  return `${beginning}; ${formatCount(drawn)} are drawn, ${formatCount(batch - drawn)} more do not fit.`;
}
