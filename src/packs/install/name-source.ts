import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Catalogue } from '../catalogue.ts';
import { MANIFEST_FILE, parseManifest } from '../manifest.ts';
import { PackInvalidError } from '../pack-errors.ts';
import { isFolder } from '../pack-folders.ts';
import { isNetwork, packsWith } from './install-file.ts';

/**
 * The name under which a folder, an archive or a file is installed that comes without one: a network by the pack of the catalogue
 * of which it is a part, a folder by its manifest, anything else by its own name.
 *
 * @throws {PackMissingError} when it cannot be read.
 * @throws {PackInvalidError} for a network that is a part of no pack, or of several.
 */
export async function nameSource(from: string, catalogue: Catalogue): Promise<string> {
  if (isNetwork(from)) return nameOfNetwork(from, catalogue);
  const name = basename(resolve(from)).replace(/\.zip$/i, '');
  if (catalogue.has(name) || !(await isFolder(from))) return name;
  const text = await readFile(join(from, MANIFEST_FILE), 'utf8').catch(() => undefined);
  return (text === undefined ? undefined : parseManifest(text)?.model_id) ?? name;
}

async function nameOfNetwork(from: string, catalogue: Catalogue): Promise<string> {
  const [name, ...others] = await packsWith(from, catalogue.values());
  if (name === undefined) {
    throw new PackInvalidError(
      `${from} is a part of no pack of the catalogue (${[...catalogue.keys()].join(', ')}). ` +
        'Put it into a folder with the other network of its pack, and install the folder.',
    );
  }
  if (others.length > 0) {
    throw new PackInvalidError(
      `${from} is a part of ${[name, ...others].join(' and of ')}. Say which: install <pack> --from ${from}`,
    );
  }
  return name;
}
