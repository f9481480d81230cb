import type { EditableGraph } from './editable-graph.ts';
import { type Node, permutationOf } from './node.ts';

/** From [batch, channels, rows, columns] to [rows, columns, batch, channels]. */
const CHANNELS_LAST = '[2,3,0,1]';

/**
 * Detectors turn the feature maps of their heads into rows of channels with a Transpose of four axes and a Reshape. The
 * transpose of a matrix of (batch · channels) × (rows · columns) gives the same numbers in the same order. ONNX Runtime
 * has a vectorised kernel for it, while it moves the numbers of four axes one at a time.
 *
 * @returns the number of transposes rewritten.
 */
export function flattenTransposes(graph: EditableGraph): number {
  const found = graph
    .nodesOf('Transpose')
    .filter((node) => permutationOf(node) === CHANNELS_LAST && isOnlyReshaped(graph, node));
  for (const node of found) {
    const [output = ''] = node.outputs;
    const matrix = graph.freshName(`${output}_matrix`);
    graph.replace(
      [node],
      [
        { opType: 'Flatten', inputs: node.inputs, outputs: [matrix], attributes: { axis: { int: 2 } } },
        { opType: 'Transpose', inputs: [matrix], outputs: [output], attributes: { perm: { ints: [1, 0] } } },
      ],
    );
  }
  return found.length;
}

/** The result of a Reshape depends only on the order of the numbers, unless a 0 in its shape copies an input axis. */
function isOnlyReshaped(graph: EditableGraph, { outputs: [output = ''] }: Node): boolean {
  const consumers = graph.consumersOf(output);
  return (
    !graph.isOutput(output) &&
    consumers.length > 0 &&
    consumers.every(({ opType, domain, inputs: [data, shape] }) => {
      const sizes = graph.integers(shape);
      return (
        opType === 'Reshape' && domain === '' && data === output && sizes !== undefined && !sizes.includes(0)
      );
    })
  );
}
