/** What computes the run, in words. */
import { formatCount, formatMegabytes, formatMilliseconds } from '../format.js';
import type { RunEngine } from '../protocol.js';

/** How fast it is: null while it is not known. */
export interface Pace {
  imagesPerSecond: number | null;
  secondsPerStep: number | null;
}

/** `memoryBytes`: of the tab; 0 while it is not known. */
export function describeEngine(engine: RunEngine | null, memoryBytes: number, pace: Pace): string {
  if (engine === null) return 'Everything is computed in a worker of this tab.';
  return `${describeComputer(engine)}${describeMemory(engine, memoryBytes)}.${describePace(pace)} ${engine.reason}`;
}

function describePace({ imagesPerSecond, secondsPerStep }: Pace): string {
  if (secondsPerStep === null) return '';
  const speed = imagesPerSecond === null ? '' : ` at ${formatCount(imagesPerSecond)} images a second`;
  return ` The last step took ${formatMilliseconds(secondsPerStep)}${speed}.`;
}

function describeComputer({ engine, adapter, software, workers }: RunEngine): string {
  if (engine === 'cpu') return `Computed by the processor, in ${workers > 0 ? `${workers} workers` : 'one worker'} of this tab (WebAssembly SIMD)`;
  const name = adapter ?? 'an adapter without a name';
  return `Computed by WebGPU on ${name}${software ? ', a software adapter' : ''}, from a worker of this tab`;
}

function describeMemory({ deviceBytes }: RunEngine, memoryBytes: number): string {
  const shares = [
    ...(deviceBytes > 0 ? [`${formatMegabytes(deviceBytes)} of the adapter’s memory beside the images`] : []),
    ...(memoryBytes > 0 ? [`${formatMegabytes(memoryBytes)} of ${deviceBytes > 0 ? 'the tab’s' : 'memory'}`] : []),
  ];
  return shares.length > 0 ? `, with ${shares.join(' and ')}` : '';
}
