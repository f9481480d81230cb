import * as ort from 'onnxruntime-node';

/** ONNX Runtime as its documentation shows it, with one thread; its other defaults are what is fastest here. */
const SESSION = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 };

/**
 * Nothing but ONNX Runtime: graphs and inputs → for each input a function that runs it once.
 *
 * @param graphs {detector, recogniser}: a path or bytes each.
 * @param inputs of makeReferenceInputs.
 */
export async function openRuntime(graphs, inputs) {
  const sessions = {
    detector: await ort.InferenceSession.create(graphs.detector, SESSION),
    recogniser: await ort.InferenceSession.create(graphs.recogniser, SESSION),
  };
  return Object.fromEntries(
    inputs.map(({ name, network, side, data }) => {
      const session = sessions[network];
      const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, [1, 3, side, side]) };
      return [name, () => session.run(feeds)];
    }),
  );
}

/** All that one photograph with one face needs, in a row. */
export async function runAll(runs) {
  for (const run of Object.values(runs)) await run();
}
