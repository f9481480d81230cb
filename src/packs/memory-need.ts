import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOGUE, type Catalogue, type MemoryNeed } from './catalogue.ts';
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

/** The weights of a pack, in MiB. */
export function weightsOf({ name, modelsDir, catalogue = CATALOGUE }: Options): number {
  const published = catalogue.get(name);
  const bytes = published
    ? published.detector.bytes + published.recogniser.bytes
    : bytesIn(packFolder({ name, modelsDir }));
  return bytes / 2 ** 20;
}

/** Files of a pack may lie in folders of the pack. */
function bytesIn(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.toLowerCase().endsWith('.onnx'))
      .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  } catch {
    // What is wrong with the folder is found when the pack is loaded.
    return 0;
  }
}
