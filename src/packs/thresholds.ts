import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorMessage } from '../errors.ts';
import type { ModelPack } from './pack.ts';
import { PackInvalidError } from './pack-errors.ts';

/** What `npm run calibrate` writes; beside the networks of a pack, it is served with them. */
export const THRESHOLDS_FILE = 'thresholds.json';

const SUPPORTED_VERSION = 1;

/** A list of a few thresholds is a few kilobytes. */
const MOST_BYTES = 1_048_576;

/** Largest value of each metric; all begin at 0. */
const RANGES = { cosine: 2, euclidean: 2, similarity: 1 } as const;

export const THRESHOLD_METRICS = ['cosine', 'euclidean', 'similarity'] as const;

/** Source: ISO/IEC 19795-1, which names both rules for the number of trials a rate needs. */
export const EVIDENCE_RULES = ['rule_of_30', 'rule_of_3'] as const;

const rate = z.number({ error: 'must be a number from 0 to 1' }).min(0).max(1);
const count = z.int({ error: 'must be a whole number' }).positive({ error: 'must be positive' });

const interval = (most: number) =>
  z
    .tuple([z.number().min(0).max(most), z.number().min(0).max(most)], {
      error: `must be a pair of numbers from 0 to ${most}`,
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
  .refine(({ metric, threshold }) => threshold <= RANGES[metric], {
    path: ['threshold'],
    error: ({ input }) => `must be at most ${RANGES[(input as { metric: keyof typeof RANGES }).metric]}`,
  });

const fileSchema = z.object(
  {
    thresholds_version: z.literal(SUPPORTED_VERSION, { error: `must be ${SUPPORTED_VERSION}` }),
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
  },
  { error: 'must be an object' },
);

type ThresholdsFile = z.infer<typeof fileSchema>;

/** One threshold with the evidence it rests on, in the words of the file. */
export type MeasuredThreshold = ThresholdsFile['thresholds'][number] &
  Pick<ThresholdsFile, 'genuine_pairs' | 'impostor_pairs' | 'people' | 'source' | 'created'>;

export interface PackThresholds {
  /** Empty where nothing was measured. */
  thresholds: MeasuredThreshold[];
  /** Why a file that is there was left aside, as a sentence for operators. */
  warning?: string;
}

/**
 * Reads the thresholds beside a pack. A file of another embedding space is what a change of weights leaves behind: it is
 * left aside with a warning. A malformed one stops the load, for a caller who trusts a served threshold must not be
 * left with none, or with half of them, without anybody being told.
 *
 * @param folder of the pack. Nothing can have been measured with the synthetic pack, so its folder is not looked at.
 * @throws {PackInvalidError} when the file cannot be read, or is malformed; the sentence names every malformed member.
 */
export async function readThresholds(
  folder: string,
  { origin, embeddingSpace }: Pick<ModelPack, 'origin' | 'embeddingSpace'>,
): Promise<PackThresholds> {
  const path = join(folder, THRESHOLDS_FILE);
  const text = origin === 'synthetic' ? undefined : await readText(path);
  if (text === undefined) return { thresholds: [] };
  const { thresholds, embedding_space, ...file } = parseThresholds(text, path);
  if (embedding_space !== embeddingSpace) {
    return {
      thresholds: [],
      warning:
        `${path} is of the embedding space ${embedding_space}, the pack is of ${embeddingSpace}: ` +
        'it is left aside. Measure again with npm run calibrate.',
    };
  }
  const { genuine_pairs, impostor_pairs, people, source, created } = file;
  const evidence = { genuine_pairs, impostor_pairs, people, source, created };
  return { thresholds: thresholds.map((entry) => ({ ...entry, ...evidence })) };
}

/** Undefined where there is no file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES) throw new PackInvalidError(`${path} has ${size} bytes, which is too much.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof PackInvalidError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new PackInvalidError(`${path} cannot be read (${code}).`);
  }
}

function parseThresholds(text: string, path: string): ThresholdsFile {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new PackInvalidError(`${path} is not JSON (${errorMessage(error)}).`);
  }
  const parsed = fileSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'} ${issue.message}`);
  throw new PackInvalidError(`${path} is malformed: ${problems.join('; ')}.`);
}
