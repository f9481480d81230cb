import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Device, factsOf, isOnPlatform } from '../../config/devices.ts';
import { builtFile } from '../../config/package.ts';
import type { ProbeMeasurement } from './run-probe.ts';

/** A driver may compile for seconds. */
const TIMEOUT_MS = 120_000;

/** Maximum relative difference to the CPU: a GPU's shorter mantissas stay below it. */
const TOLERANCE = 0.01;

export type Probe =
  | ({ works: true } & ProbeMeasurement)
  | {
      works: false;
      /** A sentence without paths. */
      reason: string;
    };

/**
 * Whether ONNX Runtime runs networks whole on a device of this machine, and gives the numbers that the CPU gives.
 *
 * It is tried in a process of its own, which a broken driver may end, and which gives back the memory of the attempt.
 */
export function probeDevice(device: Device): Promise<Probe> {
  if (!isOnPlatform(device)) {
    const { platforms } = factsOf(device);
    return Promise.resolve({
      works: false,
      reason: `It is for ${platforms.join(', ')}, and this is ${process.platform}-${process.arch}.`,
    });
  }
  const entry = fileURLToPath(builtFile('vision/device/probe-process.js'));
  // As inference-engine.ts: ONNX Runtime reports its use unless told not to.
  const env = { ORT_DISABLE_TELEMETRY: '1', ...process.env };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [entry, device],
      { env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => resolve(error ? failed(error, stderr) : judge(stdout)),
    );
  });
}

/**
 * What a probe that ended by itself found.
 *
 * @param output a {@link ProbeMeasurement} as JSON in its last line; a driver may write lines before it.
 */
export function judge(output: string): Probe {
  const { difference, deviceMs, cpuMs }: ProbeMeasurement = JSON.parse(
    output.slice(output.lastIndexOf('\n') + 1),
  );
  // JSON has null for what is no number.
  const same = typeof difference === 'number' && difference <= TOLERANCE;
  if (same) return { works: true, difference, deviceMs, cpuMs };
  return { works: false, reason: 'It computes other numbers than the CPU.' };
}

function failed({ killed, signal }: { killed?: boolean; signal?: string | null }, stderr: string): Probe {
  const reason = killed
    ? `It did not answer within ${TIMEOUT_MS / 1000} s.`
    : signal
      ? `Its driver ended the process that tried it, with ${signal}.`
      : explain(stderr);
  return { works: false, reason };
}

/** What the dynamic linker says of a library that is not there, whoever passes it on. */
const MISSING_LIBRARY = /([\w.+-]+\.so[.\d]*): cannot open shared object file/;

function explain(stderr: string): string {
  const library = MISSING_LIBRARY.exec(stderr)?.[1];
  if (library) return `The library ${library} is missing.`;
  if (stderr.includes('Failed to get a WebGPU adapter')) return 'No driver offers a GPU that it can use.';
  if (stderr.includes('backend not found')) return 'This build of ONNX Runtime does not have it.';
  const message = /^Error: (.*)/m.exec(stderr)?.[1] ?? 'It failed without a message.';
  return `ONNX Runtime says: ${message.replace(/\S*\/\S+/g, '…').slice(0, MAX_MESSAGE)}`;
}

const MAX_MESSAGE = 300;
