import { formatCount } from '../format.js';

/** What the mosaic shows, for reading and for those who do not see it. `noun`: one sample; `size`: of each, as words to follow. */
export function describeMosaic(batch: number, drawn: number, step: number, { noun, size }: { noun: string; size: string } = { noun: 'image', size: '' }): string {
  const samples = batch === 1 ? `1 training ${noun}` : `${formatCount(batch)} training ${noun}s`;
  const beginning = `The batch of step ${formatCount(step)}: ${samples}${size}`;
  if (drawn >= batch) return `${beginning}, all shown.`;
  return `${beginning}; ${formatCount(drawn)} are shown, ${formatCount(batch - drawn)} more do not fit.`;
}
