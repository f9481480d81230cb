import { analyse } from '../../calibrate/analysis.ts';
import type { Pair } from '../../calibrate/pairs/pair.ts';
import type { PictureResults } from '../../calibrate/pictures/embed-pictures.ts';
import { scorePairs } from '../../calibrate/scored-pairs.ts';
import {
  type BothNetworks,
  type ComparedPicture,
  comparePicture,
  type EmbeddedPerson,
} from './comparison.ts';
import { type Figures, summarise } from './figures.ts';
import { MIN_FACES, type QuantiseContext, QuantiseError } from './options.ts';
import { type ChosenPictures, forEachPicture, readPicture } from './pictures.ts';
import { measureSpeed } from './speed.ts';

/** Photographs on which the speed is measured. */
const SPEED_PICTURES = 8;

/** Of the bootstrap over people. */
const SEED = 1;

/** Compares both packs on the photographs that were not used to calibrate. */
export async function measure(
  folder: string,
  { measured, pairs }: ChosenPictures,
  networks: BothNetworks,
  context: QuantiseContext,
): Promise<Omit<Figures, 'bytes'>> {
  const { config, stderr } = context;
  stderr.write(`Measuring on ${measured.length} other photographs.\n`);
  const compared: ComparedPicture[] = [];
  const results: Record<'float' | 'int8', PictureResults> = { float: new Map(), int8: new Map() };
  const withFace: string[] = [];
  await forEachPicture(folder, measured, context, async ({ picture, sha256 }, name) => {
    const comparison = await comparePicture(picture, networks, config);
    compared.push(comparison);
    if (comparison.matched.length > 0) withFace.push(name);
    if (pairs.length === 0) return;
    results.float.set(name, resultOf(comparison.prominent.float, sha256));
    results.int8.set(name, resultOf(comparison.prominent.int8, sha256));
  });
  const summary = summarise(compared);
  if (summary.faces < MIN_FACES)
    throw new QuantiseError(
      `The photographs to measure on show ${summary.faces} faces; at least ${MIN_FACES} are needed.`,
    );
  context.signal?.throwIfAborted();
  stderr.write('Measuring the speed.\n');
  const speed = await timeOn(folder, withFace.slice(0, SPEED_PICTURES), networks, context);
  const comparedPairs = comparePairs(pairs, results);
  if (pairs.length > 0 && !comparedPairs)
    stderr.write(
      'Recognition is not measured: no pair of the same person, or of different people, was embedded.\n',
    );
  return { ...summary, speed, pairs: comparedPairs };
}

function resultOf(person: EmbeddedPerson | undefined, sha256: string) {
  if (person === undefined) return { code: 'NO_FACE_DETECTED', reason: 'No face was found.' };
  const { embedding, detectionScore } = person;
  return { sha256, embedding: Float64Array.from(embedding), detectionScore, quality: undefined };
}

async function timeOn(
  folder: string,
  names: readonly string[],
  networks: BothNetworks,
  { config }: QuantiseContext,
) {
  const samples = [];
  for (const name of names) {
    const read = await readPicture(folder, name, config);
    if ('failure' in read) continue;
    const { picture } = read;
    const [face] = await networks.float.detector.detectFaces(picture, config.DETECTION_THRESHOLD);
    if (face) samples.push({ picture, face });
  }
  return measureSpeed(samples, networks, config.DETECTION_THRESHOLD);
}

/** @returns undefined without pairs of both kinds that both packs could embed. */
function comparePairs(
  pairs: readonly Pair[],
  results: Record<'float' | 'int8', PictureResults>,
): Figures['pairs'] {
  const float = scorePairs([...pairs], results.float);
  const int8 = scorePairs([...pairs], results.int8);
  const hasBoth = [float, int8].every((scored) =>
    [true, false].every((same) => scored.pairs.some((pair) => pair.same === same)),
  );
  return hasBoth ? { float: analyse(float, { seed: SEED }), int8: analyse(int8, { seed: SEED }) } : undefined;
}
