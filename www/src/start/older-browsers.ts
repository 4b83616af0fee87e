/** What browsers of 2021 can run the training, but lack: plain replacements, for the page and its workers. Import it first. */

provide(Object, 'hasOwn', (object: object, key: PropertyKey) => Object.prototype.hasOwnProperty.call(object, key));
for (const { prototype } of [Array, Object.getPrototypeOf(Uint8Array) as Uint8ArrayConstructor]) {
  provide(prototype, 'at', function at(this: ArrayLike<unknown>, index: number): unknown {
    return this[index < 0 ? this.length + index : index];
  });
}
provide(globalThis, 'structuredClone', copy);

/** Some browsers and extensions leave the name, and take the function away. */
function provide(target: object, name: string, value: unknown): void {
  if (typeof (target as Record<string, unknown>)[name] !== 'function') Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

/** Of plain data, as settings are. */
function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part)]));
}
