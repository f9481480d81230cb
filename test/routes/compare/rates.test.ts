import { describe, expect, it } from 'vitest';
import type { FaceEngine, LoadedModel } from '../../../src/engine/engine.ts';
import { ServiceError } from '../../../src/errors.ts';
import { W600K_MBF } from '../../../src/packs/provisional/w600k-mbf.ts';
import { TinyEngine, testConfig } from '../../support/engine/engines.ts';
import { FAR_POINTS } from '../../support/far-points.ts';
import { answerOf } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';
import { block, expectRefusal, postCompare } from './compare-requests.ts';
import { other, picture, config as pictureConfig, post, usePictureService } from './picture-service.ts';

const SPACE = 'own:0123456789ab';
const config = testConfig();

/** The application with a model whose embeddings have two numbers, and the given figures. */
function appWith(parts: Partial<LoadedModel>, recogniser = '') {
  const file = { path: '', bytes: 0, sha256: recogniser, pinned: false, preprocessing: { mean: 0, std: 1 } };
  const engine = new TinyEngine({ phase: 'ready' }, () => {
    throw new ServiceError('OVERLOADED');
  });
  engine.model = {
    pack: {
      name: 'own',
      origin: 'manifest',
      licence: '',
      trainingData: '',
      commercialUse: 'unknown',
      detector: { ...file, family: 'scrfd' },
      recogniser: { ...file, inputSize: 112, channelOrder: 'rgb' },
      embeddingSpace: SPACE,
    },
    embeddingSize: 2,
    rewrites: { detector: [], recogniser: [] },
    thresholds: [],
    ...parts,
  };
  return assembleApp(config, engine).app;
}

const measured = appWith({ curve: FAR_POINTS as NonNullable<LoadedModel['curve']> });
const unmeasured = appWith({});

/** Whose similarity to [1, 0] is this. */
function vectorAt(similarity: number): number[] {
  const cos = 2 * similarity - 1;
  return [cos, Math.sqrt(1 - cos * cos)];
}
const references = (...similarities: number[]) =>
  similarities.map((similarity) => ({ id: String(similarity), embedding: vectorAt(similarity) }));

const request = (more: object = {}, ...similarities: number[]) => ({
  query_embedding: [1, 0],
  reference_embeddings: references(...(similarities.length > 0 ? similarities : [0.75, 0.65, 0.5])),
  ...more,
});

