import { rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ModelFile } from '../../src/packs/pack.ts';
import { resolvePack } from '../../src/packs/resolve.ts';
import { loadNetworks } from '../../src/vision/networks.ts';
import { generateSyntheticPack } from '../../tools/synthetic/pack.ts';
import { servePack, writeDescribedPack } from '../support/packs/described-packs.ts';
import { blobsPng } from '../support/pictures.ts';

const changes: Record<string, (file: ModelFile) => Promise<void>> = {
  'are cut': ({ path, bytes }) => truncate(path, bytes / 2),
  'are replaced': async ({ path }) => {
    await writeFile(`${path}.new`, generateSyntheticPack({ embeddingSize: 128 }).recogniser);
    await rename(`${path}.new`, path);
  },
};

/** The options of a worker that loads this pack. */
const optionsOf = (pack: Awaited<ReturnType<typeof resolvePack>>) => ({
  pack,
  device: 'cpu' as const,
  intraOpThreads: 1,
  loneRequestThreads: 1,
  detectionSizes: [128],
  rewrites: true,
});

describe('weights that', () => {
  it.each(Object.entries(changes))('%s after their verification are not loaded', async (_, change) => {
    const pack = await resolvePack({ name: 'own', modelsDir: await writeDescribedPack() });
    await change(pack.recogniser);
    await expect(loadNetworks(optionsOf(pack))).rejects.toThrow(/changed since it was verified/);
  });

  it.each(Object.entries(changes))('%s while the service runs change no embedding', async (_, change) => {
    const modelsDir = await writeDescribedPack();
    const { embed } = await servePack(modelsDir);
    const before = await embed(await blobsPng(1));
    expect(before.status).toBe(200);
    const { recogniser } = await resolvePack({ name: 'own', modelsDir });
    expect(recogniser.path.startsWith(join(modelsDir, 'own'))).toBe(true);
    await change(recogniser);
    expect((await embed(await blobsPng(1))).body).toEqual(before.body);
  });
});
