import type { Socket } from 'node:net';
import { Connection, type Exchange } from './connection.ts';

/** How often connections are looked at: the precision of the time limits. */
const CHECK_MS = 1_000;

/** The open connections of a server. */
export class Connections {
  readonly #bySocket = new Map<Socket, Connection>();
  readonly #handle: (exchange: Exchange) => void;
  readonly #timer: NodeJS.Timeout;
  #patience = Number.POSITIVE_INFINITY;
  #isClosing = false;

  /** @param answerTimeout maximum time that an answer waits for its reader, in milliseconds. */
  constructor(handle: (exchange: Exchange) => void, answerTimeout: number) {
    this.#handle = handle;
    this.#timer = setInterval(() => this.#check(answerTimeout), CHECK_MS);
    this.#timer.unref();
  }

  open(socket: Socket): void {
    if (this.#isClosing) {
      socket.destroy();
      return;
    }
    this.#bySocket.set(socket, new Connection(socket, this.#handle));
    socket.once('close', () => this.#bySocket.delete(socket));
  }

  /** Undefined when it has been closed. */
  of(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket);
  }

  /**
   * Closes each connection as soon as it has no request under way.
   *
   * @param patience milliseconds after which clients that send or read too slowly are disconnected.
   */
  close(patience: number): void {
    this.#isClosing = true;
    this.#patience = patience;
    for (const connection of this.#bySocket.values()) connection.closeWhenIdle();
  }

  /** Call it when all are closed. */
  end(): void {
    clearInterval(this.#timer);
  }

  #check(answerTimeout: number): void {
    if (this.#isClosing) this.#patience -= CHECK_MS;
    for (const connection of this.#bySocket.values()) {
      connection.disconnectSlowReader(CHECK_MS, answerTimeout);
      if (this.#patience <= 0 && connection.waitsForClient) connection.destroy();
    }
  }
}
