import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../config/package.ts';
import { StartupError } from '../errors.ts';
import { CATALOGUE, type Catalogue, type CataloguePack } from './catalogue.ts';
import { hashFile } from './file-hash.ts';
import { readLicenceTitle } from './licence-title.ts';
import { MANIFEST_FILE, parseManifest } from './manifest.ts';
import {
  DETECTOR_PREPROCESSING,
  embeddingSpaceOf,
  type ModelFile,
  type ModelPack,
  RECOGNISER_INPUT_SIZE,
  RECOGNISER_PREPROCESSING,
} from './pack.ts';
import { PackInvalidError, PackMissingError } from './pack-errors.ts';
import { recogniseFiles } from './recognise-files.ts';

/** The pack that this project generates for itself; see models/synthetic/ at the repository's root. */
export const SYNTHETIC_PACK = 'synthetic';

const SYNTHETIC_FOLDER = fileURLToPath(new URL('models/synthetic/', PACKAGE_ROOT));

export interface ResolveOptions {
  /** A pack of the catalogue, `synthetic`, or a folder in `modelsDir`. */
  name: string;
  modelsDir: string;
  catalogue?: Catalogue;
  signal?: AbortSignal | undefined;
}

/**
 * Finds a pack on disk and verifies it: both files are hashed, and compared with what is known of them.
 *
 * @throws {PackMissingError} when files are not there.
 * @throws {PackInvalidError} when they are there but wrong; the sentence says which, and how.
 */
export async function resolvePack(options: ResolveOptions): Promise<ModelPack> {
  const { name, catalogue = CATALOGUE, signal } = options;
  const folder = packFolder(options);
  if (name === SYNTHETIC_PACK) return resolveSyntheticPack(signal);
  const published = catalogue.get(name);
  if (published) return resolveCataloguePack(published, folder, signal);
  return resolveFolder({ name, folder, signal });
}

/** Where a pack lies, or would lie. Absolute. */
export function packFolder({ name, modelsDir }: { name: string; modelsDir: string }): string {
  return resolve(modelsDir, name);
}

/** The folders in `modelsDir` that are neither in the catalogue nor synthetic, sorted. None where there is no such dir. */
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
 * Refuses a MODEL_NAME that no download and no waiting can bring.
 *
 * @throws {StartupError} saying what is accepted.
 */
export async function assertKnownPack(
  name: string,
  modelsDir: string,
  catalogue: Catalogue = CATALOGUE,
): Promise<void> {
  if (name === SYNTHETIC_PACK || catalogue.has(name)) return;
  const folders = await findPackFolders(modelsDir, catalogue);
  if (folders.includes(name)) return;
  const found = folders.length === 0 ? 'which has none besides' : `which has ${folders.join(', ')}`;
  throw new StartupError(
    `MODEL_NAME is ${JSON.stringify(name)}; accepted is ${[...catalogue.keys()].join(', ')}, ${SYNTHETIC_PACK}, ` +
      `or a folder in MODELS_DIR (${resolve(modelsDir)}), ${found}.`,
  );
}

/**
 * Resolves a folder that describes itself: by a version-2 manifest, else by its files.
 *
 * @throws like `resolvePack`.
 */
export async function resolveFolder(pack: {
  name: string;
  folder: string;
  signal?: AbortSignal | undefined;
}): Promise<ModelPack> {
  if (!(await isFolder(pack.folder))) throw new PackMissingError(`There is no folder ${pack.folder}.`);
  const text = await readFile(join(pack.folder, MANIFEST_FILE), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw new PackInvalidError(`${join(pack.folder, MANIFEST_FILE)} cannot be read (${error.code}).`);
  });
  try {
    const manifest = text === undefined ? undefined : parseManifest(text);
    return await (manifest ? resolveByManifest(pack, manifest) : resolveByFiles(pack));
  } catch (error) {
    if (!(error instanceof PackInvalidError)) throw error;
    throw new PackInvalidError(`The pack ${pack.name} is not usable. ${error.message}`);
  }
}

