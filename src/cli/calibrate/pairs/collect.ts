import { readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { CalibrationError } from '../usage-error.ts';
import { parsePairs } from './csv.ts';
import { makePairs } from './identities.ts';

/** What the service reads; whether a file is one, it finds out by the bytes. */
const PICTURE = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

/**
 * Collects the pairs to measure.
 *
 * @returns {pairs: [{a, b, same}], folder, personOf}: names are relative to the folder; `personOf` gives the person of a
 *   picture where the collection says it, else it is undefined.
 * @throws {CalibrationError} where there is nothing to measure, in words.
 */
export async function collectPairs({ pairs, images, identities, impostors, seed }) {
  const collected =
    pairs === undefined
      ? await collectIdentities(identities, { impostors, seed })
      : { pairs: parsePairs(await readPairs(pairs)), folder: images, personOf: undefined };
  await assertFolder(collected.folder);
  for (const same of [true, false]) {
    if (!collected.pairs.some((pair) => pair.same === same))
      throw new CalibrationError(
        `There are no pairs of ${same ? 'one person' : 'different people'}; both kinds are needed.`,
      );
  }
  assertInside(collected);
  return collected;
}

async function collectIdentities(folder, options) {
  await assertFolder(folder);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const people = await Promise.all(
    names.sort().map(async (person) => {
      const files = await readdir(join(folder, person));
      return files
        .filter((file) => PICTURE.test(file))
        .sort()
        .map((file) => `${person}/${file}`);
    }),
  );
  return {
    pairs: makePairs(
      people.filter((pictures) => pictures.length > 0),
      options,
    ),
    folder,
    personOf: (name) => name.slice(0, name.indexOf('/')),
  };
}

async function readPairs(path) {
  return readFile(path, 'utf8').catch((error) => {
    throw new CalibrationError(`${path} cannot be read (${error.code}).`);
  });
}

async function assertFolder(path) {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new CalibrationError(`${path} is not a folder.`);
}

/** A table from elsewhere must not make this command send other files of this machine to a service. */
function assertInside({ pairs, folder }) {
  for (const name of pairs.flatMap(({ a, b }) => [a, b])) {
    const way = relative(folder, join(folder, name));
    if (isAbsolute(name) || way === '..' || way.startsWith(`..${sep}`))
      throw new CalibrationError(`${name} leads out of the folder of the pictures.`);
  }
}
