import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import { readFields } from '../../src/onnx/wire.ts';
import { type Graph, type ModelHeader, type ValueInfo, writeModel } from '../../src/onnx/writer.ts';

const HEADER: ModelHeader = { irVersion: 7, opset: 13, producer: 'test' };
const INPUT: ValueInfo = { name: 'x', elementType: 'float', dims: ['n', 4] };

async function run(graph: Graph, values: number[]): Promise<number[]> {
  const session = await ort.InferenceSession.create(writeModel(HEADER, graph));
  const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.from(values), [1, 4]) });
  return Array.from(y?.data as Float32Array);
}

/** A graph with every type of attribute and constant. */
function variedGraph(): Graph {
  const graph = new GraphBuilder();
  const leaky = graph.add('LeakyRelu', ['x'], { alpha: { float: 0.5 } });
  const padded = graph.add('Pad', [leaky, graph.ints([0, 1, 0, 0])], { mode: { string: 'reflect' } });
  const summed = graph.add('Mul', [padded, graph.floats([2], [])]);
  const bytes = graph.constant(Int8Array.of(-128, 127, 1, 0, 0), [5]);
  const offsets = graph.add('Cast', [bytes], { to: { int: 1 } });
  const unsigned = graph.add('Cast', [graph.constant(Uint8Array.of(255), [1])], { to: { int: 1 } });
  const all = graph.add('Add', [graph.add('Add', [summed, offsets]), unsigned]);
  graph.add('ReduceMax', [all], { axes: { ints: [0, -1] }, keepdims: { int: 0 } }, 'largest');
  graph.add('Sub', [all, 'largest'], {}, 'y');
  return graph.build('varied', [INPUT], [{ name: 'y', elementType: 'float', dims: ['n', 5] }]);
}

describe('writeModel', () => {
  it('writes a graph that ONNX Runtime computes correctly', async () => {
    // LeakyRelu −1, 3, 4, 5; padded with 3; doubled; plus the bytes −122, 125, 7, 8, 10; minus the maximum.
    expect(await run(variedGraph(), [-2, 3, 4, 5])).toEqual([-247, 0, -118, -117, -115]);
  });

  it('gives the same bytes for the same graph', () => {
    expect(writeModel(HEADER, variedGraph())).toEqual(writeModel(HEADER, variedGraph()));
  });
});

describe('readFields', () => {
  it('yields the fields of a model in order, as views into its bytes', () => {
    const model = writeModel(HEADER, variedGraph());
    const fields = [...readFields(model)];
    expect(fields.map(({ number }) => number)).toEqual([1, 2, 7, 8]);
    for (const { payload } of fields) expect(payload.buffer).toBe(model.buffer);
  });
});

describe('GraphBuilder', () => {
  it('throws for a second tensor with the same name', () => {
    const graph = new GraphBuilder();
    graph.add('Relu', ['x'], {}, 'y');
    expect(() => graph.add('Relu', ['x'], {}, 'y')).toThrow('already has a tensor called y');
  });

  it('throws for a constant whose values do not match its shape', () => {
    expect(() => new GraphBuilder().floats([1, 2, 3], [2, 2])).toThrow('[2, 2] needs 4 values, not 3');
  });

  it('throws for an output that no node produces', () => {
    const output: ValueInfo = { name: 'y', elementType: 'float', dims: ['n', 4] };
    expect(() => new GraphBuilder().build('empty', [INPUT], [output])).toThrow('has the output y');
  });
});
