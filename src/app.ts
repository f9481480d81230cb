import { OpenAPIHono } from '@hono/zod-openapi';
import { requestId } from 'hono/request-id';
import { routePath } from 'hono/route';
import { type AppEnvironment, createApi } from './api/api.ts';
import { addCompareRoute } from './api/compare.ts';
import { addDocsRoutes } from './api/docs.ts';
import { addEmbedRoute } from './api/embed.ts';
import { createErrorHandler, failWith } from './api/failures.ts';
import { addModelInfoRoute } from './api/model-info.ts';
import { addStatusRoutes } from './api/status.ts';
import type { Config } from './config.ts';
import type { FaceEngine } from './engine/engine.ts';
import { ServiceError } from './errors.ts';
import type { Logger } from './log.ts';

export interface AppDependencies {
  config: Config;
  engine: FaceEngine;
  log: Logger;
}

/** Builds the HTTP application. It listens to nothing; see server.ts. */
export function createApp({ config, engine, log }: AppDependencies): OpenAPIHono<AppEnvironment> {
  const app = new OpenAPIHono<AppEnvironment>();
  app.use(requestId());
  app.use(async (c, next) => {
    const started = performance.now();
    await next();
    // A connection kept alive would keep a draining process from ending.
    if (engine.status.phase === 'draining') c.header('Connection', 'close');
    c.header('X-Content-Type-Options', 'nosniff');
    const probe = c.req.method === 'GET' || c.req.method === 'HEAD';
    log[probe ? 'debug' : 'info'](
      {
        requestId: c.get('requestId'),
        method: c.req.method,
        route: routePath(c, -1),
        status: c.res.status,
        errorCode: c.get('errorCode'),
        ms: Math.round(performance.now() - started),
      },
      'request',
    );
  });
  app.onError(createErrorHandler(log));
  app.notFound((c) => failWith(c, new ServiceError('NOT_FOUND')));

  const api = createApi(app, config, engine);
  addEmbedRoute(api);
  addCompareRoute(api);
  addStatusRoutes(api);
  addModelInfoRoute(api);
  addDocsRoutes(api);
  api.refuseOtherMethods();
  return app;
}
