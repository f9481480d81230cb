import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './shared.ts';

/** A module of a tool beside the service (bench/, calibrate/), which is plain JavaScript without types. */
// biome-ignore lint/suspicious/noExplicitAny: there are none.
export const plainModule = (path: string): Promise<any> => import(pathToFileURL(join(ROOT, path)).href);
