import type { EditableGraph, Node } from './editable-graph.ts';

/** From (batch, channels, rows, columns) to (rows, columns, batch, channels). */
const CHANNELS_LAST = '[2,3,0,1]';

/**
 * Detectors bring their heads' maps into rows of channels: a Transpose of four axes, then a Reshape. The same numbers in
 * the same order come from the transpose of a matrix (batch · channels) × (rows · columns), to which ONNX Runtime has a
 * vectorised kernel, while it moves the numbers of four axes one at a time.
 *
 * @returns how many were rewritten.
 */
export function flattenTransposes(graph: EditableGraph): number {
  const found = graph
    .nodesOf('Transpose')
    .filter((node) => isChannelsLast(node) && isOnlyReshaped(graph, node));
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

function isChannelsLast({ attributes }: Node): boolean {
  const perm = attributes?.perm;
  return perm !== undefined && 'ints' in perm && JSON.stringify(perm.ints) === CHANNELS_LAST;
}

/** A Reshape sees the order of the numbers alone, unless a zero in its shape stands for an axis of what it reads. */
function isOnlyReshaped(graph: EditableGraph, { outputs: [output = ''] }: Node): boolean {
  const readers = graph.consumersOf(output);
  return (
    !graph.isOutput(output) &&
    readers.length > 0 &&
    readers.every(({ opType, domain, inputs: [data, shape] }) => {
      const sizes = graph.integers(shape);
      return (
        opType === 'Reshape' && domain === '' && data === output && sizes !== undefined && !sizes.includes(0)
      );
    })
  );
}
