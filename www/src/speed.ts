/** Samples per second of training work, over the last seconds of it; pauses and evaluations do not count. */
const WINDOW_SECONDS = 2;

interface Mark {
  seconds: number;
  samples: number;
}

export class Speed {
  #marks: Mark[];
  #seconds = 0;

  /** `samples`: those that were trained on before. */
  constructor(samples = 0) {
    this.#marks = [{ seconds: 0, samples }];
  }

  /** `samples`: all samples trained on since the start; `seconds`: how long the last slice of work took. */
  add(seconds: number, samples: number): void {
    this.#seconds += seconds;
    this.#marks.push({ seconds: this.#seconds, samples });
    while (this.#marks.length > 2 && this.#seconds - (this.#marks[1]?.seconds ?? 0) > WINDOW_SECONDS) this.#marks.shift();
  }

  get samplesPerSecond(): number | null {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (first === undefined || last === undefined || last.seconds - first.seconds < 0.05) return null;
    return (last.samples - first.samples) / (last.seconds - first.seconds);
  }
}
