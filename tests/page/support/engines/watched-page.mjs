// The page as it is served to the engines: before its own script runs another one, which tells the server what the page complains of.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listing } from '../deployment.mjs';
import { pageFolder } from '../folders.mjs';
import { servePage } from '../server.mjs';
import { FEW, smallData } from '../small-data.mjs';

const SCRIPT = 'watch.js';
const COMPLAINT = 'complaint/';

/** Runs in the page, before everything else. */
function watchPage(folder) {
  const tell = (text) => fetch(`${folder}${encodeURIComponent(text)}`, { keepalive: true }).catch(() => undefined);
  for (const level of ['error', 'warn']) {
    const write = console[level];
    console[level] = (...parts) => {
      tell(parts.join(' '));
      write.apply(console, parts);
    };
  }
  // What browsers report of frames that were late is nobody's failure.
  window.addEventListener('error', ({ message }) => /ResizeObserver loop/.test(message) || tell(message));
  window.addEventListener('unhandledrejection', ({ reason }) => tell(String(reason)));
  // The opening of a browser's first run is shown to those who have not seen it.
  try {
    localStorage.setItem('adadagrad.opening', 'shown');
  } catch {
    // Where storage is forbidden there is nothing to remember.
  }
}

/** `images` as openPage takes them. `complaints` grows. */
export async function serveWatched({ images = {} } = {}) {
  const data = smallData({ ...FEW, ...images });
  const html = readFileSync(join(pageFolder, 'index.html'), 'utf8');
  data.set('index.html', Buffer.from(html.replace('<head>', `<head><script src="./${SCRIPT}"></script>`)));
  data.set(SCRIPT, Buffer.from(`(${watchPage})('./${COMPLAINT}');`));
  data.set('service-worker.js', listing(data.get('service-worker.js'), data));
  const complaints = [];
  const replace = (path) => {
    if (!path.startsWith(COMPLAINT)) return undefined;
    complaints.push(decodeURIComponent(path.slice(COMPLAINT.length)));
    return Buffer.alloc(0);
  };
  return { ...(await servePage(pageFolder, { data, replace })), complaints };
}
