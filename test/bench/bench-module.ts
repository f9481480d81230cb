import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/shared.ts';

/** A module of the benchmark, which is plain JavaScript without types. */
// biome-ignore lint/suspicious/noExplicitAny: there are none.
export const benchModule = (path: string): Promise<any> =>
  import(pathToFileURL(join(ROOT, 'bench', path)).href);
