// An answer that the server holds back until the test lets it go.

/** `replace` for servePage: files that match wait; `release` lets them come, as they are or as `change(bytes)` has them. */
export function hold(pattern) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  let times = 0;
  const waiting = [];
  return {
    /** Resolves when such files have been asked for this many times. */
    asked: (wanted) => new Promise((resolve) => (times >= wanted ? resolve() : waiting.push({ wanted, resolve }))),
    release,
    replace: async (path, bytes) => {
      if (!pattern.test(path)) return undefined;
      times += 1;
      for (const { wanted, resolve } of waiting) if (times >= wanted) resolve();
      const change = await released;
      return change?.(bytes);
    },
  };
}
