// What the browser keeps for a visit without a network.

/** Files of a data set: images and labels, for training and for the test. */
export const DATA_FILES = 4;

/** Waits until everything is kept that such a visit needs; `copies`: of the page on this origin, with data of their own. */
export async function keptForOffline(page, copies = 1) {
  await page.waitForFunction(() => document.getElementById('offline-note').dataset.offline === 'ready');
  await page.waitForFunction(
    async (wanted) => (await (await caches.open('adadagrad-data')).keys()).length === wanted,
    copies * DATA_FILES,
  );
}
