// Where the built page lies, and where what tests leave behind is put.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const pageFolder = resolve(process.env.PAGE_DIST ?? join(repository, 'www/dist'));
export const artifacts = resolve(process.env.ARTIFACTS ?? join(repository, 'tests/page/artifacts'));
