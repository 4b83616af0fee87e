// The worker's reports, which a test can keep from the page for a while: whatever happens meanwhile happens before them.

/** For openPage's `prepare`. */
export function watchReports(page) {
  return page.addInitScript(() => {
    const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, 'onmessage');
    const held = { type: null, waiting: [] };
    self.heldReports = held;
    Object.defineProperty(Worker.prototype, 'onmessage', {
      configurable: true,
      set(listener) {
        set.call(this, (event) => (event.data.type === held.type ? held.waiting.push(() => listener(event)) : listener(event)));
      },
    });
  });
}

/** From now on reports of this kind wait. */
export function holdReports(page, type) {
  return page.evaluate((kind) => void (self.heldReports.type = kind), type);
}

/** Waits until so many do. */
export function reportsHeld(page, count) {
  return page.waitForFunction((least) => self.heldReports.waiting.length >= least, count);
}

/** Lets those that wait come, in their order, and all that follow. */
export function releaseReports(page) {
  return page.evaluate(() => {
    self.heldReports.type = null;
    for (const give of self.heldReports.waiting.splice(0)) give();
  });
}
