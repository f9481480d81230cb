import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../support/shared.ts';

export const pathOf = (path: string): string => join(ROOT, path);
export const read = (path: string): string => readFileSync(pathOf(path), 'utf8');

/** Resolves `<<`, as Compose does. */
// biome-ignore lint/suspicious/noExplicitAny: the tests check the structure of the files.
export const readYaml = (path: string): any => parse(read(path), { merge: true });

// biome-ignore lint/suspicious/noExplicitAny: see above.
export const readYamlDocuments = (path: string): any[] =>
  parseAllDocuments(read(path)).map((document) => document.toJS());