describe('POST /v1/compare with measured rates', () => {
  it('gives every match the share of strangers who are as near, and the best match that of the search', async () => {
    const { status, body } = await postCompare(measured, request());
    expect(status).toBe(200);
    const [first, second, third] = body.matches;
    expect(first.far).toEqual({ high: 0.001414 });
    expect(second.far).toEqual({ estimate: 0.003162, low: 0.002, high: 0.005099 });
    expect(third.far).toEqual({ estimate: 0.1, low: 0.09, high: 0.11 });
    expect(first).not.toHaveProperty('is_match');
    expect(body.best_match).toEqual({ ...first, fpir: { high: 0.004236 } });
    expect(body).not.toHaveProperty('provisional');
  });

  it('gives the same rates in each metric', async () => {
    const rates = async (distance_metric: string) => {
      const { body } = await postCompare(measured, request({ distance_metric }));
      return body.matches.map(({ far }: { far: object }) => far);
    };
    expect(await rates('euclidean')).toEqual(await rates('cosine'));
  });

  it.each([
    // The estimates are below 0.001, 0.003162 and 0.1.
    ['max_far', 0.001, [true, false, false]],
    ['max_far', 0.0032, [true, true, false]],
    ['max_far', 1, [true, true, true]],
    // 1 − (1 − 0.003162)³ = 0.009456.
    ['max_fpir', 0.0094, [true, false, false]],
    ['max_fpir', 0.0095, [true, true, false]],
    ['max_fpir', 0.3, [true, true, true]],
  ])('decides by %s = %f', async (name, limit, verdicts) => {
    for (const answer of [
      await postCompare(measured, request({ [name]: limit })),
      await postCompare(measured, request(), {}, `?${name}=${limit}`),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.body.matches.map(({ is_match }: { is_match: boolean }) => is_match)).toEqual(verdicts);
      expect(answer.body.best_match.is_match).toBe(verdicts[0]);
      expect(answer.body[name]).toBe(limit);
    }
  });

  it('counts the embeddings of a person, and says what the rate is at most', async () => {
    const person = { id: 'a', embeddings: [0.5, 0.6, 0.3].map(vectorAt) };
    const reference_embeddings = [person, ...references(0.5)];
    const { body } = await postCompare(measured, request({ reference_embeddings }));
    // 1 − (1 − 0.01)³, and the same of 0.013; of three photographs that are all alike, the rate is that of one.
    expect(body.matches[0].far).toEqual({ estimate: 0.0297, low: 0.008, high: 0.0385 });
    expect(body.matches[1].far).toEqual({ estimate: 0.1, low: 0.09, high: 0.11 });
    // Among four embeddings.
    expect(body.best_match.fpir).toEqual({ estimate: 0.0394, low: 0.03162, high: 0.05099 });
    const verdictOf = async (limit: object) =>
      (await postCompare(measured, request({ reference_embeddings, ...limit }))).body.best_match.is_match;
    expect(await verdictOf({ max_far: 0.0297 })).toBe(true);
    expect(await verdictOf({ max_far: 0.0296 })).toBe(false);
    expect(await verdictOf({ max_fpir: 0.0395 })).toBe(true);
    expect(await verdictOf({ max_fpir: 0.0393 })).toBe(false);
    const mean = await postCompare(measured, request({ reference_embeddings, person_distance: 'mean' }));
    // So it is for their mean.
    const [other, ofMean] = mean.body.matches;
    expect([other.id, ofMean.id]).toEqual(['0.5', 'a']);
    expect(other.far.estimate).toBe(0.1);
    expect(ofMean.far.low).toBeGreaterThan(0.09);
    expect(ofMean.far.estimate).toBeGreaterThan(1 - 0.9 ** 3);
    expect(mean.body.best_match.fpir).toEqual({ estimate: 0.3439, low: 0.3143, high: 0.3726 });
    expectRefusal(
      await postCompare(measured, request({ reference_embeddings, max_far: 0.002 })),
      400,
      'INVALID_REQUEST',
      'max_far: 0.002 is less than the measured pairs can show; the lowest is 0.002998 for 3 embeddings of one person',
    );
    const lowest = request({ reference_embeddings, max_far: 0.002998 });
    expect((await postCompare(measured, lowest)).status).toBe(200);
  });

  it('decides by each query of several, and on the JSON thread as on the main thread', async () => {
    const rows = Array.from({ length: 3_000 }, (_, i) =>
      Float32Array.from(vectorAt(0.1 + (0.55 * i) / 3_000)),
    );
    const { status, body } = await postCompare(measured, {
      query_embeddings: [
        { id: 'near', embedding: [1, 0] },
        { id: 'far', embedding: [-1, 0] },
      ],
      reference_embeddings: block(rows),
      max_far: 0.005,
      top_k: 2,
    });
    expect(status).toBe(200);
    const [near, far] = body.results;
    expect(near.best_match).toMatchObject({ is_match: true, far: { estimate: expect.closeTo(0.00317, 4) } });
    expect(near.best_match.fpir.estimate).toBeCloseTo(1, 3);
    expect(far.best_match).toMatchObject({ is_match: true, far: { high: 0.001 } });
  });

  it('has no rates, and none to be decided by, for embeddings of another model', async () => {
    const space = 'other:ffffffffffff';
    const { body } = await postCompare(measured, request({ embedding_space: space }));
    expect(body.matches[0]).not.toHaveProperty('far');
    expect(body.best_match).not.toHaveProperty('fpir');
    expectRefusal(
      await postCompare(measured, request({ embedding_space: space, max_far: 0.01 })),
      400,
      'INVALID_REQUEST',
      `max_far: the service knows rates of ${SPACE} only, the embeddings are of ${space}`,
    );
    const long = { query_embedding: [1, 0, 0], reference_embeddings: [{ id: 'a', embedding: [1, 0, 0] }] };
    expect((await postCompare(measured, long)).body.matches[0]).not.toHaveProperty('far');
    expectRefusal(
      await postCompare(measured, { ...long, max_fpir: 0.01 }),
      400,
      'INVALID_REQUEST',
      'max_fpir: the service knows rates of embeddings with 2 numbers only, these have 3',
    );
    expect((await postCompare(measured, request({ embedding_space: SPACE, max_far: 0.01 }))).status).toBe(
      200,
    );
  });

  it('refuses a rate that the pairs do not carry, and says which one they do', async () => {
    expectRefusal(
      await postCompare(measured, request({ max_far: 0.0005 })),
      400,
      'INVALID_REQUEST',
      'max_far: 0.0005 is less than the measured pairs can show; the lowest is 0.001',
    );
    const answer = await postCompare(measured, request({ max_fpir: 0.001 }));
    expectRefusal(
      answer,
      400,
      'INVALID_REQUEST',
      /^max_fpir: 0\.001 among 3 references takes a FAR of 0\.0003334,/,
    );
    const lowest = Number(/lowest max_fpir among 3 references is ([\d.]+)/.exec(answer.body.detail)?.[1]);
    expect(lowest).toBeCloseTo(0.002997, 5);
    expect((await postCompare(measured, request({ max_fpir: lowest }))).status).toBe(200);
    expect((await postCompare(measured, request({ max_far: 0.001 }))).status).toBe(200);
  });

  it('decides nothing without references', async () => {
    const { status, body } = await postCompare(measured, {
      query_embedding: [1, 0],
      reference_embeddings: [],
      max_fpir: 0.01,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ matches: [], best_match: null });
  });

  it.each([
    [{ threshold: 0.5, max_far: 0.01 }, 'threshold: expected at most one of threshold, max_far, max_fpir'],
    [{ max_fpir: 0.5, max_far: 0.01 }, 'max_far: expected at most one of threshold, max_far, max_fpir'],
    [{ max_far: 0 }, 'max_far: '],
    [{ max_fpir: 1.5 }, 'max_fpir: '],
  ])('refuses %j', async (options, detail) => {
    expectRefusal(
      await postCompare(measured, request(options)),
      400,
      'INVALID_REQUEST',
      new RegExp(`^${detail}`),
    );
  });
});

