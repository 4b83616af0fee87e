// What the page's main thread did, from a real trace of the browser.

/** Chromium's categories that hold one event for each task of a thread. */
const CATEGORIES = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'];
const TASK_NAMES = ['RunTask', 'ThreadControllerImpl::RunTask'];

/** What nearly every task of the main thread may take at most: by then a visitor notices it. */
const USUAL_MILLISECONDS = 50;
/** What no task may take: by then the page stutters. */
const LONGEST_MILLISECONDS = 150;
/**
 * The processor time of a task also holds what the machine adds to it (cold caches, a processor shared with other guests): the
 * same task took 15 ms in one run and 42 ms in the next. So one task in so many, and a few in a short trace, are judged by the
 * higher limit alone.
 */
const TASKS_PER_LONGER_ONE = 1000;
const LONGER_ONES_IN_A_SHORT_TRACE = 3;

export async function startTrace(browser, page) {
  await browser.startTracing(page, { categories: CATEGORIES });
}

/** Processor milliseconds of each task that the renderers' main threads ran, and the seconds that they span. */
export async function stopTrace(browser) {
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const mainThreads = new Set(
    traceEvents
      .filter((event) => event.name === 'thread_name' && event.args?.name === 'CrRendererMain')
      .map((event) => `${event.pid}/${event.tid}`),
  );
  const ofMainThreads = traceEvents.filter(
    (event) => TASK_NAMES.includes(event.name) && event.ph === 'X' && mainThreads.has(`${event.pid}/${event.tid}`),
  );
  // A task may appear under both names, one event around the other.
  const tasks = TASK_NAMES.map((name) => ofMainThreads.filter((event) => event.name === name)).find(({ length }) => length > 0) ?? [];
  const starts = tasks.map((task) => task.ts);
  return {
    cpuMilliseconds: tasks.filter((task) => typeof task.tdur === 'number').map((task) => task.tdur / 1000),
    seconds: (maximum(starts) - minimum(starts)) / 1e6,
  };
}

/** What was too long in a trace, in words; nothing where the main thread stayed free. */
export function stalls({ cpuMilliseconds }) {
  const { usual, longest } = taskLengths(cpuMilliseconds);
  const found = [];
  if (usual > USUAL_MILLISECONDS) found.push(`more than a few tasks took ${usual} ms of processor time`);
  if (longest > LONGEST_MILLISECONDS) found.push(`a task took ${longest} ms of processor time`);
  return found;
}

/** Processor milliseconds of the longest task, and of the longest but for the few that may be longer than usual. */
export function taskLengths(cpuMilliseconds) {
  const sorted = [...cpuMilliseconds].sort((one, other) => other - one);
  const longerOnes = Math.max(LONGER_ONES_IN_A_SHORT_TRACE, Math.ceil(sorted.length / TASKS_PER_LONGER_ONE));
  return { longest: sorted[0], usual: sorted[longerOnes] };
}

function maximum(values) {
  return values.reduce((largest, value) => Math.max(largest, value), -Infinity);
}

function minimum(values) {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}
