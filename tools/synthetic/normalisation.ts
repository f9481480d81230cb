import type { GraphBuilder, TensorName } from '../../src/onnx/graph-builder.ts';

/** Adds (x − mean) / std to the graph, for a pack whose manifest has `"preprocessing": "embedded"`. */
export function addNormalisation(
  graph: GraphBuilder,
  image: TensorName,
  { mean, std }: { mean: number; std: number },
): TensorName {
  return graph.add('Mul', [graph.add('Sub', [image, graph.floats([mean])]), graph.floats([1 / std])]);
}
