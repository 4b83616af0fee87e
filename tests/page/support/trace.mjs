// What the page's main thread did, from a real trace of the browser.

/** Chromium's categories that hold one event for each task of a thread. */
const CATEGORIES = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'];
const TASK_NAMES = new Set(['RunTask', 'ThreadControllerImpl::RunTask']);

/** What a task of the main thread may take at most: by then a visitor notices it. */
export const LONGEST_TASK_MILLISECONDS = 50;

export async function startTrace(browser, page) {
  await browser.startTracing(page, { categories: CATEGORIES });
}

/** CPU milliseconds of each task that the renderers' main threads ran, and the seconds that they span. */
export async function stopTrace(browser) {
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const mainThreads = new Set(
    traceEvents
      .filter((event) => event.name === 'thread_name' && event.args?.name === 'CrRendererMain')
      .map((event) => `${event.pid}/${event.tid}`),
  );
  const tasks = traceEvents.filter(
    (event) => TASK_NAMES.has(event.name) && event.ph === 'X' && mainThreads.has(`${event.pid}/${event.tid}`),
  );
  const starts = tasks.map((task) => task.ts);
  return {
    cpuMilliseconds: tasks.filter((task) => typeof task.tdur === 'number').map((task) => task.tdur / 1000),
    taskCount: tasks.length,
    seconds: (maximum(starts) - minimum(starts)) / 1e6,
  };
}

function maximum(values) {
  return values.reduce((largest, value) => Math.max(largest, value), -Infinity);
}

function minimum(values) {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}
