/** Does something when asked, but at most once in a while, never twice at a time, and only while it is allowed. */
export class Repeatedly {
  readonly #interval: number;
  readonly #action: () => Promise<void>;
  #wanted = false;
  #allowed = false;
  #busy = false;
  #last = -Infinity;
  #timer: number | null = null;

  constructor(interval: number, action: () => Promise<void>) {
    this.#interval = interval;
    this.#action = action;
  }

  request(): void {
    this.#wanted = true;
    this.#schedule();
  }

  /** What was asked for meanwhile is done as soon as it is allowed again. */
  allow(allowed: boolean): void {
    this.#allowed = allowed;
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#wanted || !this.#allowed || this.#busy || this.#timer !== null) return;
    const wait = Math.max(0, this.#last + this.#interval - performance.now());
    this.#timer = window.setTimeout(() => void this.#act(), wait);
  }

  async #act(): Promise<void> {
    this.#timer = null;
    if (!this.#allowed) return;
    this.#wanted = false;
    this.#busy = true;
    this.#last = performance.now();
    try {
      await this.#action();
    } finally {
      this.#busy = false;
      this.#schedule();
    }
  }
}
