// Two versions of the page: the one that was built, and one after it, as another build would name its parts.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const BUILD = /\{"version":"[0-9a-f]{16}","files":\{[^}]*\}\}/;

/** The second version: other scripts, another title. A map from path to bytes, without the data. */
export function secondVersion(folder) {
  const parts = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.gz')) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    parts.set(path.slice(folder.length + 1), readFileSync(path));
  }
  const renamed = (path) => path.replace(/^(assets\/(?:index|worker|member-worker))-.*\.js$/, '$1-SECOND.js');
  const scripts = [...parts.keys()].filter((path) => renamed(path) !== path);
  const rewrite = (text) => scripts.reduce((all, path) => all.replaceAll(path.slice(7), renamed(path).slice(7)), text);
  const second = new Map([...parts].map(([path, bytes]) => [renamed(path), /\.(html|js)$/.test(path) ? Buffer.from(rewrite(bytes.toString())) : bytes]));
  second.set('index.html', Buffer.from(second.get('index.html').toString().replace('<title>', '<title>Second: ')));
  const files = [...second.keys()].filter((path) => path !== 'service-worker.js');
  const build = { version: '2222222222222222', files: Object.fromEntries(files.map((path) => [path, sum(second.get(path))])) };
  const worker = second.get('service-worker.js').toString();
  if (!BUILD.test(worker)) throw new Error('the service worker has no list of files');
  second.set('service-worker.js', Buffer.from(worker.replace(BUILD, () => JSON.stringify(build))));
  return second;
}

function sum(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A `replace` for servePage whose service worker lists the replaced files with their own sums, as a build of them would. */
export function deployed(replace) {
  return (path, bytes) => {
    if (path !== 'service-worker.js') return replace(path, bytes);
    const listed = (text) => {
      const build = JSON.parse(text);
      for (const file of Object.keys(build.files)) {
        const other = replace(file);
        if (other !== undefined) build.files[file] = sum(other);
      }
      return JSON.stringify(build);
    };
    return Buffer.from(bytes.toString().replace(BUILD, listed));
  };
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
