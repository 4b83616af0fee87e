// WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), as far as these tests need it: commands and their answers, by number.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { repository } from '../folders.mjs';
import { withPatience } from './programs.mjs';

/** Node has a WebSocket of its own only from its version 22 on. */
const { WebSocket } = createRequire(join(repository, 'www/package.json'))('ws');

export async function connect(address) {
  const socket = new WebSocket(address);
  await withPatience(once(socket, 'open'), `an answer of ${address}`);
  const waiting = new Map();
  let last = 0;
  socket.on('message', (text) => {
    const message = JSON.parse(text);
    const { resolve, reject } = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.type === 'success') resolve(message.result);
    else reject(new Error(`${message.error}: ${message.message}`));
  });
  socket.on('close', () => waiting.forEach(({ reject }) => reject(new Error('the browser ended the connection'))));
  return {
    send(method, params) {
      const id = (last += 1);
      const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
      socket.send(JSON.stringify({ id, method, params }));
      return withPatience(answer, `an answer to ${method}`);
    },
    close: () => socket.close(),
  };
}
