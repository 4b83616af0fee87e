// Opens the built page in the system's Chromium, records what it asks for and complains about, and reads its state.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after } from 'node:test';
import { artifacts, pageFolder, repository } from './folders.mjs';
import { servePage } from './server.mjs';
import { FEW, smallData } from './small-data.mjs';

export { artifacts, pageFolder };

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

/**
 * Parts of the browser around the page that no test looks at. Each window has a second page of its own for the list under
 * its address line: a third of the processor time of a visit.
 */
const AROUND_THE_PAGE = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup'];

/** What playwright itself switches off; of two such flags Chromium takes the last alone. */
const AS_PLAYWRIGHT = [
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'TcpPortRandomizationWin',
  'ThirdPartyStoragePartitioning',
];

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu',
  `--disable-features=${[...AS_PLAYWRIGHT, ...AROUND_THE_PAGE].join(',')}`,
];

const MINUTES = 60_000;
/**
 * For how long anything is waited for. Only a page that hangs should ever reach it: it says nothing of how fast a page must be,
 * and must be long enough for a machine with other work to do.
 */
export const PATIENCE_MILLISECONDS = 1000 * Number(process.env.PATIENCE_SECONDS ?? 240);
/** The same for a whole test. */
const TEST_MILLISECONDS = 9 * MINUTES;

/** What playwright itself says where the page would keep itself for visits without a network. */
const BLOCKED = 'Service Worker registration blocked by Playwright';

/** SwiftShader, which Chromium offers for WebGPU only where it is asked to. */
const WEBGPU_FLAG = '--enable-unsafe-webgpu';

/** Options for node:test's `test`: without Chromium a test is skipped visibly, or fails where one is demanded. */
export function browserTest(options = {}) {
  return testIn({ name: 'Chromium', variable: 'CHROMIUM', program: chromium, isThere: () => existsSync(chromium) }, options);
}

/** The same of any browser; `variable`: of the environment, which names its program. */
export function testIn({ name, variable, program, isThere }, options = {}) {
  const missing = !isThere();
  const what = `no ${name} at ${program}`;
  if (missing && process.env.REQUIRE_BROWSER === '1') {
    throw new Error(`REQUIRE_BROWSER=1, but there is ${what} (set ${variable} to its path)`);
  }
  const timeout = Math.max(TEST_MILLISECONDS, options.timeout ?? 0);
  return { ...options, timeout, ...(missing ? { skip: what } : {}) };
}

/** This file's browsers, by their flags: each visit has a context of its own, with its own storage and caches. */
const browsers = new Map();
after(() => Promise.all([...browsers.values()].map(async (browser) => (await browser).close())));

async function browserWith(flags) {
  const key = flags.join(' ');
  const running = await browsers.get(key);
  if (running?.isConnected()) return running;
  const { chromium: launcher } = createRequire(join(repository, 'www/package.json'))('playwright-core');
  const launched = launcher.launch({ executablePath: chromium, args: [...FLAGS, ...flags], timeout: PATIENCE_MILLISECONDS });
  browsers.set(key, launched);
  return launched;
}

/** For tests of the whole data set, or of its size. */
export const ALL_IMAGES = null;

/**
 * `images`: how many of MNIST's there are, `{ training, test }` (otherwise FEW) and of what other sets (`folders`), or ALL_IMAGES; `server`: options of
 * servePage; `context`: options of playwright's newContext; `prepare(page)` runs before the page is loaded; `path`: what
 * follows the page's address; `webgpu`: with Chromium's software adapter, else without any; only with it is
 * such a page ready, unless `lacksAdapter` (a browser whose adapter comes late goes on without); `until`: how far it is loaded
 * before this returns; `newBrowser`: no run was ever started in it; `flags`: more of
 * Chromium's; `offline`: it keeps itself for visits without a network, which costs every other test time. A complaint of the page (an error, a warning in the console) fails the
 * test, unless it matches `expectedComplaints`.
 */
