import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { startEngine, testConfig } from '../support/engine/engines.ts';
import { assembleApp } from '../support/http/app.ts';

const config = testConfig();
let engine: InferenceEngine;
let app: ReturnType<typeof assembleApp>['app'];

beforeAll(async () => {
  engine = await startEngine(config);
  ({ app } = assembleApp(config, engine));
});
afterAll(() => engine.close());

describe('health and readiness with a loaded model', () => {
  it('answer 200', async () => {
    const health = await app.request('/v1/health');
    expect(health.status).toBe(200);
    expect(await health.json()).toEqual({ status: 'healthy', model_loaded: true, model_name: 'synthetic' });
    const ready = await app.request('/readyz');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ status: 'ready' });
  });
});

describe('GET /v1/model-info', () => {
  it('describes the loaded model and the limits in force', async () => {
    const response = await app.request('/v1/model-info');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      name: 'synthetic',
      embedding_size: 512,
      embedding_space: expect.stringMatching(/^synthetic:[0-9a-f]{12}$/),
      backend: 'onnxruntime',
      device: 'cpu',
      detector: {
        file: 'detector.onnx',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        pinned: false,
        rewrites: expect.any(Array),
        family: 'scrfd',
        input_sizes: [128, 640],
      },
      recogniser: {
        file: 'recogniser.onnx',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        pinned: false,
        rewrites: expect.any(Array),
        input_size: 112,
      },
      quality: { evidence: 'transferred' },
      licence: expect.stringContaining('recognises nobody'),
      synthetic: true,
      thresholds: [],
      detection_threshold: 0.5,
      detection: 'full',
      limits: {
        max_image_size: 10_485_760,
        max_image_pixels: 50_000_000,
        max_request_size: 33_554_432,
        max_batch_size: 64,
        max_references: 10_000,
        max_comparisons: 1_000_000,
        max_faces: 100,
        max_queue: 64,
        max_inflight_bytes: 268_435_456,
        request_timeout_ms: 10_000,
      },
      workers: 1,
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });
});
