import * as ort from 'onnxruntime-node';
import { type Device, factsOf } from '../config/devices.ts';

export interface SessionOptions {
  device: Device;
  threads: number;
  /** Refuses the graph if a node of it cannot run on the device, instead of running that node on the CPU. */
  wholeOnDevice?: boolean | undefined;
  /** Where to write what the graph is optimised to: the graph, and its weights in a file beside it. */
  optimiseTo?: { graph: string; weights: string } | undefined;
}

/** Smaller tensors stay in the graph, in bytes. */
const MIN_EXTERNAL_BYTES = 1024;

/**
 * Opens a graph.
 *
 * @param graph its bytes, or its path. One of a path has been optimised and is taken as it is, unless it is to be optimised now.
 * @throws {Error} ONNX Runtime's, when it cannot use the device or the graph.
 */
export function openSession(
  graph: Uint8Array | string,
  { device, threads, wholeOnDevice, optimiseTo }: SessionOptions,
): Promise<ort.InferenceSession> {
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: [factsOf(device).provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // A memory plan, made at the first run of each input size, allocates a second block beside that of the run: a third more
    // memory (30 MB for two workers) and no gain in speed.
    enableMemPattern: false,
    // SCRFD's graphs declare output sizes for 640 only; ONNX Runtime would warn at every other input size.
    logSeverityLevel: 3,
    ...(optimiseTo && { optimizedModelFilePath: optimiseTo.graph }),
    extra: {
      session: {
        // Spinning between layers makes a second thread pay off: the detector takes 0.61 of its single-thread time with it and
        // 0.70 without, the recogniser 0.64 with it. Spinning stops between runs, when other threads need the cores.
        intra_op: { allow_spinning: threads > 1 ? '1' : '0' },
        force_spinning_stop: '1',
        ...(wholeOnDevice && { disable_cpu_ep_fallback: '1' }),
        ...(optimiseTo && {
          optimized_model_external_initializers_file_name: optimiseTo.weights,
          optimized_model_external_initializers_min_size_in_bytes: String(MIN_EXTERNAL_BYTES),
          // The session is not run, so it need not arrange weights for that.
          disable_prepacking: '1',
        }),
      },
    },
  };
  return typeof graph === 'string' && optimiseTo === undefined
    ? ort.InferenceSession.create(graph, { ...options, graphOptimizationLevel: 'disabled' })
    : ort.InferenceSession.create(graph as Uint8Array, options);
}
