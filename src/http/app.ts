import type { IncomingMessage } from 'node:http';
import { OpenAPIHono } from '@hono/zod-openapi';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { requestId } from 'hono/request-id';
import type { Config } from '../config/settings.ts';
import { ServiceError } from '../errors.ts';
import { createRequestRecord, sumStages } from '../observability/request-record.ts';
import { AnswerBytes } from './answer/answer-bytes.ts';
import { RequestBody } from './body/request-body.ts';
import { ClientAddresses } from './client-address.ts';
import type { Exchange } from './connection/connection.ts';
import type { AppEnvironment, HttpDependencies } from './context.ts';
import { answerError, createErrorHandler } from './error-answers.ts';
import { createRouteTable, type RouteTable } from './route-table.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** Builds an HTTP application from its routes. It does not listen; see server.ts. */
export function createApp(
  dependencies: HttpDependencies,
  addRoutes: (table: RouteTable) => void,
): OpenAPIHono<AppEnvironment> {
  const { config, log } = dependencies;
  const app = new OpenAPIHono<AppEnvironment>();
  app.use(requestId());
  app.use(trackRequest(dependencies));
  if (config.CORS_ENABLED) app.use(allowOrigins(config));
  app.onError(createErrorHandler(log));
  app.notFound((c) => answerError(c, new ServiceError('NOT_FOUND')));
  addRoutes(createRouteTable(app, dependencies));
  return app;
}

/**
 * Records a request until it ends, which for a stream is after the handler has returned, and then releases what its body and
 * its answer hold.
 */
function trackRequest({ config, bodies, uploads, lifecycle, observers, log }: HttpDependencies) {
  const pace = { timeout: config.BODY_TIMEOUT_MS, minRate: config.MIN_UPLOAD_RATE };
  const addresses = new ClientAddresses(config.TRUSTED_PROXIES);
  return createMiddleware<AppEnvironment>(async (c, next) => {
    const started = performance.now();
    const { incoming, outgoing } = (c.env ?? {}) as Partial<Exchange>;
    const record = createRequestRecord({
      requestId: c.get('requestId'),
      method: c.req.method,
      client: addresses.of(incoming?.socket.remoteAddress, forwardedFor(incoming)),
      traceparent: c.req.header('traceparent'),
    });
    const connection = incoming && outgoing && { incoming, outgoing };
    const body = new RequestBody(c.req.raw, {
      budget: bodies,
      uploads,
      tenant: () => record.tenant,
      pace,
      connection,
    });
    const answer = new AnswerBytes(bodies, outgoing);
    c.set('record', record);
    c.set('body', body);
    c.set('answer', answer);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
    for (const observer of observers) observer.begin?.();

    // When a route throws, the error handler has answered by the time this returns.
    await next();

    // Not c.header, which builds a second response with a stream as its body: a tenth of the main thread's work for a request.
    const { status, headers } = c.res;
    // A connection that is kept alive would keep a draining process from ending.
    if (lifecycle.draining) headers.set('Connection', 'close');
    const conclude = () => {
      body.release();
      if (!connection) answer.release();
      record.bytesIn = body.bytesRead;
      record.duration = performance.now() - started;
      record.status = record.rejection === 'client_gone' ? 499 : status;
      for (const observer of observers) observer.observe(record);
    };
    const streamed = c.get('streamed');
    if (streamed) {
      streamed.then(conclude).catch((error) => log.error({ err: error }, 'an observer of requests failed'));
    } else {
      const stages = sumStages(record);
      if (stages.size > 0) headers.set('Server-Timing', serverTiming(stages));
      conclude();
    }
  });
}

/** Node joins headers of this name. */
function forwardedFor(incoming: IncomingMessage | undefined): string | undefined {
  return incoming?.headers['x-forwarded-for'] as string | undefined;
}

/** Source: W3C Server Timing. */
function serverTiming(stages: ReadonlyMap<string, number>): string {
  return [...stages].map(([stage, ms]) => `${stage};dur=${ms.toFixed(1)}`).join(', ');
}

function allowOrigins({ CORS_ORIGINS }: Pick<Config, 'CORS_ORIGINS'>) {
  return cors({
    origin: CORS_ORIGINS.includes('*') ? '*' : CORS_ORIGINS,
    allowMethods: ['GET', 'HEAD', 'POST'],
    allowHeaders: ['Authorization', 'Content-Type', 'X-API-Key', 'X-Request-Id', 'traceparent', 'tracestate'],
    exposeHeaders: ['Retry-After', 'Server-Timing', 'WWW-Authenticate', 'X-Request-Id'],
    maxAge: 600,
  });
}
