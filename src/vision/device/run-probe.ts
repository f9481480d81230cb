import * as ort from 'onnxruntime-node';
import type { Device } from '../../config/devices.ts';
import { openSession } from '../session.ts';
import { PROBE_FACE_DIMS, PROBE_SIDE, probeGraph } from './probe-graph.ts';

export interface ProbeMeasurement {
  /** The largest difference between the numbers of the device and of the CPU, relative to the largest of the CPU. */
  difference: number;
  /** The fastest run on the device, and on one thread of the CPU. */
  deviceMs: number;
  cpuMs: number;
}

/** Runs on the device that are timed, after one in which it compiles what it needs. */
const TIMED_RUNS = 3;
/** A run that takes longer is not repeated, in milliseconds: its device is too slow whatever the others take. */
const SLOW_MS = 200;

/**
 * Runs the probe's graph whole on a device, and on the CPU. A crash of a driver ends the process: it is run in one of its own.
 *
 * @throws {Error} ONNX Runtime's, when the device cannot be used.
 */
export async function runProbe(device: Device): Promise<ProbeMeasurement> {
  const graph = probeGraph();
  const onDevice = await measure(await openSession(graph, { device, threads: 1, wholeOnDevice: true }));
  const onCpu = await measure(await openSession(graph, { device: 'cpu', threads: 1 }));
  const largest = Math.max(...onCpu.numbers.map(Math.abs));
  const differences = onCpu.numbers.map((number, index) =>
    Math.abs(number - (onDevice.numbers[index] ?? Number.NaN)),
  );
  return { difference: Math.max(...differences) / largest, deviceMs: onDevice.ms, cpuMs: onCpu.ms };
}

async function measure(session: ort.InferenceSession): Promise<{ numbers: number[]; ms: number }> {
  const feeds = {
    picture: waves([1, 3, PROBE_SIDE, PROBE_SIDE]),
    face: waves(PROBE_FACE_DIMS),
  };
  const results = await session.run(feeds);
  const numbers = session.outputNames.flatMap((name) => [
    ...((results[name] as ort.Tensor).data as Float32Array),
  ]);
  const times: number[] = [];
  while (times.length < TIMED_RUNS && !times.some((time) => time > SLOW_MS)) {
    const started = performance.now();
    await session.run(feeds);
    times.push(performance.now() - started);
  }
  await session.release();
  return { numbers, ms: Math.min(...times) };
}

function waves(dims: readonly number[]): ort.Tensor {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return new ort.Tensor(
    'float32',
    Float32Array.from({ length }, (_, index) => Math.sin(index)),
    dims,
  );
}
