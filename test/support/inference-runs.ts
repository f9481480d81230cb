import * as ort from 'onnxruntime-node';

/**
 * Notes the shapes of all that ONNX Runtime is given in this thread, until it is told to stop.
 *
 * @returns rows of each run of a network with one output, as a recogniser has and a detector has not.
 */
export function watchRecogniserRuns(): { rows: number[]; stop: () => void } {
  const { prototype } = ort.InferenceSession as unknown as {
    prototype: { run: (...values: unknown[]) => unknown };
  };
  const { run } = prototype;
  const rows: number[] = [];
  prototype.run = function watched(this: ort.InferenceSession, ...values) {
    if (this.outputNames.length === 1) {
      const [input] = Object.values(values[0] as Record<string, ort.Tensor>);
      rows.push(input?.dims[0] as number);
    }
    return run.apply(this, values);
  };
  return {
    rows,
    stop() {
      prototype.run = run;
    },
  };
}
