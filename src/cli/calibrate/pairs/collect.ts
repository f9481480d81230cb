import { readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { CalibrationError } from '../calibration-error.ts';
import { parsePairs } from './csv.ts';
import { type Draw, makePairs } from './identities.ts';
import type { Pair, PersonOf } from './pair.ts';

/** A table of pairs with the folder of their pictures, or a folder with one folder of pictures for each person. */
export type PairSource = { pairs: string; images: string } | ({ identities: string } & Draw);

export interface PairCollection {
  pairs: Pair[];
  /** The names of the pictures are relative to it. */
  folder: string;
  /** Undefined for a table, which does not name people. */
  personOf?: PersonOf;
}

/** Extensions of the formats that the service accepts; the service itself goes by the content. */
export const PICTURE_FILE = /\.(jpe?g|png|webp|gif|tiff?|avif|bmp|jp2|j2[ck]|hei[cf])$/i;

/**
 * Collects the pairs to measure.
 *
 * @throws {CalibrationError} if there is nothing to measure.
 */
export async function collectPairs(source: PairSource): Promise<PairCollection> {
  const collection = 'pairs' in source ? await readTable(source) : await readIdentities(source);
  for (const same of [true, false]) {
    if (!collection.pairs.some((pair) => pair.same === same))
      throw new CalibrationError(
        `There are no pairs of ${same ? 'the same person' : 'different people'}; both kinds are needed.`,
      );
  }
  return collection;
}

/** Reads a table of pairs, whose pictures must be inside the folder. */
export async function readTable({ pairs: path, images: folder }: { pairs: string; images: string }) {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CalibrationError(`${path} cannot be read (${error.code}).`);
  });
  const pairs = parsePairs(text);
  await assertFolder(folder);
  assertInside(pairs, folder);
  return { pairs, folder };
}

async function readIdentities({ identities: folder, ...draw }: { identities: string } & Draw) {
  await assertFolder(folder);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const people = await Promise.all(
    names.sort().map(async (person) => {
      const files = await readdir(join(folder, person));
      const pictures = files.filter((file) => PICTURE_FILE.test(file)).sort();
      return pictures.map((file) => `${person}/${file}`);
    }),
  );
  const personOf = (picture: string) => picture.slice(0, picture.indexOf('/'));
  return { pairs: makePairs(people, draw), folder, personOf };
}

async function assertFolder(path: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isDirectory()) throw new CalibrationError(`${path} is not a folder.`);
}

/** A table from somebody else must not make this command send other files of this machine to a service. */
function assertInside(pairs: Pair[], folder: string): void {
  for (const name of pairs.flatMap(({ a, b }) => [a, b])) {
    const path = relative(folder, join(folder, name));
    if (isAbsolute(name) || path === '..' || path.startsWith(`..${sep}`))
      throw new CalibrationError(`${name} is outside the folder of the pictures.`);
  }
}
