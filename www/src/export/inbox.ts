/**
 * Files that a visitor chooses or drops: data to learn from (images or a text), a model to begin with, or runs to draw. Each is looked at
 * first, and each gets an answer; a file that is refused changes nothing.
 */
import { inBrief, quoted } from '../brief.js';
import { sniff } from './sniff.js';

/** What was done with a file, or why nothing was. */
export interface FileAnswer {
  accepted: boolean;
  text: string;
}

export interface FileActions {
  data(files: File[]): Promise<FileAnswer>;
  model(file: File): Promise<FileAnswer>;
  run(file: File): Promise<FileAnswer>;
}

const OPENED = 'This page opens the four IDX files of a data set, the binary files of CIFAR-10 or CIFAR-100, a text, a model (.safetensors) and saved runs (.json).';

export function accepted(text: string): FileAnswer {
  return { accepted: true, text };
}

export function refused(text: string): FileAnswer {
  return { accepted: false, text };
}

export async function takeFiles(files: readonly File[], actions: FileActions): Promise<FileAnswer[]> {
  const answers: FileAnswer[] = [];
  const [data, texts, models, runs]: [File[], File[], File[], File[]] = [[], [], [], []];
  for (const file of files) {
    const found = await sniff(file);
    if (found.kind === 'other') answers.push(refused(`${quoted(file.name)} is ${found.what}.`));
    else ({ data, text: texts, model: models, run: runs })[found.kind].push(file);
  }
  if (answers.length > 0) answers.unshift(refused(OPENED));
  for (const run of runs) answers.push(await actions.run(run));
  const [model] = models;
  if (data.length === 0) data.push(...texts);
  else for (const { name } of texts) answers.push(refused(`${quoted(name)} is a text, but the other files are a data set of images.`));
  if (texts.length > 1 && data.length === texts.length) answers.push(refused('Choose one text at a time.'));
  else if (models.length > 1) answers.push(refused('Choose one model at a time.'));
  else if (model !== undefined && data.length > 0) answers.push(refused('Choose the data set first, and then the model.'));
  else if (model !== undefined) answers.push(await actions.model(model));
  else if (data.length > 0) answers.push(await actions.data(data));
  return answers;
}

/** All answers in a few sentences. */
export function summary(answers: readonly FileAnswer[]): string {
  const texts = (which: boolean): string[] => answers.filter((answer) => answer.accepted === which).map(({ text }) => text);
  return [inBrief(texts(true), 'file'), inBrief(texts(false), 'problem')].filter((text) => text !== '').join(' ');
}
