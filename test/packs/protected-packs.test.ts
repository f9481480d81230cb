import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { protectedSpace, splitSpace } from '../../src/packs/protected-space.ts';
import { readThresholds } from '../../src/packs/thresholds.ts';
import { SECRET } from '../protection/keys.ts';
import { servePack, writeDescribedPack } from '../support/packs/described-packs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PLAIN = 'own:0123456789ab:icc';

describe('the embedding space of a key', () => {
  it('is that of the pack with the name of the key as its last part', () => {
    const space = protectedSpace(PLAIN, 'door-2');
    expect(space).toBe(`${PLAIN}:k-door-2`);
    expect(splitSpace(space)).toEqual({ plainSpace: PLAIN, keyName: 'door-2' });
    expect(splitSpace(PLAIN)).toEqual({ plainSpace: PLAIN, keyName: undefined });
  });
});

describe('thresholds.json', () => {
  const spaces = [PLAIN, `${PLAIN}:k-door`, `${PLAIN}:k-shop`];

  async function warningFor(measuredIn: string, servedIn: string) {
    const folder = await temporaryFolder();
    const file = {
      thresholds_version: 1,
      embedding_space: measuredIn,
      created: '2030-01-31T12:00:00.000Z',
      source: 'door cameras',
      genuine_pairs: 400,
      impostor_pairs: 9_000,
      people: 120,
      thresholds: [],
    };
    await writeFile(join(folder, 'thresholds.json'), JSON.stringify(file));
    return (await readThresholds(folder, { origin: 'folder', embeddingSpace: servedIn })).warning;
  }

  it('holds with any key and without, since a key changes no distance', async () => {
    for (const measuredIn of spaces) {
      for (const servedIn of spaces) expect(await warningFor(measuredIn, servedIn)).toBeUndefined();
    }
  });

  it('does not hold for another pack with the same key', async () => {
    expect(await warningFor('other:0123456789ab:k-door', `${PLAIN}:k-door`)).toContain('is ignored');
  });
});

describe('a pack whose embeddings have a size that cannot be protected', () => {
  const servedWith = async (environment: Record<string, string>) =>
    servePack(await writeDescribedPack({ embeddingSize: 100 }), 'own', environment);

  it('is not loaded with a key, and the log says which sizes can', async () => {
    const { ready, errors } = await servedWith({ EMBEDDING_KEY: `test=${SECRET}` });
    expect(ready.status).toBe(503);
    expect(errors.join()).toContain(
      'The recogniser gives 100 numbers; with EMBEDDING_KEY, accepted are recognisers that give 64, 128, 256, 512 or 1024.',
    );
    expect(errors.join()).not.toContain(SECRET);
  });

  it('is loaded without one', async () => {
    expect((await servedWith({})).ready.status).toBe(200);
  });
});
