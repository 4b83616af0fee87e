/**
 * Stands in the head of the page, as a classic script, and watches the program itself start. Only what is here can speak
 * when the program is missing, cut off, blocked or broken, so it uses nothing that a browser of 2016 lacks.
 */
import { isAboutMissing, missingFeature } from './features.js';
import { hasStarted } from './started.js';

/** Longer than this, and the visitor hears what the page waits for. */
const PATIENCE_MILLISECONDS = 8000;
/** A style sheet that has not come by then is waited for no longer: browsers paint nothing, and run no module, without it. */
const SHEET_PATIENCE_MILLISECONDS = 4000;

/** What the browser reported while the program was loading; the first report names the cause. */
let cause: string | null = null;

function note(words: string): void {
  if (cause === null) cause = words;
}

window.addEventListener(
  'error',
  (event: Event) => {
    if (event instanceof ErrorEvent) {
      // What browsers report of frames that were late is nobody's failure.
      if (!/ResizeObserver loop/.test(event.message)) note(`It stopped while starting (${event.message}); ${suspicion(event.message)}.`);
    } else if (event.target instanceof HTMLScriptElement) {
      note('It did not arrive: the site may be incomplete, a proxy or login page may have answered instead, or it was blocked.');
    }
  },
  true,
);
document.addEventListener('securitypolicyviolation', (event) => {
  if (/^script-src/.test(event.effectiveDirective)) note(`A Content-Security-Policy blocks it (${event.violatedDirective}).`);
});

function suspicion(message: string): string {
  if (/(token|got) '?</.test(message)) return 'a web page arrived instead of one of its files: this network may ask you to sign in';
  return isAboutMissing(message) ? 'this browser may lack something that it needs' : 'one of its files may be damaged';
}

let isLoaded = false;
// A program that arrived has run by now: browsers run modules before this event.
document.addEventListener('DOMContentLoaded', () => {
  isLoaded = true;
  if (!hasStarted()) giveUp();
});
setTimeout(releaseSheets, SHEET_PATIENCE_MILLISECONDS);
setTimeout(() => {
  if (isLoaded) return;
  write('notice-title', 'The page is still loading');
  write('notice-text', 'Its program has not arrived yet. The page keeps waiting; if nothing changes, check the connection and reload the page.');
  show('notice', true);
}, PATIENCE_MILLISECONDS);

function giveUp(): void {
  const missing = missingFeature();
  // Should parts of the program have begun to work, they must not write over this.
  for (const id of ['notice', 'sentence', 'download', 'main-button', 'step-button', 'reset-button']) takeOver(id);
  if (document.getElementById('notice') === null) addNotice();
  write('notice-title', missing === null ? 'The program of this page could not start' : 'This page cannot train here');
  write('notice-text', missing ?? `${cause ?? 'This browser did not run it: it may be too old, or scripts may be blocked.'} ${advice()}`);
  write('sentence', 'Training is not possible here: the notice above says why.');
  show('notice', true);
  show('download', false);
  for (const id of ['main-button', 'step-button', 'reset-button']) attribute(id, 'aria-disabled', 'true');
  if (missing === null) offerReload();
}

/** At an address without its last slash, a browser looks for all files in the folder above. */
function advice(): string {
  const { pathname, origin } = location;
  if (/\/[^/.]+$/.test(pathname)) return `The address may lack its trailing slash: try ${origin}${pathname}/.`;
  return 'Reload the page. If that does not help, allow scripts for this site, or use a current browser.';
}

function offerReload(): void {
  const button = document.getElementById('notice-retry');
  if (button === null) return;
  button.textContent = 'Reload the page';
  button.addEventListener('click', () => location.reload());
  show('notice-retry', true);
}

/** Puts a copy in an element's place: what still holds the old one writes out of sight. */
function takeOver(id: string): void {
  const element = document.getElementById(id);
  if (element !== null && element.parentNode !== null) element.parentNode.replaceChild(element.cloneNode(true), element);
}

/** For a document that was cut off itself. */
function addNotice(): void {
  const box = document.createElement('div');
  box.id = 'notice';
  box.className = 'notice';
  box.setAttribute('role', 'alert');
  const title = document.createElement('strong');
  title.id = 'notice-title';
  const text = document.createElement('p');
  text.id = 'notice-text';
  box.appendChild(title);
  box.appendChild(text);
  document.body.insertBefore(box, document.body.firstChild);
}

function write(id: string, words: string): void {
  const element = document.getElementById(id);
  if (element !== null) element.textContent = words;
}

function show(id: string, shown: boolean): void {
  const element = document.getElementById(id);
  if (element !== null) element.hidden = !shown;
}

function attribute(id: string, name: string, value: string): void {
  const element = document.getElementById(id);
  if (element !== null) element.setAttribute(name, value);
}

/** What a script inserts, nothing waits for; it still counts when it comes. */
function releaseSheets(): void {
  const links = document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]');
  for (let index = 0; index < links.length; index += 1) {
    const link = links[index];
    if (link !== undefined && link.sheet === null && link.parentNode !== null) link.parentNode.replaceChild(link.cloneNode(), link);
  }
}
