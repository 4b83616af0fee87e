// Narrow and wide, light and dark, before, during and after training: nothing sticks out; pictures are kept.
import assert from 'node:assert/strict';
import test from 'node:test';
import { browserTest, openPage } from './support/page.mjs';

const WIDTHS = { 360: { width: 360, height: 740 }, 1280: { width: 1280, height: 900 } };

for (const [width, viewport] of Object.entries(WIDTHS)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${width} px, ${colorScheme}: nothing sticks out`, browserTest(), async (t) => {
      const { page, button, waitFor, waitForStep, set, screenshot } = await openPage(t, { context: { viewport, colorScheme } });
      await waitFor({ data: 'ready' });
      const check = async (moment) => {
        await page.waitForTimeout(700);
        assert.deepEqual(await stickingOut(page), [], `${moment}: wider than the screen`);
        await screenshot(`${width}-${colorScheme}-layout-${moment}`);
      };
      await set({ 'Sample budget': 4000 });
      await check('before');
      await button('Start').click();
      await waitForStep(12);
      await check('during');
      await waitFor({ phase: 'finished' }, 90_000);
      await check('after');
      assert.equal(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), colorScheme === 'dark');
      assert.ok(await contrastOfText(page) >= 4.5, 'the muted text is too faint');
    });
  }
}

test('charts follow a change of the colour scheme, the axis and the width', browserTest(), async (t) => {
  const { page, button, waitFor, set } = await openPage(t, { context: { colorScheme: 'light' } });
  await waitFor({ data: 'ready' });
  await set({ 'Sample budget': 1000 });
  await button('Start').click();
  await waitFor({ phase: 'finished' }, 60_000);
  await page.waitForTimeout(700);
  const picture = () => page.evaluate(() => document.querySelector('#chart-batch canvas').toDataURL());
  const light = await picture();
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.waitForTimeout(700);
  const dark = await picture();
  assert.notEqual(dark, light);
  await page.getByText('Steps', { exact: true }).click();
  await page.waitForTimeout(700);
  assert.notEqual(await picture(), dark);
  await page.setViewportSize({ width: 400, height: 800 });
  await page.waitForTimeout(700);
  assert.deepEqual(await stickingOut(page), []);
});

/** Elements that reach beyond the right edge; a document that scrolls sideways is one itself. */
function stickingOut(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.body.querySelectorAll('*')].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && box.right > width + 0.5 && !element.closest('.chart-stage');
    });
    const scrolls = document.documentElement.scrollWidth > width ? ['the document scrolls sideways'] : [];
    return [...scrolls, ...wide.map((element) => element.outerHTML.slice(0, 80))];
  });
}

/** The least contrast between the lead's text and the page behind it (WCAG 2). */
function contrastOfText(page) {
  return page.evaluate(() => {
    const luminance = (colour) => {
      const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
        const share = Number(part) / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const text = luminance(getComputedStyle(document.querySelector('.lead')).color);
    const behind = luminance(getComputedStyle(document.body).backgroundColor);
    return (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
  });
}
