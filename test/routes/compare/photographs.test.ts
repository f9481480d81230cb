import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testConfig } from '../../support/engine/engines.ts';
import { startRealEngine } from '../../support/engine/real-engine.ts';
import { assembleApp } from '../../support/http/app.ts';
import { FACES, hasRealWeights, photo } from '../../support/shared.ts';
import { base64, post } from './picture-service.ts';

describe.skipIf(!hasRealWeights)('comparing photographs', () => {
  it('matches photographs of the same person and no others', async () => {
    // Three pairs, each of one person.
    const pairs = readFileSync(join(FACES, 'lfw', 'pairs.csv'), 'utf8')
      .split(/\r?\n/)
      .filter((line) => line.endsWith(',1'))
      .slice(0, 3)
      .map((line) => line.split(',') as [string, string, string]);
    const image = (file: string) => base64(photo(`lfw/${file}`));
    const engine = await startRealEngine();
    const assembled = assembleApp(testConfig({ WORKERS: '2' }), engine);
    try {
      const request = {
        query_image: image(pairs[0]?.[0] as string),
        reference_embeddings: pairs
          .map(([, file], i) => ({ id: `person ${i}`, image: image(file) }))
          .reverse(),
        threshold: 0.7,
      };
      const { status, body } = await post(assembled, '/v1/compare', request);
      expect(status).toBe(200);
      expect(body.best_match.id).toBe('person 0');
      expect(body.matches.map(({ is_match }: { is_match: boolean }) => is_match)).toEqual([
        true,
        false,
        false,
      ]);
    } finally {
      await Promise.all([engine.close(), assembled.json.close()]);
    }
  });
});
