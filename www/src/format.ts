/** Numbers as people read them. */
const wholeNumbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const twoDecimals = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
const significant = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const percent = new Intl.NumberFormat('en-US', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const precisePercent = new Intl.NumberFormat('en-US', { style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** From here on only the magnitude is told: written out, such numbers have hundreds of digits. */
const HUGE = 1e16;

export function formatCount(value: number): string {
  return Math.abs(value) < HUGE ? wholeNumbers.format(value) : formatMagnitude(value);
}

export function formatSteps(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'step' : 'steps'}`;
}

/** 12,000 as 12K: for axes, where room is short. */
export function formatCompact(value: number): string {
  return Math.abs(value) < HUGE ? compact.format(value) : formatMagnitude(value);
}

export function formatMeasure(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return formatMagnitude(value);
  return significant.format(value);
}

function formatMagnitude(value: number): string {
  return Number.isFinite(value) ? value.toExponential(1).replace('e+', 'e') : significant.format(value);
}

export function formatPercent(share: number): string {
  // 99.9 % and 99.99 % are not alike: near the top a second decimal counts.
  return share > 0.99 && share < 1 ? precisePercent.format(share) : percent.format(share);
}

/** 1.04, 3.2, 10.2 or 320: decimals while they say something; near 1 they decide. */
export function formatFactor(value: number): string {
  if (value < 1.95) return twoDecimals.format(value);
  return value < 99.95 ? oneDecimal.format(value) : formatCount(value);
}

/** A size that would pass, as the rule rounds it; beyond a million only its magnitude matters. */
export function formatSize(value: number): string {
  return value < 1e6 ? formatCount(Math.ceil(value)) : formatCompact(value);
}

export function formatMegabytes(bytes: number): string {
  return `${oneDecimal.format(bytes / 1e6)} MB`;
}

/** A duration that was computed, with the unit that suits it: 12 µs, 3.4 ms, 56 s. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1e-3) return `${significant.format(seconds * 1e6)} µs`;
  return seconds < 1 ? `${significant.format(seconds * 1e3)} ms` : `${significant.format(seconds)} s`;
}

export function formatMilliseconds(seconds: number): string {
  // Clocks of browsers are coarse; what is shorter than their tick reads as zero.
  return seconds < 1e-4 ? 'less than 0.1 ms' : `${formatMeasure(seconds * 1000)} ms`;
}
