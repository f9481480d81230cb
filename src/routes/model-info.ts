import { basename } from 'node:path';
import { createRoute, z } from '@hono/zod-openapi';
import { AUTO_ORDER, DEVICE_NAMES } from '../config/devices.ts';
import { VERSION } from '../config/package.ts';
import type { Config } from '../config/settings.ts';
import { DETECTION_MODES, LIVENESS_MODES } from '../config/settings.ts';
import type { LoadedModel } from '../engine/engine.ts';
import { ServiceError } from '../errors.ts';
import { errorResponses } from '../http/document/error-responses.ts';
import { REWRITES } from '../onnx/rewrite/rewrite.ts';
import type { LivenessCalibration } from '../packs/liveness/calibration-file.ts';
import { LIVENESS_FAMILIES } from '../packs/liveness/identify-network.ts';
import type { LivenessSetup } from '../packs/liveness/setup.ts';
import { DETECTOR_FAMILIES, detectionSizesOf, type ModelFile } from '../packs/pack.ts';
import { COMMERCIAL_USES } from '../packs/provenance.ts';
import { provisionalFor } from '../packs/provisional/provisional.ts';
import { EVIDENCE_RULES, THRESHOLD_METRICS } from '../packs/thresholds.ts';
import { QUALITY_EVIDENCE, qualityEvidenceOf } from '../vision/quality/quality-score.ts';
import type { Api } from './api.ts';

/** The limits that a caller can exceed, by the names of their settings. */
const LIMITS = [
  'MAX_IMAGE_SIZE',
  'MAX_IMAGE_PIXELS',
  'MAX_REQUEST_SIZE',
  'MAX_BATCH_SIZE',
  'MAX_REFERENCES',
  'MAX_COMPARISONS',
  'MAX_FACES',
  'MAX_QUEUE',
  'MAX_INFLIGHT_BYTES',
  'REQUEST_TIMEOUT_MS',
] as const satisfies (keyof Config)[];

const rewritesSchema = z
  .array(z.object({ pass: z.enum(REWRITES), count: z.int() }).openapi('GraphRewrite'))
  .openapi({ description: 'The rewrites that were applied to the graph at load; see `GRAPH_REWRITES`.' });

const fileShape = {
  rewrites: rewritesSchema,
  file: z.string().openapi({ example: 'w600k_r50.onnx' }),
  sha256: z.string(),
  pinned: z.boolean().openapi({
    description: 'Whether the hash was compared with a known one.',
  }),
};

const intervalSchema = z
  .array(z.number())
  .length(2)
  .openapi({ description: '95 % confidence interval: [low, high].' });

const thresholdSchema = z
  .object({
    far: z.number().openapi({ description: 'Target false accept rate, 0..1.', example: 0.001 }),
    metric: z.enum(THRESHOLD_METRICS).openapi({
      description: 'Two faces match when the distance is at most, or the `similarity` at least, `threshold`.',
    }),
    threshold: z.number().openapi({ example: 0.62 }),
    threshold_interval: intervalSchema
      .optional()
      .openapi({ description: '95 % confidence interval by bootstrap over people: [low, high].' }),
    measured_far: z.number().openapi({ description: 'Share of impostor pairs accepted, 0..1.' }),
    measured_far_interval: intervalSchema,
    tar: z.number().openapi({ description: 'True accept rate: share of genuine pairs accepted, 0..1.' }),
    tar_interval: intervalSchema,
    evidence: z.enum(EVIDENCE_RULES).openapi({
      description:
        '`rule_of_30`: at least 30 false accepts were expected: a reliable figure. `rule_of_3`: at least 3: a rough figure.',
    }),
    genuine_pairs: z.int(),
    impostor_pairs: z.int(),
    people: z.int(),
    source: z.string().openapi({ description: 'What the pairs are, as given to `npm run calibrate`.' }),
    created: z.string().openapi({ format: 'date-time' }),
    provisional: z
      .literal(true)
      .optional()
      .openapi({
        description:
          'There if the figures come with the service: of the photographs that `source` names, not of yours. They show the order of ' +
          'magnitude until you have measured your own.',
      }),
  })
  .openapi('MeasuredThreshold');

