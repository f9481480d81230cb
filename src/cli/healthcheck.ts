import { get } from 'node:http';
import { loadConfig, readEnvironment } from '../config/load.ts';

// Exits with 0 if the service in this container is healthy, otherwise with 1. It does not use fetch(), which rejects some
// ports (6000, for example) and can be configured to use a proxy.

/** Docker stores the output of each probe. */
function exitWith(line: string, code: number): void {
  console.log(line);
  process.exit(code);
}

function addressOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

const { HOST, PORT, API_PREFIX } = loadConfig(readEnvironment());
const request = get(
  {
    host: addressOf(HOST),
    port: PORT,
    path: `${API_PREFIX}/v1/health`,
    agent: false,
    signal: AbortSignal.timeout(2_000),
  },
  async (response) => {
    const chunks = await response.toArray();
    exitWith(`${response.statusCode} ${Buffer.concat(chunks)}`, response.statusCode === 200 ? 0 : 1);
  },
);
request.on('error', (error) => exitWith(`No answer: ${error.message}`, 1));
