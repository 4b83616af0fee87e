/** Images per second of training work, over the last seconds of it; pauses and evaluations do not count. */
const WINDOW_SECONDS = 2;

interface Mark {
  seconds: number;
  images: number;
}

export class Speed {
  #marks: Mark[];
  #seconds = 0;

  /** `images`: those that were trained on before. */
  constructor(images = 0) {
    this.#marks = [{ seconds: 0, images }];
  }

  /** `images`: all images trained on since the start; `seconds`: how long the last slice of work took. */
  add(seconds: number, images: number): void {
    this.#seconds += seconds;
    this.#marks.push({ seconds: this.#seconds, images });
    while (this.#marks.length > 2 && this.#seconds - (this.#marks[1]?.seconds ?? 0) > WINDOW_SECONDS) this.#marks.shift();
  }

  get samplesPerSecond(): number | null {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (first === undefined || last === undefined || last.seconds - first.seconds < 0.05) return null;
    return (last.images - first.images) / (last.seconds - first.seconds);
  }
}
