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

/** Runs that are timed, after one in which a device compiles what it needs. */
const TIMED_RUNS = 3;
/** A run that takes longer is not repeated, in milliseconds: it is no GPU, and three runs take as long as the start may. */
const SLOW_MS = 200;
/**
 * Side of the pictures that the speed is judged by: 16 times the arithmetic. With smaller ones, what a GPU takes
 * to begin and to hand over the result may be longer than the CPU takes for all.
 */
const LARGE_SIDE = 4 * PROBE_SIDE;
/** A device that is slower than the CPU by this factor with small pictures is not run with large ones, which may take minutes. */
const HOPELESS = 20;

/**
 * Runs the probe's graph whole on a device, and on the CPU. A crash of a driver ends the process: it is run in one of its own.
 *
 * @throws {Error} ONNX Runtime's, when the device cannot be used.
 */
export async function runProbe(device: Device): Promise<ProbeMeasurement> {
  const graph = probeGraph();
  const onDevice = await openSession(graph, { device, threads: 1, wholeOnDevice: true });
  const onCpu = await openSession(graph, { device: 'cpu', threads: 1 });
  const [numbers, expected] = [await numbersOf(onDevice), await numbersOf(onCpu)];
  const largest = Math.max(...expected.map(Math.abs));
  const differences = expected.map((number, index) => Math.abs(number - (numbers[index] ?? Number.NaN)));
  const difference = Math.max(...differences) / largest;
  const time = async (side: number) => ({
    deviceMs: await fastestRun(onDevice, side),
    cpuMs: await fastestRun(onCpu, side),
  });
  const small = await time(PROBE_SIDE);
  const times = small.deviceMs > HOPELESS * small.cpuMs ? small : await time(LARGE_SIDE);
  await onDevice.release();
  await onCpu.release();
  return { difference, ...times };
}

async function numbersOf(session: ort.InferenceSession): Promise<number[]> {
  const results = await session.run(feedsOf(PROBE_SIDE));
  return session.outputNames.flatMap((name) => [...((results[name] as ort.Tensor).data as Float32Array)]);
}

/** @returns milliseconds. */
async function fastestRun(session: ort.InferenceSession, side: number): Promise<number> {
  const feeds = feedsOf(side);
  // A new size may be compiled anew.
  if (side !== PROBE_SIDE) await session.run(feeds);
  const times: number[] = [];
  while (times.length < TIMED_RUNS && !times.some((time) => time > SLOW_MS)) {
    const started = performance.now();
    await session.run(feeds);
    times.push(performance.now() - started);
  }
  return Math.min(...times);
}

function feedsOf(side: number): Record<string, ort.Tensor> {
  return { picture: waves([1, 3, side, side]), face: waves(PROBE_FACE_DIMS) };
}

function waves(dims: readonly number[]): ort.Tensor {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return new ort.Tensor(
    'float32',
    Float32Array.from({ length }, (_, index) => Math.sin(index)),
    dims,
  );
}
