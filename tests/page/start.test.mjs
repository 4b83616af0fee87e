// However the page starts, or fails to: it never waits for ever, and says what is missing and what to do.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { drop, ownFiles } from './support/data-files.mjs';
import { hold } from './support/held.mjs';
import { browserTest, openPage, pageFolder } from './support/page.mjs';

const MAIN_SCRIPT = /^assets\/index-.*\.js$/;
const ANY = /./;

test('a program that does not arrive whole gives a message at once, and a way on', browserTest(), async (t) => {
  let change = null;
  const replace = (path, bytes) => (MAIN_SCRIPT.test(path) && change !== null ? change(bytes) : undefined);
  const { page, notice, button, waitFor } = await openPage(t, { server: { replace }, expectedComplaints: ANY });
  await waitFor({ data: 'ready' });
  const faults = {
    'is missing': { to: () => null, says: /did not arrive/ },
    'is cut off': { to: (bytes) => bytes.subarray(0, bytes.length / 2), says: /stopped while starting.*SyntaxError/ },
    'is another page': { to: () => Buffer.from('<!doctype html><title>Sign in to the network</title>'), says: /stopped while starting \(.*\); a web page arrived instead of one of its files: this network may ask you to sign in/ },
    'is empty': { to: () => Buffer.alloc(0), says: /did not run it/ },
    'throws at its beginning': { to: (bytes) => Buffer.concat([Buffer.from('throw new Error("broken on purpose");'), bytes]), says: /broken on purpose/ },
    // Then parts of it are at work already.
    'throws at its end': { to: (bytes) => Buffer.concat([Buffer.from('ServiceWorkerContainer.prototype.register=document.documentElement.setAttribute=()=>{throw new Error("broken on purpose")};'), bytes]), says: /broken on purpose/ },
  };
  for (const [fault, { to, says }] of Object.entries(faults)) {
    change = to;
    await page.reload();
    assert.match(await notice.textContent(), says, fault);
    await cannotTrain(page, fault);
  }
  change = null;
  await button('Reload the page').click();
  await waitFor({ data: 'ready' });
  assert.equal(await notice.isVisible(), false);
});

test('a document that is cut off gives a message', browserTest(), async (t) => {
  const replace = (path, bytes) => (path === 'index.html' ? bytes.subarray(0, bytes.indexOf('<main>')) : undefined);
  const { notice } = await openPage(t, { server: { replace }, expectedComplaints: ANY });
  assert.match(await notice.textContent(), /could not start.*stopped while starting/s);
});

test('where browsers load no programs, the page says where it can be loaded', browserTest(), async (t) => {
  const { page, server, notice, waitFor } = await openPage(t, { server: { slashless: true }, expectedComplaints: ANY });
  await waitFor({ data: 'ready' });
  await page.goto(pathToFileURL(join(pageFolder, 'index.html')).href);
  assert.match(await notice.textContent(), /opened as a file.*web server/s);
  await cannotTrain(page, 'a file');
  await page.goto(server.address.slice(0, -1));
  assert.ok((await notice.textContent()).includes(`trailing slash: try ${server.address}`));
  await cannotTrain(page, 'no slash');
  await page.goto(server.address.replace('/sub-path/', '/frame-around-the-page/')).catch(() => undefined);
  await page.setContent(`<iframe sandbox="allow-scripts" src="${server.address}"></iframe>`);
  const frame = page.frameLocator('iframe');
  await frame.locator('#notice').waitFor();
  assert.match(await frame.locator('#notice').textContent(), /sandboxed frame.*separate tab/s);
});

