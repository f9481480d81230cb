import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson, validate } from './json-document.ts';
import type { ModelPack } from './pack.ts';
import { PackInvalidError } from './pack-errors.ts';
import { splitSpace } from './protected-space.ts';

/** Written by `npm run calibrate`. Placed in the folder of a pack, it is served by GET /v1/model-info. */
export const THRESHOLDS_FILE = 'thresholds.json';

/** Version 2 adds the curve. */
const SUPPORTED_VERSIONS = [1, 2] as const;

/** A few thresholds take a few kilobytes. */
const MAX_BYTES = 1_048_576;

/** Maximum of each metric; the minimum is 0. */
const MAX_VALUES = { cosine: 2, euclidean: 2, similarity: 1 } as const;

export const THRESHOLD_METRICS = ['cosine', 'euclidean', 'similarity'] as const;

/** The rules of ISO/IEC 19795-1 for the number of trials that a rate needs. */
export const EVIDENCE_RULES = ['rule_of_30', 'rule_of_3'] as const;

const rate = z.number({ error: 'must be a number from 0 to 1' }).min(0).max(1);
const count = z.int({ error: 'must be a whole number' }).positive({ error: 'must be positive' });

const interval = (max: number) =>
  z
    .tuple([z.number().min(0).max(max), z.number().min(0).max(max)], {
      error: `must be a pair of numbers from 0 to ${max}`,
    })
    .refine(([low, high]) => low <= high, { error: 'must have the lower end first' });

const measuredThreshold = z
  .object(
    {
      far: z
        .number({ error: 'must be a number above 0 and below 1' })
        .gt(0, { error: 'must be above 0' })
        .lt(1, { error: 'must be below 1' }),
      metric: z.enum(THRESHOLD_METRICS, { error: `must be one of ${THRESHOLD_METRICS.join(', ')}` }),
      threshold: z.number({ error: 'must be a number' }).min(0, { error: 'must not be negative' }),
      threshold_interval: interval(2).optional(),
      measured_far: rate,
      measured_far_interval: interval(1),
      tar: rate,
      tar_interval: interval(1),
      evidence: z.enum(EVIDENCE_RULES, { error: `must be one of ${EVIDENCE_RULES.join(', ')}` }),
    },
    { error: 'must be an object' },
  )
  .refine(({ metric, threshold }) => threshold <= MAX_VALUES[metric], {
    path: ['threshold'],
    error: ({ input }) =>
      `must be at most ${MAX_VALUES[(input as { metric: keyof typeof MAX_VALUES }).metric]}`,
  });

const MAX_POINTS = 1_000;

const curvePoint = z
  .object(
    { score: rate, far: rate.optional(), low: rate.optional(), high: rate },
    { error: 'must be an object' },
  )
  .refine(({ far, low }) => (far === undefined) === (low === undefined), {
    error: 'must have far and low, or neither',
  })
  .refine(({ far = 0, low = 0, high }) => low <= far && far <= high, {
    error: 'must have low, far and high in order',
  });

type Point = z.infer<typeof curvePoint>;

/** Whether something holds of every point and the next one. */
const inOrder = (points: readonly Point[], holds: (point: Point, next: Point) => boolean) =>
  points.every((point, index) => index + 1 === points.length || holds(point, points[index + 1] as Point));

const curveSchema = z.object(
  {
    metric: z.literal('similarity', { error: 'must be similarity' }),
    interval: z.literal('prediction', { error: 'must be prediction' }),
    points: z
      .array(curvePoint, { error: 'must be a list' })
      .max(MAX_POINTS, { error: `must have at most ${MAX_POINTS} points` })
      .refine((points) => points.some(({ far }) => far !== undefined), {
        error: 'must have a point with far',
      })
      .refine((points) => inOrder(points, (point, next) => point.score > next.score), {
        error: 'must have falling scores',
      })
      .refine(
        (points) =>
          inOrder(
            points,
            ({ far = 0, low = 0, high }, next) =>
              far <= (next.far ?? 0) && low <= (next.low ?? 0) && high <= next.high,
          ),
        { error: 'must have rates that do not fall' },
      ),
  },
  { error: 'must be an object' },
);

