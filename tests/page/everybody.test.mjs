// For everybody: words that agree with what is drawn, focus that is never lost, forced colours, contrast, paper, large text,
// other directions of writing, browsers that hide pixels.
import assert from 'node:assert/strict';
import test from 'node:test';
import { leftIs } from './support/left-run.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { saved } from './support/saved.mjs';

const SMALL = '#preset=quick&model=logistic&sample_budget=4000&evaluate_every=2000&seed=5';
const LONG = 'A name that is longer than any legend has room for, and goes on, and on, and does not end before it has left the chart';

async function compared(page, button, name) {
  await button(name).click();
  await page.waitForFunction(() => /^Compared:/.test(document.getElementById('comparison-note').textContent));
}

test('all words are about the step of the numbers', browserTest(), async (t) => {
  // The run goes on until enough was compared.
  const { page, button, waitFor } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=1000000000&seed=5' });
  await waitFor({ data: 'ready' });
  // In every frame: whatever names a step beside the numbers names theirs.
  await page.evaluate(() => {
    self.frames = { compared: 0, apart: [] };
    const look = () => {
      const number = (text) => Number(text?.replaceAll(',', ''));
      const step = number(document.getElementById('number-step').textContent);
      const told = [
        ['sentence', /Step ([\d,]+):/.exec(document.getElementById('sentence').textContent)?.[1]],
        ['figure', /^Step ([\d,]+):/.exec(document.getElementById('figure-sentence').textContent)?.[1]],
        ['table', document.querySelector('#runs-body tr:last-child .run-figure')?.textContent],
      ];
      const running = document.getElementById('status').dataset.phase === 'running';
      for (const [place, text] of running && step > 0 ? told : []) {
        if (!text) continue;
        self.frames.compared += 1;
        if (number(text) !== step) self.frames.apart.push(`${place}: ${text} beside ${step}`);
      }
      requestAnimationFrame(look);
    };
    // After the page's own work of a frame.
    requestAnimationFrame(look);
  });
  await button('Start').click();
  await page.waitForFunction(() => self.frames.compared > 100);
  assert.deepEqual(await page.evaluate(() => self.frames.apart), []);
});

test('captions say what is drawn, and single steps are drawn', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  const caption = (id) => page.locator(`#chart-${id} figcaption`).textContent();
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await page.waitForFunction(() => /solid line \(measured\).*dashed line \(allowed\)/.test(document.querySelector('#chart-test figcaption').textContent));
  const dashes = async () => {
    const image = (await saved(page, 'The two sides of the test: save as SVG')).bytes.toString();
    return [...image.matchAll(/<path d="M[^"]{60,}"[^>]*>/g)].map(([path]) => ({
      colour: /stroke="([^"]+)"/.exec(path)[1], width: Number(/stroke-width="([^"]+)"/.exec(path)[1]), dashed: path.includes('dasharray'),
    }));
  };
  assert.deepEqual((await dashes()).map(({ dashed }) => dashed), [false, true], 'measured solid, allowed dashed');
  await compared(page, button, 'Half or double threshold');
  await page.waitForFunction(() => document.querySelectorAll('#chart-test .legend-entry').length === 3);
  assert.match(await caption('test'), /thick line \(measured\) and a thin one of the same colour \(allowed\)\. Where the thick line is above/);
  const lines = await dashes();
  assert.equal(lines.length, 6);
  for (let run = 0; run < 6; run += 2) {
    assert.equal(lines[run].colour, lines[run + 1].colour);
    assert.ok(lines[run].width >= 2 * lines[run + 1].width, 'measured is the thick one');
  }
  // Two tests: both are named. No test: it is said that there is none.
  await compared(page, button, 'Norm or inner product test');
  await page.waitForFunction(() => /norm test.*along their mean/.test(document.querySelector('#chart-test figcaption').textContent));
  // A run of a single step, beside one of five hundred: a point of its colour in every chart that has a value of it.
  await compared(page, button, 'Adaptive, small or large batch');
  for (const id of ['batch', 'loss', 'accuracy', 'speed']) {
    await page.waitForFunction((chart) => {
      const style = getComputedStyle([...document.querySelectorAll(`#chart-${chart} .legend-entry`)].find((entry) => entry.textContent.includes('Constant 4,096'))?.querySelector('svg') ?? document.body);
      const [red, green, blue] = style.color.match(/\d+/g).map(Number);
      const canvas = document.querySelector(`#chart-${chart} canvas`);
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] > 200 && Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue) < 30) count += 1;
      }
      return count >= 8;
    }, id);
  }
});

