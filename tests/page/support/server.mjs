// A small static file server over the built page. It serves under a sub-path, as many hosts do, and lets a
// test put its own answer in a file's place.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';

const SUB_PATH = '/under/a/sub-path/';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.gz': 'application/gzip',
};

/**
 * `data`: what lies in the place of the folder's own files, by path (smallData).
 * `bytes` of a file that is not there are null. `replace(path, bytes)` may give back other bytes, `null` for 404, or undefined to leave the file as it is;
 * or a promise of these, for a file that comes when the test lets it.
 * `encodeGzip`: send .gz files with Content-Encoding, as some servers do. `compresses`: send all others compressed, as most do.
 * `headers`: sent with every answer.
 * `copies`: folders, with a slash at the end, in which the page lies once more. `slashless`: the page's own address is answered without its last slash, too.
 */
export async function servePage(folder, { data = new Map(), replace = () => undefined, encodeGzip = false, compresses = false, headers = {}, slashless = false, copies = [] } = {}) {
  const server = createServer(async (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const { pathname } = new URL(request.url, 'http://localhost');
    if (slashless && `${pathname}/` === SUB_PATH) return answer(response, 200, TYPES['.html'], await readFile(join(folder, 'index.html')));
    if (!pathname.startsWith(SUB_PATH)) return answer(response, 404, 'text/plain', 'outside the page');
    const path = normalize(pathname.slice(SUB_PATH.length) || 'index.html');
    if (path.startsWith('..')) return answer(response, 404, 'text/plain', 'outside the page');
    const copy = copies.find((name) => path.startsWith(name)) ?? '';
    const file = path.slice(copy.length) || 'index.html';
    let bytes = data.get(file) ?? (await readFile(join(folder, file)).catch(() => null));
    const replaced = await replace(path, bytes);
    if (replaced !== undefined) bytes = replaced;
    if (bytes === null) return answer(response, 404, 'text/plain', 'not found');
    if (encodeGzip && file.endsWith('.gz')) response.setHeader('content-encoding', 'gzip');
    if (compresses && !file.endsWith('.gz')) {
      response.setHeader('content-encoding', 'gzip');
      bytes = gzipSync(bytes);
    }
    answer(response, 200, TYPES[extname(file)] ?? 'application/octet-stream', bytes);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    address: origin + SUB_PATH,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}

function answer(response, status, type, body) {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}
