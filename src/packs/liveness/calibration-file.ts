import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson, validate } from '../json-document.ts';
import { PackInvalidError } from '../pack-errors.ts';
import { EVIDENCE_RULES } from '../thresholds.ts';
import type { LivenessWeights } from './weights.ts';

/** Written by `npm run calibrate -- --liveness`. Placed in the folder of a pack, it gives the threshold of liveness. */
export const LIVENESS_FILE = 'liveness.json';

const rate = z.number({ error: 'must be a number from 0 to 1' }).min(0).max(1);
const count = z.int({ error: 'must be a whole number' }).positive({ error: 'must be positive' });
const interval = z
  .tuple([rate, rate], { error: 'must be a pair of numbers from 0 to 1' })
  .refine(([low, high]) => low <= high, { error: 'must have the lower end first' });

/** Error rates at one threshold. Source of the terms: ISO/IEC 30107-3. */
const pointShape = {
  /** 0 would call every face live. */
  threshold: rate.positive({ error: 'must be above 0' }),
  apcer: rate,
  apcer_interval: interval,
  bpcer: rate,
  bpcer_interval: interval,
  acer: rate,
  acer_interval: interval,
};

/** The error that a threshold was chosen for, and the rate that it may reach. */
export const LIVENESS_TARGETS = ['apcer', 'bpcer'] as const;

const fileSchema = z.object(
  {
    liveness_version: z.literal(1, { error: 'must be 1' }),
    /** The liveness model whose scores were measured, as `/v1/model-info` names it. */
    model: z.string({ error: 'must be a string' }).min(1, { error: 'must not be empty' }),
    /** The hashes of its files. */
    files: z.array(z.string({ error: 'must be a string' }).regex(/^[0-9a-f]{64}$/), {
      error: 'must be a list of SHA-256',
    }),
    created: z.iso.datetime({ error: 'must be a date and time in ISO 8601, UTC' }),
    source: z.string({ error: 'must be a string' }).max(200, { error: 'must be at most 200 characters' }),
    live_pictures: count,
    spoof_pictures: count,
    target: z.object({
      error: z.enum(LIVENESS_TARGETS, { error: `must be one of ${LIVENESS_TARGETS.join(', ')}` }),
      rate,
      evidence: z.enum(EVIDENCE_RULES, { error: `must be one of ${EVIDENCE_RULES.join(', ')}` }),
    }),
    ...pointShape,
  },
  { error: 'must be an object' },
);

export type LivenessCalibration = z.infer<typeof fileSchema>;

export interface MeasuredLiveness {
  /** Undefined if nothing was measured for this model. */
  calibration?: LivenessCalibration;
  /** Why the file is ignored, as a sentence for operators. */
  warning?: string;
}

/**
 * Reads the calibration in the folder of a pack. One of another liveness model is ignored with a warning.
 *
 * @throws {PackInvalidError} when the file cannot be read or is malformed.
 */
export async function readLivenessCalibration(
  folder: string,
  { model, files }: Pick<LivenessWeights, 'model'> & { files: readonly { sha256: string }[] },
): Promise<MeasuredLiveness> {
  const path = join(folder, LIVENESS_FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new PackInvalidError(`${path} cannot be read (${error.code}).`);
  });
  if (text === undefined) return {};
  const calibration = validate(fileSchema, parseJson(text, path), path);
  const isSame =
    calibration.model === model && calibration.files.join() === files.map(({ sha256 }) => sha256).join();
  if (isSame) return { calibration };
  return {
    warning:
      `${path} is ignored: it is of the liveness model ${calibration.model}, and LIVENESS_MODEL is ${model}. ` +
      'Measure again with npm run calibrate -- --liveness.',
  };
}
