import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { installedBytes } from './catalogue/published-pack.ts';
import { CATALOGUE, type Catalogue, type MemoryNeed } from './catalogue.ts';
import { MANIFEST_FILE, parseManifest } from './manifest.ts';
import { packFolder, SYNTHETIC_PACK } from './pack-folders.ts';

/** Measured like those of the catalogue. */
const SYNTHETIC_NEED: MemoryNeed = { first: 130, further: 25 };

/** The process and one worker of the smallest pack without its weights, and what a network's memory grows with its weights, in MiB. */
const ESTIMATE = { first: 200, further: 60 };

interface Options {
  name: string;
  modelsDir: string;
  catalogue?: Catalogue;
}

/** The memory that the service needs with a pack whose networks are prepared: measured, or estimated from the sizes of its files. */
export function memoryNeedOf(options: Options): MemoryNeed {
  const { name, catalogue = CATALOGUE } = options;
  if (name === SYNTHETIC_PACK) return SYNTHETIC_NEED;
  const published = catalogue.get(name);
  if (published) return published.memory;
  return { first: Math.ceil(ESTIMATE.first + weightsOf(options)), further: ESTIMATE.further };
}

/** What preparing takes beside the weights, and how many copies of them there are then: measured on a stand-in of `buffalo_l`. */
const PREPARING = { rest: 250, copies: 3 };

/** MiB that the first start needs, which prepares the networks. */
export function preparingNeedOf(options: Options): number {
  if (options.name === SYNTHETIC_PACK) return 0;
  return Math.ceil(PREPARING.rest + PREPARING.copies * weightsOf(options));
}

/**
 * What a session takes that is loaded from the pack, as a multiple of the weights: while it is created, the file's bytes, the
 * numbers that were read from them, and the blocked layout. All workers start at the same time.
 */
const COPIES_OF_WEIGHTS = 3;

/**
 * The memory that the service needs with a pack whose networks are not prepared: each session has weights of its own, in the
 * place of those that all share.
 *
 * @param sessions of each network in the first worker.
 */
export function unpreparedNeedOf(options: Options, sessions: number): MemoryNeed {
  const { first, further } = memoryNeedOf(options);
  if (options.name === SYNTHETIC_PACK) return { first, further };
  const weights = weightsOf(options);
  const copy = COPIES_OF_WEIGHTS * weights;
  return { first: Math.ceil(first - weights + sessions * copy), further: Math.ceil(further + copy) };
}

/** The weights of a pack, in MiB: of a folder without a manifest, those of its largest network. */
function weightsOf({ name, modelsDir, catalogue = CATALOGUE }: Options): number {
  const published = catalogue.get(name);
  const bytes = published ? installedBytes(published) : bytesOf(packFolder({ name, modelsDir }));
  return bytes / 2 ** 20;
}

function bytesOf(folder: string): number {
  try {
    const described = filesOfManifest(folder);
    const files = described ?? readdirSync(folder).filter((file) => file.toLowerCase().endsWith('.onnx'));
    const sizes = files.map((file) => statSync(join(folder, file)).size);
    // A folder may have networks for landmarks or age as well, which are not loaded; the recogniser is the largest.
    return described ? sizes.reduce((sum, size) => sum + size, 0) : Math.max(0, ...sizes);
  } catch {
    // What is wrong with the folder is found when the pack is loaded.
    return 0;
  }
}

/** @throws {Error} what is wrong with the manifest. */
function filesOfManifest(folder: string): string[] | undefined {
  const path = join(folder, MANIFEST_FILE);
  const manifest = existsSync(path) ? parseManifest(readFileSync(path, 'utf8')) : undefined;
  if (manifest === undefined) return undefined;
  const { detection, recognition } = manifest.tasks;
  return [detection, detection.landmarks, recognition].flatMap((task) => task?.file ?? []);
}
