import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startEngine, testConfig } from '../../support/engine/engines.ts';
import { answerOf } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';
import { litPicture } from '../../support/lit-pictures.ts';
import { livenessNetwork } from '../../support/packs/liveness-networks.ts';
import { blobsPng } from '../../support/pictures.ts';
import { base64, expectRefusal, useEmbedRoute } from './embed-requests.ts';

const MODELS_DIR = mkdtempSync(join(tmpdir(), 'liveness-'));
writeFileSync(join(MODELS_DIR, 'mean.onnx'), livenessNetwork('insightface'));
afterAll(() => rmSync(MODELS_DIR, { recursive: true }));

const MODEL = { MODELS_DIR, LIVENESS_MODEL: 'mean.onnx' };
const bright = await litPicture(200);
const dark = await litPicture(50);
const SCORES = { bright: 200 / 255, dark: 50 / 255 };

describe('a service with a liveness model and a threshold', () => {
  const route = useEmbedRoute({ ...MODEL, LIVENESS_THRESHOLD: '0.5' });
  const forms = (picture: Uint8Array<ArrayBuffer>, liveness: string) =>
    Promise.all([
      route.sendRaw(picture, `?liveness=${liveness}`),
      route.sendJson({ image: base64(picture), liveness }),
      route.sendForm({ image: picture, liveness }),
      route.sendJson({ image: base64(picture) }, {}, `?liveness=${liveness}`),
    ]);
  const expectLiveness = (score: number, live: boolean) => ({
    score: expect.closeTo(score, 1),
    live,
    model: expect.stringMatching(/^insightface:[0-9a-f]{12}$/),
  });

  it('reports the score in every form, and nothing unless asked', async () => {
    const { liveness: absent, ...off } = (await route.sendRaw(bright)).body;
    expect(absent).toBeUndefined();
    for (const { body } of await forms(bright, 'report')) {
      const { liveness, ...rest } = body;
      expect(liveness).toEqual(expectLiveness(SCORES.bright, true));
      expect(rest).toEqual(off);
    }
    for (const { body } of await forms(dark, 'report')) {
      expect(body.liveness).toEqual(expectLiveness(SCORES.dark, false));
      expect(body.embedding).toHaveLength(512);
    }
    for (const { body } of await forms(dark, 'off')) expect(body).not.toHaveProperty('liveness');
  });

  it('refuses in every form what is not live', async () => {
    for (const answer of await forms(dark, 'require')) {
      expectRefusal(answer, 422, 'LIVENESS_FAILED', /^the score 0\.[12]\d+ is below the threshold 0\.5$/);
    }
    for (const { status, body } of await forms(bright, 'require')) {
      expect(status).toBe(200);
      expect(body.liveness.live).toBe(true);
    }
  });

  it('refuses a face that the model cannot judge, and reports why', async () => {
    const blurred = await blobsPng(1);
    expect((await route.sendRaw(blurred, '?liveness=report')).body.liveness).toEqual({
      score: null,
      live: null,
      model: expect.any(String),
      reason: 'TOO_BLURRED',
    });
    const answer = await route.sendRaw(blurred, '?liveness=require');
    expectRefusal(answer, 422, 'LIVENESS_FAILED', /^no score: TOO_BLURRED$/);
  });

  it('marks faces of a list, and does not embed them', async () => {
    const { body } = await route.sendRaw(dark, '?liveness=require&faces=all&quality=false');
    expect(body.faces.length).toBeGreaterThan(0);
    for (const face of body.faces) {
      expect(face).not.toHaveProperty('embedding');
      expect(face).not.toHaveProperty('quality');
      expect(face.liveness_failed).toMatch(/^the score/);
      expect(face.liveness.live).toBe(false);
    }
    const reported = await route.sendRaw(dark, '?liveness=report&faces=all');
    for (const face of reported.body.faces) {
      expect(face.embedding).toHaveLength(512);
      expect(face.liveness.live).toBe(false);
    }
  });

  it('refuses one image of a batch and not its neighbours', async () => {
    const { body } = await route.sendJson({
      images: [bright, dark, bright].map(base64),
      liveness: 'require',
    });
    expect(body.results.map((result: { error_code?: string }) => result.error_code)).toEqual([
      undefined,
      'LIVENESS_FAILED',
      undefined,
    ]);
  });

  it('applies the limits of quality first, and recognises no spoof', async () => {
    const answer = await route.sendRaw(dark, '?liveness=require&min_face_size=10000');
    expect(answer).toMatchObject({
      status: 422,
      body: { error_code: 'LOW_QUALITY', reasons: ['TOO_SMALL'] },
    });
    const refused = await route.sendRaw(dark, '?liveness=require');
    const timing = (headers: Headers) => headers.get('server-timing') ?? '';
    expect(timing(refused.headers)).toMatch(/liveness;dur=/);
    expect(timing(refused.headers)).not.toMatch(/recognise;dur=/);
    expect(timing((await route.sendRaw(bright, '?liveness=report')).headers)).toMatch(/liveness;dur=/);
    expect(timing((await route.sendRaw(bright)).headers)).not.toMatch(/liveness/);
  });

  it('says which model it has', async () => {
    const { app } = route.service;
    const { body } = await answerOf(await app.request('/v1/model-info'));
    expect(body.liveness).toEqual({
      model: expect.stringMatching(/^insightface:/),
      family: 'insightface',
      licence: expect.any(String),
      threshold: 0.5,
      files: [{ file: 'mean.onnx', sha256: expect.stringMatching(/^[0-9a-f]{64}$/), pinned: false }],
      default: 'off',
    });
  });

  it('refuses another value', async () => {
    expectRefusal(await route.sendRaw(bright, '?liveness=maybe'), 400, 'INVALID_REQUEST', /^liveness: /);
  });

  it('judges the query of a comparison, not its references', async () => {
    const { app } = route.service;
    const compare = async (query: Uint8Array, reference: Uint8Array, liveness: string) =>
      answerOf(
        await app.request('/v1/compare', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({
            query_image: base64(query),
            reference_embeddings: [{ id: 'stored', image: base64(reference) }],
            liveness,
          }),
        }),
      );
    const { status, body } = await compare(bright, dark, 'require');
    expect(status).toBe(200);
    expect(body.query.liveness.live).toBe(true);
    expect(body.best_match.face).not.toHaveProperty('liveness');
    expectRefusal(await compare(dark, bright, 'require'), 422, 'LIVENESS_FAILED', /^query_image: the score/);
    expect((await compare(dark, bright, 'report')).body.query.liveness.live).toBe(false);
  });
});