test('the focus goes on from every control that removes itself', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: SMALL, expectedComplaints: /broken on purpose/ });
  await waitFor({ data: 'ready' });
  const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute('aria-label') || document.activeElement.textContent);
  const press = async (name) => {
    await button(name).focus();
    await page.keyboard.press('Enter');
  };
  for (const step of ['1', '2']) {
    await button('Step').click();
    await waitFor({ step, phase: 'paused' });
  }
  await leftIs(page, 2);
  await page.getByLabel('Pause while this tab is hidden').uncheck();
  await page.reload();
  await page.locator('#left-run').waitFor({ state: 'visible' });
  assert.equal(await page.getByLabel('Pause while this tab is hidden').isChecked(), false, 'the box is remembered');
  await waitFor({ data: 'ready' });
  await press('Continue where you left off');
  await page.locator('#left-run').waitFor({ state: 'hidden' });
  assert.equal(await focus(), 'main-button');
  await waitFor({ phase: 'finished' });
  await compared(page, button, 'Half or double threshold');
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 4);
  // The next row's button, then the one before, then what stands below the table.
  await press('Delete η = 0.5');
  assert.equal(await focus(), 'Delete η = 1');
  await press('Delete η = 1');
  assert.equal(await focus(), 'Delete η = 2');
  await press('Delete Run 1');
  assert.equal(await focus(), 'Delete η = 2');
  await button('Reset').click();
  await press('Delete η = 2');
  assert.equal(await focus(), 'run-open');
  for (const step of ['1', '2']) {
    await button('Step').click();
    await waitFor({ step, phase: 'paused' });
  }
  await leftIs(page, 2);
  await page.workers()[0].evaluate(() => setTimeout(() => { throw new Error('broken on purpose'); }, 0));
  await page.locator('#notice').waitFor({ state: 'visible' });
  await press('Try again');
  await page.locator('#notice').waitFor({ state: 'hidden' });
  assert.equal(await focus(), 'main-button');
  await page.locator('#left-run').waitFor({ state: 'visible' });
  await press('Discard');
  await page.locator('#left-run').waitFor({ state: 'hidden' });
  assert.equal(await focus(), 'main-button');
  // A click on nothing takes the focus away, and nothing gives it back.
  await page.locator('h1').click();
  await page.evaluate(() => (document.getElementById('address-note').hidden = !document.getElementById('address-note').hidden));
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY');
});

/** Runs in the page: what reaches beyond the window, and controls that are too small to hit. */
function sizes() {
  const width = document.documentElement.clientWidth;
  const apart = '.chart-stage, svg *, .table-scroller table, .confusion-scroll, .formula, .visually-hidden, .skip-link';
  const boxes = [...document.body.querySelectorAll('*')].map((element) => [element, element.getBoundingClientRect()]);
  const wide = boxes.filter(([element, box]) => box.width > 0 && (box.right > width + 0.5 || box.left < -0.5) && !element.closest(apart));
  const targets = boxes.filter(([element, box]) => element.matches('a[href], button, input, select, summary') && box.width > 0 && !element.closest('p, figcaption, .skip-link') && Math.min(box.width, box.height) < 24);
  const name = ([element]) => element.outerHTML.slice(0, 90);
  return { sideways: document.documentElement.scrollWidth - width, wide: wide.slice(0, 5).map(name), small: targets.map(name) };
}

