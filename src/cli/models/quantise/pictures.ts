import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../../config/settings.ts';
import { errorMessage, ServiceError } from '../../../errors.ts';
import { decodePicture } from '../../../vision/decode/decode.ts';
import type { Picture } from '../../../vision/picture.ts';
import { PICTURE_FILE } from '../../calibrate/pairs/collect.ts';
import type { Pair } from '../../calibrate/pairs/pair.ts';
import { showProgress } from '../../calibrate/progress.ts';
import { seededRandom } from '../../calibrate/statistics/seeded-random.ts';
import { type QuantiseContext, QuantiseError } from './options.ts';

/** More photographs change no range by much, and take time. */
const MAX_CALIBRATION = 60;

/** Share of the photographs that is used to calibrate. */
const CALIBRATION_SHARE = 0.4;

/** Photographs to measure on, beside those of pairs. */
const MAX_MEASURED = 400;

/** With fewer, neither ranges nor figures mean anything. */
const MIN_PICTURES = 20;

/** Always the same choice for the same folder, so that a measurement can be repeated. */
const SEED = 1;

/** File names relative to the folder. No photograph is in both lists. */
export interface ChosenPictures {
  calibration: string[];
  measured: string[];
  /** Those of which neither photograph is used to calibrate. */
  pairs: Pair[];
}

/** @throws {QuantiseError} if there are too few, or the folder cannot be read. */
export async function choosePictures(folder: string, pairs: readonly Pair[]): Promise<ChosenPictures> {
  const entries = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new QuantiseError(`${folder} cannot be read (${error.code}).`);
  });
  const names = entries.filter((name) => PICTURE_FILE.test(name)).sort();
  if (names.length < MIN_PICTURES)
    throw new QuantiseError(
      `${folder} has ${names.length} photographs; at least ${MIN_PICTURES} are needed, and 100 give useful figures.`,
    );
  return split(names, pairs);
}

/** Photographs of no pair calibrate first. If they are too few, whole pairs do, so that few pairs are lost. */
function split(names: readonly string[], pairs: readonly Pair[]): ChosenPictures {
  const wanted = Math.min(MAX_CALIBRATION, Math.round(CALIBRATION_SHARE * names.length));
  const paired = new Set(pairs.flatMap(({ a, b }) => [a, b]));
  const others = shuffle(names.filter((name) => !paired.has(name)));
  const calibration = new Set(others.slice(0, wanted));
  for (const { a, b } of shuffle(pairs)) {
    if (calibration.size >= wanted) break;
    calibration.add(a).add(b);
  }
  const kept = pairs.filter(({ a, b }) => !calibration.has(a) && !calibration.has(b));
  const measured = new Set(kept.flatMap(({ a, b }) => [a, b]));
  const unpaired = others.filter((name) => !calibration.has(name));
  for (const name of unpaired.slice(0, MAX_MEASURED)) measured.add(name);
  return { calibration: [...calibration], measured: [...measured], pairs: kept };
}

/** Fisher-Yates. */
function shuffle<T>(list: readonly T[]): T[] {
  const random = seededRandom(SEED);
  const shuffled = [...list];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[other]] = [shuffled[other] as T, shuffled[i] as T];
  }
  return shuffled;
}

/** A photograph in memory, or why it is not. */
export type ReadPicture = { picture: Picture; sha256: string } | { failure: string };

/** Reads a photograph as the service does with these settings. */
export async function readPicture(folder: string, name: string, config: Config): Promise<ReadPicture> {
  try {
    const bytes = await readFile(join(folder, name));
    const picture = await decodePicture(bytes, config.MAX_IMAGE_PIXELS, {
      colourProfiles: config.COLOUR_PROFILES,
      reducedSide: config.REDUCED_DECODING_SIDE,
    });
    return { picture, sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    return { failure: error instanceof ServiceError ? error.code : errorMessage(error) };
  }
}

/**
 * Reads photographs one after the other, and shows the progress.
 *
 * @returns how many could be read. Those that could not are counted on the terminal.
 */
export async function forEachPicture(
  folder: string,
  names: readonly string[],
  { config, stderr, signal }: QuantiseContext,
  process: (read: { picture: Picture; sha256: string }, name: string) => Promise<void>,
): Promise<number> {
  const progress = showProgress(names.length, stderr);
  const failures = new Map<string, number>();
  let count = 0;
  try {
    for (const name of names) {
      signal?.throwIfAborted();
      const read = await readPicture(folder, name, config);
      if ('failure' in read) {
        failures.set(read.failure, (failures.get(read.failure) ?? 0) + 1);
      } else {
        await process(read, name);
        count++;
      }
      progress.advance({ cached: false, failed: 'failure' in read });
    }
  } finally {
    progress.end();
  }
  for (const [failure, pictures] of failures)
    stderr.write(`${pictures} photographs were left out: ${failure}.\n`);
  return count;
}
