import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../errors.ts';

/** The caller closed the connection; there is nobody to answer. */
export class ClientDisconnected extends Error {}

/** Where the bytes of a body come from. */
export interface BodySource {
  /**
   * Calls `take` with each chunk as it arrives, and settles at the end of the body.
   *
   * @param take may keep the chunk. An error that it throws ends the reading.
   * @throws {ClientDisconnected}
   */
  read(take: (chunk: Uint8Array) => void): Promise<void>;
  /** Ends the reading, which then throws the reason. The rest of the body stays unread. */
  stop(reason: Error): void;
}

/** Node's own request: its bytes come without the detour through a web stream, and without a promise for each chunk. */
export class IncomingSource implements BodySource {
  readonly #incoming: IncomingMessage;
  #settle: (error?: Error) => void = () => {};

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  read(take: (chunk: Uint8Array) => void): Promise<void> {
    const incoming = this.#incoming;
    return new Promise((resolve, reject) => {
      const onData = (chunk: Uint8Array) => {
        try {
          take(chunk);
        } catch (error) {
          this.stop(error as Error);
        }
      };
      const onEnd = () => this.#settle();
      const onClose = (error?: Error) => this.#settle(disconnected(error));
      this.#settle = (error) => {
        this.#settle = () => {};
        incoming.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose);
        // Not destroyed: that would reset the connection before the answer is read. The server reads the rest.
        if (error) incoming.pause();
        if (error) reject(error);
        else resolve();
      };
      if (incoming.destroyed && !incoming.readableEnded) {
        onClose(incoming.errored ?? undefined);
        return;
      }
      incoming.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose);
    });
  }

  stop(reason: Error): void {
    this.#settle(reason);
  }
}

/** A request that did not come over a connection. */
export class StreamSource implements BodySource {
  readonly #stream: ReadableStream<Uint8Array> | null;
  #stop: (reason: Error) => void = () => {};

  constructor(stream: ReadableStream<Uint8Array> | null) {
    this.#stream = stream;
  }

  async read(take: (chunk: Uint8Array) => void): Promise<void> {
    if (this.#stream === null) return;
    const reader = this.#stream.getReader();
    let stopped: Error | undefined;
    this.#stop = (reason) => {
      stopped ??= reason;
      // The read under way then fails.
      reader.releaseLock();
    };
    while (!stopped) {
      const { done, value } = await reader.read().catch((error) => {
        throw stopped ?? disconnected(error);
      });
      if (done) return;
      take(value);
    }
    throw stopped;
  }

  stop(reason: Error): void {
    this.#stop(reason);
  }
}

/** The server reports bytes that are not HTTP with an error of its own; see Connection. */
function disconnected(cause: unknown): Error {
  if (cause instanceof ServiceError || cause instanceof ClientDisconnected) return cause;
  return new ClientDisconnected('The caller disconnected while it sent the body.', { cause });
}
