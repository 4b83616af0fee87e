/** Where the ticks of a vertical axis stand, and how far it reaches. */
import uPlot from 'uplot';

export function logarithmicRange(low: number, high: number): [number, number] {
  const [from, to] = uPlot.rangeLog(low, high, 10, true);
  return [from ?? low, to ?? high];
}

export function linearRange(low: number, high: number): [number, number] {
  const [from, to] = uPlot.rangeNum(low, high, 0.1, true);
  return [from ?? low, to ?? high];
}

/** Powers of ten, with 2 and 5 between them while there are few. */
export function decadeSplits(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((last - first) / 6));
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const splits: number[] = [];
  for (let exponent = first; exponent <= last; exponent += every) {
    for (const factor of factors) splits.push(Number(`${factor}e${exponent}`));
  }
  return splits.filter((value) => value >= low * 0.999 && value <= high * 1.001);
}

/** About `wanted` round numbers from low to high. */
export function roundSplits(low: number, high: number, wanted: number): number[] {
  const raw = (high - low) / Math.max(1, wanted);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = magnitude * ([1, 2, 2.5, 5, 10].find((factor) => factor * magnitude >= raw) ?? 10);
  const splits: number[] = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index += 1) splits.push(Number((index * step).toPrecision(12)));
  return splits;
}
