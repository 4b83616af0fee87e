/** The tab's title tells how far the run is, for those who look at another tab meanwhile. */
import type { PageState, RunState } from './state.js';

export function followRun(state: PageState): void {
  const { title } = document;
  state.run.observe((run) => {
    const progress = describeProgress(run);
    const wanted = progress === '' ? title : `${progress} – ${title}`;
    if (document.title !== wanted) document.title = wanted;
  });
}

function describeProgress({ phase, latestStep, config }: RunState): string {
  const share = config === null || latestStep === null ? 0 : latestStep.samples_seen / config.sample_budget;
  const percent = `${Math.floor(100 * Math.min(1, share))}%`;
  switch (phase) {
    case 'idle':
      return '';
    case 'running':
      return percent;
    case 'paused':
      return `Paused at ${percent}`;
    case 'finished':
      return 'Finished';
    case 'failed':
      return 'Stopped';
  }
}
