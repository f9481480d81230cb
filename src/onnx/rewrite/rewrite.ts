import { useConstantScales } from './constant-scales.ts';
import { type DeferredHeads, deferHeads } from './deferred-heads.ts';
import { EditableGraph } from './editable-graph.ts';
import { rewriteGemms } from './gemms.ts';
import { splitGroupedConvolutions } from './grouped-convolutions.ts';
import { splitNarrowConvolutions } from './narrow-convolutions.ts';
import { rewritePrelu } from './prelu.ts';
import { mergeSeparableHeads } from './separable-heads.ts';
import { mergeSiblingConvolutions } from './sibling-convolutions.ts';
import { flattenTransposes } from './transposes.ts';

/**
 * The passes, in the order in which they run. A pass changes the graph in place, and returns how many times it found its
 * pattern.
 *
 * A pass may assume that
 * - the opset is in {@link OPSETS}, and {@link EditableGraph.nodesOf} returns ONNX's own operators only;
 * - nodes are in topological order, and every reference to a tensor is an input of a node or an output of the graph:
 *   models with subgraphs, functions, sparse or quantised tensors, training data or external weights are not rewritten;
 * - a value from {@link EditableGraph.constant} or {@link EditableGraph.integers} cannot be overridden by a caller;
 * - weights and stated shapes that only removed nodes used are left out of the file;
 * - if it throws, the original bytes are used, without the changes of any pass.
 *
 * It must
 * - keep the inputs and outputs of the graph, with the same values up to the rounding of float32, for any batch and size;
 * - keep the nodes in topological order, and leave a tensor that has another consumer or is an output available;
 * - verify everything it relies on, and skip a node if anything is unusual. It must not trust the shapes that a file states.
 *
 * To add a pass:
 * 1. Measure by hand that ONNX Runtime is faster with the rewritten graph.
 * 2. Write it in a file of this folder, named like the pass, with the reason for the gain in its docstring.
 * 3. Add it here, where its pattern still exists and before the passes that rewrite its results. Its name appears in
 *    GET /v1/model-info, which makes it part of the API. Check new operators against {@link OPSETS}.
 * 4. Test it in test/onnx/rewrite-<name>.test.ts with `expectRewritten` and `expectUnchanged` of
 *    test/support/packs/onnx-graphs.ts, add its pattern to the network of rewrite.test.ts, and its count to
 *    rewrite-real-weights.test.ts.
 * 5. Compare `npm run bench` with GRAPH_REWRITES on and off.
 */
const PASSES = {
  'separable-heads': mergeSeparableHeads,
  // Before narrow-convolutions: convolutions that were merged are no longer narrow.
  'sibling-convolutions': mergeSiblingConvolutions,
  'narrow-convolutions': splitNarrowConvolutions,
  // Before prelu: it splits the PReLUs next to a grouped convolution.
  'grouped-convolutions': splitGroupedConvolutions,
  prelu: rewritePrelu,
  transposes: flattenTransposes,
  gemms: rewriteGemms,
} as const satisfies Record<string, (graph: EditableGraph) => number>;

export type RewritePass = keyof typeof PASSES;

export const REWRITE_PASSES = Object.keys(PASSES) as RewritePass[];

/**
 * Versions of ONNX's operator set in which the operators that passes read and write (Add, BatchNormalization, Compress,
 * Conv, Flatten, Gemm, Greater, LeakyRelu, MaxPool, Mul, PRelu, ReduceMax, Relu, Reshape, Resize, Sigmoid, Split, Transpose) have the semantics
 * that passes rely on. Source: onnx/onnx, docs/Changelog.md.
 */
const OPSETS = { min: 9, max: 24 } as const;

/** Everything that may be reported as applied: the passes, what {@link rewriteDetector} does before them, and {@link rewriteForGpu}. */
export const REWRITES = ['deferred-heads', ...REWRITE_PASSES, 'constant-scales'] as const;

/** A pass that found its pattern, and how many times. */
export interface AppliedPass {
  pass: (typeof REWRITES)[number];
  count: number;
}

export interface RewrittenGraph {
  /** The array that was passed in if nothing was rewritten. */
  bytes: Uint8Array<ArrayBuffer>;
  applied: AppliedPass[];
  /**
   * What the caller has to compute with the outputs of a detector, whose inputs and outputs have changed. Undefined if
   * they have not.
   */
  heads?: DeferredHeads | undefined;
}

/**
 * Rewrites an ONNX model into one that ONNX Runtime computes faster on the CPU. Inputs and outputs stay the same, up to
 * the rounding of float32. A pass that does not find its pattern changes nothing.
 *
 * Never throws. Bytes that are not a model, or one with features that passes do not support (external weights,
 * subgraphs, functions, an unknown opset), are returned unchanged, and ONNX Runtime reports what is wrong with them.
 */
export function rewriteGraph(
  bytes: Uint8Array<ArrayBuffer>,
  { passes = REWRITE_PASSES }: { passes?: readonly RewritePass[] } = {},
): RewrittenGraph {
  return rewrite(bytes, passes);
}

/** Rewrites a detector likewise, and moves its heads out of the graph if they are those of SCRFD. */
export function rewriteDetector(bytes: Uint8Array<ArrayBuffer>): RewrittenGraph {
  return rewrite(bytes, REWRITE_PASSES, deferHeads);
}

/** Rewrites a network so that a GPU's provider can take all of its nodes. Never throws, as {@link rewriteGraph}. */
export function rewriteForGpu(bytes: Uint8Array<ArrayBuffer>): RewrittenGraph {
  return edit(bytes, (graph) => ({
    applied: [{ pass: 'constant-scales', count: useConstantScales(graph) }],
  }));
}

function rewrite(
  bytes: Uint8Array<ArrayBuffer>,
  passes: readonly RewritePass[],
  takeHeadsOut?: typeof deferHeads,
): RewrittenGraph {
  return edit(bytes, (graph) => {
    const heads = takeHeadsOut?.(graph);
    const applied: AppliedPass[] = REWRITE_PASSES.filter((pass) => passes.includes(pass)).map((pass) => ({
      pass,
      count: PASSES[pass](graph),
    }));
    if (heads) applied.unshift({ pass: 'deferred-heads', count: heads.levels.length });
    return { applied, heads };
  });
}

function edit(
  bytes: Uint8Array<ArrayBuffer>,
  change: (graph: EditableGraph) => Omit<RewrittenGraph, 'bytes'>,
): RewrittenGraph {
  const unchanged = { bytes, applied: [] };
  try {
    const graph = new EditableGraph(bytes);
    if (graph.opset < OPSETS.min || graph.opset > OPSETS.max) return unchanged;
    const { applied, heads } = change(graph);
    const found = applied.filter(({ count }) => count > 0);
    return found.length > 0 ? { bytes: graph.toBytes(), applied: found, heads } : unchanged;
  } catch {
    return unchanged;
  }
}

/**
 * Whether the rewritten graphs are known to be faster: on x64 CPUs, where ONNX Runtime computes convolutions in a blocked
 * layout. Other processors and GPUs were not measured, and a rewritten PReLU may be slower there.
 *
 * @param device as DEVICE names it.
 */
export function rewritesPayOff(device: string, architecture: string = process.arch): boolean {
  return device === 'cpu' && architecture === 'x64';
}
