/** Asks the browser what it offers for WebGPU. Runs in the worker, where the device will be opened. */
import type { AdapterReport } from './choice.js';

/** A browser that does not answer must not keep anybody from training. */
const ANSWER_MILLISECONDS = 5000;

/** Names under which adapters that compute on the processor are known: not every browser marks them. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|software/i;

export async function findAdapter(): Promise<AdapterReport> {
  // Browsers without WebGPU, and pages that were not loaded over HTTPS, have no such property.
  const gpu = (navigator as { gpu?: GPU }).gpu;
  if (gpu === undefined) return none(self.isSecureContext ? 'This browser has no WebGPU.' : 'Browsers offer WebGPU only to pages that are loaded over HTTPS.');
  const silence = new Promise<'silence'>((resolve) => setTimeout(() => resolve('silence'), ANSWER_MILLISECONDS));
  try {
    const answer = await Promise.race([gpu.requestAdapter({ powerPreference: 'high-performance' }), silence]);
    if (answer === 'silence') return none('This browser did not answer the request for a GPU.');
    return answer === null ? none('This browser supports WebGPU, but finds no GPU on this machine.') : describe(answer);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return none(`The request for a GPU failed (${detail}).`);
  }
}

function describe(adapter: GPUAdapter): AdapterReport {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  // Older browsers say it of the adapter itself.
  const fallback = isFallbackAdapter || (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter === true;
  const software = fallback || [vendor, architecture, device, description].some((text) => SOFTWARE.test(text));
  return { kind: software ? 'software' : 'hardware', name: nameOf(adapter.info) };
}

/** Browsers often leave out what would tell visitors apart; then vendor and architecture have to do. */
function nameOf({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const parts = [vendor, architecture].filter((part) => part !== '');
  return description || device || parts.join(' ') || 'an unnamed GPU';
}

function none(reason: string): AdapterReport {
  return { kind: 'none', reason };
}
