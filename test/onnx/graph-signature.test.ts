import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readGraphSignature } from '../../src/onnx/graph-signature.ts';
import { type Graph, type GraphNode, type ModelHeader, writeModel } from '../../src/onnx/writer.ts';

const REAL_PACK = new URL('../../../shared/models/buffalo_sc_dq/', import.meta.url);
const HEADER: ModelHeader = { irVersion: 7, opset: 13, producer: 'test' };

const relu = (from: string, to: string): GraphNode => ({
  opType: 'Relu',
  inputs: [from],
  outputs: [to],
  attributes: {},
});

const graph: Graph = {
  name: 'test',
  inputs: [
    { name: 'image', elementType: 'float', dims: ['batch', 3, 'height', 'width'] },
    { name: 'weights', elementType: 'float', dims: [2] },
    { name: 'anything', elementType: 'float', dims: undefined },
  ],
  outputs: [{ name: 'scalar', elementType: 'float', dims: [] }],
  initialisers: [{ name: 'weights', dims: [2], data: Float32Array.of(1, 2) }],
  nodes: [relu('image', 'a'), { ...relu('a', 'scalar'), opType: 'Sigmoid' }],
};

const small = writeModel(HEADER, graph);

describe.skipIf(!existsSync(REAL_PACK))('readGraphSignature with real networks', () => {
  it('reads the nine outputs of an SCRFD detector', () => {
    const signature = readGraphSignature(readFileSync(new URL('det_500m.onnx', REAL_PACK)));
    expect(signature.inputs).toEqual([{ name: 'input.1', dims: [1, 3, undefined, undefined] }]);
    expect(signature.outputs.map(({ dims }) => dims?.[1])).toEqual([1, 1, 1, 4, 4, 4, 10, 10, 10]);
    expect(signature.operators.slice(0, 4)).toEqual(['Conv', 'Relu', 'Conv', 'Relu']);
  });

  it('reads the single output of an ArcFace recogniser', () => {
    const signature = readGraphSignature(readFileSync(new URL('w600k_mbf.onnx', REAL_PACK)));
    expect(signature.inputs).toEqual([{ name: 'input.1', dims: [undefined, 3, 112, 112] }]);
    expect(signature.outputs).toEqual([{ name: '516', dims: [1, 512] }]);
    expect(signature.operators).toHaveLength(16);
  });
});

describe('readGraphSignature', () => {
  it('omits initialisers from the inputs, and reads unstated shapes and symbolic dimensions as undefined', () => {
    expect(readGraphSignature(small)).toEqual({
      inputs: [
        { name: 'image', dims: [undefined, 3, undefined, undefined] },
        { name: 'anything', dims: undefined },
      ],
      outputs: [{ name: 'scalar', dims: [] }],
      operators: ['Relu', 'Sigmoid'],
    });
  });

  it('lists the first 16 operators', () => {
    const nodes = Array.from({ length: 40 }, (_, i) => ({ ...relu('image', 'scalar'), opType: `Op${i}` }));
    const { operators } = readGraphSignature(writeModel(HEADER, { ...graph, nodes }));
    expect(operators).toEqual(Array.from({ length: 16 }, (_, i) => `Op${i}`));
  });

  it('does not copy weights', () => {
    const weights = { name: 'weights', dims: [4_000_000], data: new Float32Array(4_000_000) };
    const large = writeModel(HEADER, { ...graph, initialisers: [weights] });
    const before = process.memoryUsage().arrayBuffers;
    readGraphSignature(large);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('throws for a file truncated at any byte', () => {
    for (let length = 0; length < small.length; length++) {
      expect(() => readGraphSignature(small.subarray(0, length)), `${length} bytes`).toThrow();
    }
  });

  it.each([
    ['an HTML page', '<!doctype html><html><body>404: Not Found</body></html>'],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'],
    ['a zip archive', 'PK\u0003\u0004\u0014\u0000\u0000\u0000\b\u0000'],
    ['nothing', ''],
  ])('throws an error with a sentence for %s', (_, text) => {
    expect(() => readGraphSignature(Buffer.from(text))).toThrow(
      /^These bytes are not a complete ONNX model \(.+\)\.$/,
    );
  });

  it.each([
    ['no nodes', { ...graph, nodes: [] }],
    ['no outputs', { ...graph, outputs: [] }],
    ['no operator type', { ...graph, nodes: [{ ...relu('image', 'scalar'), opType: '' }] }],
  ])('throws for a graph with %s', (reason, incomplete) => {
    expect(() => readGraphSignature(writeModel(HEADER, incomplete))).toThrow(reason);
  });

  it('returns a signature or throws its own error for random and damaged bytes', () => {
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return (state >>> 8) % below;
    };
    for (let round = 0; round < 3000; round++) {
      const noise = Uint8Array.from({ length: random(300) }, () => random(256));
      expect(() => readGraphSignature(noise)).toThrow('not a complete ONNX model');

      const damaged = small.slice();
      damaged[random(damaged.length)] = random(256);
      try {
        readGraphSignature(damaged);
      } catch (error) {
        expect((error as Error).message).toContain('not a complete ONNX model');
      }
    }
  });
});
