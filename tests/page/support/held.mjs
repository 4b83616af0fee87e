// An answer that the server holds back until the test lets it go.

/** `replace` for servePage: files that match wait; `release` lets them come, as they are or as `change(bytes)` has them. */
export function hold(pattern) {
  let release;
  let ask;
  const released = new Promise((resolve) => (release = resolve));
  const asked = new Promise((resolve) => (ask = resolve));
  return {
    /** Resolves when the first such file has been asked for. */
    asked,
    release,
    replace: async (path, bytes) => {
      if (!pattern.test(path)) return undefined;
      ask();
      const change = await released;
      return change?.(bytes);
    },
  };
}
