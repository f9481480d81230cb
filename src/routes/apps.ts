import type { OpenAPIHono } from '@hono/zod-openapi';
import { createApp } from '../http/app.ts';
import { ApiKeys } from '../http/auth/api-keys.ts';
import { declareSecuritySchemes } from '../http/auth/authorise.ts';
import type { AppEnvironment } from '../http/context.ts';
import type { RouteDependencies } from './api.ts';
import { addCompareRoute } from './compare/route.ts';
import { addDocsRoutes } from './docs.ts';
import { declareComponents } from './document/document.ts';
import { addEmbedRoutes } from './embed/route.ts';
import { addMetricsRoute } from './metrics.ts';
import { addModelInfoRoute } from './model-info.ts';
import { addStatusRoutes } from './status.ts';

/** The application of the main port: all routes. */
export function createServiceApp(dependencies: RouteDependencies): OpenAPIHono<AppEnvironment> {
  return createApp(dependencies, (table) => {
    const api = { ...dependencies, ...table };
    declareSecuritySchemes(table.app.openAPIRegistry);
    declareComponents(table.app.openAPIRegistry);
    addEmbedRoutes(api);
    addCompareRoute(api);
    addStatusRoutes(api);
    addModelInfoRoute(api);
    if (dependencies.config.METRICS_PORT === undefined) addMetricsRoute(api);
    addDocsRoutes(api);
    dependencies.metrics.initialise(table.refuseOtherMethods(), dependencies.keys.names);
  });
}

/** The application of METRICS_PORT: `/metrics` only, without a prefix, for scrapers inside the network. */
export function createMetricsApp(dependencies: RouteDependencies): OpenAPIHono<AppEnvironment> {
  const config = { ...dependencies.config, API_PREFIX: '', CORS_ENABLED: false };
  const own = { ...dependencies, config, keys: ApiKeys.none, observers: [] };
  return createApp(own, (table) => {
    addMetricsRoute({ ...own, ...table });
    table.refuseOtherMethods();
  });
}