describe('POST /v1/compare without measured rates', () => {
  it('gives none, and refuses to decide by them', async () => {
    const { body } = await postCompare(unmeasured, request({ threshold: 0.5 }));
    expect(Object.keys(body.best_match)).toEqual(['id', 'distance', 'similarity', 'is_match']);
    expect(Object.keys(body)).toEqual(['matches', 'best_match', 'distance_metric', 'threshold']);
    for (const name of ['max_far', 'max_fpir']) {
      expectRefusal(
        await postCompare(unmeasured, request({ [name]: 0.01, allow_provisional: true })),
        400,
        'INVALID_REQUEST',
        `${name}: no rates are measured for ${SPACE}; npm run calibrate measures them (docs/THRESHOLDS.md)`,
      );
    }
  });

  it('takes provisional figures only if the caller accepts them, and says so', async () => {
    const app = appWith({}, W600K_MBF.recognisers[0]);
    const { body: plain } = await postCompare(app, request());
    expect(plain.matches[0]).not.toHaveProperty('far');
    expectRefusal(
      await postCompare(app, request({ max_far: 0.01 })),
      400,
      'INVALID_REQUEST',
      /provisional figures only.*allow_provisional=true/,
    );
    const { status, body } = await postCompare(
      app,
      request({ max_far: 0.01 }, 0.75, 0.3),
      {},
      '?allow_provisional=1',
    );
    expect(status).toBe(200);
    expect(body.provisional).toBe(true);
    expect(body.matches.map(({ is_match }: { is_match: boolean }) => is_match)).toEqual([true, false]);
    expect(body.matches[1].far.estimate).toBeGreaterThan(0.5);
  });

  it("takes none in place of an operator's own thresholds, which have no curve in version 1 of the file", async () => {
    const thresholds = [{ far: 0.01 }] as LoadedModel['thresholds'];
    const app = appWith({ thresholds }, W600K_MBF.recognisers[0]);
    expectRefusal(
      await postCompare(app, request({ max_far: 0.01, allow_provisional: true })),
      400,
      'INVALID_REQUEST',
      /no rates are measured/,
    );
  });

  it('lists provisional figures in /v1/model-info, marked, unless there are measured ones', async () => {
    const [recogniser] = W600K_MBF.recognisers;
    const thresholdsOf = async (app: ReturnType<typeof appWith>) =>
      (await answerOf(await app.request('/v1/model-info'))).body.thresholds;
    const provisional = await thresholdsOf(appWith({}, recogniser));
    expect(provisional[0]).toMatchObject({ far: 0.1, metric: 'cosine', provisional: true, people: 394 });
    const [{ provisional: _, ...own }] = provisional;
    expect(await thresholdsOf(appWith({ thresholds: [own] }, recogniser))).toEqual([own]);
    expect(await thresholdsOf(unmeasured)).toEqual([]);
  });

  it('says that the model is still being loaded', async () => {
    const engine: FaceEngine = new TinyEngine({ phase: 'starting', reason: '' }, () => {
      throw new ServiceError('MODEL_NOT_LOADED', { retryAfter: 7 });
    });
    const { app } = assembleApp(config, engine);
    expect((await postCompare(app, request())).status).toBe(200);
    const answer = await postCompare(app, request({ max_far: 0.01 }));
    expect(answer.status).toBe(503);
    expect(answer.body.error_code).toBe('MODEL_NOT_LOADED');
    expect(answer.headers.get('retry-after')).toBe('7');
  });
});

describe('comparing pictures with measured rates', () => {
  const service = usePictureService();

  it('gives and decides by the rates of the model that embedded them', async () => {
    const { engine } = service;
    const withCurve: FaceEngine = {
      status: engine.status,
      load: engine.load,
      model: { ...(engine.model as LoadedModel), curve: FAR_POINTS as NonNullable<LoadedModel['curve']> },
      letIn: (tenant) => engine.letIn(tenant),
      admit: (images, tenant) => engine.admit(images, tenant),
    };
    const assembled = assembleApp(pictureConfig, withCurve);
    const pictures = {
      query_image: picture,
      reference_embeddings: [
        { id: 'same', image: picture },
        { id: 'other', image: other },
      ],
    };
    const { status, body } = await post(assembled, '/v1/compare', { ...pictures, max_fpir: 0.01 });
    expect(status).toBe(200);
    expect(body.best_match).toMatchObject({ id: 'same', is_match: true, far: { high: 0.001 } });
    expect(body.best_match.fpir).toEqual({ high: 0.001999 });
    expect(body.matches[1]).toMatchObject({ id: 'other', far: { high: expect.any(Number) } });
    expectRefusal(
      await post(assembled, '/v1/compare', { ...pictures, max_far: 1e-7 }),
      400,
      'INVALID_REQUEST',
      /the lowest is 0\.001$/,
    );
  });
});
