/** The first sentence of the page, which says what is learned from what, and the unit of batches. */
import { required, setText } from './dom.js';
import { formatCount } from './format.js';
import { isSequence, nounOf } from './samples.js';
import type { PageState } from './state.js';

export function followData(state: PageState): void {
  const task = required('lead-task', HTMLElement);
  const nouns = document.querySelectorAll('[data-noun]');
  state.data.observe((data) => {
    if (data.name !== 'ready') return;
    const samples = formatCount(data.trainingSamples);
    const isText = isSequence(data.shape);
    const images = `${samples} images`;
    const [learns, from] = {
      mnist: ['read handwritten digits', `the ${images} of MNIST`],
      fashion_mnist: ['tell clothes apart', `the ${images} of Fashion-MNIST`],
      cifar10: ['tell pictures apart', `the ${images} of CIFAR-10`],
      cifar100: ['tell pictures apart', `the ${images} of CIFAR-100`],
      shakespeare: ['write as Shakespeare did', `${samples} sequences from his plays`],
      own: isText ? ['write like your text', `its ${samples} sequences`] : ['tell pictures apart', `your ${images}`],
    }[data.dataset] as [string, string];
    for (const noun of nouns) setText(noun, `${nounOf(data.shape)}s`);
    setText(task, `A small neural network learns to ${learns} here, in this tab, from ${from}.`);
  });
}
