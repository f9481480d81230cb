import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../../src/config/package.ts';
import { freePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

const FOLDER = fileURLToPath(new URL('bench/peers/', PACKAGE_ROOT));
const OWN_PYTHON = `${FOLDER}.venv/bin/python`;

/** The Python distributions that the peer needs. */
const PACKAGES = [
  'insightface',
  'onnxruntime',
  'opencv-python-headless',
  'numpy',
  'fastapi',
  'uvicorn',
  'uvloop',
];
const PRINT_VERSIONS = `
import importlib.metadata, json, platform
versions = {name: importlib.metadata.version(name) for name in ${JSON.stringify(PACKAGES)}}
print(json.dumps({"python": platform.python_version(), **versions}))`;

/** A Python interpreter that has the peer's packages. */
export interface Peer {
  python: string;
  /** Package → version. */
  versions: Record<string, string>;
}

/** The interpreter given, or else the first of the default ones, that has all packages. */
export function findPeer(python: string | undefined): Peer | undefined {
  const candidates = python ? [python] : [OWN_PYTHON, 'python3'];
  for (const candidate of candidates.filter((file) => !file.includes('/') || existsSync(file))) {
    const { status, stdout } = spawnSync(candidate, ['-c', PRINT_VERSIONS], { encoding: 'utf8' });
    if (status === 0) return { python: candidate, versions: JSON.parse(stdout) };
  }
  return undefined;
}

interface PeerOptions {
  python: string;
  /** The detector's file in the folder of the pack. */
  detectorPath: string;
  /** Processes of uvicorn. */
  processes: number;
  /** Threads of ONNX Runtime and OpenCV in each process; their defaults if omitted. */
  threads?: number;
  sampleMs?: number | undefined;
}

export async function startPeer(options: PeerOptions): Promise<ServerProcess> {
  const { python, detectorPath, processes, threads, sampleMs } = options;
  const port = await freePort();
  const inference =
    threads === undefined ? {} : { PEER_THREADS: String(threads), OMP_NUM_THREADS: String(threads) };
  return ServerProcess.start({
    command: python,
    args: [
      ...['-m', 'uvicorn', 'app:app', '--app-dir', FOLDER, '--host', '127.0.0.1', '--port', String(port)],
      // An access log costs the peer time. Connections must stay open while other systems are measured.
      ...['--workers', String(processes), '--no-access-log', '--timeout-keep-alive', '75'],
    ],
    cwd: FOLDER,
    environment: {
      PATH: process.env.PATH,
      PEER_PACK: dirname(detectorPath),
      PYTHONDONTWRITEBYTECODE: '1',
      ORT_DISABLE_TELEMETRY: '1',
      ...inference,
    },
    findAddress: () => `http://127.0.0.1:${port}`,
    readyPath: '/healthz',
    sampleMs,
  });
}
