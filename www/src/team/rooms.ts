/**
 * Arrays that go to the workers full of parameters and come back full of sums, and again: the browser would have to
 * clear the memory of new ones, and collect the old.
 */

export class Rooms {
  readonly #free: Float32Array<ArrayBuffer>[] = [];

  /** One that nobody uses; null: there is none. */
  take(): Float32Array<ArrayBuffer> | null {
    return this.#free.pop() ?? null;
  }

  /** A copy. */
  copy(vector: Float32Array): Float32Array<ArrayBuffer> {
    const place = this.#free.findIndex(({ length }) => length === vector.length);
    const [room] = place < 0 ? [] : this.#free.splice(place, 1);
    if (room === undefined) return new Float32Array(vector);
    room.set(vector);
    return room;
  }

  /** Nobody uses it any more. */
  give(room: Float32Array<ArrayBuffer> | null): void {
    if (room !== null) this.#free.push(room);
  }
}
