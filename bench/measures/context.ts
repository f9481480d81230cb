import type { LoadGenerator } from '../load/load-generator.ts';
import type { PicturesBySize } from '../pictures/test-pictures.ts';
import type { ReferenceThreads } from '../reference/reference-threads.ts';
import type { ServerProcess } from '../servers/server-process.ts';

/** The service with two workers, with one and with four; the peer with two processes and with one. */
export type ServerName = 'service' | 'service1' | 'service4' | 'peer2' | 'peer1';

export type Servers = { service: ServerProcess } & Partial<Record<ServerName, ServerProcess>>;

export interface GeneratorContext {
  generator: LoadGenerator;
  pictures: PicturesBySize;
  /** Reports progress. */
  log: (text: string) => void;
}

/** What the measurements over HTTP use. */
export interface ServerContext extends GeneratorContext {
  servers: Servers;
  reference: ReferenceThreads;
}

export function serversOf({ servers }: ServerContext): [name: ServerName, server: ServerProcess][] {
  return Object.entries(servers) as [ServerName, ServerProcess][];
}
