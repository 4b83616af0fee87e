// Everything in view and training, for some hundreds of steps (or SOAK_SECONDS): memory does not grow.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { artifacts, browserTest, openPage } from './support/page.mjs';

/** Null: by steps, so that a slow machine makes as many as a fast one. */
const SECONDS = process.env.SOAK_SECONDS === undefined ? null : Number(process.env.SOAK_SECONDS);
const SAMPLES = 16;
const STEPS_PER_SAMPLE = 20;
/** The first half fills caches, pools, the charts and lists of a fixed length; what grows after that grows for ever. */
const WARM_UP = SAMPLES / 2;
const MOST_HEAP_GROWTH = 3e6;
/** A step's row in the log, which holds 65,536 of them. */
const BYTES_PER_STEP = 250;
const MOST_RESIDENT_GROWTH = 40e6;
const MOST_NODE_GROWTH = 200;

test(`memory does not grow in ${SECONDS === null ? `${SAMPLES * STEPS_PER_SAMPLE} steps` : `${SECONDS} seconds`}`, browserTest({ timeout: ((SECONDS ?? 0) + 900) * 1000 }), async (t) => {
  const opened = await openPage(t, { flags: ['--js-flags=--expose-gc'], context: { viewport: { width: 1280, height: 6400 } }, images: { test: 300 } });
  const { page, browser, button, waitFor, waitForStep, set, read } = opened;
  await waitFor({ data: 'ready' });
  // Batches that soon stop growing, so that a step of the last minute is like one of the first; and small ones: what may
  // grow does so with each step.
  await set({ 'Sample budget': 1_000_000_000, 'Largest batch': 16 });
  await button('Start').click();
  await waitForStep(10);
  // What was wrong in the test set is listed once that has been looked through, which takes a while beside all the rest.
  await page.locator('.mistake').first().waitFor();
  const samples = [];
  for (let index = 0; index < SAMPLES; index += 1) {
    if (SECONDS === null) await waitForStep((await read()).step + STEPS_PER_SAMPLE);
    else await page.waitForTimeout((SECONDS * 1000) / SAMPLES);
    samples.push(await measure(page, browser, await read()));
  }
  await mkdir(artifacts, { recursive: true });
  await writeFile(join(artifacts, 'soak.json'), `${JSON.stringify(samples, null, 2)}\n`);
  const [warm, last] = [samples[WARM_UP], samples.at(-1)];
  t.diagnostic(`after half: ${JSON.stringify(warm)}; at the end: ${JSON.stringify(last)}`);
  assert.equal((await read()).phase, 'running');
  const steps = last.step - warm.step;
  // The least of the last few against the least of the first few after the warm-up: a measurement between two
  // collections says little.
  const grown = (key) => least(samples.slice(-4), key) - least(samples.slice(WARM_UP, WARM_UP + 4), key);
  assert.ok(grown('heap') <= MOST_HEAP_GROWTH + steps * BYTES_PER_STEP, `the page's heap grew by ${grown('heap')} bytes in ${steps} steps`);
  assert.ok(grown('resident') <= MOST_RESIDENT_GROWTH, `the page's process grew by ${grown('resident')} bytes`);
  assert.ok(grown('nodes') <= MOST_NODE_GROWTH, `${grown('nodes')} more nodes`);
  assert.equal(grown('wasm'), 0, 'the module’s memory grew');
});

async function measure(page, browser, { step }) {
  const [worker] = page.workers();
  await worker.evaluate(() => globalThis.gc());
  await page.evaluate(() => globalThis.gc());
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  const metric = (wanted) => metrics.find(({ name }) => name === wanted).value;
  const wasm = Number(await page.locator('#status').getAttribute('data-memory-bytes'));
  return { step, heap: metric('JSHeapUsedSize'), nodes: metric('Nodes'), resident: await residentBytes(browser), wasm };
}

/** Of the renderers: the page and its worker. Null where the system does not tell. */
async function residentBytes(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === 'renderer');
  try {
    return renderers.reduce((sum, { id }) => sum + 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1]), 0);
  } catch {
    return 0;
  }
}

function least(samples, key) {
  return Math.min(...samples.map((sample) => sample[key]));
}
