import { randomUUID } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { packFolder } from '../pack-folders.ts';
import { discard } from './storage.ts';

/** A running installation changes its files more often than this, also on a slow disk. */
const ABANDONED_AFTER_MS = 60 * 60_000;

const ID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const STAGED = new RegExp(`^((${ID}\\.)?(staged|unpacked)|lock\\.${ID})$`);
const PARTIAL = /^(zip|tgz|[0-9a-f]{16})\.partial(\.json)?$/;
const INSTALLING = new RegExp(`^\\..+\\.(${ID}\\.)?installing$`);

interface PackLocation {
  name: string;
  modelsDir: string;
}

/**
 * The file of a download: an archive, a package, or one file by the start of its SHA-256. Its name is always the same, so that the
 * next attempt continues it.
 */
export function partialPath(
  { name, modelsDir }: PackLocation,
  kind: 'zip' | 'tgz' | { sha256: string },
): string {
  const id = typeof kind === 'string' ? kind : kind.sha256.slice(0, 16);
  return resolve(modelsDir, `.${name}.${id}.partial`);
}

/**
 * A new name for a folder or file that becomes the final one by renaming. A process that was suspended, and has lost its lock, cannot
 * write into those of its successor.
 */
export function temporaryName(kind: 'staged' | 'unpacked' | 'installing', name: string): string {
  return `.${name}.${randomUUID()}.${kind}`;
}

/** Removes what killed installations of a pack left. Only for the holder of the pack's lock. */
export async function removeLeftovers(pack: PackLocation): Promise<void> {
  await discard(...(await leftoversOf(pack, [STAGED])));
}

/** Removes the downloads of a pack that are not needed any more. Only for the holder of the pack's lock. */
export async function removePartials(pack: PackLocation): Promise<void> {
  await discard(...(await leftoversOf(pack, [PARTIAL])));
}

/** Removes what killed installations and downloads of an installed pack left, if it is old. Needs no lock. */
export async function removeOldLeftovers(pack: PackLocation): Promise<void> {
  const paths = await leftoversOf(pack, [STAGED, PARTIAL]);
  const before = Date.now() - ABANDONED_AFTER_MS;
  const areOld = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs < before,
        () => false,
      ),
    ),
  );
  await discard(...paths.filter((_, index) => areOld[index]));
}

async function leftoversOf({ name, modelsDir }: PackLocation, patterns: RegExp[]): Promise<string[]> {
  const prefix = `.${name}.`;
  const isLeftover = (entry: string) =>
    entry.startsWith(prefix) && patterns.some((pattern) => pattern.test(entry.slice(prefix.length)));
  const folder = packFolder({ name, modelsDir });
  return [
    ...(await entriesOf(modelsDir)).filter(isLeftover).map((entry) => resolve(modelsDir, entry)),
    ...(await entriesOf(folder))
      .filter((entry) => INSTALLING.test(entry))
      .map((entry) => join(folder, entry)),
  ];
}

async function entriesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
