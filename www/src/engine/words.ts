/** What computes the run, in words. */
import { formatCount, formatMegabytes, formatMilliseconds } from '../format.js';
import type { RunEngine } from '../protocol.js';

/** How fast it is: null while it is not known. */
export interface Pace {
  samplesPerSecond: number | null;
  secondsPerStep: number | null;
}

/** `memoryBytes`: of the tab; 0 while it is not known. */
export function describeEngine(engine: RunEngine | null, memoryBytes: number, pace: Pace): string {
  if (engine === null) return 'All computations run in a worker of this tab.';
  return `${describeComputer(engine)}${describeMemory(engine, memoryBytes)}.${describePace(pace)} ${engine.reason}`;
}

function describePace({ samplesPerSecond, secondsPerStep }: Pace): string {
  if (secondsPerStep === null) return '';
  const speed = samplesPerSecond === null ? '' : ` at ${formatCount(samplesPerSecond)} samples per second`;
  return ` The last step took ${formatMilliseconds(secondsPerStep)}${speed}.`;
}

function describeComputer({ engine, adapter, software, workers }: RunEngine): string {
  if (engine === 'cpu') return `Runs on the CPU, in ${workers > 0 ? `${workers} workers` : 'one worker'} of this tab (WebAssembly SIMD)`;
  const name = adapter ?? 'an unnamed GPU';
  return `Runs on WebGPU (${name}${software ? ', a software adapter' : ''}), in a worker of this tab`;
}

function describeMemory({ deviceBytes }: RunEngine, memoryBytes: number): string {
  const shares = [
    ...(deviceBytes > 0 ? [`${formatMegabytes(deviceBytes)} of GPU memory in addition to the data set`] : []),
    ...(memoryBytes > 0 ? [`${formatMegabytes(memoryBytes)} of ${deviceBytes > 0 ? 'the tab’s' : 'memory'}`] : []),
  ];
  return shares.length > 0 ? `, with ${shares.join(' and ')}` : '';
}
