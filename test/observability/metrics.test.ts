import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { REJECTION_REASONS, REQUEST_STAGES } from '../../src/observability/request-record.ts';
import { startEngine, testConfig } from '../support/engine/engines.ts';
import { assembleApp } from '../support/http/app.ts';
import { seriesValue } from '../support/http/metric.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';

const config = testConfig({ MAX_IMAGE_SIZE: '2000000' });
let engine: InferenceEngine;
let app: ReturnType<typeof assembleApp>['app'];

beforeAll(async () => {
  engine = await startEngine(config);
  ({ app } = assembleApp(config, engine));
});
afterAll(() => engine.close());

/** The value of one series; undefined if there is none. */
async function read(series: string): Promise<number | undefined> {
  return seriesValue(await (await app.request('/metrics')).text(), series);
}

const embed = (body: Uint8Array<ArrayBuffer>, query = '') =>
  app.request(`/v1/embed${query}`, { method: 'POST', headers: { 'Content-Type': 'image/png' }, body });

describe('the metrics', () => {
  it('have every series from the start, at zero', async () => {
    for (const [code, { status }] of Object.entries(ERROR_CATALOGUE)) {
      expect(
        await read(`face_http_requests_total{route="/v1/embed",status="${status}",error_code="${code}"}`),
      ).toBe(0);
    }
    expect(await read('face_http_requests_total{route="/v1/embed",status="200",error_code=""}')).toBe(0);
    for (const stage of REQUEST_STAGES) {
      expect(await read(`face_stage_duration_seconds_count{stage="${stage}"}`)).toBe(0);
    }
    for (const reason of REJECTION_REASONS)
      expect(await read(`face_http_rejected_total{reason="${reason}"}`)).toBe(0);
    for (const code of ['', ...Object.keys(ERROR_CATALOGUE)])
      expect(await read(`face_images_total{error_code="${code}"}`)).toBe(0);
    expect(await read('face_faces_per_image_count')).toBe(0);
    expect(await read('face_workers_restarted_total')).toBe(0);
  });

  it('report the state of the engine', async () => {
    expect(await read('face_workers')).toBe(1);
    expect(await read('face_workers_alive')).toBe(1);
    expect(await read('face_workers_busy')).toBe(0);
    expect(await read('face_images_capacity')).toBe(65);
    expect(await read('face_images_queued')).toBe(0);
    expect(await read('face_ready')).toBe(1);
    expect(await read('face_inflight_body_bytes_limit')).toBe(268_435_456);
    const text = await (await app.request('/metrics')).text();
    expect(text).toMatch(
      /^face_model_info\{model="synthetic",embedding_space="synthetic:[0-9a-f]{12}",origin="synthetic"\} 1$/m,
    );
    expect(text).toMatch(/^face_build_info\{version="0\.0\.0",node="v\d+[^"]*"\} 1$/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
  });

  it('count requests, images, stages and bytes', async () => {
    const picture = await blobsPng(1);
    const size = picture.length;
    await embed(picture);
    await embed(await blankPng());
    await embed(new Uint8Array(2_000_001));
    await app.request('/nowhere/at/all');
    await app.request('/v1/embed');
    expect(await read('face_http_requests_total{route="/v1/embed",status="200",error_code=""}')).toBe(1);
    expect(
      await read('face_http_requests_total{route="/v1/embed",status="422",error_code="NO_FACE_DETECTED"}'),
    ).toBe(1);
    expect(
      await read('face_http_requests_total{route="/v1/embed",status="413",error_code="IMAGE_TOO_LARGE"}'),
    ).toBe(1);
    expect(
      await read('face_http_requests_total{route="/v1/embed",status="405",error_code="METHOD_NOT_ALLOWED"}'),
    ).toBe(1);
    expect(
      await read('face_http_requests_total{route="unmatched",status="404",error_code="NOT_FOUND"}'),
    ).toBe(1);
    expect(await read('face_http_rejected_total{reason="too_large"}')).toBe(1);
    expect(await read('face_images_total{error_code=""}')).toBe(1);
    expect(await read('face_images_total{error_code="NO_FACE_DETECTED"}')).toBe(1);
    expect(await read('face_stage_duration_seconds_count{stage="recognise"}')).toBe(1);
    expect(await read('face_faces_per_image_sum')).toBe(1);
    expect(await read('face_http_request_body_bytes_sum{route="/v1/embed"}')).toBeGreaterThan(size);
    // The request for the metrics itself is in flight.
    expect(await read('face_http_requests_in_flight')).toBe(1);
    expect(await read('face_inflight_body_bytes')).toBe(0);
    expect(await read('face_images_admitted')).toBe(0);
  });

  it('have no label with a value from the caller', async () => {
    for (const path of ['/secret/alice', '/v1/embed/bob', '/..;/'])
      await app.request(path, { method: 'POST' });
    const text = await (await app.request('/metrics')).text();
    expect(text).not.toMatch(/alice|bob/);
  });
});

describe('Server-Timing', () => {
  it('lists the stages of an embed request', async () => {
    const answer = await embed(await blobsPng(1));
    expect(answer.headers.get('server-timing')).toMatch(
      /^queue;dur=[\d.]+, decode;dur=[\d.]+, detect;dur=[\d.]+, align;dur=[\d.]+, quality;dur=[\d.]+, recognise;dur=[\d.]+$/,
    );
  });
});