const livenessSchema = z
  .object({
    model: z.string().openapi({
      description:
        'Family, and the first 12 hex digits of the hash; scores of different models cannot be compared.',
      example: 'minifasnet:5b1f0c2d3e4a',
    }),
    family: z.enum(LIVENESS_FAMILIES),
    files: z.array(
      z.object({ file: z.string(), sha256: z.string(), pinned: z.boolean() }).openapi('LivenessFile'),
    ),
    licence: z.string(),
    threshold: z
      .number()
      .optional()
      .openapi({ description: 'Score from which a face is live. Absent if nothing says which.' }),
    calibration: z
      .object({
        threshold: z.number(),
        apcer: z.number().openapi({ description: 'Share of spoofs called live, of the worst kind of them.' }),
        apcer_interval: intervalSchema,
        bpcer: z.number().openapi({ description: 'Share of live faces called spoofs.' }),
        bpcer_interval: intervalSchema,
        acer: z.number().openapi({ description: 'The mean of both.' }),
        acer_interval: intervalSchema,
        live_pictures: z.int(),
        spoof_pictures: z.int(),
        source: z.string(),
        created: z.string().openapi({ format: 'date-time' }),
      })
      .openapi('LivenessCalibration', {
        description: 'Measured with `npm run calibrate -- --liveness`, at its own threshold.',
      })
      .optional(),
    default: z.enum(LIVENESS_MODES).openapi({ description: 'The default of `liveness`.' }),
  })
  .openapi('LivenessModel', { description: 'Absent without `LIVENESS_MODEL`.' });

const detectorSchema = z
  .object({
    ...fileShape,
    family: z.enum(DETECTOR_FAMILIES).openapi({ example: 'scrfd' }),
    input_sizes: z.array(z.int()).openapi({
      description:
        'Sides of the square inputs, in pixels; for the family `rfb` the longer side of its input, which is 320×240.',
    }),
    landmarks: z
      .object(fileShape)
      .openapi('LandmarksInfo', {
        description: 'The second network of the family `rfb`, which finds the landmarks in a box.',
      })
      .optional(),
  })
  .openapi('DetectorInfo');

const modelInfoSchema = z
  .object({
    name: z.string().openapi({ example: 'buffalo_l' }),
    embedding_size: z.int().openapi({ example: 512 }),
    embedding_space: z.string().openapi({ example: 'buffalo_l:4c06341c33c2' }),
    backend: z.literal('onnxruntime'),
    device: z.enum(DEVICE_NAMES).openapi({ description: 'Where both networks run.', example: 'cpu' }),
    device_passed_over: z
      .record(z.string(), z.string())
      .optional()
      .openapi({
        description: `With \`DEVICE=auto\` only: why the devices before it in the order ${AUTO_ORDER.join(', ')} were not taken.`,
        example: { webgpu: 'The library libvulkan.so.1 is missing.' },
      }),
    detector: detectorSchema,
    recogniser: z.object({ ...fileShape, input_size: z.int() }).openapi('RecogniserInfo'),
    quality: z
      .object({
        evidence: z.enum(QUALITY_EVIDENCE).openapi({
          description:
            'What `quality.score` was measured with. `measured`: with these networks. `transferred`: with others; it orders faces, ' +
            'but is no probability.',
        }),
      })
      .openapi('QualityInfo'),
    licence: z.string().openapi({ description: 'Licence of the weights.' }),
    training_data: z.string().openapi({
      description: 'What is known of the data that the weights were trained with.',
    }),
    commercial_use: z.enum(COMMERCIAL_USES).openapi({
      description:
        'What publishers state, which is no legal advice. `allowed`: by the licence of the weights, and by the terms of their ' +
        'training data as far as they are known. `disputed`: by the licence, but the training data has terms that exclude it, or ' +
        'is not disclosed. `excluded`: the licence excludes it. `unknown`: the pack does not say.',
    }),
    synthetic: z.boolean().openapi({
      description:
        'True for the synthetic pack, which cannot recognise people and is for integration tests only.',
    }),
    detection_threshold: z.number(),
    thresholds: z.array(thresholdSchema).openapi({
      description:
        'Measured with `npm run calibrate` in this embedding space. If none were, the `provisional` ones of the recogniser, or ' +
        'none. They hold for pictures like those that were measured.',
    }),
    detection: z.enum(DETECTION_MODES).openapi({ description: 'The default for `faces=largest`.' }),
    limits: z.record(z.string(), z.number()).openapi({ description: 'Settings in force, in lower case.' }),
    workers: z.int(),
    version: z.string().openapi({ description: 'Version of the service.' }),
    liveness: livenessSchema.optional(),
  })
  .openapi('ModelInfo');

