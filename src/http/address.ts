import { createServer } from 'node:net';
import type { Config, SettingName } from '../config/settings.ts';
import { StartupError } from '../errors.ts';

export interface Address {
  host: string;
  port: number;
  /** The setting that the port comes from, for error messages. */
  setting: SettingName;
}

/** The addresses that the service listens on. */
export function addressesOf({ HOST: host, PORT, METRICS_PORT }: Config): {
  main: Address;
  metrics?: Address;
} {
  const main: Address = { host, port: PORT, setting: 'PORT' };
  if (METRICS_PORT === undefined) return { main };
  return { main, metrics: { host, port: METRICS_PORT, setting: 'METRICS_PORT' } };
}

/**
 * Checks that an address can be listened on, before models are loaded for a port that is in use.
 *
 * @throws {StartupError}
 */
export async function assertAddressFree(address: Address): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explainListenError(error, address)));
    server.listen(address.port, address.host, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

export function explainListenError(
  error: NodeJS.ErrnoException,
  { host, port, setting }: Address,
): StartupError {
  const reasons: Record<string, string> = {
    EADDRINUSE: `${setting} is ${port}; it is in use already. Accepted is a free port.`,
    EACCES: `${setting} is ${port}; this user may not listen on it. Accepted is one from 1024 on.`,
    EADDRNOTAVAIL: `HOST is "${host}"; this machine has no such address.`,
    ENOTFOUND: `HOST is "${host}"; no such host is known.`,
  };
  return new StartupError(reasons[error.code ?? ''] ?? `Cannot listen on ${host}:${port}: ${error.message}.`);
}

/** The URL at which this machine reaches the address. */
export function localUrl({ host, port }: Pick<Address, 'host' | 'port'>, path = ''): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}${path}`;
}
