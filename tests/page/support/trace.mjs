// What the page's main thread did, from a real trace of the browser.

/** Chromium's categories that hold one event for each task of a thread. */
const CATEGORIES = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'];
const TASK_NAMES = ['RunTask', 'ThreadControllerImpl::RunTask'];

/**
 * What nearly every task of the main thread may take at most, in pieces of work of a fixed size. Where a piece takes 10 ms, that is
 * 50 ms: a visitor begins to notice it. Milliseconds themselves would judge the machine.
 */
const USUAL_PIECES = 5;
/** What a piece of work takes where those limits are what a visitor notices. */
export const USUAL_PIECE_MILLISECONDS = 10;
/** What no task may take: by then the page stutters. */
const LONGEST_PIECES = 15;
/**
 * The processor time of a task also holds what the machine adds to it (cold caches, a processor shared with other guests): the
 * same task took 15 ms in one run and 42 ms in the next. So one task in so many, and a few in a short trace, are judged by the
 * higher limit alone.
 */
const TASKS_PER_LONGER_ONE = 1000;
const LONGER_ONES_IN_A_SHORT_TRACE = 3;

/** A piece of work is done this often while a trace is taken, by the very thread that is judged. */
const MILLISECONDS_BETWEEN_PIECES = 200;
/** How the frame that answers an input is marked in the trace: with this, the milliseconds since the input, and what it was. */
export const ANSWERED = 'an input was answered after ';
/** How a piece of work is marked in the trace. */
const PIECE = 'a piece of work of a fixed size';

/** Begins a trace; from now on the page does a piece of work now and then, by which its tasks are judged. */
export async function startTrace(browser, page) {
  await browser.startTracing(page, { categories: CATEGORIES });
  await page.evaluate(`globalThis.piecesOfWork = setInterval(${doPiecesOfWork}, ${MILLISECONDS_BETWEEN_PIECES}, 1, ${JSON.stringify(PIECE)})`);
}

/** Blocks the main thread with one task of this many pieces of work. */
export function blockMainThread(page, pieces) {
  return page.evaluate(`(${doPiecesOfWork})(${pieces})`);
}

/** How long a piece of work takes in the page now: the middle of some. */
export async function pieceMilliseconds(page) {
  const took = [];
  for (let piece = 0; piece < 9; piece += 1) took.push(await page.evaluate(`(() => { const begin = performance.now(); (${doPiecesOfWork})(1); return performance.now() - begin; })()`));
  return took.sort((one, other) => one - other)[took.length >> 1];
}

/**
 * Numbers, text and layout, as the page's own tasks have them; runs inside the page. What is laid out is never painted, and
 * nothing else is laid out anew.
 */
function doPiecesOfWork(pieces, mark) {
  if (mark) console.timeStamp(mark);
  for (let piece = 0; piece < pieces; piece += 1) {
    const box = document.createElement('div');
    box.style.cssText = 'position: fixed; contain: strict; visibility: hidden; width: 400px; height: 400px;';
    const values = Float64Array.from({ length: 20_000 }, (_, index) => Math.sin(index * index)).sort();
    for (let line = 0; line < 200; line += 1) box.append(Object.assign(document.createElement('p'), { textContent: `${line}: ${values[line * 100].toFixed(6)}` }));
    document.body.append(box);
    if (box.lastChild.getBoundingClientRect().width === 0) throw new Error('the piece of work was not laid out');
    box.remove();
  }
}

/**
 * Processor milliseconds of each task that the renderers' main threads ran, the seconds that they span, and the milliseconds
 * that a piece of work took among them: the middle of all. `answers`: those of all tasks between each input and the frame that
 * answers it.
 */
export async function stopTrace(browser, page) {
  await page.evaluate(() => clearInterval(globalThis.piecesOfWork));
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const thread = ({ pid, tid }) => `${pid}/${tid}`;
  const mainThreads = new Set(traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(thread));
  const ofMainThreads = traceEvents.filter((event) => TASK_NAMES.includes(event.name) && event.ph === 'X' && mainThreads.has(thread(event)));
  // A task may appear under both names, one event around the other.
  const tasks = TASK_NAMES.map((name) => ofMainThreads.filter((event) => event.name === name)).find(({ length }) => length > 0) ?? [];
  const marks = traceEvents.filter(({ name, args }) => name === 'TimeStamp' && args?.data?.message === PIECE);
  const isPiece = (task) => marks.some((mark) => thread(mark) === thread(task) && mark.ts >= task.ts && mark.ts <= task.ts + task.dur);
  const timed = tasks.filter((task) => typeof task.tdur === 'number').map((task) => ({ milliseconds: task.tdur / 1000, piece: isPiece(task) }));
  const pieces = timed.filter(({ piece }) => piece).map(({ milliseconds }) => milliseconds);
  const starts = tasks.map((task) => task.ts);
  const answered = traceEvents.filter(({ name, args }) => name === 'TimeStamp' && args?.data?.message?.startsWith(ANSWERED));
  const answers = answered.map((mark) => {
    const [end, begin] = [mark.ts, mark.ts - 1000 * parseFloat(mark.args.data.message.slice(ANSWERED.length))];
    const within = ({ ts, dur }) => Math.max(0, Math.min(ts + dur, end) - Math.max(ts, begin)) / Math.max(dur, 1);
    const own = tasks.filter((task) => thread(mark) === thread(task) && typeof task.tdur === 'number' && !isPiece(task));
    return { input: mark.args.data.message.split(' ').at(-1), milliseconds: own.reduce((sum, task) => sum + (within(task) * task.tdur) / 1000, 0) };
  });
  return {
    answers,
    cpuMilliseconds: timed.filter(({ piece }) => !piece).map(({ milliseconds }) => milliseconds),
    pieceMilliseconds: pieces.sort((one, other) => one - other)[Math.floor(pieces.length / 2)],
    seconds: (maximum(starts) - minimum(starts)) / 1e6,
  };
}

/** What was too long in a trace, in words; nothing where the main thread stayed free. */
export function stalls({ cpuMilliseconds, pieceMilliseconds }) {
  if (!(pieceMilliseconds > 0)) return ['no piece of work is in the trace, by which its tasks could be judged'];
  const { usual, longest } = taskLengths(cpuMilliseconds);
  const measured = (milliseconds) => `${milliseconds.toFixed(1)} ms of processor time, where a piece of work took ${pieceMilliseconds.toFixed(1)} ms`;
  const found = [];
  if (usual > USUAL_PIECES * pieceMilliseconds) found.push(`more than a few tasks took ${measured(usual)}`);
  if (longest > LONGEST_PIECES * pieceMilliseconds) found.push(`a task took ${measured(longest)}`);
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