async function resolveCataloguePack(
  pack: CataloguePack,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<ModelPack> {
  const { detector, recogniser } = pack;
  const missing = await missingFiles(folder, [detector.name, recogniser.name]);
  if (missing.length > 0) {
    throw new PackMissingError(
      `The pack ${pack.name} is not complete: ${folder} has no ${missing.join(', no ')}.`,
    );
  }
  const [detectorFile, recogniserFile] = await Promise.all([
    verifyFile({ path: join(folder, detector.name), pin: detector.sha256, signal }),
    verifyFile({ path: join(folder, recogniser.name), pin: recogniser.sha256, signal }),
  ]);
  return {
    name: pack.name,
    origin: 'catalogue',
    licence: pack.licence,
    detector: { ...detectorFile, preprocessing: DETECTOR_PREPROCESSING },
    recogniser: {
      ...recogniserFile,
      preprocessing: RECOGNISER_PREPROCESSING,
      inputSize: RECOGNISER_INPUT_SIZE,
    },
    embeddingSpace: embeddingSpaceOf(pack.name, recogniserFile.sha256),
  };
}

async function resolveSyntheticPack(signal: AbortSignal | undefined): Promise<ModelPack> {
  const [detector, recogniser] = await Promise.all([
    verifyFile({ path: join(SYNTHETIC_FOLDER, 'detector.onnx'), signal }),
    verifyFile({ path: join(SYNTHETIC_FOLDER, 'recogniser.onnx'), signal }),
  ]);
  return {
    name: SYNTHETIC_PACK,
    origin: 'synthetic',
    licence: "Generated by this project, under the project's own licence. It recognises nobody.",
    detector: { ...detector, preprocessing: DETECTOR_PREPROCESSING },
    recogniser: { ...recogniser, preprocessing: RECOGNISER_PREPROCESSING, inputSize: RECOGNISER_INPUT_SIZE },
    embeddingSpace: embeddingSpaceOf(SYNTHETIC_PACK, recogniser.sha256),
  };
}

type Folder = Parameters<typeof resolveFolder>[0];

async function resolveByManifest(
  { name, folder, signal }: Folder,
  manifest: NonNullable<ReturnType<typeof parseManifest>>,
): Promise<ModelPack> {
  const { detection, recognition } = manifest.tasks;
  const [detectorPath, recogniserPath] = await Promise.all([
    pathInside(folder, detection.file, 'tasks.detection.file'),
    pathInside(folder, recognition.file, 'tasks.recognition.file'),
  ]);
  const [detector, recogniser, licence] = await Promise.all([
    verifyFile({ path: detectorPath, pin: detection.sha256, signal }),
    verifyFile({ path: recogniserPath, pin: recognition.sha256, signal }),
    describeLicence(folder, manifest.license),
  ]);
  const recipe = { preprocessing: recognition.preprocessing, inputSize: recognition.input_size };
  return {
    name,
    origin: 'manifest',
    licence,
    detector: { ...detector, preprocessing: detection.preprocessing },
    recogniser: { ...recogniser, ...recipe, embeddingSize: recognition.embedding_dimension },
    embeddingSpace: embeddingSpaceOf(name, recogniser.sha256, recipe),
  };
}

/** A pack whose licence was lost on the way still loads; who asks for its licence is told. */
async function describeLicence(folder: string, file: string): Promise<string> {
  const isThere = await stat(join(folder, file)).then(
    () => true,
    () => false,
  );
  if (!isThere) return `Unknown: ${MANIFEST_FILE} names ${file}, which is not in the folder of the pack.`;
  const title = await readLicenceTitle(await pathInside(folder, file, 'license'));
  return title === undefined
    ? `See ${file} in the folder of the pack.`
    : `${title} (${file} in the folder of the pack)`;
}

async function resolveByFiles({ name, folder, signal }: Folder): Promise<ModelPack> {
  const found = await recogniseFiles(folder);
  const [detector, recogniser] = await Promise.all([
    verifyFile({ path: join(folder, found.detector), signal }),
    verifyFile({ path: join(folder, found.recogniser), signal }),
  ]);
  return {
    name,
    origin: 'folder',
    licence: 'Unknown to this service: the pack is a folder of this installation.',
    detector: { ...detector, preprocessing: DETECTOR_PREPROCESSING },
    recogniser: {
      ...recogniser,
      preprocessing: found.recogniserPreprocessing,
      inputSize: found.recogniserInputSize,
    },
    embeddingSpace: embeddingSpaceOf(name, recogniser.sha256),
  };
}

async function verifyFile({
  path,
  pin,
  signal,
}: {
  path: string;
  pin?: string | undefined;
  signal?: AbortSignal | undefined;
}): Promise<Omit<ModelFile, 'preprocessing'>> {
  const { bytes, sha256 } = await hashFile(path, signal).catch((error) => {
    signal?.throwIfAborted();
    throw new PackInvalidError(`${path} cannot be read (${error.code ?? error.message}).`);
  });
  if (pin !== undefined && sha256 !== pin) {
    throw new PackInvalidError(
      `${path} (${bytes} bytes) has the SHA-256 ${sha256}, expected is ${pin}. It is not loaded.`,
    );
  }
  return { path, bytes, sha256, pinned: pin !== undefined };
}

/** A link may lead to another place inside the pack, never out of it. */
async function pathInside(folder: string, file: string, member: string): Promise<string> {
  const path = join(folder, file);
  const real = await realpath(path).catch((error) => {
    throw new PackInvalidError(
      `${MANIFEST_FILE}: ${member} names ${file}, which cannot be read (${error.code}).`,
    );
  });
  const way = relative(await realpath(folder), real);
  if (way.startsWith('..') || isAbsolute(way)) {
    throw new PackInvalidError(`${MANIFEST_FILE}: ${member} names ${file}, which is a link out of the pack.`);
  }
  return path;
}

async function missingFiles(folder: string, names: string[]): Promise<string[]> {
  const found = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        () => true,
        (error) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
      ),
    ),
  );
  return names.filter((_, index) => !found[index]);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
