import { describe, expect, it } from 'vitest';
import { cosine } from '../../support/numbers.ts';
import { blankPng, blobs, blobsPng } from '../../support/pictures.ts';
import { base64, useEmbedRoute } from './embed-requests.ts';

const { sendJson, sendRaw, sendForm } = useEmbedRoute();
const picture = await blobsPng(1);
const blank = await blankPng();

describe('POST /v1/embed', () => {
  it('returns the embedding, the place of the face and the model', async () => {
    const { status, headers, body } = await sendJson({ image: base64(picture) });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(body).sort()).toEqual(
      [
        'bbox',
        'detection_score',
        'embedding',
        'face_detected',
        'image',
        'landmarks',
        'model',
        'quality',
      ].sort(),
    );
    expect(body).toMatchObject({
      face_detected: true,
      image: { width: 320, height: 240 },
      model: {
        name: 'synthetic',
        embedding_size: 512,
        embedding_space: expect.stringMatching(/^synthetic:[0-9a-f]{12}$/),
      },
    });
    expect(body.embedding).toHaveLength(512);
    expect(Math.hypot(...body.embedding)).toBeCloseTo(1, 5);
    expect(body.detection_score).toBeGreaterThan(0.5);
    expect(body.bbox.x + body.bbox.width / 2).toBeCloseTo(160, -1);
    expect(body.landmarks).toHaveLength(5);
    // Left eye is left of the right one, and the mouth below the eyes, as seen in the picture.
    expect(body.landmarks[0][0]).toBeLessThan(body.landmarks[1][0]);
    expect(body.landmarks[3][1]).toBeGreaterThan(body.landmarks[0][1]);
  });

  it('returns the same in every transport', async () => {
    const { body: expected } = await sendJson({ image: base64(picture) });
    const url = Buffer.from(picture).toString('base64url');
    const answers = await Promise.all([
      sendJson({ image: `data:image/png;base64,${base64(picture)}` }),
      sendJson({ image: `data:image/jpeg;name=x.jpg;base64,${base64(picture)}` }),
      sendJson({ image: base64(picture).replace(/=+$/, '') }),
      sendJson({ image: url }),
      sendJson({ image: base64(picture).replace(/(.{76})/g, '$1\r\n') }),
      sendRaw(picture),
      sendRaw(picture, '', 'image/jpeg'),
      sendRaw(picture, '', 'application/octet-stream'),
      sendForm({ image: picture }),
    ]);
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body).toEqual(expected);
    }
  });

  it('accepts the same options in every transport', async () => {
    const options = { faces: 'all', encoding_format: 'base64', detection_threshold: 0.3 };
    const query = '?faces=all&encoding_format=base64&detection_threshold=0.3';
    const fields = { faces: 'all', encoding_format: 'base64', detection_threshold: '0.3' };
    const answers = await Promise.all([
      sendJson({ image: base64(picture), ...options }),
      sendRaw(picture, query),
      sendForm({ ...fields, image: picture }),
      sendForm({ image: picture, ...fields }),
      sendJson({ image: base64(picture) }, {}, query),
      sendJson(
        { image: base64(picture), faces: 'all' },
        {},
        '?encoding_format=base64&detection_threshold=0.3',
      ),
      sendForm({ image: picture }, query),
      sendForm({ image: picture, faces: 'all' }, '?encoding_format=base64&detection_threshold=0.3'),
    ]);
    for (const { body } of answers) {
      expect(body).toEqual(answers[0]?.body);
      expect(body.faces[0].embedding).toHaveLength(2732);
    }
  });

  it.each(['3e-1', '0.3E+0', '30E-2'])('accepts %s as text, a number as JSON has them', async (number) => {
    const [given, usual] = await Promise.all([
      sendRaw(picture, `?faces=all&detection_threshold=${encodeURIComponent(number)}`),
      sendRaw(picture, '?faces=all&detection_threshold=0.3'),
    ]);
    expect(given.body).toEqual(usual.body);
    expect(given.status).toBe(200);
  });

  it('returns the same numbers as base64 and as an array', async () => {
    const [numbers, text] = await Promise.all([
      sendRaw(picture),
      sendRaw(picture, '?encoding_format=base64'),
    ]);
    const floats = new Float32Array(new Uint8Array(Buffer.from(text.body.embedding, 'base64')).buffer);
    expect(Float32Array.from(numbers.body.embedding)).toEqual(floats);
  });

  it('returns similar embeddings for equal pictures only', async () => {
    const jpeg = await blobs(1).jpeg({ quality: 95 }).toBuffer();
    const [first, again, other] = await Promise.all(
      [picture, new Uint8Array(jpeg), await blobsPng(2)].map((bytes) => sendRaw(bytes)),
    );
    expect(cosine(first?.body.embedding, again?.body.embedding)).toBeGreaterThan(0.98);
    expect(cosine(first?.body.embedding, other?.body.embedding)).toBeLessThan(0.5);
  });

  describe('detection=fast', () => {
    it('finds the same face as full detection, with faces=largest', async () => {
      const [fast, full] = await Promise.all([
        sendRaw(picture, '?faces=largest&detection=fast'),
        sendRaw(picture, '?faces=largest'),
      ]);
      expect(fast.status).toBe(200);
      expect(cosine(fast.body.embedding, full.body.embedding)).toBeGreaterThan(0.9);
      const form = await sendForm({ image: picture, faces: 'largest', detection: 'fast' });
      expect(form.body).toEqual(fast.body);
    });

    it.each(['single', 'all'])('is refused with faces=%s', async (faces) => {
      const answers = await Promise.all([
        sendRaw(picture, `?faces=${faces}&detection=fast`),
        sendJson({ image: base64(picture), faces, detection: 'fast' }),
        sendForm({ image: picture, faces, detection: 'fast' }),
      ]);
      for (const { status, body } of answers) {
        expect(status).toBe(400);
        expect(body).toMatchObject({
          error_code: 'INVALID_REQUEST',
          detail: expect.stringMatching(/^detection: /),
        });
      }
    });
  });

  describe('a picture without a face', () => {
    it.each(['single', 'largest'])('is refused with faces=%s', async (faces) => {
      const { status, body } = await sendRaw(blank, `?faces=${faces}`);
      expect(status).toBe(422);
      expect(body).toMatchObject({ error_code: 'NO_FACE_DETECTED', detail: '0 faces' });
    });

    it('gives an empty list with faces=all', async () => {
      const { status, body } = await sendRaw(blank, '?faces=all');
      expect(status).toBe(200);
      expect(body).toMatchObject({ faces: [], face_detected: false, image: { width: 320, height: 240 } });
      expect(body).toHaveProperty('model');
    });

    it('includes one whose face is below detection_threshold', async () => {
      const { body } = await sendRaw(picture, '?detection_threshold=1');
      expect(body.error_code).toBe('NO_FACE_DETECTED');
    });
  });
});
