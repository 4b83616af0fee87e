/** The messages between the page and the worker of one engine. */
import type { EngineName } from './engine-rows.js';
import type { Problem } from './engine.js';

export type Request =
  /** The first message. `checkSteps`: so many steps are made, and their losses told. */
  | { type: 'prepare'; engine: EngineName; problem: Problem; checkSteps: number }
  | { type: 'measure'; milliseconds: number };

export type Answer =
  | { type: 'prepared'; losses: number[]; description: string }
  | { type: 'measured'; turn: Turn }
  | { type: 'failed'; message: string };

/** One turn of an engine. */
export interface Turn {
  steps: number;
  seconds: number;
}
