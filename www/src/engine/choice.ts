/** Which engine computes a run, and why: the visitor's choice, what the browser offers, and the decision. */
import type { EngineName } from '../../pkg/adadagrad_web.js';

/** What can be chosen. No part of the settings: the same run can be computed by either engine. */
export type EngineChoice = 'auto' | EngineName;

export const ENGINE_CHOICES = ['auto', 'webgpu', 'cpu'] satisfies EngineChoice[];

/** What this browser offers for WebGPU. */
export type AdapterReport =
  /** `reason`: a sentence. */
  | { kind: 'none'; reason: string }
  /** `software`: an adapter that computes on the processor. */
  | { kind: 'hardware' | 'software'; name: string };

export interface EngineDecision {
  engine: EngineName;
  /** The adapter's name; null for the CPU. */
  adapter: string | null;
  software: boolean;
  /** Why, in one sentence. */
  reason: string;
}

export function isEngineChoice(value: unknown): value is EngineChoice {
  return ENGINE_CHOICES.some((choice) => choice === value);
}

export function decideEngine(choice: EngineChoice, adapter: AdapterReport): EngineDecision {
  switch (choice) {
    case 'cpu':
      return processor('You chose the CPU.');
    case 'auto':
      if (adapter.kind === 'hardware') return webgpu(adapter, 'Auto chose WebGPU, because this browser offers a GPU.');
      return processor(`Auto chose the CPU. ${whyNot(adapter)}`);
    case 'webgpu':
      if (adapter.kind === 'none') return processor(`You chose WebGPU, but the run uses the CPU. ${whyNot(adapter)}`);
      if (adapter.kind === 'hardware') return webgpu(adapter, 'You chose WebGPU.');
      return webgpu(adapter, 'You chose WebGPU, although a software adapter is slower than WebAssembly.');
  }
}

/** The decision after WebGPU failed in the middle of a run. */
export function goneOn(decision: EngineDecision): EngineDecision {
  return processor(`WebGPU${decision.adapter === null ? '' : ` on ${decision.adapter}`} failed, so the run continued on the CPU.`);
}

/** Why a browser's WebGPU that failed once is not taken again in the same visit. */
export const DISTRUST = 'WebGPU failed during this visit. To try it again, reload the page.';

function whyNot(adapter: Exclude<AdapterReport, { kind: 'hardware' }>): string {
  if (adapter.kind === 'none') return adapter.reason;
  return `This browser offers only a software adapter (${adapter.name}), which is slower than WebAssembly.`;
}

function processor(reason: string): EngineDecision {
  return { engine: 'cpu', adapter: null, software: false, reason };
}

function webgpu(adapter: Exclude<AdapterReport, { kind: 'none' }>, reason: string): EngineDecision {
  return { engine: 'webgpu', adapter: adapter.name, software: adapter.kind === 'software', reason };
}
