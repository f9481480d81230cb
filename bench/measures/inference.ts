import { interleave, timed } from '../interleave.ts';
import { readRewrittenGraph } from '../pipeline.ts';
import type { Network, ReferenceInput } from '../reference/inputs.ts';
import { openRuntime, type Run } from '../reference/runtime.ts';
import { cosine, ratiosOfPairs, type Summary, summarise } from '../statistics.ts';

const MAX_ROUNDS = 400;

export interface InferenceResult {
  /** Milliseconds. */
  untouched: Summary | undefined;
  /** Milliseconds. */
  rewritten: Summary | undefined;
  speedup: Summary | undefined;
  /** Minimum cosine of an output of the rewritten graph and that of the untouched one. */
  cosine: number;
}

interface Options {
  /** Files of the untouched graphs. */
  graphs: Record<Network, string>;
  inputs: readonly ReferenceInput[];
  seconds: number;
}

/** Measures ONNX Runtime on one thread with the untouched graphs and the rewritten ones. @returns name of the input → result. */
export async function measureInference({
  graphs,
  inputs,
  seconds,
}: Options): Promise<Record<string, InferenceResult>> {
  const rewrittenGraphs = {
    detector: readRewrittenGraph(graphs.detector),
    recogniser: readRewrittenGraph(graphs.recogniser),
  };
  const untouched = await openRuntime(graphs, inputs);
  const rewritten = await openRuntime(rewrittenGraphs, inputs);
  const results: Record<string, InferenceResult> = {};
  for (const { name } of inputs)
    results[name] = await measureInput(untouched.get(name) as Run, rewritten.get(name) as Run, seconds);
  return results;
}

async function measureInput(untouched: Run, rewritten: Run, seconds: number): Promise<InferenceResult> {
  // Also warms both sessions up.
  const minCosine = await compareOutputs(untouched, rewritten);
  const ms = await interleave(
    { untouched: () => timed(untouched), rewritten: () => timed(rewritten) },
    { minRounds: 3, seconds, maxRounds: MAX_ROUNDS },
  );
  return {
    untouched: summarise(ms.untouched),
    rewritten: summarise(ms.rewritten),
    speedup: summarise(ratiosOfPairs(ms.untouched, ms.rewritten)),
    cosine: minCosine,
  };
}

async function compareOutputs(untouched: Run, rewritten: Run): Promise<number> {
  const [before, after] = [await untouched(), await rewritten()];
  const data = (outputs: typeof before, name: string) => outputs[name]?.data as Float32Array;
  return Math.min(...Object.keys(before).map((name) => cosine(data(before, name), data(after, name))));
}
