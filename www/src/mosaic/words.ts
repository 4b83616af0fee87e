import { formatCount } from '../format.js';

/** What the mosaic shows, for reading and for those who do not see it. */
export function describeMosaic(batch: number, drawn: number, step: number): string {
  const images = batch === 1 ? '1 training image' : `${formatCount(batch)} training images`;
  const beginning = `The batch of step ${formatCount(step)}: ${images}`;
  if (drawn >= batch) return `${beginning}, all shown.`;
  return `${beginning}; ${formatCount(drawn)} are shown, ${formatCount(batch - drawn)} more do not fit.`;
}
