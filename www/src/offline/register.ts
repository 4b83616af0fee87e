/** Makes the page ready for visits without a network, once everything else is loaded, and says when a new version is. */
import { required, setText } from '../dom.js';
import type { OtherVersionsMayGo } from './messages.js';

/** Vite's development server has no service worker to offer. */
export function registerServiceWorker(): void {
  if (!import.meta.env.PROD) return;
  const isLoaded = document.readyState === 'complete';
  if (isLoaded) void register();
  else window.addEventListener('load', () => void register(), { once: true });
}

async function register(): Promise<void> {
  try {
    // Sandboxed frames have the property, and refuse to give it.
    const { serviceWorker } = navigator;
    offerNewVersions(serviceWorker);
    await serviceWorker.register(new URL('service-worker.js', document.baseURI), { updateViaCache: 'none' });
    const { active } = await serviceWorker.ready;
    active?.postMessage({ type: 'other-versions-may-go', script: ownScript() } satisfies OtherVersionsMayGo);
    const note = required('offline-note', HTMLElement);
    note.dataset['offline'] = 'ready';
    setText(note, 'This page is saved in your browser: it now also works offline.');
  } catch {
    // Private windows and strict settings refuse it: the page then needs the network, as it always has.
  }
}

/** This page came from one version; where another takes its place, that is what the next loading will show. */
function offerNewVersions(serviceWorker: ServiceWorkerContainer): void {
  let isKept = serviceWorker.controller !== null;
  required('update-reload', HTMLButtonElement).addEventListener('click', () => location.reload());
  serviceWorker.addEventListener('controllerchange', () => {
    if (isKept) required('update', HTMLElement).hidden = false;
    isKept = true;
  });
}

/** As the list of a version's files names it. */
function ownScript(): string {
  return import.meta.url.slice(new URL('./', document.baseURI).href.length);
}
