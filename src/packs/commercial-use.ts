import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../errors.ts';
import { CATALOGUE, type Catalogue } from './catalogue.ts';
import { hashFile } from './file-hash.ts';
import { LIVENESS_CATALOGUE } from './liveness/catalogue.ts';
import { MANIFEST_FILE, parseManifest } from './manifest.ts';
import { packFolder, SYNTHETIC_PACK } from './pack-folders.ts';
import { type CommercialUse, type Provenance, UNKNOWN_TRAINING_DATA } from './provenance.ts';

/** Why a use other than `allowed` is refused. */
const REASONS: Record<Exclude<CommercialUse, 'allowed'>, string> = {
  disputed:
    'The licence of the weights allows it, but the data that they were trained with has terms that exclude it, or is not disclosed.',
  unknown: 'The pack does not say.',
  excluded: 'The licence of the weights excludes it.',
};

/**
 * Checks at startup that commercial use of a pack is allowed. `disputed` is refused, too: whether the terms of training data bind
 * the weights is for the operator to decide, who then starts without the check or says so in a manifest.
 *
 * @throws {StartupError} saying why it is not.
 */
export function assertCommercialUse(pack: { name: string; modelsDir: string; catalogue?: Catalogue }): void {
  const { commercialUse: use, licence, trainingData } = statedBy(pack);
  if (use === 'allowed') return;
  const stated = [licence && `Licence: ${licence}`, `Training data: ${trainingData}`]
    .filter(Boolean)
    .join(' ');
  throw new StartupError(
    `REQUIRE_COMMERCIAL_WEIGHTS is true, and the commercial use of ${pack.name} is ${use}. ${REASONS[use]} ${stated} ` +
      'Accepted is a pack whose commercial use is "allowed"; a pack of your own says so in its manifest.json (docs/MODELS.md).',
  );
}

/**
 * Checks that a pack which says of itself that commercial use is allowed has no network of which the catalogue knows better: a file
 * with the hash of a published network is that network, whatever a manifest says.
 *
 * @throws {StartupError} naming the file and the pack that it is of.
 */
export async function assertNoExcludedNetwork({
  name,
  modelsDir,
  catalogue = CATALOGUE,
}: Parameters<typeof assertCommercialUse>[0]): Promise<void> {
  if (name === SYNTHETIC_PACK || catalogue.has(name)) return;
  const folder = packFolder({ name, modelsDir });
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  for (const file of entries.filter((entry) => entry.toLowerCase().endsWith('.onnx'))) {
    // A file that cannot be read is reported when the pack is loaded.
    const found = await hashFile(join(folder, file)).catch(() => undefined);
    const published = [...catalogue.values()].find(
      ({ commercialUse, detector, recogniser }) =>
        commercialUse === 'excluded' && [detector, recogniser].some(({ sha256 }) => sha256 === found?.sha256),
    );
    if (published)
      throw new StartupError(
        `REQUIRE_COMMERCIAL_WEIGHTS is true, and ${file} of ${name} is a network of ${published.name}, whose commercial use is ` +
          `excluded. Licence: ${published.licence}`,
      );
  }
}

/**
 * Checks the same of a liveness network that the catalogue has. Of files that the operator brings, nothing is known here: they are
 * the operator's to judge.
 *
 * @param model the value of LIVENESS_MODEL.
 * @throws {StartupError} saying why it is not.
 */
export function assertCommercialLiveness(model: string): void {
  const published = LIVENESS_CATALOGUE.get(model);
  if (published === undefined || published.commercialUse === 'allowed') return;
  const { commercialUse: use, licence } = published;
  throw new StartupError(
    `REQUIRE_COMMERCIAL_WEIGHTS is true, and the commercial use of the liveness model ${model} is ${use}. ${REASONS[use]} ` +
      `Licence: ${licence} Accepted for LIVENESS_MODEL are files of your own.`,
  );
}

/** What the catalogue or a manifest says. A pack that is not installed says nothing. */
function statedBy({
  name,
  modelsDir,
  catalogue = CATALOGUE,
}: Parameters<typeof assertCommercialUse>[0]): Omit<Provenance, 'licence'> & { licence?: string } {
  if (name === SYNTHETIC_PACK) return { trainingData: 'None.', commercialUse: 'allowed' };
  const published = catalogue.get(name);
  if (published) return published;
  const path = join(packFolder({ name, modelsDir }), MANIFEST_FILE);
  try {
    const manifest = existsSync(path) ? parseManifest(readFileSync(path, 'utf8')) : undefined;
    return {
      trainingData: manifest?.training_data ?? UNKNOWN_TRAINING_DATA,
      commercialUse: manifest?.commercial_use ?? 'unknown',
    };
  } catch {
    // What is wrong with the manifest is said when the pack is loaded.
    return { trainingData: UNKNOWN_TRAINING_DATA, commercialUse: 'unknown' };
  }
}
