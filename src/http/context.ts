import type { Context } from 'hono';
import type { Config } from '../config/settings.ts';
import type { Logger } from '../observability/log.ts';
import type { RequestObserver, RequestRecord } from '../observability/request-record.ts';
import type { FairPermits } from '../threads/fair-permits.ts';
import type { Permits } from '../threads/permits.ts';
import type { AnswerBytes } from './answer/answer-bytes.ts';
import type { ApiKeys } from './auth/api-keys.ts';
import type { RateLimits } from './auth/rate-limits.ts';
import type { RequestBody } from './body/request-body.ts';

/** Whether the process is shutting down; independent of whether it can embed. */
export interface Lifecycle {
  /** Set once by a signal. Probes fail from then on, while requests are still served for SHUTDOWN_DELAY_MS. */
  draining: boolean;
}

/** The dependencies of the HTTP layer. */
export interface HttpDependencies {
  config: Config;
  keys: ApiKeys;
  /** Bytes of request bodies and of answers that may be held at a time. */
  bodies: Permits;
  /** Bodies that may arrive at a time. */
  uploads: FairPermits;
  /** Requests a second of each caller. */
  rates: RateLimits;
  lifecycle: Lifecycle;
  /** Notified of every request; metrics, log and traces are observers. */
  observers: readonly RequestObserver[];
  log: Logger;
}

/** The variables of Hono's context. */
export interface AppEnvironment {
  Variables: {
    requestId: string;
    record: RequestRecord;
    body: RequestBody;
    /** Counts the bytes of an answer that may be large. */
    answer: AnswerBytes;
    /** Set when the answer is a stream: settles at its end, when the record does not change any more. */
    streamed: Promise<void> | undefined;
  };
}

export type Handler = (c: Context<AppEnvironment>) => Response | Promise<Response>;

/** Who may use a route: everyone (probes, documents), callers with an API key, or a scraper of metrics. */
export type Access = 'everyone' | 'callers' | 'scraper';