test('large text, other directions, long names, forced colours, contrast and paper', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: SMALL, context: { colorScheme: 'dark' } });
  await waitFor({ data: 'ready' });
  await compared(page, button, 'Half or double threshold');
  for (const [place, name] of [LONG, LONG.replaceAll(' ', ''), '第一次训练'.repeat(20)].entries()) {
    await page.getByLabel('Name of the run').nth(place).fill(name);
    await page.getByLabel('Name of the run').nth(place).press('Enter');
  }
  await page.locator('.table-twin summary').first().click();
  for (const width of [360, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const [text, dir] of [['', ''], ['200%', ''], ['32px', 'rtl'], ['', 'rtl']]) {
      await page.evaluate(([size, direction]) => {
        document.documentElement.style.fontSize = size;
        document.documentElement.dir = direction;
      }, [text, dir]);
      // The charts follow the width in a frame or two.
      await page.waitForFunction(() => [...document.querySelectorAll('.chart-stage')].every((stage) => Math.abs(stage.clientWidth - stage.querySelector('.uplot').clientWidth) <= 1));
      assert.deepEqual(await page.evaluate(sizes), { sideways: 0, wide: [], small: [] }, `${width} px, text ${text || '16px'} ${dir}`);
    }
  }
  await page.evaluate(() => {
    document.documentElement.style.fontSize = '';
    document.documentElement.dir = '';
  });
  const style = (selector, property) => page.evaluate(([wanted, name]) => getComputedStyle(document.querySelector(wanted))[name], [selector, property]);
  // Swatches follow the scheme by themselves.
  const swatches = async () => [await style('#runs-body .legend-swatch', 'color'), await style('#chart-loss .legend-swatch', 'color')];
  const dark = await swatches();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await swatches();
  light.forEach((colour, index) => assert.notEqual(colour, dark[index]));

  // Without motion a colour is another at once.
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  await button('Slow motion').click();
  const pairs = [
    ['.segmented input:checked + label', '.segmented input:not(:checked) + label', 'backgroundColor'],
    ['#slow-button[aria-pressed=true]', '#growth-button', 'backgroundColor'],
    ['button[aria-disabled=true]', 'button:not([aria-disabled])', 'color'],
    ['button[aria-disabled=true]', 'button:not([aria-disabled])', 'borderStyle'],
  ];
  for (const [one, other, property] of pairs) assert.notEqual(await style(one, property), await style(other, property), `${one}: ${property}`);
  await page.emulateMedia({ forcedColors: 'none', reducedMotion: 'no-preference' });

  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, contrast: 'more' });
    for (const selector of ['.lead', '.field-hint', 'figcaption']) assert.ok(await contrastOf(page, selector) >= 7, `${selector}, ${colorScheme}`);
  }
  await page.emulateMedia({ contrast: 'no-preference', colorScheme: 'dark' });

  // A sheet of A4 has room for 700 px.
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.waitForFunction(() => document.querySelector('#chart-comparison .uplot').clientWidth > 700);
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await page.setViewportSize({ width: 700, height: 990 });
  // The five charts, and the three panes of the comparison.
  await page.waitForFunction(() => document.querySelectorAll('.chart-paper svg').length === 8);
  const paper = await page.evaluate(() => {
    const luminance = (colour) => {
      const [red, green, blue] = colour.match(/\d+/g).map(Number);
      return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
    };
    const seen = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.getClientRects().length > 0);
    return {
      text: luminance(getComputedStyle(document.body).color),
      strokes: [...document.querySelectorAll('.chart-paper path')].map((path) => luminance(getComputedStyle(path).stroke)),
      widest: Math.max(...seen('.chart-paper svg').map((svg) => svg.getBoundingClientRect().right)),
      charts: seen('.chart-paper svg').length,
      canvases: seen('.chart-stage canvas').length,
      controls: seen('.controls, .chart-tools, .run-actions, .figure-buttons').length,
      sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    };
  });
  assert.ok(paper.text < 0.2, `text of luminance ${paper.text}`);
  assert.ok(paper.strokes.length > 10 && paper.strokes.every((value) => value < 0.5), 'pale lines');
  assert.ok(paper.widest <= 700, `a chart reaches to ${paper.widest}`);
  assert.deepEqual([paper.charts, paper.canvases, paper.controls, paper.sideways], [8, 0, 0, 0]);
  await page.emulateMedia({ media: 'screen' });
  await page.waitForFunction(() => document.querySelectorAll('.chart-paper svg').length === 0);
});

/** WCAG 2's contrast of an element's text with the page behind it. */
function contrastOf(page, selector) {
  return page.evaluate((wanted) => {
    const luminance = (colour) => {
      const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
        const share = Number(part) / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const [one, other] = [getComputedStyle(document.querySelector(wanted)).color, getComputedStyle(document.body).backgroundColor].map(luminance);
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  }, selector);
}

test('where a browser gives noise for pixels, drawings are read all the same, and a PNG is not offered in vain', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, {
    path: '#preset=quick&model=mlp&sample_budget=12000&evaluate_every=12000',
    prepare: (page) =>
      page.addInitScript(() => {
        const real = CanvasRenderingContext2D.prototype.getImageData;
        CanvasRenderingContext2D.prototype.getImageData = function noise(...box) {
          const image = real.apply(this, box);
          for (let at = 0; at < image.data.length; at += 1) image.data[at] = (at * 2654435761) >>> 24;
          return image;
        };
        HTMLCanvasElement.prototype.toDataURL = () => 'data:image/png;base64,';
        HTMLCanvasElement.prototype.toBlob = (take) => take(new Blob(['noise']));
      }),
  });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await page.locator('#look-title').scrollIntoViewIfNeeded();
  const pad = page.locator('.pad-canvas');
  const drawings = {
    1: [[0.52, 0.15], [0.48, 0.85]],
    0: Array.from({ length: 25 }, (_, index) => [0.5 + 0.24 * Math.sin(index / 4), 0.5 - 0.33 * Math.cos(index / 4)]),
  };
  for (const [digit, points] of Object.entries(drawings)) {
    await button('Clear').click();
    await page.waitForFunction(() => document.querySelector('.probabilities').dataset.best === undefined);
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox();
    const [first, ...others] = points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
    await page.mouse.move(...first);
    await page.mouse.down();
    for (const point of others) await page.mouse.move(...point, { steps: 6 });
    await page.mouse.up();
    await page.waitForFunction((wanted) => document.querySelector('.probabilities').dataset.best === wanted, digit);
  }
  await button('Training loss: save as PNG').click();
  await page.waitForFunction(() => /Save the chart as SVG/.test(document.querySelector('#chart-loss .chart-save-note').textContent));
});
