import * as ort from 'onnxruntime-node';
import type { Network, ReferenceInput } from './inputs.ts';

/** One thread; the other defaults of ONNX Runtime are the fastest here. */
const SESSION_OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;

/** The path of each graph, or its bytes. */
export type Graphs = Record<Network, string | Uint8Array>;

/** Runs the network of one input once. */
export type Run = () => Promise<ort.InferenceSession.OnnxValueMapType>;

/** ONNX Runtime without the service's code. @returns name of the input → its run. */
export async function openRuntime(
  graphs: Graphs,
  inputs: readonly ReferenceInput[],
): Promise<Map<string, Run>> {
  const sessions = {
    detector: await openSession(graphs.detector),
    recogniser: await openSession(graphs.recogniser),
  };
  return new Map(
    inputs.map(({ name, network, side, data }) => {
      const session = sessions[network];
      const feeds = {
        [session.inputNames[0] as string]: new ort.Tensor('float32', data, [1, 3, side, side]),
      };
      return [name, () => session.run(feeds)];
    }),
  );
}

function openSession(graph: string | Uint8Array): Promise<ort.InferenceSession> {
  // `create` accepts both; its overloads do not accept the union.
  return ort.InferenceSession.create(graph as string, SESSION_OPTIONS);
}

/** All inference that one photograph with one face needs, in sequence. */
export async function runAll(runs: ReadonlyMap<string, Run>): Promise<void> {
  for (const run of runs.values()) await run();
}
