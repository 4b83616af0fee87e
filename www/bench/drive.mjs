// Runs the bench's page in a browser, prints its figures and writes them to a file:
// node drive.mjs --address http://127.0.0.1:8080/ --query 'models=cnn&batches=64' [--json FILE] [--commit ID]
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values: options } = parseArgs({
  options: {
    address: { type: 'string' },
    query: { type: 'string', default: '' },
    json: { type: 'string' },
    commit: { type: 'string', default: 'unknown' },
  },
});

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A software adapter counts as unsafe.
  '--enable-unsafe-webgpu',
];

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) throw new Error(`there is no Chromium at ${executablePath}: set CHROMIUM to its path`);

const begun = new Date();
const loadBefore = loadavg();
const browser = await chromium.launch({ executablePath, args: FLAGS });
let results;
try {
  results = await measure();
} finally {
  await browser.close();
}
print(results);
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);

async function measure() {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(`the page: ${error}`));
  await page.goto(`${options.address}?auto&${options.query}`);
  const status = page.locator('#status');
  let shown = '';
  for (;;) {
    const { phase, text } = await status.evaluate((element) => ({ phase: element.dataset.phase, text: element.textContent }));
    if (text !== shown) console.error(`  ${text}`);
    shown = text;
    if (phase === 'failed') throw new Error(text);
    if (phase === 'finished') break;
    // Seldom: a question takes time from what is measured.
    await page.waitForTimeout(500);
  }
  return { ...machine(), ...JSON.parse(await page.locator('#results').textContent()) };
}

function machine() {
  return {
    commit: options.commit,
    begun: begun.toISOString(),
    browserVersion: browser.version(),
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      processors: cpus().length,
      memoryBytes: totalmem(),
      system: `${platform()} ${release()}`,
      loadBefore,
      loadAfter: loadavg(),
    },
  };
}

function print({ plan, cells, ratios, machine: { processor, processors }, browserVersion, adapter }) {
  console.log(`Chromium ${browserVersion}, ${processors} × ${processor}; WebGPU: ${adapter ?? 'none'}`);
  for (const model of plan.models) {
    console.log(`\n${model}, ${model === 'transformer' ? 'tokens' : 'samples'}/s: median (slowest to fastest round), ours ÷ fastest rival`);
    const rows = plan.engines.map((engine) => [engine, ...plan.batches.map((batch) => figure(model, batch, engine))]);
    printTable([['', ...plan.batches.map((batch) => `b = ${batch}`)], ...rows]);
    const failures = cells.filter((cell) => cell.model === model && cell.failure !== null);
    for (const { engine, batch, failure } of failures) console.log(`  ${engine}, b = ${batch}: ${failure}`);
  }

  function figure(model, batch, engine) {
    const fits = (other) => other.model === model && other.batch === batch && other.engine === engine;
    const speeds = cells.find(fits)?.samplesPerSecond;
    if (!speeds) return '–';
    const [median, minimum, maximum] = [speeds.median, speeds.minimum, speeds.maximum].map((speed) => Math.round(speed).toLocaleString('en-US'));
    const ratio = ratios.find(fits)?.ratio;
    return `${median} (${minimum} to ${maximum})${ratio === undefined ? '' : ` ${ratio.toFixed(2)}×`}`;
  }
}

function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) console.log(`  ${row.map((text, column) => text.padEnd(widths[column])).join('  ').trimEnd()}`);
}
