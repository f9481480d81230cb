import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StartupError } from '../errors.ts';
import { CATALOGUE, type Catalogue } from './catalogue.ts';

/** The pack that this project generates; see models/synthetic/ at the repository's root. */
export const SYNTHETIC_PACK = 'synthetic';

/** The absolute path at which a pack is, or would be, installed. */
export function packFolder({ name, modelsDir }: { name: string; modelsDir: string }): string {
  return resolve(modelsDir, name);
}

/** The sorted names of folders in `modelsDir` that are neither in the catalogue nor synthetic. */
export async function findPackFolders(
  modelsDir: string,
  catalogue: Catalogue = CATALOGUE,
): Promise<string[]> {
  const names = await readdir(modelsDir).catch(() => []);
  const others = names.filter(
    (name) => !name.startsWith('.') && name !== SYNTHETIC_PACK && !catalogue.has(name),
  );
  const areFolders = await Promise.all(others.map((name) => isFolder(join(modelsDir, name))));
  return others.filter((_, index) => areFolders[index]).sort();
}

/**
 * Checks at startup that a pack of this name can be loaded or downloaded.
 *
 * @throws {StartupError} naming the accepted values of MODEL_NAME.
 */
export async function assertKnownPack(
  name: string,
  modelsDir: string,
  catalogue: Catalogue = CATALOGUE,
): Promise<void> {
  if (name === SYNTHETIC_PACK || catalogue.has(name)) return;
  const folders = await findPackFolders(modelsDir, catalogue);
  if (folders.includes(name)) return;
  const found = folders.length === 0 ? 'which has no other' : `which has ${folders.join(', ')}`;
  throw new StartupError(
    `MODEL_NAME is ${JSON.stringify(name)}; accepted is ${[...catalogue.keys()].join(', ')}, ${SYNTHETIC_PACK}, ` +
      `or a folder in MODELS_DIR (${resolve(modelsDir)}), ${found}.`,
  );
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
