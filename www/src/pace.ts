/**
 * How fast steps follow one another: as fast as they can, or slowly enough to be followed. The first run of a browser
 * begins slowly by itself: otherwise its batch has grown twentyfold before the visitor knows where to look.
 */
import { Observable } from './observable.js';
import { recall, remember } from './remembered.js';
import type { PageState, RunState } from './state.js';

const SLOW_MOTION_MILLISECONDS = 1600;
const OPENING_KEY = 'adadagrad.opening';
/** The opening: the first steps at this pace, then each step faster than the one before, until the pause is too short to see. */
const OPENING_MILLISECONDS = 900;
const OPENING_STEPS = 5;
const SPEEDING_UP = 0.75;
const SHORTEST_MILLISECONDS = 30;

/** For how long the opening stays with a step; null: it is over. */
export function openingPause(step: number): number | null {
  const pause = OPENING_MILLISECONDS * SPEEDING_UP ** Math.max(0, step - OPENING_STEPS);
  return pause < SHORTEST_MILLISECONDS ? null : pause;
}

export class Pace {
  /** Whether the run is slowed down. */
  readonly slow = new Observable(false);
  /** Null: as fast as can be. */
  readonly #set: (millisecondsPerStep: number | null) => void;
  #opening = false;
  #lastStep = 0;
  #openingWasShown = recall(OPENING_KEY) !== null;

  constructor(state: PageState, set: (millisecondsPerStep: number | null) => void) {
    this.#set = set;
    state.run.observe((run) => this.#follow(run));
  }

  /** The visitor decides; the opening ends with that. */
  toggle(): void {
    this.#opening = false;
    this.slow.value = !this.slow.value;
    this.#set(this.slow.value ? SLOW_MOTION_MILLISECONDS : null);
  }

  /** As fast as can be, until `release`: scenes have a pace of their own. An opening is over then. */
  override(): void {
    if (this.#opening) this.#opening = this.slow.value = false;
    this.#set(null);
  }

  /** What the visitor chose holds again. */
  release(): void {
    this.#set(this.slow.value ? SLOW_MOTION_MILLISECONDS : null);
  }

  /** A run is about to be started. */
  open(): void {
    if (this.#openingWasShown || this.slow.value) return;
    remember(OPENING_KEY, 'shown');
    this.#openingWasShown = this.#opening = this.slow.value = true;
    this.#set(openingPause(0));
  }

  #follow({ phase, latestStep }: RunState): void {
    if (!this.#opening) return;
    const step = latestStep?.step ?? 0;
    const over = phase === 'finished' || phase === 'failed';
    if (step === this.#lastStep && !over) return;
    this.#lastStep = step;
    const pause = over ? null : openingPause(step);
    this.#set(pause);
    if (pause === null) this.#opening = this.slow.value = false;
  }
}
