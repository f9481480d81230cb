import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection on which a test writes bytes and not requests. */
export class RawConnection {
  readonly socket: Socket;
  /** What has come back so far. */
  received = '';

  constructor(port: number, host = '127.0.0.1') {
    this.socket = connect(port, host);
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
    });
    // A connection that the server resets has ended, like any other.
    this.socket.on('error', () => {});
  }

  /** Settles when the bytes are on their way; with false when the connection has been closed. */
  async write(bytes: string | Uint8Array): Promise<boolean> {
    if (this.socket.destroyed) return false;
    return new Promise((resolve) => {
      const closed = () => resolve(false);
      this.socket.once('close', closed);
      this.socket.write(bytes, () => {
        this.socket.off('close', closed);
        resolve(true);
      });
    });
  }

  /** Stops reading, so that answers stay on the way. */
  stall(): void {
    this.socket.pause();
  }

  /** @returns all that has come until the server closed the connection. */
  async untilClosed(): Promise<string> {
    if (!this.socket.closed) await once(this.socket, 'close');
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** The body of the last answer among those received. */
// biome-ignore lint/suspicious/noExplicitAny: tests read members that they expect
export function lastBody(received: string): any {
  return JSON.parse(received.slice(received.lastIndexOf('\r\n\r\n') + 4));
}

/** The status of each answer among those received. */
export function statuses(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
}
