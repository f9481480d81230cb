import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { testConfig } from '../support/engine/engines.ts';
import { startRealEngine } from '../support/engine/real-engine.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';
import { FACES, hasRealWeights, photo } from '../support/shared.ts';

/** The photographs of everybody who has at least four. `npm run study:fusion` tries many more sets. */
function peopleWithFour(): string[][] {
  const people = new Map<string, string[]>();
  for (const file of readdirSync(join(FACES, 'lfw')).filter((name) => name.endsWith('.jpg'))) {
    const name = file.replace(/_\d+\.jpg$/, '');
    people.set(name, [...(people.get(name) ?? []), file]);
  }
  return [...people.values()].filter(({ length }) => length >= 4).map((files) => files.sort().slice(0, 4));
}

describe.skipIf(!hasRealWeights)('four photographs of a person and one of somebody else', () => {
  const people = hasRealWeights ? peopleWithFour() : [];
  let engine: InferenceEngine;
  beforeAll(async () => {
    engine = await startRealEngine();
  });
  afterAll(() => engine?.close());

  it('give a template of the four, and the name of the fifth', async () => {
    expect(people.length).toBeGreaterThanOrEqual(8);
    const { app } = assembleApp(testConfig(), engine);
    await Promise.all(
      people.map(async (files, index) => {
        const intruder = people[(index + 1) % people.length]?.[0] as string;
        const place = index % 5;
        const form = new FormData();
        for (const file of files.toSpliced(place, 0, intruder)) {
          form.append('image', new Blob([photo(`lfw/${file}`)]));
        }
        const { body } = await answerOf(
          await app.request('/v1/embed?fuse=true&faces=largest', { method: 'POST', body: form }),
        );
        expect(body.template).toMatchObject({ outliers: [place] });
        expect(body.template.used).toHaveLength(4);
      }),
    );
  });
});
