// A visit to the page in any engine: what a visitor does there, and what is waited for. An engine (firefox.mjs, webkit.mjs) gives the few things
// that this is made of: addresses, functions that run in the page, presses and files.
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pageFolder } from '../folders.mjs';
import { PATIENCE_MILLISECONDS } from '../page.mjs';
import { temporaryFolder, withPatience } from './programs.mjs';
import { serveWatched } from './watched-page.mjs';

/** A wait in the page is asked for again after so long: what lies between has a patience of its own. */
const WAIT_MILLISECONDS = 10_000;

/** As WebDriver names keys. */
const KEYS = { Enter: '\uE007', Control: '\uE009', End: '\uE010', Home: '\uE011', ArrowRight: '\uE014' };

/**
 * Opens the page in a browser (what `start` of an engine gave): on an address of its own, so that nothing is kept there from another visit. `path`:
 * what follows the page's address; `images`: as openPage takes them; `ends`: the browser ends with the visit. A complaint of the page fails the test.
 */
export async function visit(t, browser, { path = '', images, ends = false } = {}) {
  if (!existsSync(join(pageFolder, 'index.html'))) throw new Error(`no built page in ${pageFolder}: build www first`);
  const server = await serveWatched({ images });
  const files = await temporaryFolder('files');
  t.after(async () => {
    // A run that is under way ends with its page.
    await (ends ? browser.end() : browser.go('about:blank'));
    await server.close();
    await files.remove();
    if (server.complaints.length > 0) throw new Error(`the page complained: ${server.complaints.join('; ')}`);
  });
  const visitor = new Visitor(browser, files.path);
  await browser.go(server.address + path);
  return { visitor, server };
}

/** Runs in the page: `find` gives the element that `what` means. */
const find = (what) => (what.startsWith('button ') ? namedButton(what.slice('button '.length)) : document.querySelector(what));
const FIND = `const namedButton = ${(name) => [...document.querySelectorAll('button')].find((button) => (button.getAttribute('aria-label') ?? button.textContent.trim()) === name && button.getClientRects().length > 0) ?? null}; const find = ${find};`;

/** Runs in the page, after `find`: gives an element back as soon as it is in sight, and notes whether it is pressed then; null: it did not come there. */
async function inSight(what, patience) {
  const end = performance.now() + patience;
  while (performance.now() < end) {
    const element = find(what);
    element?.scrollIntoView({ block: 'center', behavior: 'instant' });
    const { left = 0, right = 0, top = 0, bottom = 0 } = element?.getBoundingClientRect() ?? {};
    if (element?.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2))) {
      self.wasPressed = false;
      element.addEventListener('click', () => (self.wasPressed = true), { once: true, capture: true });
      return element;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return null;
}

class Visitor {
  #browser;
  #folder;

  constructor(browser, folder) {
    this.#browser = browser;
    this.#folder = folder;
  }

  go(address) {
    return this.#browser.go(address);
  }

  reload() {
    return this.#browser.reload();
  }

  /** What `function_` gives back in the page; it takes one value and can call `find`. Both are such that JSON has them. */
  async evaluate(function_, value = null) {
    const source = `async (json) => { ${FIND} return JSON.stringify((await (${function_})(JSON.parse(json))) ?? null); }`;
    return JSON.parse(await this.#browser.call(source, [JSON.stringify(value)]));
  }

  /** Waits until `function_` gives back something that is true, and gives that back; of playwright's name, for what is shared with its tests. */
  async waitForFunction(function_, value = null) {
    const source = `async ([value, patience]) => {
      const end = performance.now() + patience;
      for (;;) {
        const found = await (${function_})(value);
        if (found || performance.now() > end) return found;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }`;
    const end = performance.now() + PATIENCE_MILLISECONDS;
    for (;;) {
      const found = await this.evaluate(source, [value, WAIT_MILLISECONDS]);
      if (found) return found;
      if (performance.now() > end) throw new Error(`waited for ${function_} with ${JSON.stringify(value)}, ${await this.#said()}`);
    }
  }

  async #said() {
    const texts = await this.evaluate(() => ['notice', 'sentence'].map((id) => document.getElementById(id)).filter(({ hidden }) => !hidden).map(({ textContent }) => textContent.trim().replace(/\s+/g, ' ')));
    return `the page is at ${JSON.stringify(await this.status())} and says: ${texts.join(' | ')}`;
  }

