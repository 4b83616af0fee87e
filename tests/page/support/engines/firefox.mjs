// Firefox, without a window, by WebDriver BiDi.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from './bidi.mjs';
import { startProgram, temporaryFolder } from './programs.mjs';

const program = process.env.FIREFOX || '/usr/bin/firefox-esr';

const PREFERENCES = {
  // Files are saved without a question.
  'browser.download.folderList': 2,
  'browser.download.always_ask_before_handling_new_types': false,
  // Nothing is sent or fetched that no test looks at.
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'intl.accept_languages': 'en-US',
};

/** What a visitor's Firefox may be set to. */
const LACKS = {
  storage: { 'dom.indexedDB.enabled': false, 'dom.storage.enabled': false, 'dom.serviceWorkers.enabled': false, 'network.cookie.cookieBehavior': 2 },
  wasm: { 'javascript.options.wasm': false },
};

export const firefox = {
  name: 'Firefox',
  variable: 'FIREFOX',
  program,
  isThere: () => existsSync(program),
  start,
};

/** `lacks`: what it does without (storage, wasm). */
async function start({ lacks = [] } = {}) {
  const folder = await temporaryFolder('firefox');
  const saved = join(folder.path, 'saved');
  const profile = join(folder.path, 'profile');
  await Promise.all([saved, profile].map((path) => mkdir(path)));
  const preferences = Object.assign({ ...PREFERENCES, 'browser.download.dir': saved }, ...lacks.map((part) => LACKS[part]));
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  await writeFile(join(profile, 'user.js'), lines.join(''));
  // As root, Firefox wants a home of root's: this one holds what it leaves behind, too.
  const browser = startProgram(program, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', '--width', '1280', '--height', '900'], { HOME: folder.path });
  const end = async () => {
    await browser.end();
    await folder.remove();
  };
  try {
    const [, address] = await browser.line(/WebDriver BiDi listening on (ws:\S+)/);
    return { ...(await session(address, browser)), saved, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function session(address, browser) {
  const connection = await connect(`${address}/session`);
  const send = (method, params) => browser.orGone(connection.send(method, params));
  await send('session.new', { capabilities: {} });
  const { contexts } = await send('browsingContext.getTree', { maxDepth: 0 });
  const [{ context }] = contexts;
  const call = async (source, values, ownership = 'none') => {
    const answer = await send('script.callFunction', {
      functionDeclaration: source,
      arguments: values.map((value) => ({ type: 'string', value })),
      target: { context },
      awaitPromise: true,
      resultOwnership: ownership,
    });
    if (answer.type === 'exception') throw new Error(answer.exceptionDetails.text);
    return answer.result;
  };
  /** Null where the page gave none. */
  const element = async (source, values) => {
    const { sharedId } = await call(source, values);
    return sharedId === undefined ? null : { sharedId };
  };
  return {
    go: (url) => send('browsingContext.navigate', { context, url, wait: 'complete' }),
    reload: () => send('browsingContext.reload', { context, wait: 'complete' }),
    call: async (source, values) => (await call(source, values)).value,
    act: (actions) => send('input.performActions', { context, actions }),
    origin: async (source, values) => {
      const found = await element(source, values);
      return found === null ? null : { type: 'element', element: found };
    },
    setFiles: async (source, values, files) => send('input.setFiles', { context, element: await element(source, values), files }),
  };
}
