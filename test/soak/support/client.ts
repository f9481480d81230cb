import { Agent, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';

export interface SentRequest {
  method?: string;
  path: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface Received {
  /** 0 without an answer. */
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
  /** From the first byte sent to the last byte received, in milliseconds. */
  ms: number;
  /** Why there was no answer. */
  failure?: string;
}

/** Longer than any request may take; only ends what hangs. */
const HANG_MS = 300_000;

const newAgent = () => new Agent({ keepAlive: true, maxSockets: 64 });

/** Requests over connections that are kept, as a calling backend sends them. */
export class Client {
  #agent = newAgent();
  readonly #known = new WeakSet<Socket>();
  readonly address: string;

  constructor(address: string) {
    this.address = address;
  }

  /** Never rejects. */
  send({ method = 'POST', path, headers, body }: SentRequest): Promise<Received> {
    const started = performance.now();
    return new Promise((resolve) => {
      const end = (outcome: Omit<Received, 'ms'>) => resolve({ ...outcome, ms: performance.now() - started });
      const fail = (error: NodeJS.ErrnoException) =>
        end({ status: 0, headers: {}, body: Buffer.alloc(0), failure: error.code ?? error.message });
      const sending = request(
        this.address + path,
        {
          method,
          agent: this.#agent,
          headers: { 'Content-Length': body.length, ...headers },
          signal: AbortSignal.timeout(HANG_MS),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', fail);
          response.on('end', () =>
            end({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks),
            }),
          );
        },
      );
      sending.on('error', fail);
      // A connection may fail after its answer, while the rest of the body is still being sent.
      sending.on('socket', (socket) => {
        if (!this.#known.has(socket)) socket.on('error', () => {});
        this.#known.add(socket);
      });
      sending.end(body);
    });
  }

  /** Closes idle connections; the next request opens a new one. */
  disconnect(): void {
    this.#agent.destroy();
    this.#agent = newAgent();
  }

  close(): void {
    this.#agent.destroy();
  }
}
