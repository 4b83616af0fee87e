// Everything in view and training, on images and on a text, for some hundreds of steps (or SOAK_SECONDS; SOAK_DATA: one of the
// two alone): memory does not grow.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { MNIST, SHAKESPEARE } from './support/data-files.mjs';
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

/**
 * What the page trains on. Batches soon stop growing, so that a step of the last minute is like one of the first; and they are
 * small: what may grow does so with each step. `shown`: what comes last into view, after a while beside all the rest.
 */
const DATA = {
  images: { path: '#max_batch=16', images: { test: 300 }, shown: '.mistake' },
  text: {
    path: '#preset=text&engine=cpu&model=transformer-1-2-16&text.context=16&max_batch=16&evaluate_every=800',
    images: { test: 300, folders: [MNIST, SHAKESPEARE] },
    shown: '.written-list li',
  },
};
const NAMES = process.env.SOAK_DATA === undefined ? Object.keys(DATA) : [process.env.SOAK_DATA];

for (const name of NAMES) {
  test(`memory does not grow in ${SECONDS === null ? `${SAMPLES * STEPS_PER_SAMPLE} steps` : `${SECONDS} seconds`} on ${name}`, browserTest({ timeout: ((SECONDS ?? 0) + 900) * 1000 }), async (t) => {
    const { path, images, shown } = DATA[name];
    const opened = await openPage(t, { flags: ['--js-flags=--expose-gc'], context: { viewport: { width: 1280, height: 6400 } }, path: `${path}&sample_budget=1000000000`, images });
    const { page, browser, button, waitFor, waitForStep, read } = opened;
    await waitFor({ data: 'ready' });
    await button('Start').click();
    await waitForStep(10);
    await page.locator(shown).first().waitFor();
    const samples = [];
    for (let index = 0; index < SAMPLES; index += 1) {
      if (SECONDS === null) await waitForStep((await read()).step + STEPS_PER_SAMPLE);
      else await page.waitForTimeout((SECONDS * 1000) / SAMPLES);
      samples.push(await measure(page, browser, await read()));
    }
    await mkdir(artifacts, { recursive: true });
    await writeFile(join(artifacts, `soak-${name}.json`), `${JSON.stringify(samples, null, 2)}\n`);
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
}

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
