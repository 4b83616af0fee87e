// The page loads: nothing but its own files, no complaint in the console, a policy that allows no inline code.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ALL_IMAGES, browserTest, openPage } from './support/page.mjs';

test('loads under a sub-path without a complaint and without another origin', browserTest(), async (t) => {
  const { page, requests, complaints, origin, waitFor, button } = await openPage(t, { offline: true, images: ALL_IMAGES });
  await waitFor({ data: 'ready', phase: 'idle' });
  assert.equal(await button('Start').getAttribute('aria-disabled'), null);
  assert.match(await page.locator('#sentence').textContent(), /60,000 training images are ready/);
  assert.ok(requests.some((address) => address.endsWith('train-images-idx3-ubyte.gz')), 'the data was never requested');
  assert.deepEqual(requests.filter((address) => !address.startsWith(`${origin}/`)), []);
  assert.deepEqual(complaints, []);
});

test('the policy refuses inline code, and the page has none', browserTest(), async (t) => {
  const { page } = await openPage(t, { expectedComplaints: /Content Security Policy/ });
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|\*|https?:/);
  // The policy must be at work, not only written down.
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.documentElement.dataset.inline = "ran"';
    document.head.append(script);
    return document.documentElement.dataset.inline ?? 'refused';
  });
  assert.equal(ran, 'refused');
});

test('a server that decompresses the files itself makes no difference', browserTest(), async (t) => {
  const { waitFor } = await openPage(t, { images: ALL_IMAGES, server: { encodeGzip: true } });
  await waitFor({ data: 'ready' });
});

test('every control has a name, every heading its level', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  for (const summary of await page.locator('summary').all()) {
    // What belongs to a comparison is hidden until there is one.
    if (await summary.isVisible()) await summary.click();
  }
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll('input, select, button, progress')]
      .filter((control) => {
        const labelled = document.getElementById(control.getAttribute('aria-labelledby') ?? '');
        return !(control.labels?.length || control.textContent?.trim() || control.ariaLabel || labelled);
      })
      .map((control) => control.outerHTML),
  );
  assert.deepEqual(unnamed, []);
  const levels = await page.evaluate(() =>
    [...document.querySelectorAll('h1, h2, h3')].map((heading) => Number(heading.tagName.slice(1))),
  );
  assert.equal(levels.filter((level) => level === 1).length, 1);
  levels.slice(1).forEach((level, index) => assert.ok(level - levels[index] <= 1, 'a heading level is skipped'));
});
