// The run that the browser keeps for the next visit.

/** Waits until a run is kept that was left at this step (null: none). */
export function leftIs(page, step) {
  return page.waitForFunction(async (wanted) => {
    const open = indexedDB.open('adadagrad', 1);
    await new Promise((resolve) => (open.onsuccess = resolve));
    const request = open.result.transaction('left').objectStore('left').get('run');
    await new Promise((resolve) => (request.onsuccess = resolve));
    open.result.close();
    return (request.result?.checkpoint.step ?? null) === wanted;
  }, step);
}
