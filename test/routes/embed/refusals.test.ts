import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { blobsPng } from '../../support/pictures.ts';
import { base64, expectRefusal, useEmbedRoute } from './embed-requests.ts';

const { send, sendJson, sendRaw, sendForm } = useEmbedRoute({
  MAX_IMAGE_SIZE: '200000',
  MAX_REQUEST_SIZE: '400000',
  MAX_IMAGE_PIXELS: '1000000',
});
const picture = await blobsPng(1);

describe('POST /v1/embed refuses', () => {
  it.each([
    ['a body that is not JSON', '{"image": ', /not valid JSON/],
    ['a list', '[]', /object/],
    ['null', 'null', /object/],
    ['no image', '{}', /^image: /],
    ['an image that is not a string', '{"image": 5}', /^image: /],
    ['an unknown option', '{"image": "AAAA", "face": "all"}', /face/],
    ['an unknown value', '{"image": "AAAA", "faces": "both"}', /^faces: /],
    [
      'an option of the wrong type',
      '{"image": "AAAA", "detection_threshold": "0.5"}',
      /^detection_threshold: /,
    ],
    ['a value out of range', '{"image": "AAAA", "detection_threshold": 1.5}', /^detection_threshold: /],
  ])('JSON with %s, and names the field', async (_name, text, detail) => {
    expectRefusal(await sendJson(text), 400, 'INVALID_REQUEST', detail);
  });

  it('a body that is not UTF-8', async () => {
    const answer = await send({
      headers: { 'Content-Type': 'application/json' },
      body: new Uint8Array([34, 0xff, 34]),
    });
    expectRefusal(answer, 400, 'INVALID_REQUEST', /not valid JSON/);
  });

  it.each([
    '?faces=both',
    '?face=all',
    '?detection_threshold=abc',
    '?detection_threshold=2',
    '?detection_threshold=',
  ])('the query %s of a raw body', async (query) =>
    expectRefusal(await sendRaw(picture, query), 400, 'INVALID_REQUEST', /face|detection_threshold/),
  );

  it.each([
    ['?faces=all&faces=all', /^faces: given more than once in the query$/],
    ['?faces=all&face=x&face=y', /^face: given more than once in the query$/],
    ['?faces=all', /^faces: given in the query and in the body$/],
  ])('an option that is given twice: %s', async (query, detail) => {
    const given = { faces: 'all' };
    for (const answer of [
      await sendJson({ image: base64(picture), ...given }, {}, query),
      await sendJson({ images: [base64(picture)], ...given }, {}, query),
      await sendForm({ image: picture, ...given }, query),
    ]) {
      expectRefusal(answer, 400, 'INVALID_REQUEST', detail);
    }
  });

  it('an option that is given twice in the query of a raw body', async () => {
    const answer = await sendRaw(picture, '?quality=true&quality=1');
    expectRefusal(answer, 400, 'INVALID_REQUEST', /^quality: given more than once/);
  });

  it('options that contradict each other in the query and the body', async () => {
    for (const answer of [
      await sendJson({ image: base64(picture), faces: 'all' }, {}, '?detection=fast'),
      await sendForm({ image: picture, faces: 'all' }, '?detection=fast'),
    ]) {
      expectRefusal(answer, 400, 'INVALID_REQUEST', /^detection: /);
    }
  });

  it('a wrong option in the query before the body is read', async () => {
    const answer = await send(
      { headers: { 'Content-Type': 'application/json' }, body: 'not JSON' },
      '?faces=both',
    );
    expectRefusal(answer, 400, 'INVALID_REQUEST', /^faces: /);
  });

  it.each([
    ['bare text that is not base64', 'hello, world', /not valid base64/],
    ['a data URL that is not base64', 'data:image/svg+xml,<svg/>', /must be base64/],
    ['an http URL', 'https://example.com/face.jpg', /URLs are not fetched/],
    ['an empty string', '', /empty/],
    ['an empty data URL', 'data:image/png;base64,', /empty/],
  ])('%s with INVALID_IMAGE', async (_name, image, detail) => {
    expectRefusal(await sendJson({ image }), 422, 'INVALID_IMAGE', detail);
  });

  it('an empty raw body', async () => {
    expectRefusal(await sendRaw(new Uint8Array()), 422, 'INVALID_IMAGE', /empty/);
  });

  it('a truncated picture', async () => {
    expectRefusal(await sendRaw(picture.slice(0, 500)), 422, 'INVALID_IMAGE', /broken or truncated/);
  });

  it('bytes in no supported image format', async () => {
    expectRefusal(await sendRaw(new TextEncoder().encode('hello')), 415, 'UNSUPPORTED_FORMAT', /jpeg, png/);
  });

  it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/mixed'])(
    'the media type %s',
    async (type) => {
      const answer = await send({
        headers: type ? { 'Content-Type': type } : {},
        body: new Uint8Array([1, 2]),
      });
      expectRefusal(answer, 415, 'UNSUPPORTED_MEDIA_TYPE', /application\/json/);
    },
  );

  it('a compressed body', async () => {
    const answer = await sendJson({ image: 'AAAA' }, { 'Content-Encoding': 'gzip' });
    expectRefusal(answer, 415, 'UNSUPPORTED_MEDIA_TYPE', /Content-Encoding/);
  });

  describe('an image or body that is too large', () => {
    const big = new Uint8Array(200_001);

    it.each([
      ['an image as a raw body', () => sendRaw(big), 'IMAGE_TOO_LARGE'],
      ['an image in JSON', () => sendJson({ image: base64(big) }), 'IMAGE_TOO_LARGE'],
      ['an image in a form', () => sendForm({ image: big }), 'IMAGE_TOO_LARGE'],
      ['a JSON body', () => sendJson({ image: 'A'.repeat(400_001) }), 'REQUEST_TOO_LARGE'],
      ['a form body', () => sendForm({ image: new Uint8Array(400_001) }), 'REQUEST_TOO_LARGE'],
    ])('%s', async (_name, sendIt, code) => expectRefusal(await sendIt(), 413, code));

    it('an image of too many pixels', async () => {
      const wide = await sharp({ create: { width: 1001, height: 1000, channels: 3, background: 'grey' } })
        .png()
        .toBuffer();
      expectRefusal(
        await sendRaw(new Uint8Array(wide)),
        413,
        'IMAGE_TOO_LARGE',
        /1001000 pixels; the limit is 1000000/,
      );
    });

    it('a body without a declared length, of which little more than the limit is read', async () => {
      let sent = 0;
      const endless = new ReadableStream({
        pull(controller) {
          sent += 50_000;
          controller.enqueue(new Uint8Array(50_000));
        },
      });
      const answer = await send({
        headers: { 'Content-Type': 'image/png' },
        body: endless,
        duplex: 'half',
      } as RequestInit);
      expectRefusal(answer, 413, 'IMAGE_TOO_LARGE');
      expect(sent).toBeLessThan(500_000);
    });
  });
});
