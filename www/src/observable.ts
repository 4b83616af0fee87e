/** A value that tells its listeners when it is replaced. All of the page's state lives in a few of these. */
export class Observable<Value> {
  #value: Value;
  readonly #listeners = new Set<(value: Value) => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  get value(): Value {
    return this.#value;
  }

  set value(next: Value) {
    if (Object.is(next, this.#value)) return;
    this.#value = next;
    for (const listener of this.#listeners) listener(next);
  }

  /** Calls `listener` at once, and again after every change. */
  observe(listener: (value: Value) => void): void {
    this.#listeners.add(listener);
    listener(this.#value);
  }
}
