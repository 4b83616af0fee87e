/** Asks the browser what it offers for WebGPU. Runs in the worker, where the device will be opened, with a guarded GPU. */
import type { AdapterReport } from './choice.js';
import { offeredGpu } from './guarded-gpu.js';

/** A browser that does not answer must not keep anybody from training. */
const ANSWER_MILLISECONDS = 5000;

/** `late` hears of an answer that comes only after that. */
export async function findAdapter(late: (report: AdapterReport) => void): Promise<AdapterReport> {
  // Browsers without WebGPU, and pages that were not loaded over HTTPS, have none.
  const gpu = offeredGpu();
  if (gpu === null) return none(self.isSecureContext ? 'This browser has no WebGPU.' : 'Browsers offer WebGPU only to pages that are loaded over HTTPS.');
  const silence = new Promise<null>((resolve) => setTimeout(() => resolve(null), ANSWER_MILLISECONDS));
  const answer = ask(gpu);
  const report = await Promise.race([answer, silence]);
  if (report !== null) return report;
  void answer.then(late);
  return none('This browser did not answer the request for a GPU.');
}

async function ask(gpu: GPU): Promise<AdapterReport> {
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    return adapter === null ? none('This browser supports WebGPU, but finds no GPU on this machine.') : describe(adapter);
  } catch {
    return none('This browser supports WebGPU, but the request for a GPU failed.');
  }
}

function describe({ info }: GPUAdapter): AdapterReport {
  return { kind: info.isFallbackAdapter ? 'software' : 'hardware', name: nameOf(info) };
}

/** Browsers often leave out what would tell visitors apart; then vendor and architecture have to do. */
function nameOf({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const parts = [vendor, architecture].filter((part) => part !== '');
  return description || device || parts.join(' ') || 'an unnamed GPU';
}

function none(reason: string): AdapterReport {
  return { kind: 'none', reason };
}