  /** The status element's data attributes, as text. */
  status() {
    return this.evaluate(() => ({ ...document.getElementById('status').dataset }));
  }

  /** Waits until the status element's data attributes have these values. */
  waitFor(wanted) {
    return this.waitForFunction((values) => Object.entries(values).every(([key, value]) => document.getElementById('status').dataset[key] === value), wanted);
  }

  /** Waits until an element's text fits, and gives it back. */
  says(what, pattern) {
    return this.waitForFunction(([where, source]) => {
      const text = find(where)?.textContent.trim().replace(/\s+/g, ' ') ?? '';
      return new RegExp(source).test(text) ? text : null;
    }, [what, pattern.source]);
  }

  /** Waits until an element is in sight and nothing lies on it, then presses there; once more, where the page moved it away in between. */
  async click(what) {
    const source = `async (what, patience) => { ${FIND} return (${inSight})(what, Number(patience)); }`;
    const end = performance.now() + PATIENCE_MILLISECONDS;
    do {
      if (performance.now() > end) throw new Error(`${what} was moved away from each press, ${await this.#said()}`);
      const origin = await this.#browser.origin(source, [what, String(PATIENCE_MILLISECONDS / 2)]);
      if (origin === null) throw new Error(`waited for ${what} to be in sight, ${await this.#said()}`);
      const press = [{ type: 'pointerMove', x: 0, y: 0, origin }, { type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }];
      await this.#browser.act([{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions: press }]);
    } while (!(await this.evaluate(() => self.wasPressed)));
  }

  /** Presses the button of this name. */
  press(name) {
    return this.click(`button ${name}`);
  }

  /** Types keys: each a character or one of KEYS; those before the last of a list are held down. */
  async type(...keys) {
    const actions = keys.flatMap((key) => {
      const held = [key].flat().map((name) => KEYS[name] ?? name);
      return [...held.map((value) => ({ type: 'keyDown', value })), ...held.reverse().map((value) => ({ type: 'keyUp', value }))];
    });
    await this.#browser.act([{ type: 'key', id: 'keyboard', actions }]);
  }

  /** Puts text in the place of what is in a field, and leaves it. */
  async fill(what, text) {
    await this.click(what);
    await this.type(['Control', 'a'], ...text, 'Enter');
  }

  /** Chooses from a list. The list itself is drawn outside of the page. */
  choose(what, value) {
    return this.evaluate(([where, chosen]) => {
      const list = find(where);
      list.value = chosen;
      for (const type of ['input', 'change']) list.dispatchEvent(new Event(type, { bubbles: true }));
    }, [what, value]);
  }

  /** Chooses files: `{ name, buffer }`. The window in which a visitor finds them is drawn outside of the page. */
  async setFiles(what, files) {
    const paths = files.map(({ name }) => join(this.#folder, name));
    await Promise.all(files.map(({ buffer }, place) => writeFile(paths[place], buffer)));
    await this.#browser.setFiles(`(what) => document.querySelector(what)`, [what], paths);
  }

  /** Presses a button that saves JSON, and waits until all of the file is there: its name and what it holds. */
  async savedJson(name) {
    const { saved } = this.#browser;
    const watcher = watch(saved);
    const whole = async () => {
      for (;;) {
        const changed = once(watcher, 'change');
        const [file, ...others] = await readdir(saved);
        // Until all of it is there, a part of it may lie next to it or in its place.
        const content = file?.endsWith('.json') && others.length === 0 ? parsed(await readFile(join(saved, file), 'utf8')) : null;
        if (content !== null) return { name: file, content };
        await changed;
      }
    };
    try {
      await this.press(name);
      const found = await withPatience(whole(), `the file that “${name}” saves`);
      await rm(join(saved, found.name));
      return found;
    } finally {
      watcher.close();
    }
  }
}

/** What a file holds, or null while a part of it is missing. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
