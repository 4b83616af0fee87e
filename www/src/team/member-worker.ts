/** One worker of a team: a wasm module and the data of its own, and nothing to decide. */
import initialise, { TeamMember } from '../../pkg/adadagrad_web.js';
import type { PartResult } from '../../pkg/adadagrad_web.js';
import { text } from '../words-of-errors.js';
import type { Answer, PortForMember, Request, SweepRequest } from './messages.js';

let member: TeamMember | null = null;
/** Who asks, and is answered: the training worker has started this one, or the page has, and gives a port. */
let asker: { postMessage: (message: Answer, handedOver: Transferable[]) => void } = self;
/** Requests are done one after another, also while the first waits for the module. */
let last: Promise<void> = Promise.resolve();

function answer(message: Answer, handedOver: Transferable[] = []): void {
  asker.postMessage(message, handedOver);
}

async function obey(request: Request): Promise<PartResult | null> {
  if (request.type === 'open') {
    await initialise();
    member = new TeamMember(request.files, request.text);
    return null;
  }
  if (member === null) throw new Error('it has no data');
  if (request.type === 'sweep') return sweep(member, request);
  member.begin(request.config);
  return null;
}

function sweep(member: TeamMember, { task, start, batch, parts, part, parameters, meanGradient, room }: SweepRequest): PartResult {
  if (parameters !== null) member.set_parameters(parameters);
  if (meanGradient !== null) member.set_mean_gradient(meanGradient);
  return member.sweep(task, start, batch, parts, part, room ?? parameters);
}

async function answerTo(request: Request): Promise<void> {
  try {
    const result = await obey(request);
    const values = result?.values ?? null;
    answer({ type: 'done', result }, values === null ? [] : [values.buffer]);
  } catch (error) {
    answer({ type: 'failed', message: text(error) });
  }
}

function take(request: Request): void {
  last = last.then(() => answerTo(request));
}

export function sweepForTeam(): void {
  self.addEventListener('message', ({ data }: MessageEvent<Request | PortForMember>) => {
    if (data.type !== 'port') {
      take(data);
      return;
    }
    asker = data.port;
    data.port.onmessage = (event: MessageEvent<Request>) => take(event.data);
  });
}