test('policies of the site are kept or named', browserTest(), async (t) => {
  const headers = {};
  const { page, notice, waitFor, waitForStep, button } = await openPage(t, { server: { headers }, expectedComplaints: ANY });
  const visit = async (policy, more = {}) => {
    for (const name of Object.keys(headers)) delete headers[name];
    Object.assign(headers, { 'content-security-policy': policy }, more);
    await page.reload();
  };
  for (const more of [{}, { 'access-control-allow-origin': '*' }]) {
    await visit('sandbox allow-scripts', more);
    assert.match(await notice.textContent(), /sandboxed frame/);
    await cannotTrain(page, 'a sandbox');
  }
  await visit("script-src 'self'");
  assert.match(await notice.textContent(), /Content-Security-Policy of this site forbids WebAssembly.*wasm-unsafe-eval/);
  await cannotTrain(page, 'no WebAssembly');
  // No script may run at all: what stands in the document is right by itself.
  await visit("script-src 'none'");
  await promisesNothing(page);
  for (const [policy, says] of [
    ["require-trusted-types-for 'script'; trusted-types 'none'", /requires Trusted Types: its trusted-types must allow the policy “default”\./],
    ["worker-src 'none'", /forbids workers, which training requires: its worker-src must allow “self”\./],
    ["connect-src 'none'", /forbids downloads: its connect-src must allow “self”\./],
  ]) {
    await visit(policy);
    await page.waitForFunction((words) => new RegExp(words).test(document.getElementById('notice').textContent), says.source);
    assert.match(await notice.textContent(), /^\s*This page cannot train here\s*The Content-Security-Policy of this site/);
    assert.equal(await page.locator('#notice-retry').isVisible(), false, 'nothing that the visitor does helps');
    await cannotTrain(page, policy);
  }
  // With Trusted Types everything works, the team's workers too.
  await visit("require-trusted-types-for 'script'");
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitForStep(2);
  assert.equal(await page.locator('#engine-notes').textContent(), '');
});

