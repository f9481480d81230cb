import { type DeferredHeads, deferHeads } from './deferred-heads.ts';
import { EditableGraph } from './editable-graph.ts';
import { splitGroupedConvolutions } from './grouped-convolution.ts';
import { takeNarrowConvolutionsApart } from './narrow-convolutions.ts';
import { rewritePrelu } from './prelu.ts';
import { mergeSiblingConvolutions } from './sibling-convolutions.ts';
import { flattenTransposes } from './transposes.ts';

/**
 * In this order: convolutions that are merged are narrow no longer; splitting a grouped convolution deals the PReLUs
 * beside it, which are then rewritten.
 */
const PASSES = {
  'sibling-convolutions': mergeSiblingConvolutions,
  'narrow-convolutions': takeNarrowConvolutionsApart,
  'grouped-convolutions': splitGroupedConvolutions,
  prelu: rewritePrelu,
  transposes: flattenTransposes,
} as const satisfies Record<string, (graph: EditableGraph) => number>;

export type RewritePass = keyof typeof PASSES;

export const REWRITE_PASSES = Object.keys(PASSES) as RewritePass[];

/**
 * Versions of ONNX's operator set in which the operators that the passes read and write (Add, BatchNormalization,
 * Compress, Conv, Flatten, Greater, MaxPool, Mul, PRelu, ReduceMax, Relu, Reshape, Sigmoid, Split, Transpose) mean what
 * the passes take them to mean. Source: onnx/onnx, docs/Changelog.md.
 */
const OPSETS = { least: 9, most: 24 } as const;

/** What may be rewritten: by the passes, and beside them by {@link rewriteDetector}. */
export const REWRITES = ['deferred-heads', ...REWRITE_PASSES] as const;

/** A pass that found its pattern, and how often. */
export interface AppliedPass {
  pass: (typeof REWRITES)[number];
  count: number;
}

export interface RewrittenGraph {
  /** The very array that was given where nothing was rewritten. */
  bytes: Uint8Array<ArrayBuffer>;
  applied: AppliedPass[];
  /**
   * What a detector's graph leaves to its caller; its inputs and outputs are others then. Undefined where the graph does all
   * itself.
   */
  heads?: DeferredHeads | undefined;
}

/**
 * Rewrites an ONNX model so that ONNX Runtime computes the same faster on the CPU: same inputs, same outputs, equal up to
 * the rounding of float32. A pass that does not find its pattern leaves the graph alone.
 *
 * Never throws: what is no model, or one that holds something the passes cannot see through (weights in another file,
 * graphs inside of nodes, functions, an unusual opset), comes back as it was, for ONNX Runtime to judge.
 */
export function rewriteGraph(
  bytes: Uint8Array<ArrayBuffer>,
  { passes = REWRITE_PASSES }: { passes?: readonly RewritePass[] } = {},
): RewrittenGraph {
  return rewrite(bytes, passes);
}

/** Rewrites a detector likewise, and takes its heads out of the graph where they are SCRFD's. */
export function rewriteDetector(bytes: Uint8Array<ArrayBuffer>): RewrittenGraph {
  return rewrite(bytes, REWRITE_PASSES, deferHeads);
}

function rewrite(
  bytes: Uint8Array<ArrayBuffer>,
  passes: readonly RewritePass[],
  takeHeadsOut?: typeof deferHeads,
): RewrittenGraph {
  const untouched = { bytes, applied: [] };
  try {
    const graph = new EditableGraph(bytes);
    if (graph.opset < OPSETS.least || graph.opset > OPSETS.most) return untouched;
    const heads = takeHeadsOut?.(graph);
    const applied: AppliedPass[] = REWRITE_PASSES.filter((pass) => passes.includes(pass)).map((pass) => ({
      pass,
      count: PASSES[pass](graph),
    }));
    if (heads) applied.unshift({ pass: 'deferred-heads', count: heads.levels.length });
    const found = applied.filter(({ count }) => count > 0);
    return found.length > 0 ? { bytes: graph.toBytes(), applied: found, heads } : untouched;
  } catch {
    return untouched;
  }
}

/**
 * Whether the rewritten graphs are known to be the faster ones: where ONNX Runtime computes convolutions in a blocked
 * layout, which is on x64 processors. On other processors and on GPUs nothing was measured, and a PReLU taken apart
 * may well be slower there.
 */
export function rewritesPayOff(device: 'cpu' | 'cuda', architecture: string = process.arch): boolean {
  return device === 'cpu' && architecture === 'x64';
}
