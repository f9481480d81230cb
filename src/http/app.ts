import type { IncomingMessage } from 'node:http';
import { OpenAPIHono } from '@hono/zod-openapi';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { requestId } from 'hono/request-id';
import type { Config } from '../config/settings.ts';
import { ServiceError } from '../errors.ts';
import { createRequestRecord, sumStages } from '../observability/request-record.ts';
import { addCompareRoute } from '../routes/compare/route.ts';
import { addDocsRoutes } from '../routes/docs.ts';
import { addEmbedRoute } from '../routes/embed/route.ts';
import { addMetricsRoute } from '../routes/metrics.ts';
import { addModelInfoRoute } from '../routes/model-info.ts';
import { addStatusRoutes } from '../routes/status.ts';
import { ApiKeys } from './auth/api-keys.ts';
import { declareSecuritySchemes } from './auth/authorise.ts';
import { IncomingBody } from './body/incoming-body.ts';
import { createErrorHandler, failWith } from './error-answers.ts';
import { type Api, type AppDependencies, type AppEnvironment, createApi } from './routes.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** Builds the HTTP application. It listens to nothing; see server.ts. */
export function createApp(dependencies: AppDependencies): OpenAPIHono<AppEnvironment> {
  return buildApp(dependencies, (api) => {
    declareSecuritySchemes(api.app.openAPIRegistry);
    addEmbedRoute(api);
    addCompareRoute(api);
    addStatusRoutes(api);
    addModelInfoRoute(api);
    if (dependencies.config.METRICS_PORT === undefined) addMetricsRoute(api);
    addDocsRoutes(api);
    dependencies.metrics.initialise(api.finish());
  });
}

/** The application of METRICS_PORT: nothing but `/metrics`, without a prefix, for scrapers inside the network. */
export function createMetricsApp(dependencies: AppDependencies): OpenAPIHono<AppEnvironment> {
  const config = { ...dependencies.config, API_PREFIX: '', CORS_ENABLED: false };
  return buildApp({ ...dependencies, config, keys: ApiKeys.none, observers: [] }, (api) => {
    addMetricsRoute(api);
    api.finish();
  });
}

function buildApp(dependencies: AppDependencies, addRoutes: (api: Api) => void): OpenAPIHono<AppEnvironment> {
  const { config, log } = dependencies;
  const app = new OpenAPIHono<AppEnvironment>();
  app.use(requestId());
  app.use(accompany(dependencies));
  if (config.CORS_ENABLED) app.use(answerOtherOrigins(config));
  app.onError(createErrorHandler(log));
  app.notFound((c) => failWith(c, new ServiceError('NOT_FOUND')));
  addRoutes(createApi(app, dependencies));
  return app;
}

/**
 * Keeps the record of a request from its first to its last moment, which for a stream is after the handler has returned,
 * and gives back what its body took.
 */
function accompany({ config, bodies, lifecycle, observers, log }: AppDependencies) {
  return createMiddleware<AppEnvironment>(async (c, next) => {
    const started = performance.now();
    const record = createRequestRecord({
      requestId: c.get('requestId'),
      method: c.req.method,
      traceparent: c.req.header('traceparent'),
    });
    const body = new IncomingBody(c.req.raw, {
      budget: bodies,
      timeout: config.BODY_TIMEOUT_MS,
      incoming: (c.env as { incoming?: IncomingMessage } | undefined)?.incoming,
    });
    c.set('record', record);
    c.set('body', body);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
    for (const observer of observers) observer.begin?.();

    // A route that throws has been answered by the error handler when this returns.
    await next();

    // Not c.header, which after the fact builds another response with a stream as its body: a tenth of what the main thread
    // has to do for a request.
    const { status, headers } = c.res;
    // A connection kept alive would keep a draining process from ending.
    if (lifecycle.draining) headers.set('Connection', 'close');
    const conclude = () => {
      body.release();
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

/** Source: W3C Server Timing. */
function serverTiming(stages: ReadonlyMap<string, number>): string {
  return [...stages].map(([stage, ms]) => `${stage};dur=${ms.toFixed(1)}`).join(', ');
}

function answerOtherOrigins({ CORS_ORIGINS }: Pick<Config, 'CORS_ORIGINS'>) {
  return cors({
    origin: CORS_ORIGINS.includes('*') ? '*' : CORS_ORIGINS,
    allowMethods: ['GET', 'HEAD', 'POST'],
    allowHeaders: ['Authorization', 'Content-Type', 'X-API-Key', 'X-Request-Id', 'traceparent', 'tracestate'],
    exposeHeaders: ['Retry-After', 'Server-Timing', 'WWW-Authenticate', 'X-Request-Id'],
    maxAge: 600,
  });
}
