// What tests wait for they cause: clocks that a test holds, a worker that is told something at a certain moment, and turns
// of the event loops in which whatever was still to come has come.
import { PATIENCE_MILLISECONDS } from './page.mjs';

/** The script of the training worker, which those of its team run too: not the file that they begin with, nor the service worker. */
export const WORKER = /(^|\/)worker-[^/]*\.js$/;

/** A `replace` for servePage that puts a script in front of the program of the training worker, and of that one alone. */
export function beforeWorker(script, replace = () => undefined) {
  return (path, bytes) => (WORKER.test(path) ? Buffer.concat([Buffer.from(`if (/${WORKER.source}/.test(self.location.pathname)) {${script}\n}\n`), bytes]) : replace(path, bytes));
}

/**
 * The worker's clock goes on with each look at it, and only then: what the worker decides by the time that something took
 * is the same on every machine.
 */
export function tickingClock(milliseconds) {
  return `{ let now = 0; performance.now = () => (now += ${milliseconds}); }`;
}

/** The worker's clock stands still, but for what `advance` adds. */
export const HELD_CLOCK = '{ self.heldClock = 0; performance.now = () => self.heldClock; }';

/** Moves a clock that is held. */
export function advance(page, milliseconds) {
  return page.workers()[0].evaluate((more) => void (self.heldClock += more), milliseconds);
}

/**
 * Has the worker do `act()` as soon as it has sent a report of which `when(report)` is true, before it does anything else;
 * at most so many times. Both are run inside the worker.
 */
export function afterReport(when, act, most = 1) {
  return `{
    const post = self.postMessage.bind(self);
    let left = ${most};
    self.postMessage = (report, ...others) => {
      post(report, ...others);
      if (left === 0 || !(${when})(report)) return;
      left -= 1;
      queueMicrotask(${act});
    };
  }`;
}

/** The same, where the worker is to get a command. */
export function commandAfter(when, command, most = 1) {
  return afterReport(when, `() => self.dispatchEvent(new MessageEvent('message', { data: ${JSON.stringify(command)} }))`, most);
}

/**
 * Gives the page and its worker some turns of their event loops, each longer than any rest that the worker takes between
 * two pieces of work: work that goes on, although it should not, is seen afterwards.
 */
export async function turns(page, count = 4) {
  const turn = async (times) => {
    for (let time = 0; time < times; time += 1) await new Promise((resolve) => setTimeout(resolve, 30));
  };
  for (const worker of page.workers()) await worker.evaluate(turn, count);
  await page.evaluate(turn, count);
}

/** As many frames as an animation that has begun needs to be seen. */
export function frames(page, count = 5) {
  return page.evaluate(async (times) => {
    for (let time = 0; time < times; time += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
  }, count);
}

/** The charts show all there is, or (while a run adds to it) were all drawn after this was asked. */
export async function chartsDrawn(page) {
  const rounds = await page.evaluate(() => Number(document.getElementById('charts').dataset.rounds ?? 0));
  await page.waitForFunction((before) => {
    const { drawn, rounds: now } = document.getElementById('charts').dataset;
    // The first that ends may have begun before.
    return drawn === 'newest' || Number(now) >= before + 2;
  }, rounds);
  // uPlot puts curves on its canvas after the task that gave them to it.
  await frames(page, 2);
}

/** Another colour scheme, once colours no longer pass from one to the other. */
export async function changeScheme(page, colorScheme) {
  await page.emulateMedia({ colorScheme });
  await frames(page, 2);
  await page.evaluate(() => Promise.allSettled(document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime < Infinity).map(({ finished }) => finished)));
}

/** Reads until `check` finds nothing wrong with what was read; what is wrong at the end is thrown. */
export async function eventually(read, check) {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const found = await read();
    try {
      check(found);
      return found;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
