import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

const FOLDER = fileURLToPath(new URL('../peers/', import.meta.url));
const OWN_PYTHON = `${FOLDER}.venv/bin/python`;

/** Python packages that the peer is made of, as their distributions are called. */
const PACKAGES = [
  'insightface',
  'onnxruntime',
  'opencv-python-headless',
  'numpy',
  'fastapi',
  'uvicorn',
  'uvloop',
];
const VERSIONS = `
import importlib.metadata, json, platform
versions = {name: importlib.metadata.version(name) for name in ${JSON.stringify(PACKAGES)}}
print(json.dumps({"python": platform.python_version(), **versions}))`;

/** The first interpreter that has all of it: {python, versions}; undefined where none has. */
export function findPeer(wanted) {
  const candidates = wanted ? [wanted] : [OWN_PYTHON, 'python3'];
  for (const python of candidates.filter((file) => !file.includes('/') || existsSync(file))) {
    const { status, stdout } = spawnSync(python, ['-c', VERSIONS], { encoding: 'utf8' });
    if (status === 0) return { python, versions: JSON.parse(stdout) };
  }
  return undefined;
}

/**
 * @param processes of uvicorn.
 * @param threads of ONNX Runtime and OpenCV in each; undefined for their defaults.
 */
export async function startPeer({ python, pack, processes, threads }) {
  const port = await freePort();
  const inference =
    threads === undefined ? {} : { PEER_THREADS: String(threads), OMP_NUM_THREADS: String(threads) };
  return ServerProcess.start({
    command: python,
    args: [
      ...['-m', 'uvicorn', 'app:app', '--app-dir', FOLDER, '--host', '127.0.0.1', '--port', String(port)],
      // A log line a request costs the peer time; and its connections must outlive the pauses between its turns.
      ...['--workers', String(processes), '--no-access-log', '--timeout-keep-alive', '75'],
    ],
    cwd: FOLDER,
    environment: {
      PATH: process.env.PATH,
      PEER_PACK: dirname(pack.detector.path),
      PYTHONDONTWRITEBYTECODE: '1',
      ORT_DISABLE_TELEMETRY: '1',
      ...inference,
    },
    findAddress: () => `http://127.0.0.1:${port}`,
    readyPath: '/healthz',
  });
}
