import { compare, embed, embedForm, embedImage } from './api.js';
import { expectEmbedding, expectEqual, file, image, makeCalls } from './make-calls.js';

await makeCalls({
  async json() {
    const { status, data } = await embed({ image, faces: 'largest' });
    if (status !== 200) throw new Error(data.error);
    if (!('bbox' in data)) throw new Error('not a face');
    expectEmbedding(data.embedding);
    expectEqual(data.bbox.width > 0, true);
  },
  async form() {
    const { status, data } = await embedForm({ image: [file], quality: false });
    if (status !== 200) throw new Error(data.error);
    if (!('bbox' in data)) throw new Error('not a face');
    expectEmbedding(data.embedding);
    expectEqual(data.quality, undefined);
  },
  async bytes() {
    const { status, data } = await embedImage(file, { encoding_format: 'base64', return_face: true });
    if (status !== 200) throw new Error(data.error);
    if (!('bbox' in data)) throw new Error('not a face');
    expectEmbedding(data.embedding);
    expectEqual(data.face_image?.startsWith('data:image/jpeg'), true);
  },
  async batch() {
    const { status, data } = await embed({ images: [image, 'AAAA'] });
    if (status !== 200) throw new Error(data.error);
    if (!('results' in data)) throw new Error('not a batch');
    const [first, second] = data.results;
    if (!first || !('bbox' in first)) throw new Error('not a face');
    expectEmbedding(first.embedding);
    if (!second || !('error_code' in second)) throw new Error('not an error');
    expectEqual(second.error_code, 'UNSUPPORTED_FORMAT');
  },
  async compare() {
    const { status, data } = await compare({
      query_embedding: [0.6, 0.8],
      reference_embeddings: [{ id: 'user_001', embedding: [0.5, 0.9] }],
      threshold: 0.7,
    });
    if (status !== 200) throw new Error(data.error);
    if (!('matches' in data)) throw new Error('not a comparison');
    expectEqual([data.best_match?.id, data.matches[0]?.is_match], ['user_001', true]);
  },
  async error() {
    const { status, data } = await embed({ image, min_face_size: 1000 });
    if (status !== 422) throw new Error(`status ${status}`);
    expectEqual(data.error_code, 'LOW_QUALITY');
    expectEqual(data.reasons, ['TOO_SMALL']);
  },
});
