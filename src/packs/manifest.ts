import { z } from 'zod';
import { isAlignable } from './alignment-sides.ts';
import { MIN_EMBEDDING_SIZE } from './identify-files.ts';
import { parseJson, validate } from './json-document.ts';
import {
  CHANNEL_ORDERS,
  DETECTOR_FAMILIES,
  NO_PREPROCESSING,
  RECOGNISER_INPUT_SIZE,
  RECOGNISER_PREPROCESSING,
} from './pack.ts';
import { PackInvalidError } from './pack-errors.ts';
import { COMMERCIAL_USES } from './provenance.ts';

/*
 * Version 2 of InsightFace's package manifest. Source of the members, their defaults and the validation: insightface
 * 2.x, python-package. Unknown members are ignored.
 *
 * `family`, `landmarks`, `channel_order` and `alignment` are this service's own; InsightFace ignores them. docs/MODELS.md describes them.
 */

/** Describes the pack in the same folder. */
export const MANIFEST_FILE = 'manifest.json';

const SUPPORTED_VERSION = 2;

/** POSIX, relative, without `..`. A colon would separate a drive or a stream on Windows. */
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
    z.literal('embedded').transform(() => NO_PREPROCESSING),
    z.object({ mean: z.number(), std: z.number().positive() }),
  ],
  { error: 'must be "embedded", or an object with a number mean and a positive number std' },
);

/** Several times what recognisers take. A graph that takes any size would be fed with gigabytes. */
const MAX_INPUT_SIZE = 1024;

const inputSize = z
  .tuple([z.int().positive(), z.int().positive()], { error: 'must be a pair of positive whole numbers' })
  .refine(([height, width]) => height === width, { error: 'must be square' })
  .refine(([side]) => side <= MAX_INPUT_SIZE, { error: `must be at most ${MAX_INPUT_SIZE}` })
  .transform(([side]) => side);

const choice = <const Choices extends readonly string[]>(choices: Choices) =>
  z.enum(choices, { error: `must be one of ${choices.map((name) => `"${name}"`).join(', ')}` });

const POINTS = 5;

/** Left eye, right eye, nose, left and right mouth corner, as seen in the picture. */
const alignment = z
  .array(z.tuple([z.number(), z.number()]), { error: 'must be a list of points [x, y]' })
  .length(POINTS, { error: `must be ${POINTS} points [x, y]` })
  .transform((points) => points.flat());

/** The least distance of what has to be apart, as a share of the input's side. Those of known recognisers are about a third. */
const LEAST_DISTANCE = 1 / 16;

/**
 * Whether points show an upright face inside the input. With others, such as those of another input size, the input is mostly black
 * and all faces look the same: every stranger would match.
 */
function isUprightFace(points: readonly number[], side: number): boolean {
  const isInside = points.every((value) => value >= 0 && value <= side);
  const [leftX = 0, leftY = 0, rightX = 0, rightY = 0, , , mouthLeftX = 0, mouthLeftY = 0] = points;
  const [mouthRightX = 0, mouthRightY = 0] = points.slice(8);
  const distances = [
    rightX - leftX,
    mouthRightX - mouthLeftX,
    (mouthLeftY + mouthRightY - leftY - rightY) / 2,
  ];
  return isInside && distances.every((distance) => distance >= LEAST_DISTANCE * side);
}

/** Another version means a different recipe, with which the embeddings would differ. */
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
          /** By default that of the family. */
          preprocessing: preprocessing.optional(),
          preprocessing_version: preprocessingVersion('insightface-scrfd-1'),
          /** By default the one that the graph shows. */
          family: choice(DETECTOR_FAMILIES).optional(),
          /** The second network of the family `rfb`. */
          landmarks: z.object(task, { error: 'must be an object' }).optional(),
        },
        missing,
      ),
      recognition: z
        .object(
          {
            ...task,
            preprocessing: preprocessing.default(RECOGNISER_PREPROCESSING),
            preprocessing_version: preprocessingVersion('insightface-arcface-1'),
            input_size: inputSize.default(RECOGNISER_INPUT_SIZE),
            embedding_dimension: z
              .int({ error: 'must be a whole number' })
              .min(MIN_EMBEDDING_SIZE, { error: `must be at least ${MIN_EMBEDDING_SIZE}` })
              .default(512),
            channel_order: choice(CHANNEL_ORDERS).default('rgb'),
            alignment: alignment.optional(),
          },
          missing,
        )
        .refine(({ input_size, alignment }) => alignment !== undefined || isAlignable(input_size), {
          path: ['input_size'],
          error: 'must be a multiple of 112 or 128 if there is no alignment',
        })
        .refine(
          ({ input_size, alignment }) => alignment === undefined || isUprightFace(alignment, input_size),
          {
            path: ['alignment'],
            error:
              'must be the eyes, the nose and the corners of the mouth of an upright face, in pixels of the input, the left ones first',
          },
        ),
      verification: z
        .object({ ...task, preprocessing: preprocessing.optional() }, { error: 'must be an object' })
        .optional(),
    },
    missing,
  ),
  /** A member of this service's own: what `npm run models -- quantise` says about its pack. */
  provenance: z.object({ weight_bits: z.int() }).optional().catch(undefined),
  /** Members of this service's own: what the publisher says about the weights. */
  training_data: z
    .string({ error: 'must be a sentence' })
    .min(1, { error: 'must not be empty' })
    .max(500, { error: 'must be at most 500 characters' })
    .optional(),
  commercial_use: choice(COMMERCIAL_USES).optional(),
});

/** A version-2 manifest with its defaults. Paths are relative to the pack. */
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Parses the text of a `manifest.json`.
 *
 * @returns undefined for a manifest of another version or none. The folder is then resolved by its files.
 * @throws {PackInvalidError} naming every malformed member. Text that is not JSON is an error as well, because it may
 *   be a damaged manifest with expected hashes.
 */
export function parseManifest(text: string): Manifest | undefined {
  const document = parseJson(text, MANIFEST_FILE);
  const version = (document as { manifest_version?: unknown } | null)?.manifest_version;
  if (version !== SUPPORTED_VERSION) return undefined;
  const manifest = validate(manifestSchema, document, MANIFEST_FILE);
  const { detection, recognition } = manifest.tasks;
  if (detection.file === recognition.file) {
    throw new PackInvalidError(
      `${MANIFEST_FILE} is malformed: tasks.detection.file and tasks.recognition.file name the same file.`,
    );
  }
  return manifest;
}
