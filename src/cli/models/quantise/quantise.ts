import { resolve } from 'node:path';
import { type ByteSums, byteSums } from '../../../config/byte-sums.ts';
import type { Config } from '../../../config/settings.ts';
import { installPack } from '../../../packs/install/install-pack.ts';
import { removeOldLeftovers, temporaryName } from '../../../packs/install/leftovers.ts';
import { discard } from '../../../packs/install/storage.ts';
import type { ModelPack } from '../../../packs/pack.ts';
import { exists, packFolder } from '../../../packs/pack-folders.ts';
import { resolveFolder, resolvePack } from '../../../packs/resolve.ts';
import { loadNetworks, type Networks } from '../../../vision/networks.ts';
import { readTable } from '../../calibrate/pairs/collect.ts';
import type { Pair } from '../../calibrate/pairs/pair.ts';
import { Calibration } from './calibration.ts';
import { type Figures, missedBounds } from './figures.ts';
import { measure } from './measure.ts';
import { MIN_FACES, type QuantiseContext, QuantiseError, type QuantiseOptions } from './options.ts';
import { addFigures, writeDraft } from './pack-draft.ts';
import { type ChosenPictures, choosePictures, forEachPicture } from './pictures.ts';
import { figuresAsText } from './report.ts';

/**
 * Makes a pack with 8-bit networks of an installed pack, calibrated and measured on photographs, and installs it as `<pack>-int8` if its
 * figures are within the bounds (figures.ts) or its user accepts that they are not. Photographs are read, and neither copied nor logged.
 *
 * @returns the new pack.
 * @throws {QuantiseError} if a bound is missed, or something else stands in the way. Nothing is left on the disk then.
 */
export async function quantisePack(options: QuantiseOptions, context: QuantiseContext): Promise<ModelPack> {
  const { config, catalogue, stderr, signal } = context;
  const modelsDir = config.MODELS_DIR;
  const name = `${options.pack}-int8`;
  const location = { name, modelsDir, catalogue, colourProfiles: config.COLOUR_PROFILES, signal };
  if (await exists(packFolder(location)))
    throw new QuantiseError(`${packFolder(location)} exists. Remove it first.`);
  const pack = await resolvePack({ ...location, name: options.pack });
  if (pack.origin === 'synthetic') throw new QuantiseError('The synthetic pack recognises nobody.');
  if (pack.detector.family === 'rfb')
    throw new QuantiseError(`${pack.name} cannot be quantised: its detector has no square inputs.`);
  const pairs = await readPairs(options);
  const chosen = await choosePictures(options.images, pairs);
  const processor = byteSums();
  const weightBits = options.weightBits ?? (processor === 'wide' ? 8 : 7);
  stderr.write(`${PROCESSORS[processor]} Weights get ${weightBits} bits.\n`);

  const draft = `${name}-draft`;
  await removeOldLeftovers({ name: draft, modelsDir });
  const folder = resolve(modelsDir, temporaryName('staged', draft));
  try {
    const float = await openNetworks(pack, config);
    const { graphs, calibration } = await calibrate(options, { pack, float, chosen, weightBits }, context);
    await writeDraft(folder, { pack, modelsDir, embeddingSize: float.embeddingSize }, graphs, {
      weightBits,
      calibration,
    });
    const quantised = await resolveFolder({ name, folder, signal });
    const networks = { float, int8: await openNetworks(quantised, config) };
    const measured = await measure(options.images, chosen, networks, context);
    const figures: Figures = { ...measured, bytes: { float: bytesOf(pack), int8: bytesOf(quantised) } };
    await judge(folder, figures, options, context);
    return await installPack({ ...location, from: folder });
  } finally {
    await discard(folder);
  }
}

const PROCESSORS: Record<ByteSums, string> = {
  wide: 'This processor adds products of bytes in 32 bits.',
  narrow:
    'This processor has no VNNI: it adds products of bytes in 16 bits, which weights of 8 bits overflow, and gains less.',
  unknown: 'Whether this processor has VNNI is not known. Without it, weights of 8 bits overflow.',
};

async function readPairs({ pairs, images }: QuantiseOptions): Promise<Pair[]> {
  return pairs === undefined ? [] : (await readTable({ pairs, images })).pairs;
}

const bytesOf = ({ detector, recogniser }: ModelPack) => detector.bytes + recogniser.bytes;

/** As a worker of the service opens them, on one thread. */
function openNetworks(pack: ModelPack, config: Config): Promise<Networks> {
  return loadNetworks({
    pack,
    device: 'cpu',
    intraOpThreads: 1,
    loneRequestThreads: 1,
    detectionSizes: config.DETECTION_SIZES,
    rewrites: config.GRAPH_REWRITES,
  });
}

async function calibrate(
  { images, networks }: QuantiseOptions,
  {
    pack,
    float,
    chosen,
    weightBits,
  }: { pack: ModelPack; float: Networks; chosen: ChosenPictures; weightBits: 7 | 8 },
  context: QuantiseContext,
) {
  const { stderr, config } = context;
  stderr.write(`Calibrating on ${chosen.calibration.length} photographs.\n`);
  const calibration = await Calibration.open(pack, float, networks, config);
  try {
    const read = await forEachPicture(images, chosen.calibration, context, ({ picture }) =>
      calibration.add(picture),
    );
    if (calibration.faces < MIN_FACES)
      throw new QuantiseError(
        `The photographs to calibrate on show ${calibration.faces} faces; at least ${MIN_FACES} are needed.`,
      );
    return {
      graphs: calibration.quantise(weightBits),
      calibration: { pictures: read, faces: calibration.faces },
    };
  } finally {
    await calibration.close();
  }
}

/** @throws {QuantiseError} if a bound is missed and that was not accepted. */
async function judge(
  folder: string,
  figures: Figures,
  { networks, accept }: QuantiseOptions,
  { stdout, stderr }: QuantiseContext,
): Promise<void> {
  stdout.write(`${figuresAsText(figures, networks)}\n`);
  const problems = missedBounds(figures, networks);
  if (problems.length > 0 && !accept)
    throw new QuantiseError(
      `Nothing was written, because a bound is missed:\n  ${problems.join('\n  ')}\nWith --accept it is written all the same.`,
    );
  if (problems.length > 0)
    stderr.write(`Accepted, although a bound is missed:\n  ${problems.join('\n  ')}\n`);
  await addFigures(folder, { measured: withoutNames(figures), missed_bounds: problems });
}

/** The figures of pairs list some of them by the names of their files, which stay where they are. */
function withoutNames({ pairs, ...figures }: Figures): object {
  if (pairs === undefined) return figures;
  const { float, int8 } = pairs;
  const tar = float.operating_points
    .map((point, index) => ({
      far: point.target,
      float: point.tar?.rate,
      int8: int8.operating_points[index]?.tar?.rate,
    }))
    .filter((point) => point.float !== undefined);
  return {
    ...figures,
    pairs: { genuine: float.genuine_pairs, impostor: float.impostor_pairs, tar },
  };
}
