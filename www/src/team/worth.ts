/** When it is worth sharing a batch out, as far as the steps that were made tell. */

/** Measured on two processors: 256 images of the MLP (2.5 ms) gain 6 % at best, 16 of the CNN (7.5 ms) take two thirds of that. */
const LEAST_MILLISECONDS = 3;
/** Where nobody knows yet how fast one worker is. */
const LEAST_PARTS = 4;
/** The first steps are slow, because the browser compiles the program meanwhile. */
const FIRST_STEPS = 5;
/** A sweep by several workers that takes less leaves time to see how fast one is. */
const SHORT_MILLISECONDS = 50;

export class Worth {
  /** Of one worker alone: the fastest of its steps. */
  #samplesPerSecond = 0;
  #stepsAlone = 0;
  #lastSweepWasShort = false;

  /** Steps that one worker made. */
  countAlone(steps: readonly { samples: number; seconds: number }[]): void {
    for (const { samples, seconds } of steps) {
      this.#stepsAlone += 1;
      if (seconds > 0) this.#samplesPerSecond = Math.max(this.#samplesPerSecond, samples / seconds);
    }
  }

  /** A sweep that several made. */
  countShared(milliseconds: number): void {
    this.#lastSweepWasShort = milliseconds < SHORT_MILLISECONDS;
  }

  of(batch: number, parts: number): boolean {
    if (parts < 2) return false;
    if (this.#stepsAlone < FIRST_STEPS) return parts >= LEAST_PARTS && !this.#lastSweepWasShort;
    return (batch / this.#samplesPerSecond) * 1000 >= LEAST_MILLISECONDS;
  }
}