const route = createRoute({
  method: 'get',
  path: '/v1/model-info',
  operationId: 'getModelInfo',
  tags: ['Status'],
  summary: 'The loaded model, and the limits in force',
  responses: {
    200: { description: 'The loaded model.', content: { 'application/json': { schema: modelInfoSchema } } },
    ...errorResponses('UNAUTHORIZED', 'RATE_LIMITED', 'MODEL_NOT_LOADED'),
  },
});

export function addModelInfoRoute({ add, config, engine }: Api): void {
  add(route, 'callers', (c) => {
    if (engine.model === undefined) throw new ServiceError('MODEL_NOT_LOADED');
    return c.json(describeModel(engine.model, config));
  });
}

function describeModel(
  { pack, embeddingSize, rewrites, thresholds, liveness }: LoadedModel,
  config: Config,
): z.output<typeof modelInfoSchema> {
  const describeFile = ({ path, sha256, pinned }: Pick<ModelFile, 'path' | 'sha256' | 'pinned'>) => ({
    file: basename(path),
    sha256,
    pinned,
  });
  return {
    name: pack.name,
    embedding_size: embeddingSize,
    embedding_space: pack.embeddingSpace,
    backend: 'onnxruntime',
    device: config.DEVICE,
    ...(config.autoDevice && { device_passed_over: config.autoDevice.passedOver }),
    detector: {
      ...describeFile(pack.detector),
      rewrites: rewrites.detector,
      family: pack.detector.family,
      input_sizes: [...detectionSizesOf(pack.detector, config.DETECTION_SIZES)],
      ...(pack.detector.landmarks && {
        landmarks: { ...describeFile(pack.detector.landmarks), rewrites: rewrites.landmarks ?? [] },
      }),
    },
    recogniser: {
      ...describeFile(pack.recogniser),
      rewrites: rewrites.recogniser,
      input_size: pack.recogniser.inputSize,
    },
    quality: { evidence: qualityEvidenceOf(pack) },
    licence: pack.licence,
    training_data: pack.trainingData,
    commercial_use: pack.commercialUse,
    synthetic: pack.origin === 'synthetic',
    thresholds: thresholds.length > 0 ? thresholds : provisionalThresholds(pack),
    detection_threshold: config.DETECTION_THRESHOLD,
    detection: config.DETECTION,
    limits: Object.fromEntries(LIMITS.map((name) => [name.toLowerCase(), config[name]])),
    workers: config.WORKERS,
    version: VERSION,
    ...(liveness && {
      liveness: {
        ...describeLiveness(liveness),
        files: liveness.weights.files.map(describeFile),
        default: config.LIVENESS,
      },
    }),
  };
}

function describeLiveness({ weights: { model, family, licence }, threshold, calibration }: LivenessSetup) {
  return {
    model,
    family,
    licence,
    ...(threshold !== undefined && { threshold }),
    ...(calibration && { calibration: describeCalibration(calibration) }),
  };
}

function describeCalibration(calibration: LivenessCalibration) {
  const { threshold, apcer, bpcer, acer, live_pictures, spoof_pictures, source, created } = calibration;
  const { apcer_interval, bpcer_interval, acer_interval } = calibration;
  const rates = { threshold, apcer, apcer_interval, bpcer, bpcer_interval, acer, acer_interval };
  return { ...rates, live_pictures, spoof_pictures, source, created };
}

function provisionalThresholds(pack: LoadedModel['pack']) {
  return provisionalFor(pack)?.thresholds.map((entry) => ({ ...entry, provisional: true as const })) ?? [];
}
