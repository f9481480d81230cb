import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { discardBytes } from './garbage.ts';

/** Bytes that are on their way to another thread: the thread that gets the port finds all of them there. */
export interface ForwardedBytes {
  port: MessagePort;
  length: number;
}

/**
 * Sends many bytes to another thread while they arrive. V8 counts memory outside its heap as heap growth, and reacts to tens of
 * megabytes in one array with collections that block the event loop for as many milliseconds; messages in a port are not
 * counted.
 */
export class ByteForwarder {
  readonly #channel = new MessageChannel();
  #length = 0;

  /** @param piece is transferred: the caller's array is empty afterwards. */
  send(piece: Uint8Array<ArrayBuffer>): void {
    this.#length += piece.length;
    this.#channel.port1.postMessage(piece, [piece.buffer]);
  }

  /** What has been sent, to be transferred to the other thread. */
  get bytes(): ForwardedBytes {
    return { port: this.#channel.port2, length: this.#length };
  }

  /** Frees messages that were not received. A port that has been transferred is no longer here, and closing it does nothing. */
  close(): void {
    this.#channel.port1.close();
    this.#channel.port2.close();
  }
}

/** Puts forwarded bytes together, in the thread that received them. */
export function gatherBytes(bytes: Uint8Array<ArrayBuffer> | ForwardedBytes): Uint8Array<ArrayBuffer> {
  if (bytes instanceof Uint8Array) return bytes;
  const whole = new Uint8Array(bytes.length);
  let offset = 0;
  for (;;) {
    const received: { message: Uint8Array } | undefined = receiveMessageOnPort(bytes.port);
    if (received === undefined) break;
    whole.set(received.message, offset);
    offset += received.message.length;
    discardBytes(received.message.length);
  }
  bytes.port.close();
  return whole;
}