const fileSchema = z.object(
  {
    thresholds_version: z.literal(SUPPORTED_VERSIONS, {
      error: `must be ${SUPPORTED_VERSIONS.join(' or ')}`,
    }),
    embedding_space: z.string({ error: 'must be a string' }).min(1, { error: 'must not be empty' }),
    created: z.iso.datetime({ error: 'must be a date and time in UTC, as in 2030-01-31T12:00:00Z' }),
    source: z
      .string({ error: 'must be a string' })
      .min(1)
      .max(200, { error: 'must be at most 200 characters' }),
    genuine_pairs: count,
    impostor_pairs: count,
    people: count,
    thresholds: z
      .array(measuredThreshold, { error: 'must be a list' })
      .max(100, { error: 'must have at most 100 entries' })
      .refine((list) => new Set(list.map(({ far, metric }) => `${far} ${metric}`)).size === list.length, {
        error: 'must name each pair of far and metric once',
      }),
    /**
     * The false accept rate over the similarity, nearest first: `far` of the pairs of strangers have at least `score`. `low` and
     * `high` are the ends of the 95 % prediction interval: what another group of as many people would show.
     */
    curve: curveSchema.optional(),
  },
  { error: 'must be an object' },
);

export type ThresholdsFile = z.infer<typeof fileSchema>;

export type CurvePoint = Point;

/** One threshold with its evidence, as the file states them. */
export type MeasuredThreshold = ThresholdsFile['thresholds'][number] &
  Pick<ThresholdsFile, 'genuine_pairs' | 'impostor_pairs' | 'people' | 'source' | 'created'>;

export interface PackThresholds {
  /** Empty if nothing was measured. */
  thresholds: MeasuredThreshold[];
  /** The measured curve; undefined without one. */
  curve?: CurvePoint[] | undefined;
  /** Why the file is ignored, as a sentence for operators. */
  warning?: string;
}

/**
 * Reads the thresholds in the folder of a pack. A file of another embedding space, which remains when the weights are
 * replaced, is ignored with a warning. A malformed file stops the load: a caller that relies on a served threshold must
 * not lose it unnoticed.
 *
 * @param folder of the pack. It is not read for the synthetic pack, with which nothing can be measured.
 * @throws {PackInvalidError} when the file cannot be read or is malformed. The message names every malformed member.
 */
export async function readThresholds(
  folder: string,
  { origin, embeddingSpace }: Pick<ModelPack, 'origin' | 'embeddingSpace'>,
): Promise<PackThresholds> {
  const path = join(folder, THRESHOLDS_FILE);
  const text = origin === 'synthetic' ? undefined : await readText(path);
  if (text === undefined) return { thresholds: [] };
  const { thresholds, embedding_space, curve, thresholds_version, ...file } = validate(
    fileSchema,
    parseJson(text, path),
    path,
  );
  // A key changes no distance, so thresholds hold with any key and without.
  if (splitSpace(embedding_space).plainSpace !== splitSpace(embeddingSpace).plainSpace) {
    return {
      thresholds: [],
      warning:
        `${path} is ignored: its embedding space is ${embedding_space}, that of the pack is ${embeddingSpace}. ` +
        'Measure again with npm run calibrate.',
    };
  }
  const { genuine_pairs, impostor_pairs, people, source, created } = file;
  const evidence = { genuine_pairs, impostor_pairs, people, source, created };
  return {
    thresholds: thresholds.map((entry) => ({ ...entry, ...evidence })),
    curve: thresholds_version === 1 ? undefined : curve?.points,
  };
}

/** Undefined if there is no file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES)
      throw new PackInvalidError(`${path} has ${size} bytes; the maximum is ${MAX_BYTES}.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof PackInvalidError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new PackInvalidError(`${path} cannot be read (${code}).`);
  }
}
