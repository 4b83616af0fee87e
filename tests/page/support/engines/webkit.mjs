// WebKit as GTK has it: its small browser in a screen of its own, by WebDriver (https://www.w3.org/TR/webdriver2/).
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PATIENCE_MILLISECONDS } from '../page.mjs';
import { startProgram, temporaryFolder, withPatience } from './programs.mjs';

const driver = process.env.WEBKIT_DRIVER || '/usr/bin/WebKitWebDriver';
const screen = '/usr/bin/Xvfb';

/** What WebDriver calls a reference to an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** What WebKit can be told to do without. */
const LACKS = {
  storage: { options: ['--features=-IndexedDBAPI,-LocalStorage,-ServiceWorkers'] },
  wasm: { environment: { JSC_useWasmSIMD: 'false' } },
};

export const webkit = {
  name: 'WebKit',
  variable: 'WEBKIT_DRIVER',
  program: driver,
  isThere: () => existsSync(driver) && existsSync(screen),
  start,
};

/** `lacks`: what it does without (storage, wasm). */
async function start({ lacks = [] } = {}) {
  const folder = await temporaryFolder('webkit');
  const saved = join(folder.path, 'saved');
  const settings = join(folder.path, 'settings');
  await Promise.all([saved, settings].map((path) => mkdir(path)));
  await writeFile(join(settings, 'user-dirs.dirs'), `XDG_DOWNLOAD_DIR="${saved}"\n`);
  const without = lacks.map((part) => LACKS[part]);
  const programs = [];
  let browser = null;
  const end = async () => {
    await browser?.close().catch(() => undefined);
    for (const program of programs.reverse()) await program.end();
    await folder.remove();
  };
  try {
    const display = startProgram(screen, ['-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp']);
    programs.push(display);
    const [number] = await display.line(/^\d+$/);
    const port = await freePort();
    const service = startProgram(driver, [`--port=${port}`], {
      DISPLAY: `:${number}`,
      HOME: folder.path,
      XDG_CONFIG_HOME: settings,
      LANG: 'en_US.UTF-8',
      // For root, whom its sandbox refuses.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      ...Object.assign({}, ...without.map(({ environment }) => environment)),
    });
    programs.push(service);
    const address = `http://127.0.0.1:${port}`;
    await answers(address, service);
    const options = without.flatMap(({ options: more = [] }) => more);
    browser = await session(address, service, options);
    return { ...browser, saved, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The driver takes a port, and chooses none itself. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** It does not say when it listens. */
function answers(address, service) {
  let isOver = false;
  const asked = (async () => {
    while (!isOver && !(await fetch(`${address}/status`).then(({ ok }) => ok, () => false))) await turn();
  })();
  return withPatience(service.orGone(asked), `an answer of ${driver}`).finally(() => (isOver = true));
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

async function session(address, service, options) {
  const send = (method, path, body) => service.orGone(request(method, `${address}/session${path}`, body));
  const wanted = {
    browserName: 'MiniBrowser',
    'webkitgtk:browserOptions': { args: ['--automation', ...options] },
    timeouts: { script: PATIENCE_MILLISECONDS, pageLoad: PATIENCE_MILLISECONDS },
  };
  const { sessionId } = await send('POST', '', { capabilities: { alwaysMatch: wanted } });
  const post = (path, body) => send('POST', `/${sessionId}${path}`, body);
  const call = (source, values) => post('/execute/sync', { script: `return (${source})(...arguments)`, args: values });
  const element = async (source, values) => (await call(source, values))?.[ELEMENT];
  return {
    close: () => send('DELETE', `/${sessionId}`),
    go: (url) => post('/url', { url }),
    reload: () => post('/refresh', {}),
    call,
    act: (actions) => post('/actions', { actions }),
    origin: async (source, values) => {
      const found = await element(source, values);
      return found === undefined ? null : { [ELEMENT]: found };
    },
    setFiles: async (source, values, files) => post(`/element/${await element(source, values)}/value`, { text: files.join('\n') }),
  };
}

async function request(method, address, body) {
  const answer = await fetch(address, { method, body: JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${address.replace(/.*\/session/, '')}: ${value.error}: ${value.message}`);
  return value;
}
