import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { servePack } from '../support/packs/described-packs.ts';
import { hasOpenWeights, MODELS, OPEN_PACK, photo } from '../support/shared.ts';

const PORTRAIT = 'lfw/Abdullah_0002.jpg';

describe.skipIf(!hasOpenWeights)('the service with another family of networks', () => {
  it('embeds, compares and describes itself', async () => {
    const { ready, get, embed, compare } = await servePack(MODELS, OPEN_PACK);
    expect(ready.status).toBe(200);
    const { body: info } = await get('/v1/model-info');
    expect(info).toMatchObject({
      name: OPEN_PACK,
      embedding_size: 256,
      detector: { family: 'yunet', pinned: true, input_sizes: [256, 512] },
      recogniser: { input_size: 128, pinned: true },
      quality: { evidence: 'transferred' },
    });
    expect(info.embedding_space).toMatch(/^open_s:[0-9a-f]{12}$/);

    const upright = (await embed(photo(PORTRAIT))).body;
    expect(upright.embedding).toHaveLength(256);
    expect(Math.hypot(...upright.embedding)).toBeCloseTo(1, 5);
    expect(upright.model).toEqual({
      name: OPEN_PACK,
      embedding_size: 256,
      embedding_space: info.embedding_space,
    });
    expect(upright.quality.score).toBeGreaterThan(0.5);

    // The same person, a photograph that lies on its side, and the coarse pass alone.
    const turned = new Uint8Array(await sharp(photo('lfw/Abdullah_0003.jpg')).rotate(90).toBuffer());
    const other = (await embed(turned, 'faces=largest&orientation=auto&detection=fast')).body;
    expect(other.rotation).toBe(270);
    const compared = await compare({
      query_embedding: upright.embedding,
      reference_embeddings: [
        { id: 'same', embedding: other.embedding },
        { id: 'wrong', embedding: upright.embedding.toReversed() },
      ],
    });
    expect(compared.body.best_match.id).toBe('same');
    expect(compared.body.best_match.similarity).toBeGreaterThan(0.6);
  });
});
