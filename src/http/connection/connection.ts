import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { discardRest } from './discard-rest.ts';

/** A request and its answer. */
export interface Exchange {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
}

/** Requests that a client may send ahead of its answers. Browsers and proxies send none; load generators some. */
const MAX_PIPELINED = 100;

/**
 * One connection. Its requests are handled one after the other, so that a client that sends many and reads no answer takes
 * the memory of one answer.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #handle: (exchange: Exchange) => void;
  #current: Exchange | undefined;
  #waiting: Exchange[] = [];
  /** The request that was answered and whose body is still arriving. */
  #unread: IncomingMessage | undefined;
  #isClosing = false;
  /** What answers bytes after the last request that are no request. */
  #refusal: (() => string) | undefined;
  #msUnread = 0;

  constructor(socket: Socket, handle: (exchange: Exchange) => void) {
    this.#socket = socket;
    this.#handle = handle;
    // Node calls this after the last answer on a connection.
    socket.destroySoon = () => this.close();
    socket.once('close', () => {
      this.#waiting = [];
    });
  }

  /** Whether only the client keeps it open: by a body that arrives, or by an answer that it does not read. */
  get waitsForClient(): boolean {
    const { incoming, outgoing } = this.#current ?? {};
    return outgoing === undefined || incoming?.complete === false || outgoing.writableLength > 0;
  }

  add(exchange: Exchange): void {
    if (this.#socket.destroyed || this.#refusal) return;
    if (this.#current === undefined) this.#start(exchange);
    else if (this.#waiting.length < MAX_PIPELINED) this.#waiting.push(exchange);
    else this.destroy();
  }

  #start(exchange: Exchange): void {
    this.#current = exchange;
    this.#msUnread = 0;
    exchange.outgoing.once('close', () => this.#finish(exchange));
    this.#handle(exchange);
  }

  #finish({ incoming }: Exchange): void {
    this.#current = undefined;
    if (this.#socket.destroyed) return;
    const next = this.#waiting.shift();
    if (!incoming.complete) this.#discard(incoming);
    else if (next && this.#socket.writable) this.#start(next);
    else if (this.#refusal) this.#writeRefusal(this.#refusal);
    else if (this.#isClosing) this.close();
  }

  /** Writes what is left to write, and closes. A body that is still arriving is read to its end first, within limits. */
  close(): void {
    this.#isClosing = true;
    const incoming = this.#unread ?? this.#current?.incoming;
    if (incoming === undefined || incoming.complete || this.#socket.destroyed) {
      Socket.prototype.destroySoon.call(this.#socket);
    } else {
      this.#socket.end();
      this.#discard(incoming);
    }
  }

  /** Closes at once if no request is under way, else after its answer. */
  closeWhenIdle(): void {
    this.#isClosing = true;
    if (this.#current === undefined && this.#unread === undefined) this.destroy();
  }

  /**
   * Refuses what the client sent after the last request, or a body that has become unreadable, and closes the connection.
   *
   * @param message the answer to what is no request. It follows the answers that are under way.
   * @param error ends the reading of such a body.
   */
  refuse(message: () => string, error?: Error): void {
    if (this.#refusal || this.#socket.destroyed) return;
    this.#isClosing = true;
    if (this.#unread) {
      // What cannot be read is the rest of a body whose request has its answer: there is no other request to answer, or to count.
      this.#socket.end();
      return;
    }
    this.#refusal = message;
    if (this.#current === undefined) {
      this.#writeRefusal(message);
      return;
    }
    const { incoming, outgoing } = this.#current;
    if (incoming.complete || outgoing.headersSent) return;
    outgoing.setHeader('Connection', 'close');
    if (error && incoming.listenerCount('error') > 0) incoming.emit('error', error);
  }

  #writeRefusal(message: () => string): void {
    if (!this.#socket.writable) {
      this.destroy();
      return;
    }
    this.#socket.end(message());
    discardRest(this.#socket);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Disconnects a client that has kept bytes of an answer waiting for longer than the limit, all moments together. */
  disconnectSlowReader(elapsed: number, limit: number): void {
    if (!this.#current || this.#current.outgoing.writableLength === 0) return;
    this.#msUnread += elapsed;
    if (this.#msUnread > limit) this.destroy();
  }

  /** Reads the rest of a body whose request was answered. If it ends in time, the connection stays usable. */
  #discard(incoming: IncomingMessage): void {
    if (this.#unread) return;
    this.#unread = incoming;
    const stop = discardRest(this.#socket);
    const end = () => {
      if (this.#unread === undefined) return;
      this.#unread = undefined;
      stop();
      if (this.#isClosing) this.close();
    };
    incoming.once('end', end).once('close', end).resume();
  }
}
