import * as ort from 'onnxruntime-node';

/** Records the session and input of each inference in this thread, until `stop` is called. */
export function watchRuns(): {
  runs: { session: ort.InferenceSession; input: ort.Tensor }[];
  stop: () => void;
} {
  const { prototype } = ort.InferenceSession as unknown as {
    prototype: { run: (...values: unknown[]) => unknown };
  };
  const { run } = prototype;
  const runs: { session: ort.InferenceSession; input: ort.Tensor }[] = [];
  prototype.run = function watched(this: ort.InferenceSession, ...values) {
    const [input] = Object.values(values[0] as Record<string, ort.Tensor>);
    runs.push({ session: this, input: input as ort.Tensor });
    return run.apply(this, values);
  };
  return {
    runs,
    stop() {
      prototype.run = run;
    },
  };
}

/** Records the number of rows in each run of a recogniser, which has one output, unlike a detector. */
export function watchRecogniserRuns(): { readonly rows: number[]; stop: () => void } {
  const { runs, stop } = watchRuns();
  return {
    get rows() {
      const ofRecogniser = runs.filter(({ session }) => session.outputNames.length === 1);
      return ofRecogniser.map(({ input }) => input.dims[0] as number);
    },
    stop,
  };
}
