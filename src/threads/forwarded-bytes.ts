import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/** A body that is on its way to another thread: whoever gets the port finds all of it there. */
export interface ForwardedBody {
  port: MessagePort;
  bytes: number;
}

/**
 * Sends a large body to another thread while it arrives. V8 counts what lies outside of its heap as if the heap had grown
 * by it, and answers tens of megabytes in one array with collections that hold up the event loop for as many milliseconds;
 * what is in a port is nobody's.
 */
export class BodyForwarder {
  readonly #channel = new MessageChannel();
  #bytes = 0;

  /** @param piece is moved: the caller's array is empty afterwards. */
  send(piece: Uint8Array<ArrayBuffer>): void {
    this.#bytes += piece.length;
    this.#channel.port1.postMessage(piece, [piece.buffer]);
  }

  /** What has been sent, to be transferred. */
  get body(): ForwardedBody {
    return { port: this.#channel.port2, bytes: this.#bytes };
  }

  /** Frees what nobody has received, for which both ends must be closed; one that has been transferred is not here any more. */
  close(): void {
    this.#channel.port1.close();
    this.#channel.port2.close();
  }
}

/** The whole body, in the thread that received it. */
export function gatherBody(body: Uint8Array<ArrayBuffer> | ForwardedBody): Uint8Array<ArrayBuffer> {
  if (body instanceof Uint8Array) return body;
  const whole = new Uint8Array(body.bytes);
  let offset = 0;
  for (;;) {
    const received: { message: Uint8Array } | undefined = receiveMessageOnPort(body.port);
    if (received === undefined) break;
    whole.set(received.message, offset);
    offset += received.message.length;
  }
  body.port.close();
  return whole;
}
