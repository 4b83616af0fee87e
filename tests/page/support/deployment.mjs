// Two versions of the page: the one that was built, and one after it, as another build would name its parts.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const BUILD = /\{"version":"[0-9a-f]{16}","files":\{[^}]*\}\}/;

/** The second version: other scripts, another title. A map from path to bytes, without the data; `data`: as openPage serves it. */
export function secondVersion(folder, data) {
  const parts = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.gz')) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const path = file.slice(folder.length + 1);
    parts.set(path, data.get(path) ?? readFileSync(file));
  }
  const renamed = (path) => path.replace(/^(assets\/(?:index|(?:member-|own-files-)?worker))-.*\.js$/, '$1-SECOND.js');
  const scripts = [...parts.keys()].filter((path) => renamed(path) !== path);
  const rewrite = (text) => scripts.reduce((all, path) => all.replaceAll(path.slice(7), renamed(path).slice(7)), text);
  const second = new Map([...parts].map(([path, bytes]) => [renamed(path), /\.(html|js)$/.test(path) ? Buffer.from(rewrite(bytes.toString())) : bytes]));
  second.set('index.html', Buffer.from(second.get('index.html').toString().replace('<title>', '<title>Second: ')));
  const files = [...second.keys()].filter((path) => path !== 'service-worker.js');
  const build = { version: '2222222222222222', files: Object.fromEntries(files.map((path) => [path, sum(second.get(path))])) };
  second.set('service-worker.js', withBuild(second.get('service-worker.js'), () => build));
  return second;
}

function sum(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The service worker with the sums of files that lie in the place of the built ones. */
export function listing(serviceWorker, files) {
  return withBuild(serviceWorker, (build) => {
    for (const file of Object.keys(build.files)) if (files.has(file)) build.files[file] = sum(files.get(file));
    return build;
  });
}

/** The service worker with another list: `change` gets the one that is written in. */
function withBuild(serviceWorker, change) {
  const text = serviceWorker.toString();
  if (!BUILD.test(text)) throw new Error('the service worker has no list of files');
  return Buffer.from(text.replace(BUILD, (build) => JSON.stringify(change(JSON.parse(build)))));
}

/** Asks for an update, and waits until the new service worker is at work or was refused; says which, or that there is none. */
export function update(page) {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    try {
      await registration.update();
    } catch {
      return 'unreachable';
    }
    const worker = registration.installing ?? registration.waiting;
    if (worker === null) return 'none';
    const ended = () => ['activated', 'redundant'].includes(worker.state);
    while (!ended()) await new Promise((resolve) => worker.addEventListener('statechange', resolve, { once: true }));
    return worker.state;
  });
}
