import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../config/package.ts';
import { filesOf } from './catalogue/published-pack.ts';
import { CATALOGUE, type Catalogue, type CataloguePack, type PublishedFile } from './catalogue.ts';
import { hashFile } from './file-hash.ts';
import { detectorFamilyOf, identifyFiles } from './identify-files.ts';
import { MANIFEST_FILE, type Manifest, parseManifest } from './manifest.ts';
import { describeLicence, pathInside } from './manifest-files.ts';
import {
  type ColourProfiles,
  DETECTOR_PREPROCESSING,
  type DetectorFamily,
  type DetectorFile,
  embeddingSpaceOf,
  LANDMARKS_PREPROCESSING,
  type ModelFile,
  type ModelPack,
  type RecogniserFile,
  STANDARD_DETECTOR,
  STANDARD_RECOGNISER,
  withColourProfiles,
} from './pack.ts';
import { PackInvalidError, PackMissingError } from './pack-errors.ts';
import { isFolder, packFolder, SYNTHETIC_PACK } from './pack-folders.ts';
import { type Provenance, UNKNOWN_TRAINING_DATA } from './provenance.ts';

const SYNTHETIC_FOLDER = fileURLToPath(new URL('models/synthetic/', PACKAGE_ROOT));

export interface ResolveOptions {
  /** A pack of the catalogue, `synthetic`, or a folder in `modelsDir`. */
  name: string;
  modelsDir: string;
  catalogue?: Catalogue;
  /** How colours are read, which is part of the embedding space. */
  colourProfiles?: ColourProfiles | undefined;
  signal?: AbortSignal | undefined;
  isPrepared?: IsPrepared | undefined;
}

/** Whether the file with this hash is at hand in another form, so that it is not read again: it may have hundreds of megabytes. */
type IsPrepared = (sha256: string) => Promise<boolean>;

/**
 * Finds a pack on disk and verifies it: both files are hashed, and compared with the expected hashes if there are any. A file whose
 * expected hash is prepared only has to exist.
 *
 * @throws {PackMissingError} when files are missing.
 * @throws {PackInvalidError} when a file is wrong; the message says which one and why.
 */
export async function resolvePack(options: ResolveOptions): Promise<ModelPack> {
  return withColourProfiles(await findPack(options), options.colourProfiles);
}

async function findPack(options: ResolveOptions): Promise<ModelPack> {
  const { name, catalogue = CATALOGUE } = options;
  const folder = packFolder(options);
  if (name === SYNTHETIC_PACK) return resolveSyntheticPack(options);
  const published = catalogue.get(name);
  if (published) return resolvePublishedPack(published, folder, options);
  return resolveFolder({ ...options, folder });
}

interface Verification extends Pick<ResolveOptions, 'signal' | 'isPrepared'> {}

interface PackFolder extends Verification {
  name: string;
  folder: string;
}

/**
 * Resolves a folder that is not a pack of the catalogue: by its version-2 manifest, or by its files if it has none.
 *
 * @throws like `resolvePack`.
 */
