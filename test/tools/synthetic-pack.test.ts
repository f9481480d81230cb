import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readGraphSignature } from '../../src/onnx/graph-signature.ts';
import { generateSyntheticPack, SYNTHETIC_PACK_FILES } from '../../tools/synthetic/pack.ts';

const PACK_FOLDER = new URL('../../models/synthetic/', import.meta.url);

describe('the synthetic pack', () => {
  it('is committed as the generator writes it', () => {
    const pack = generateSyntheticPack();
    for (const network of ['detector', 'recogniser'] as const) {
      const committed = readFileSync(new URL(SYNTHETIC_PACK_FILES[network], PACK_FOLDER));
      expect(committed.equals(pack[network]), `${network}: run npm run generate`).toBe(true);
    }
  });

  it('has at most 200 kB', () => {
    const { detector, recogniser } = generateSyntheticPack();
    expect(detector.length + recogniser.length).toBeLessThanOrEqual(200_000);
  });

  it('has the inputs and outputs of an SCRFD detector and an ArcFace recogniser', () => {
    const pack = generateSyntheticPack();
    const detector = readGraphSignature(pack.detector);
    expect(detector.inputs.map(({ dims }) => dims)).toEqual([[1, 3, undefined, undefined]]);
    const columns = detector.outputs.map(({ dims }) => dims?.[1]);
    expect(columns).toEqual([1, 1, 1, 4, 4, 4, 10, 10, 10]);
    const recogniser = readGraphSignature(pack.recogniser);
    expect(recogniser.inputs.map(({ dims }) => dims)).toEqual([[undefined, 3, 112, 112]]);
    expect(recogniser.outputs.map(({ dims }) => dims)).toEqual([[undefined, 512]]);
  });
});
