import { z } from 'zod';
import { errorMessage } from '../errors.ts';
import { isAlignable } from './alignment-sides.ts';
import { DETECTOR_PREPROCESSING, RECOGNISER_PREPROCESSING } from './pack.ts';
import { PackInvalidError } from './pack-errors.ts';

/*
 * Version 2 of InsightFace's package manifest. Source of the members, their defaults and what is refused: insightface
 * 2.x, python-package. Members that are not named here are ignored.
 */

/** The file that makes a folder a pack which describes itself. */
export const MANIFEST_FILE = 'manifest.json';

const SUPPORTED_VERSION = 2;

/** What a graph that normalises its own input needs: the bytes as they are. */
const EMBEDDED_PREPROCESSING = { mean: 0, std: 1 } as const;

/** POSIX, relative, without `..`; a colon would be a drive or a stream on Windows. */
const relativePath = z.string({ error: 'must be a relative path' }).refine(
  (path) =>
    !/[\\:\0]/.test(path) &&
    path
      .trim()
      .split('/')
      .every((part) => part !== '' && part !== '.' && part !== '..'),
  { error: 'must be a relative path inside the pack, with forward slashes and without ".."' },
);

const onnxPath = relativePath.refine((path) => path.toLowerCase().endsWith('.onnx'), {
  error: 'must end in .onnx',
});

const licencePath = relativePath.refine((path) => path.split('/').at(-1) === 'MODEL.LICENSE', {
  error: 'must name a file MODEL.LICENSE',
});

const sha256 = z
  .string({ error: 'must be a string' })
  .regex(/^[0-9a-f]{64}$/, { error: 'must be 64 lower-case hexadecimal digits' });

const preprocessing = z.union(
  [
    z.literal('embedded').transform(() => EMBEDDED_PREPROCESSING),
    z.object({ mean: z.number(), std: z.number().positive() }),
  ],
  { error: 'must be "embedded", or an object with a number mean and a positive number std' },
);

const inputSize = z
  .tuple([z.int().positive(), z.int().positive()], { error: 'must be a pair of positive whole numbers' })
  .refine(([height, width]) => height === width, { error: 'must be square' })
  .refine(([side]) => isAlignable(side), { error: 'must be a multiple of 112 or 128, as alignment needs it' })
  .transform(([side]) => side);

/** Another version means another recipe: with this one the embeddings would be silently different. */
const preprocessingVersion = (implemented: string) =>
  z.literal(implemented, { error: `must be "${implemented}", the one this service implements` }).optional();

const task = { file: onnxPath, sha256: sha256.optional() };
const missing = { error: 'is missing or not an object' };

const manifestSchema = z.object({
  model_id: z
    .string({ error: 'must be a string' })
    .regex(/^[A-Za-z0-9][\w.-]{0,127}$/, { error: 'must be letters, digits, ".", "_" and "-"' }),
  license: licencePath,
  tasks: z.object(
    {
      detection: z.object(
        {
          ...task,
          preprocessing: preprocessing.default(DETECTOR_PREPROCESSING),
          preprocessing_version: preprocessingVersion('insightface-scrfd-1'),
        },
        missing,
      ),
      recognition: z.object(
        {
          ...task,
          preprocessing: preprocessing.default(RECOGNISER_PREPROCESSING),
          preprocessing_version: preprocessingVersion('insightface-arcface-1'),
          input_size: inputSize.default(112),
          embedding_dimension: z.int({ error: 'must be a whole number' }).positive().default(512),
        },
        missing,
      ),
      verification: z
        .object({ ...task, preprocessing: preprocessing.optional() }, { error: 'must be an object' })
        .optional(),
    },
    missing,
  ),
});

/** A version-2 manifest with its defaults filled in. Paths are relative to the pack, as written. */
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Parses the text of a `manifest.json`.
 *
 * @returns undefined for a manifest of another version, or none: such a folder is recognised by its files.
 * @throws {PackInvalidError} naming every malformed member. Text that is no JSON is refused too: it may be what is
 *   left of a manifest that pinned hashes.
 */
export function parseManifest(text: string): Manifest | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new PackInvalidError(`${MANIFEST_FILE} is not JSON (${errorMessage(error)}).`);
  }
  const version = (document as { manifest_version?: unknown } | null)?.manifest_version;
  if (version !== SUPPORTED_VERSION) return undefined;
  const parsed = manifestSchema.safeParse(document);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw new PackInvalidError(`${MANIFEST_FILE} is malformed: ${problems.join('; ')}.`);
  }
  const { detection, recognition } = parsed.data.tasks;
  if (detection.file === recognition.file) {
    throw new PackInvalidError(
      `${MANIFEST_FILE} is malformed: tasks.detection.file and tasks.recognition.file name the same file.`,
    );
  }
  return parsed.data;
}