export async function resolveFolder(pack: PackFolder): Promise<ModelPack> {
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

async function resolvePublishedPack(
  pack: CataloguePack,
  folder: string,
  verification: Verification,
): Promise<ModelPack> {
  const { name, licence, trainingData, commercialUse, detector, recogniser } = pack;
  const missing = await missingFiles(
    folder,
    filesOf(pack).map((file) => file.name),
  );
  if (missing.length > 0) {
    throw new PackMissingError(
      `The pack ${name} is not complete: ${folder} has no ${missing.join(', no ')}.`,
    );
  }
  const at = ({ name: file, sha256 }: PublishedFile) => ({ path: join(folder, file), pin: sha256 });
  const { landmarks } = detector;
  const networks = {
    detector: {
      ...at(detector),
      family: detector.family,
      preprocessing: detector.preprocessing,
      inputSize: detector.inputSize,
      ...(landmarks && { landmarks: { ...at(landmarks), preprocessing: landmarks.preprocessing } }),
    },
    recogniser: {
      ...at(recogniser),
      preprocessing: recogniser.preprocessing,
      channelOrder: recogniser.channelOrder,
      inputSize: recogniser.inputSize,
      embeddingSize: recogniser.embeddingSize,
    },
  };
  return verifyPack(
    { name, origin: 'catalogue', licence, trainingData, commercialUse, ...networks },
    verification,
  );
}

async function resolveSyntheticPack(verification: Verification): Promise<ModelPack> {
  return verifyPack(
    {
      name: SYNTHETIC_PACK,
      origin: 'synthetic',
      licence: "Generated by this project, under the project's own licence. It recognises nobody.",
      trainingData: 'None.',
      commercialUse: 'allowed',
      detector: { ...STANDARD_DETECTOR, path: join(SYNTHETIC_FOLDER, 'detector.onnx') },
      recogniser: { ...STANDARD_RECOGNISER, path: join(SYNTHETIC_FOLDER, 'recogniser.onnx') },
    },
    verification,
  );
}

async function resolveByManifest(
  { name, folder, ...verification }: PackFolder,
  manifest: Manifest,
): Promise<ModelPack> {
  const { license, tasks, provenance } = manifest;
  const { detection, recognition } = tasks;
  const detectorPath = await pathInside(folder, detection.file, 'tasks.detection.file');
  const family = detection.family ?? (await detectorFamilyOf(detectorPath)) ?? STANDARD_DETECTOR.family;
  const detector = {
    path: detectorPath,
    pin: detection.sha256,
    family,
    preprocessing: detection.preprocessing ?? DETECTOR_PREPROCESSING[family],
    ...(await describeLandmarks(folder, family, detection.landmarks)),
  };
  const recogniser = {
    path: await pathInside(folder, recognition.file, 'tasks.recognition.file'),
    pin: recognition.sha256,
    preprocessing: recognition.preprocessing,
    inputSize: recognition.input_size,
    embeddingSize: recognition.embedding_dimension,
    channelOrder: recognition.channel_order,
    ...(recognition.alignment && { alignment: recognition.alignment }),
  };
  const licence = await describeLicence(folder, license);
  const weightBits = provenance?.weight_bits;
  const stated = {
    licence,
    trainingData: manifest.training_data ?? UNKNOWN_TRAINING_DATA,
    commercialUse: manifest.commercial_use ?? 'unknown',
  };
  return verifyPack({ name, origin: 'manifest', ...stated, weightBits, detector, recogniser }, verification);
}

/** The second network of a detector that needs one. */
async function describeLandmarks(
  folder: string,
  family: DetectorFamily,
  described: Manifest['tasks']['detection']['landmarks'],
): Promise<{ landmarks?: Unverified<ModelFile> }> {
  if (family !== 'rfb') return {};
  const member = 'tasks.detection.landmarks';
  if (described === undefined)
    throw new PackInvalidError(`${MANIFEST_FILE}: ${member} is missing, which the family rfb needs.`);
  const path = await pathInside(folder, described.file, `${member}.file`);
  return { landmarks: { path, pin: described.sha256, preprocessing: LANDMARKS_PREPROCESSING } };
}

async function resolveByFiles({ name, folder, ...verification }: PackFolder): Promise<ModelPack> {
  const { detector, family, landmarks, recogniser, recogniserPreprocessing } = await identifyFiles(folder);
  return verifyPack(
    {
      name,
      origin: 'folder',
      licence: 'Unknown to this service: the pack is a folder of this installation.',
      trainingData: UNKNOWN_TRAINING_DATA,
      commercialUse: 'unknown',
      detector: {
        path: join(folder, detector),
        family,
        preprocessing: DETECTOR_PREPROCESSING[family],
        ...(landmarks && {
          landmarks: { path: join(folder, landmarks), preprocessing: LANDMARKS_PREPROCESSING },
        }),
      },
      recogniser: {
        ...STANDARD_RECOGNISER,
        path: join(folder, recogniser),
        preprocessing: recogniserPreprocessing,
      },
    },
    verification,
  );
}

/** A file that has not been hashed. */
type Unverified<File extends ModelFile> = Omit<File, 'bytes' | 'sha256' | 'pinned'> & {
  /** The expected SHA-256, if it is known. */
  pin?: string | undefined;
};

interface UnverifiedPack extends Pick<ModelPack, 'name' | 'origin' | 'weightBits' | keyof Provenance> {
  detector: Unverified<Omit<DetectorFile, 'landmarks'>> & { landmarks?: Unverified<ModelFile> };
  recogniser: Unverified<RecogniserFile>;
}

async function verifyPack(pack: UnverifiedPack, verification: Verification): Promise<ModelPack> {
  const { landmarks, ...boxes } = pack.detector;
  const [detector, points, recogniser] = await Promise.all([
    verifyFile(boxes, verification),
    landmarks && verifyFile(landmarks, verification),
    verifyFile(pack.recogniser, verification),
  ]);
  const detectorFamily = detector.family;
  // Only a manifest can change what the recogniser sees. With any other pack that follows from its file, which is hashed anyway.
  const recipe =
    pack.origin === 'manifest'
      ? { ...recogniser, detectorFamily }
      : { ...STANDARD_RECOGNISER, detectorFamily };
  const embeddingSpace = embeddingSpaceOf(pack.name, recogniser.sha256, recipe);
  return {
    ...pack,
    detector: { ...detector, ...(points && { landmarks: points }) },
    recogniser,
    embeddingSpace,
  };
}

async function verifyFile<File extends Unverified<ModelFile>>(
  { pin, ...file }: File,
  { signal, isPrepared }: Verification,
) {
  const prepared = pin !== undefined && (await isPrepared?.(pin));
  const stats = prepared ? await stat(file.path).catch(() => undefined) : undefined;
  const measure = stats?.isFile()
    ? { bytes: stats.size, sha256: pin as string }
    : hashFile(file.path, signal);
  const { bytes, sha256 } = await Promise.resolve(measure).catch((error) => {
    signal?.throwIfAborted();
    throw new PackInvalidError(`${file.path} cannot be read (${error.code ?? error.message}).`);
  });
  if (pin !== undefined && sha256 !== pin) {
    throw new PackInvalidError(
      `${file.path} (${bytes} bytes) has the SHA-256 ${sha256}, expected is ${pin}. It is not loaded.`,
    );
  }
  return { ...file, bytes, sha256, pinned: pin !== undefined };
}

/** A file that exists but cannot be examined is not missing: reading it fails with a message that says why. */
async function missingFiles(folder: string, names: string[]): Promise<string[]> {
  const exist = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        () => true,
        (error) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
      ),
    ),
  );
  return names.filter((_, index) => !exist[index]);
}
