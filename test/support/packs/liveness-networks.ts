import { GraphBuilder } from '../../../src/onnx/graph-builder.ts';
import { writeModel } from '../../../src/onnx/writer.ts';

/** What a network of a family does with the levels of its input: tests can compute it by hand. */
const NETWORKS = {
  /** The mean of all levels: 0 for a black face, 1 for a white one. */
  insightface: { side: 80, output: [] },
  /** Four times that, which is no probability of a bright face. */
  cutOffBeforeItsSigmoid: { side: 80, output: [] },
  /** Two logits: a twentieth of the mean level of red, and of green. */
  facenox: { side: 128, output: [2] },
  /** Three logits: 0.05 times the mean level of blue, green and red. */
  minifasnetV2: { side: 80, output: [3] },
  /** Three logits: the sigmoid of 0.01 times the mean level of blue, green and red. */
  minifasnetV1Se: { side: 80, output: [3] },
} as const;

export type LivenessNetworkName = keyof typeof NETWORKS;

/** A tiny network with the input and the output of a liveness family, as an ONNX file. */
export function livenessNetwork(name: LivenessNetworkName): Uint8Array<ArrayBuffer> {
  const { side, output } = NETWORKS[name];
  const graph = new GraphBuilder();
  const mean = (axes: number[]) =>
    graph.add('ReduceMean', ['x'], { axes: { ints: axes }, keepdims: { int: 0 } });
  const scaled = (factor: number) => graph.add('Mul', [mean([2, 3]), graph.floats([factor], [])]);
  const results = {
    insightface: () => mean([1, 2, 3]),
    cutOffBeforeItsSigmoid: () => graph.add('Mul', [mean([1, 2, 3]), graph.floats([4], [])]),
    facenox: () =>
      graph.add('Gather', [scaled(12.75), graph.ints([0, 1])], {
        axis: { int: 1 },
      }),
    minifasnetV2: () => scaled(0.05),
    minifasnetV1Se: () => graph.add('Sigmoid', [scaled(0.01)]),
  } as const;
  const result = results[name]();
  return new Uint8Array(
    writeModel(
      { irVersion: 7, opset: 13, producer: 'test' },
      graph.build(
        name,
        [{ name: 'x', elementType: 'float', dims: ['n', 3, side, side] }],
        [{ name: result, elementType: 'float', dims: ['n', ...output] }],
      ),
    ),
  );
}
