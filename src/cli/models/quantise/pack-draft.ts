import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { VERSION } from '../../../config/package.ts';
import { hashFile } from '../../../packs/file-hash.ts';
import { writing } from '../../../packs/install/storage.ts';
import { MANIFEST_FILE, parseManifest } from '../../../packs/manifest.ts';
import type { ModelFile, ModelPack } from '../../../packs/pack.ts';
import { packFolder } from '../../../packs/pack-folders.ts';
import type { Network } from './options.ts';

const LICENCE_FILE = 'MODEL.LICENSE';

/** What a quantised pack says about its origin, in the member `provenance` of its manifest. */
export interface Provenance {
  weightBits: number;
  calibration: { pictures: number; faces: number };
}

/**
 * Writes a pack with quantised networks to a folder: the networks, the licence of the weights, and a manifest of version 2 with the hashes
 * of the files. A network that is not quantised is copied.
 *
 * @param embeddingSize numbers in one embedding.
 */
export async function writeDraft(
  folder: string,
  source: { pack: ModelPack; modelsDir: string; embeddingSize: number },
  graphs: Partial<Record<Network, Uint8Array>>,
  provenance: Provenance,
): Promise<void> {
  const { pack } = source;
  await writing(folder, () => mkdir(folder, { recursive: true }));
  const place = async (network: Network) => {
    const { path } = pack[network];
    const graph = graphs[network];
    const name = graph ? basename(path).replace(/\.onnx$/i, '.int8.onnx') : basename(path);
    const target = join(folder, name);
    await writing(target, () => (graph ? writeFile(target, graph) : copyFile(path, target)));
    return { file: name, sha256: (await hashFile(target)).sha256 };
  };
  const detector = await place('detector');
  const recogniser = await place('recogniser');
  const original = await readOriginal(source);
  await writing(folder, () => writeFile(join(folder, LICENCE_FILE), original.licence));
  const { inputSize } = pack.recogniser;
  const manifest = {
    manifest_version: 2,
    model_id: `${pack.name}-int8`,
    license: LICENCE_FILE,
    training_data: pack.trainingData,
    commercial_use: pack.commercialUse,
    tasks: {
      detection: { ...original.detection, ...detector, preprocessing: preprocessingOf(pack.detector) },
      recognition: {
        ...original.recognition,
        ...recogniser,
        preprocessing: preprocessingOf(pack.recogniser),
        input_size: [inputSize, inputSize],
        embedding_dimension: source.embeddingSize,
      },
    },
    provenance: {
      made_by: `face-embedding-service ${VERSION}, npm run models -- quantise`,
      created: new Date().toISOString(),
      source: {
        pack: pack.name,
        embedding_space: pack.embeddingSpace,
        detector_sha256: pack.detector.sha256,
        recogniser_sha256: pack.recogniser.sha256,
      },
      quantised: Object.keys(graphs),
      weight_bits: provenance.weightBits,
      calibration: provenance.calibration,
    },
  };
  await writeManifest(folder, manifest);
}

/** Adds what was measured to the provenance of a draft. */
export async function addFigures(folder: string, figures: object): Promise<void> {
  const manifest = JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8'));
  Object.assign(manifest.provenance, figures);
  await writeManifest(folder, manifest);
}

async function writeManifest(folder: string, manifest: object): Promise<void> {
  const path = join(folder, MANIFEST_FILE);
  await writing(path, () => writeFile(path, `${JSON.stringify(manifest, undefined, 2)}\n`));
}

const preprocessingOf = ({ preprocessing: { mean, std } }: ModelFile) => ({ mean, std });

interface Original {
  licence: string;
  /** The members of a manifest's tasks as it states them, known to this service or not. */
  detection: object;
  recognition: object;
}

/** The licence of a pack that says nothing but a sentence is that sentence. */
async function readOriginal({ pack, modelsDir }: { pack: ModelPack; modelsDir: string }): Promise<Original> {
  const without = { licence: `${pack.licence}\n`, detection: {}, recognition: {} };
  if (pack.origin !== 'manifest') return without;
  const folder = packFolder({ name: pack.name, modelsDir });
  const text = await readFile(join(folder, MANIFEST_FILE), 'utf8');
  const { tasks } = JSON.parse(text);
  const file = parseManifest(text)?.license ?? LICENCE_FILE;
  const licence = await readFile(resolve(folder, file), 'utf8').catch(() => without.licence);
  return { licence, detection: tasks.detection, recognition: tasks.recognition };
}
