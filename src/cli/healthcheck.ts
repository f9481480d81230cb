import { get } from 'node:http';
import { loadConfig, readEnvironment } from '../config/load.ts';

// Asks the service in this container for its health: exit code 0 when it is healthy, else 1. Not fetch(): that refuses
// some ports (6000, for one) and can be made to go through a proxy.

/** Docker keeps the output of each probe; a line is enough. */
function end(line: string, code: number): void {
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
    end(`${response.statusCode} ${Buffer.concat(chunks)}`, response.statusCode === 200 ? 0 : 1);
  },
);
request.on('error', (error) => end(`No answer: ${error.message}`, 1));
