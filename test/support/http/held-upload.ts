import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';

export interface UploadAnswer {
  status: number | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests read members that they expect
  body: any;
}

/**
 * An upload to /v1/embed whose last byte is held back until the test sends it. Until then it is in flight, however slow or fast the
 * machine is, without a place in the queue.
 */
export class HeldUpload {
  readonly answer: Promise<UploadAnswer>;
  readonly #request: ClientRequest;
  readonly #lastByte: Uint8Array;

  constructor(address: string, picture: Uint8Array) {
    this.#lastByte = picture.subarray(-1);
    this.#request = request(`${address}/v1/embed`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png', 'Content-Length': picture.length },
      agent: false,
    });
    this.answer = once(this.#request, 'response').then(async ([response]: IncomingMessage[]) => ({
      status: response?.statusCode,
      body: response && (await json(response)),
    }));
    // A test may end before there is an answer.
    this.answer.catch(() => {});
    this.#request.write(picture.subarray(0, -1));
  }

  /** Sends the last byte. */
  finish(): Promise<UploadAnswer> {
    this.#request.end(this.#lastByte);
    return this.answer;
  }
}
