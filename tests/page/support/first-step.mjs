// How long a visitor waits for the first step.

/** What a visitor is promised once the data is there. */
export const FIRST_STEP_MILLISECONDS = 2000;

/** Presses Start; milliseconds until the page shows the first step. */
export function millisecondsToFirstStep(page) {
  return page.evaluate(async () => {
    const pressed = performance.now();
    document.getElementById('main-button').click();
    while (document.getElementById('status').dataset.step === '0') {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (performance.now() - pressed > 10_000) break;
    }
    return performance.now() - pressed;
  });
}
