import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { PackInvalidError, PackMissingError } from '../pack-errors.ts';
import { isFolder } from '../pack-folders.ts';
import { LIVENESS_CATALOGUE, type LivenessCatalogue, type PublishedLiveness } from './catalogue.ts';
import { identifyNetwork, type LivenessFamily, type LivenessNetwork } from './identify-network.ts';

/** One network, found on disk, hashed, and identified. */
export interface LivenessFile extends LivenessNetwork {
  /** Absolute path. */
  path: string;
  bytes: number;
  /** Lower-case hex SHA-256. */
  sha256: string;
  /** Whether the hash was compared with that of the catalogue. */
  pinned: boolean;
}

/** What scores the liveness of faces: one network, or MiniFASNet's pair, whose scores are averaged. */
export interface LivenessWeights {
  /** The family and 12 hex digits of the hash: scores, and thresholds for them, belong to one model. */
  model: string;
  family: LivenessFamily;
  /** The licence of the weights, as a sentence for operators. */
  licence: string;
  /** The smallest crop first. */
  files: readonly LivenessFile[];
}

export interface LivenessLocation {
  /** The value of LIVENESS_MODEL: a name of the catalogue, a file, files separated by commas, or a folder. */
  model: string;
  /** What names and paths are relative to. */
  modelsDir: string;
  catalogue?: LivenessCatalogue;
}

/**
 * Finds the networks that LIVENESS_MODEL names.
 *
 * @throws {PackMissingError} when a file is missing.
 * @throws {PackInvalidError} when a file is not a network that this service knows, has another hash than the catalogue's, or
 *   does not go with the others.
 */
export async function resolveLiveness({
  model,
  modelsDir,
  catalogue = LIVENESS_CATALOGUE,
}: LivenessLocation): Promise<LivenessWeights> {
  const published = catalogue.get(model);
  const paths = published ? [publishedPath(published, modelsDir)] : await pathsOf(model, modelsDir);
  const files = await Promise.all(paths.map((path) => readNetwork(path, published)));
  files.sort((p, q) => (p.boxes ?? 0) - (q.boxes ?? 0));
  const family = familyOf(files);
  const licence =
    published?.licence ?? 'Unknown to this service: the files are brought by this installation.';
  return { model: modelName(family, files), family, licence, files };
}

/** Where a network of the catalogue is, or would be, installed. */
export function publishedPath({ name, file }: PublishedLiveness, modelsDir: string): string {
  return join(resolve(modelsDir), name, file.name);
}

async function pathsOf(model: string, modelsDir: string): Promise<string[]> {
  const parts = model.split(',').map((part) => resolve(modelsDir, part.trim()));
  const [first = ''] = parts;
  if (parts.length > 1 || !(await isFolder(first))) return parts;
  const names = (await readdir(first)).filter((name) => name.toLowerCase().endsWith('.onnx')).sort();
  if (names.length === 0) throw new PackMissingError(`The folder ${first} has no .onnx file.`);
  return names.map((name) => join(first, name));
}

async function readNetwork(path: string, published: PublishedLiveness | undefined): Promise<LivenessFile> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new PackInvalidError(`${path} cannot be read (${error.code}).`);
    const source = published ? ` ${published.name} is published at ${published.sources.join(' and ')}.` : '';
    throw new PackMissingError(`There is no file ${path}.${source}`);
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (published && sha256 !== published.file.sha256) {
    throw new PackInvalidError(
      `${path} (${bytes.length} bytes) has the SHA-256 ${sha256}, expected is ${published.file.sha256}. It is not loaded.`,
    );
  }
  return { ...identifyNetwork(bytes, path), path, bytes: bytes.length, sha256, pinned: Boolean(published) };
}

/** @throws {PackInvalidError} unless there is one file, or MiniFASNet's two. */
function familyOf(files: readonly LivenessFile[]): LivenessFamily {
  const [first, second, ...more] = files;
  const isPair =
    first?.family === 'minifasnet' && second?.family === 'minifasnet' && first.boxes !== second.boxes;
  if (first === undefined || more.length > 0 || (second !== undefined && !isPair)) {
    const found = files.map(
      ({ path, family, boxes }) => `${basename(path)} (${family}${boxes ? `, ${boxes}` : ''})`,
    );
    throw new PackInvalidError(
      `LIVENESS_MODEL has to be one network, or MiniFASNet's two (crops of 2.7 and 4 boxes), and names ${found.join(', ')}.`,
    );
  }
  return first.family;
}

/** That of a pair is hashed from those of its files. */
export function modelName(family: LivenessFamily, files: readonly Pick<LivenessFile, 'sha256'>[]): string {
  const hashes = files.map(({ sha256 }) => sha256);
  const [first = '', ...others] = hashes;
  const hash = others.length === 0 ? first : createHash('sha256').update(hashes.join(' ')).digest('hex');
  return `${family}:${hash.slice(0, 12)}`;
}