test('a module that cannot be used is the last word, whatever arrives after it', browserTest(), async (t) => {
  const held = hold(/train-images.*\.gz$/);
  // Half a module comes once the images were asked for.
  const replace = (path, bytes) => (path.endsWith('.wasm') ? held.asked(1).then(() => bytes.subarray(0, bytes.length / 2)) : held.replace(path, bytes));
  const { page, notice, waitFor } = await openPage(t, { server: { replace }, expectedComplaints: ANY });
  await notice.waitFor({ state: 'visible' });
  assert.match(await notice.textContent(), /could not be loaded.*WebAssembly module could not be used \(.*Reload the page/s);
  await cannotTrain(page, 'half a module');
  held.release();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await waitFor({ data: 'unusable' });
  await cannotTrain(page, 'half a module, and all images');
});

test('a browser that lacks what the page takes for granted is named, and not the files', browserTest(), async (t) => {
  const { page, notice } = await openPage(t, { expectedComplaints: ANY, prepare: (page) => page.addInitScript(() => delete String.prototype.replaceAll) });
  await notice.waitFor({ state: 'visible' });
  assert.match(await notice.textContent(), /This browser lacks something that the page needs \(.*replaceAll is not a function\)\. A current Firefox/);
  await cannotTrain(page, 'no replaceAll');
});

test('without scripts the document promises nothing', browserTest(), async (t) => {
  const { page } = await openPage(t, { context: { javaScriptEnabled: false } });
  await promisesNothing(page);
  assert.match(await page.locator('noscript').textContent(), /JavaScript/);
});

test('what a browser of 2021 lacks, or has no language for, is made up for', browserTest(), async (t) => {
  const { page, waitFor, waitForStep, button } = await openPage(t, {
    prepare: (page) =>
      page.addInitScript(() => {
        delete Array.prototype.at;
        delete Object.hasOwn;
        delete globalThis.structuredClone;
        delete globalThis.ResizeObserver;
        delete globalThis.IntersectionObserver;
        Object.defineProperty(Navigator.prototype, 'language', { get: () => 'C' });
      }),
  });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitForStep(3);
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  await page.locator('#chart-batch canvas').waitFor();
  await page.waitForFunction(() => Number(document.querySelector('.mosaic-canvas').dataset.batch) > 0);
  assert.ok(await page.locator('.figure-stage svg').evaluate((svg) => svg.childElementCount > 0));
});

test('a browser without module workers gets a sentence', browserTest(), async (t) => {
  const { page, notice } = await openPage(t, {
    expectedComplaints: ANY,
    prepare: (page) =>
      page.addInitScript(() => {
        const { Worker } = globalThis;
        // As browsers that know no other kind: the option is not looked at.
        globalThis.Worker = function (address) {
          return new Worker(address);
        };
      }),
  });
  assert.match(await notice.textContent(), /no module workers/);
  await cannotTrain(page, 'no module workers');
});

test('a program or a style sheet that does not come is told within seconds, and taken when it comes', browserTest(), async (t) => {
  const main = hold(MAIN_SCRIPT);
  const sheet = hold(/\.css$/);
  const { page, notice, waitFor } = await openPage(t, {
    server: { replace: (path, bytes) => (path.endsWith('.css') ? sheet.replace(path, bytes) : main.replace(path, bytes)) },
    prepare: stopClock,
    until: 'commit',
  });
  await Promise.all([main.asked(1), sheet.asked(1)]);
  await page.locator('footer').waitFor({ state: 'attached' });
  // The program must not wait for a style sheet.
  await page.clock.runFor(8000);
  assert.match(await notice.textContent(), /still loading/);
  await promisesNothing(page);
  main.release();
  await waitFor({ data: 'ready' });
  await page.clock.resume();
  assert.equal(await notice.isVisible(), false);
  await page.waitForFunction(() => document.getElementById('sentence').textContent.includes('Press Start'));
  sheet.release();
  await page.waitForFunction(() => getComputedStyle(document.body).margin === '0px');
});

for (const [what, pattern] of Object.entries({
  worker: /^assets\/worker-.*\.js$/,
  'WebAssembly module': /\.wasm$/,
  data: /train-images.*\.gz$/,
})) {
  test(`a download that stands still is told, tried again, and given up with a way on: the ${what}`, browserTest(), async (t) => {
    const held = hold(pattern);
    const { page, notice, waitFor, button } = await openPage(t, { server: { replace: held.replace }, prepare: stopClock });
    const heard = [];
    for (let tries = 1; tries <= 4; tries += 1) {
      await held.asked(tries);
      heard.push(...(await letTimePass(page, tries === 4 ? '#notice:not([hidden])' : `#download-text:text("Try ${tries + 1} of 4")`)));
    }
    for (const words of ['Nothing has arrived for 8 seconds.', 'Try 2 of 4', 'Try 4 of 4']) assert.ok(heard.some((said) => said.includes(words)), words);
    assert.match(await notice.textContent(), /The download has stopped.*20 seconds.*Check the connection/s);
    assert.equal(await button('Start').getAttribute('aria-disabled'), 'true');
    // What arrives after all is taken, too.
    if (what !== 'data') await button('Try again').click();
    held.release();
    await waitFor({ data: 'ready' });
    assert.equal(await notice.isVisible(), false);
  });
}

test('files whose check does not arrive are answered, and can be tried again', browserTest(), async (t) => {
  const held = hold(/own-files-worker/);
  const { page, waitFor } = await openPage(t, { server: { replace: held.replace }, prepare: stopClock });
  await waitFor({ data: 'ready' });
  const files = ownFiles({ training: 30, test: 10 });
  await drop(page, files);
  await held.asked(1);
  await page.clock.runFor(30_000);
  await page.waitForFunction(() => /^These files cannot be checked, because a part of the page did not arrive\./.test(document.getElementById('files-note-text').textContent));
  held.release();
  await page.clock.resume();
  await drop(page, files);
  await page.waitForFunction(() => /30 training images are ready/.test(document.getElementById('sentence').textContent));
});

/** The page's time stands still unless the test lets it pass. */
async function stopClock(page) {
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(1000);
}

/** Lets the page's time pass until there is such an element; what the line of the download said meanwhile, each text once. */
async function letTimePass(page, selector) {
  const said = new Set();
  for (let seconds = 0; seconds < 120 && (await page.locator(selector).count()) === 0; seconds += 1) {
    await page.clock.runFor(1000);
    said.add(await page.locator('#download-text').textContent());
  }
  assert.equal(await page.locator(selector).count(), 1, selector);
  return [...said];
}

/** The notice's and the sentence's words agree that nothing can be done here. */
async function cannotTrain(page, why) {
  assert.equal(await page.locator('#notice').isVisible(), true, why);
  assert.match(await page.locator('#sentence').textContent(), /Training (is not possible|needs)/, why);
  assert.equal(await page.locator('#download').isVisible(), false, why);
  assert.equal(await page.locator('#main-button').getAttribute('aria-disabled'), 'true', why);
}

/** What stands in the document before any program runs. */
async function promisesNothing(page) {
  const sentence = await page.locator('#sentence').textContent();
  assert.doesNotMatch(sentence, /Loading the data|Start/);
  assert.match(sentence, /did not arrive.*reload/s);
}
