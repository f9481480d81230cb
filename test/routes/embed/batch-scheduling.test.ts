import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { answerOf } from '../../support/http/answer.ts';
import { assembleScripted, widthOf } from './scripted-engine.ts';

describe('a batch', () => {
  it('has at most as many images in the engine as there are workers, and returns results in request order', async () => {
    const { engine, send } = assembleScripted();
    const answer = send([1, 2, 3, 4, 5, 6, 7]);
    for (const image of [3, 1, 2, 6, 5, 4, 7]) {
      await engine.answer(image);
      expect(engine.placesTaken).toBe(7);
    }
    const { body } = await answerOf(await answer);
    const { results } = body;
    expect(results.map(widthOf)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(results.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(engine.submitted).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(engine.peak).toBe(3);
    expect(engine.placesTaken).toBe(0);
  });

  it('continues when an image fails, and logs an unexpected failure whose cause it does not return', async () => {
    const { engine, send, logged } = assembleScripted();
    const answer = send([1, 2, 3, 4], { 'X-Request-Id': 'batch-1' });
    await engine.fail(1, new Error('/secret/path: 0xdeadbeef'));
    await engine.fail(2, 'oops');
    await engine.fail(3, new ServiceError('DEADLINE_EXCEEDED'));
    await engine.answer(4);
    const response = await answer;
    expect(response.status).toBe(200);
    const { results } = (await answerOf(response)).body;
    const unexpected = {
      error: 'The request could not be processed.',
      error_code: 'PROCESSING_ERROR',
      request_id: 'batch-1',
    };
    expect(results.slice(0, 2)).toEqual([
      { index: 0, ...unexpected },
      { index: 1, ...unexpected },
    ]);
    expect(results[2]).toMatchObject({ index: 2, error_code: 'DEADLINE_EXCEEDED' });
    expect(widthOf(results[3])).toBe(4);
    expect(logged.filter(({ level }) => level === 50)).toMatchObject([
      { requestId: 'batch-1', err: { message: '/secret/path: 0xdeadbeef' } },
      { requestId: 'batch-1' },
    ]);
  });

  it('starts no further image when the client disconnects, and waits for those that have started', async () => {
    const { engine, send, records } = assembleScripted();
    const client = new AbortController();
    const answer = send([1, 2, 3, 4, 5], {}, client.signal);
    await engine.answer(3);
    await expect.poll(() => engine.submitted).toEqual([1, 2, 3, 4]);
    client.abort(new Error('gone'));
    await expect.poll(() => [...engine.pending.keys()]).toEqual([1]);
    expect(engine.placesTaken).toBe(5);
    await engine.answer(1);
    await answer;
    expect(engine.submitted).toEqual([1, 2, 3, 4]);
    expect(engine.placesTaken).toBe(0);
    expect(records).toMatchObject([{ status: 499, rejection: 'client_gone' }]);
  });

  it('records each image with its faces, error and stages, and sums the stages in Server-Timing', async () => {
    const { engine, send, records, read } = assembleScripted();
    const answer = send([1, 2, 3, 4]);
    for (const image of [1, 2, 3]) await engine.answer(image);
    await engine.fail(4, new ServiceError('NO_FACE_DETECTED'));
    const response = await answer;
    // The sums of three images.
    expect(response.headers.get('server-timing')).toBe(
      'queue;dur=15.0, decode;dur=3.0, detect;dur=6.0, align;dur=9.0, quality;dur=3.0, recognise;dur=12.0',
    );
    expect(records[0]?.images.map(({ faces, errorCode }) => errorCode ?? faces)).toEqual([
      1,
      1,
      1,
      'NO_FACE_DETECTED',
    ]);
    expect(await read('face_images_total{error_code=""}')).toBe(3);
    expect(await read('face_images_total{error_code="NO_FACE_DETECTED"}')).toBe(1);
    expect(await read('face_faces_per_image_count')).toBe(3);
    expect(await read('face_stage_duration_seconds_count{stage="detect"}')).toBe(3);
    expect(await read('face_stage_duration_seconds_sum{stage="detect"}')).toBeCloseTo(0.006, 6);
    expect(await read('face_http_requests_total{route="/v1/embed",status="200",error_code=""}')).toBe(1);
  });
});