export async function openPage(t, { images = {}, server: serverOptions = {}, context: contextOptions = {}, prepare, expectedComplaints, newBrowser = false, webgpu = false, lacksAdapter = false, offline = false, path = '', flags = [], until = 'load' } = {}) {
  if (!existsSync(join(pageFolder, 'index.html'))) throw new Error(`no built page in ${pageFolder}: build www first`);
  const data = images === ALL_IMAGES ? undefined : smallData({ ...FEW, ...images });
  const server = await servePage(pageFolder, { data, ...serverOptions });
  const browser = await browserWith([...(webgpu ? [WEBGPU_FLAG] : []), ...flags]);
  const serviceWorkers = offline ? 'allow' : 'block';
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers, ...contextOptions });
  context.setDefaultTimeout(PATIENCE_MILLISECONDS);
  const complaints = [];
  t.after(async () => {
    await context.close();
    await server.close();
    const unexpected = complaints.filter((complaint) => !expectedComplaints?.test(complaint));
    if (unexpected.length > 0) throw new Error(`the page complained: ${unexpected.join('; ')}`);
  });
  const page = await context.newPage();
  const requests = [];
  context.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => {
    if ((message.type() === 'error' || message.type() === 'warning') && message.text() !== BLOCKED) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  // The opening of a browser's first run is shown to those who have not seen it.
  if (!newBrowser) await page.addInitScript(rememberOpening);
  await prepare?.(page);
  await page.goto(server.address + path, { waitUntil: until });
  return { page, browser, context, server, requests, complaints, origin: server.origin, ...readers(page, webgpu && !lacksAdapter) };
}

/** Runs in the page. Where storage is forbidden there is nothing to remember. */
function rememberOpening() {
  try {
    localStorage.setItem('adadagrad.opening', 'shown');
  } catch {
    // As above.
  }
}

/** `needsGpu`: data are not ready before there is an adapter. */
function readers(page, needsGpu) {
  const status = page.locator('#status');
  const read = async () => {
    const data = await status.evaluate((element) => ({ ...element.dataset }));
    const number = (text) => (text === undefined || text === '' ? null : Number(text));
    return {
      phase: data.phase,
      data: data.data,
      step: Number(data.step),
      batch: Number(data.batch),
      nextBatch: Number(data.nextBatch),
      samplesSeen: Number(data.samplesSeen),
      done: Number(data.done),
      total: Number(data.total),
      loss: number(data.loss),
      required: number(data.required),
      testAccuracy: number(data.testAccuracy),
      samplesPerSecond: Number(data.samplesPerSecond),
      activity: data.activity,
      engine: data.engine,
      adapter: data.adapter,
      deviceBytes: Number(data.deviceBytes),
    };
  };
  const button = (name) => page.getByRole('button', { name, exact: true });
  /** What was waited for in vain, and what the page said of itself then. */
  const orSay = async (wanted, waiting) => {
    try {
      return await waiting;
    } catch (cause) {
      const said = await page.evaluate(() => [document.getElementById('notice'), document.getElementById('sentence')].map((shown) => (shown.hidden ? '' : shown.textContent.trim()))).catch(() => []);
      const state = await read().catch(() => null);
      throw new Error(`waited for ${wanted}, the page is at ${JSON.stringify(state)} and says: ${said.filter(Boolean).join(' | ')}`, { cause });
    }
  };
  return {
    read,
    button,
    notice: page.locator('#notice'),
    /** Waits until the status element's data attributes have these values (read as text). */
    waitFor: (wanted) =>
      orSay(
        JSON.stringify(wanted),
        page.waitForFunction(
          ([values, gpus]) => {
            const { dataset } = document.getElementById('status');
            return gpus.includes(dataset.gpu) && Object.entries(values).every(([key, value]) => dataset[key] === value);
          },
          [wanted, needsGpu && wanted.data === 'ready' ? ['software', 'hardware'] : ['', 'none', 'software', 'hardware']],
          { polling: 50 },
        ),
      ),
    waitForStep: (step) =>
      orSay(`step ${step}`, page.waitForFunction((least) => Number(document.getElementById('status').dataset.step) >= least, step, { polling: 50 })),
    /** Fills in settings by their labels. */
    set: async (settings) => {
      for (const [label, value] of Object.entries(settings)) {
        const field = page.locator('#settings-groups').getByLabel(label, { exact: true });
        if ((await field.evaluate((element) => element.tagName)) === 'SELECT') await field.selectOption({ label: value });
        else await field.fill(String(value));
      }
    },
    screenshot: async (name) => {
      await mkdir(artifacts, { recursive: true });
      await page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: true });
    },
  };
}