describe('a service with a liveness model and no threshold', () => {
  const route = useEmbedRoute({ ...MODEL, LIVENESS: 'report' });

  it('reports the score by default, and no verdict', async () => {
    const { liveness } = (await route.sendRaw(bright)).body;
    expect(liveness.score).toBeCloseTo(SCORES.bright, 1);
    expect(liveness.live).toBeNull();
    expect((await route.sendRaw(bright, '?liveness=off')).body).not.toHaveProperty('liveness');
  });

  it('cannot require a live face', async () => {
    const answer = await route.sendRaw(bright, '?liveness=require');
    expectRefusal(answer, 400, 'INVALID_REQUEST', /^liveness: require needs a threshold/);
  });
});

describe('a service that requires live faces', () => {
  it('does so for callers who do not ask', async () => {
    const config = testConfig({ ...MODEL, LIVENESS: 'require', LIVENESS_THRESHOLD: '0.5' });
    const engine = await startEngine(config);
    const { app, json } = assembleApp(config, engine);
    const headers = { 'Content-Type': 'image/png' };
    const send = async (body: Uint8Array<ArrayBuffer>) =>
      answerOf(await app.request('/v1/embed', { method: 'POST', headers, body }));
    expectRefusal(await send(dark), 422, 'LIVENESS_FAILED');
    expect((await send(bright)).status).toBe(200);
    await Promise.all([engine.close(), json.close()]);
  });
});

describe('a service without a liveness model', () => {
  const route = useEmbedRoute();

  it.each(['report', 'require'])('refuses %s, and has none in /v1/model-info', async (mode) => {
    const answer = await route.sendRaw(bright, `?liveness=${mode}`);
    expectRefusal(answer, 400, 'INVALID_REQUEST', new RegExp(`^liveness: ${mode} needs LIVENESS_MODEL`));
    expect((await route.sendRaw(bright, '?liveness=off')).status).toBe(200);
    const { body } = await answerOf(await route.service.app.request('/v1/model-info'));
    expect(body).not.toHaveProperty('liveness');
  });
});
