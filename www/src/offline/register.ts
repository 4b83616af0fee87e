/** Makes the page ready for visits without a network, once everything else is loaded. */
import { setText } from '../dom.js';

/** `note` says so as soon as it is true. Vite's development server has no service worker to offer. */
export function registerServiceWorker(note: HTMLElement): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const { serviceWorker } = navigator;
  const register = async (): Promise<void> => {
    try {
      await serviceWorker.register(new URL('service-worker.js', document.baseURI), { updateViaCache: 'none' });
      await serviceWorker.ready;
      note.dataset['offline'] = 'ready';
      setText(note, 'This page is saved in your browser: it now also works offline.');
    } catch {
      // Private windows and strict settings refuse it: the page then needs the network, as it always has.
    }
  };
  if (document.readyState === 'complete') void register();
  else window.addEventListener('load', () => void register(), { once: true });
}
