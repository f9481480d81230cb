import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { ServiceError } from '../../errors.ts';
import type { Logger } from '../../observability/log.ts';
import { createRequestRecord, type RequestObserver } from '../../observability/request-record.ts';
import { ClientAddresses } from '../client-address.ts';
import { errorBody, logUnforeseen } from '../error-answers.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';

export interface OutsideObservers {
  /** Notified of every request; metrics, log and traces are observers. */
  observers: readonly RequestObserver[];
  log: Logger;
}

interface OutsideAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** What is known of whom it answers. Headers are not trusted here: they may be what is wrong. */
interface About {
  method?: string | undefined;
  /** The other end of the connection. */
  peer?: string | undefined;
}

const addresses = new ClientAddresses([]);

/** Answers to what does not reach the application, in the shape of all errors, and seen by the same observers. */
export class OutsideAnswers {
  readonly #observed: OutsideObservers;

  constructor(observed: OutsideObservers) {
    this.#observed = observed;
  }

  answer(error: ServiceError, { method = 'unknown', peer }: About = {}): OutsideAnswer {
    const requestId = randomUUID();
    const { observers, log } = this.#observed;
    const record = createRequestRecord({
      requestId,
      method,
      client: addresses.of(peer, undefined),
      traceparent: undefined,
    });
    record.status = error.status;
    record.errorCode = error.code;
    for (const observer of observers) observer.begin?.();
    for (const observer of observers) observer.observe(record);
    logUnforeseen(error, log, requestId);
    const body = JSON.stringify(errorBody(error, requestId));
    return {
      status: error.status,
      body,
      headers: {
        ...SECURITY_HEADERS,
        ...(error.code === 'METHOD_NOT_ALLOWED' ? { Allow: 'GET, HEAD, POST' } : {}),
        'Content-Type': 'application/json',
        'Content-Length': String(Buffer.byteLength(body)),
        'X-Request-Id': requestId,
        Connection: 'close',
      },
    };
  }

  /** As the text of an HTTP message. */
  message(error: ServiceError, about: About): string {
    const { status, headers, body } = this.answer(error, about);
    const head = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`;
  }

  response(error: ServiceError): Response {
    const { status, headers, body } = this.answer(error);
    return new Response(body, { status, headers });
  }
}

export const malformed = (detail = 'The HTTP message is malformed or came too slowly.') =>
  new ServiceError('INVALID_REQUEST', { detail });
