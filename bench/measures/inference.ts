import { interleave, timed } from '../interleave.ts';
import { openRuntime } from '../reference/runtime.ts';
import { cosine, ratiosOfPairs, summarise } from '../statistics.ts';

const MOST_ROUNDS = 400;

/**
 * Pure ONNX Runtime, one thread: the untouched graphs, and beside them the rewritten ones where this version rewrites.
 *
 * @param rewrite path → {bytes, applied} of the rewritten graph; undefined where there is none.
 * @returns input → {untouched, rewritten: milliseconds, speedup, cosine of the first outputs}.
 */
export async function measureInference({ graphs, inputs, rewrite, seconds }) {
  const untouched = await openRuntime(graphs, inputs);
  const rewritten = rewrite && (await openRuntime(await rewriteBoth(graphs, rewrite), inputs));
  const results = {};
  for (const { name } of inputs) {
    const runs = { untouched: untouched[name], ...(rewritten && { rewritten: rewritten[name] }) };
    // Outputs are compared, and both sessions warm, before the first measurement.
    const likeness = rewritten && (await compareOutputs(runs));
    const contestants = Object.fromEntries(Object.entries(runs).map(([key, run]) => [key, () => timed(run)]));
    const ms = await interleave(contestants, { rounds: 3, seconds, most: MOST_ROUNDS });
    results[name] = {
      untouched: summarise(ms.untouched),
      ...(rewritten && {
        rewritten: summarise(ms.rewritten),
        speedup: summarise(ratiosOfPairs(ms.untouched, ms.rewritten)),
        cosine: likeness,
      }),
    };
  }
  return results;
}

async function rewriteBoth({ detector, recogniser }, rewrite) {
  return { detector: (await rewrite(detector)).bytes, recogniser: (await rewrite(recogniser)).bytes };
}

/** The least cosine of all outputs. */
async function compareOutputs({ untouched, rewritten }) {
  const [before, after] = [await untouched(), await rewritten()];
  return Math.min(...Object.keys(before).map((name) => cosine(before[name].data, after[name].data)));
}
