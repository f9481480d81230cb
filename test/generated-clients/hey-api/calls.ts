import { client } from './api/client.gen.js';
import { compare, embed, embedForm, embedImage } from './api/index.js';
import { baseUrl, expectEmbedding, expectEqual, file, image, makeCalls } from './make-calls.js';

client.setConfig({ baseUrl });

await makeCalls({
  async json() {
    const { data, error } = await embed({ body: { image, faces: 'largest' } });
    if (!data || !('bbox' in data)) throw new Error(error?.error ?? 'not a face');
    expectEmbedding(data.embedding);
    expectEqual(data.bbox.width > 0, true);
  },
  async form() {
    const { data, error } = await embedForm({ body: { image: [file], quality: false } });
    if (!data || !('bbox' in data)) throw new Error(error?.error ?? 'not a face');
    expectEmbedding(data.embedding);
    expectEqual(data.quality, undefined);
  },
  async bytes() {
    const { data, error } = await embedImage({
      query: { encoding_format: 'base64', return_face: true },
      body: file,
    });
    if (!data || !('bbox' in data)) throw new Error(error?.error ?? 'not a face');
    expectEmbedding(data.embedding);
    expectEqual(data.face_image?.startsWith('data:image/jpeg'), true);
  },
  async batch() {
    const { data, error } = await embed({ body: { images: [image, 'AAAA'] } });
    if (!data || !('results' in data)) throw new Error(error?.error ?? 'not a batch');
    const [first, second] = data.results;
    if (!first || !('bbox' in first)) throw new Error('not a face');
    expectEmbedding(first.embedding);
    if (!second || !('error_code' in second)) throw new Error('not an error');
    expectEqual(second.error_code, 'UNSUPPORTED_FORMAT');
  },
  async compare() {
    const { data, error } = await compare({
      body: {
        query_embedding: [0.6, 0.8],
        reference_embeddings: [{ id: 'user_001', embedding: [0.5, 0.9] }],
        threshold: 0.7,
      },
    });
    if (!data || !('matches' in data)) throw new Error(error?.error ?? 'not a comparison');
    expectEqual([data.best_match?.id, data.matches[0]?.is_match], ['user_001', true]);
  },
  async error() {
    const { error } = await embed({ body: { image, min_face_size: 1000 } });
    if (error?.error_code !== 'LOW_QUALITY') throw new Error(`not refused: ${error?.error}`);
    expectEqual(error.request_id.length > 0, true);
    expectEqual('reasons' in error && error.reasons, ['TOO_SMALL']);
  },
});
