// How long a visitor waits for the first step: told, and not judged, because a busy machine takes longer.

/** Presses Start; milliseconds until the page shows the first step. */
export function millisecondsToFirstStep(page) {
  return page.evaluate(async () => {
    const status = document.getElementById('status');
    const pressed = performance.now();
    document.getElementById('main-button').click();
    while (status.dataset.step === '0') await new Promise((resolve) => setTimeout(resolve, 5));
    return performance.now() - pressed;
  });
}
