// The whole page, narrow and wide, light and dark, before, during and after training: nothing sticks out, and each chart has its
// curve. Pictures are kept, to be looked at.
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { chartsWithoutCurve, contrastOfText, stickingOut } from './support/layout.mjs';
import { artifacts, browserTest, openPage } from './support/page.mjs';
import { changeScheme, chartsDrawn, eventually } from './support/steady.mjs';

// So high that all of the page is in view: only what is in view is kept up to date.
const VIEWPORTS = [
  { width: 360, height: 10_500 },
  { width: 1280, height: 6600 },
];

const SCHEMES = ['light', 'dark'];

for (const viewport of VIEWPORTS) {
  test(`nothing sticks out: ${viewport.width} px, light and dark`, browserTest(), async (t) => {
    const { page, button, waitFor, set, read, screenshot } = await openPage(t, { offline: true, context: { viewport }, images: { test: 200 } });
    const take = async (moment) => {
      for (const colorScheme of SCHEMES) {
        await changeScheme(page, colorScheme);
        assert.equal(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), colorScheme === 'dark');
        await chartsDrawn(page);
        const name = `${viewport.width}-${colorScheme}-screen-${moment}`;
        await eventually(() => stickingOut(page), (found) => assert.deepEqual(found, [], `${name}: wider than the screen`));
        assert.ok(await contrastOfText(page) >= 4.5, `${name}: the muted text is too faint`);
        await screenshot(name);
        const { size } = await stat(join(artifacts, `${name}.png`));
        assert.ok(size > 50_000, `${name} shows next to nothing`);
        if (moment === 'after') await eventually(() => chartsWithoutCurve(page), (found) => assert.deepEqual(found, [], `${name}: charts that drew nothing`));
      }
    };
    await waitFor({ data: 'ready' });
    await page.waitForFunction(() => document.querySelector('.figure-stage').dataset.step !== undefined);
    await take('before');
    await set({ 'Sample budget': 100_000_000, 'Largest batch': 64 });
    await button('Start').click();
    await page.waitForFunction(() => Number(document.querySelector('.mosaic-canvas').dataset.batch) >= 60);
    await take('during');
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
    await set({ 'Sample budget': 1500 });
    await button('Start').click();
    await waitFor({ phase: 'finished' });
    // The look at the test set with the last parameters.
    const { step } = await read();
    await page.waitForFunction((last) => document.querySelector('.look-summary').textContent.startsWith(`After step ${last},`), step);
    await page.waitForFunction(() => document.querySelector('.filter-list').children.length > 0);
    await take('after');
  });
}
