// The runs that the browser keeps for the next visit.

/** Waits until the newest run that is kept was left at this step (null: none is kept). */
export function leftIs(page, step) {
  return page.waitForFunction(async (wanted) => {
    const open = indexedDB.open('adadagrad');
    await new Promise((resolve) => (open.onsuccess = resolve));
    const request = open.result.transaction('left').objectStore('left').getAll();
    await new Promise((resolve) => (request.onsuccess = resolve));
    open.result.close();
    const newest = request.result.sort((one, other) => other.savedAt - one.savedAt)[0];
    return (newest?.checkpoint.step ?? null) === wanted;
  }, step);
}
