import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Config } from '../config/settings.ts';
import type { FaceEngine } from '../engine/engine.ts';
import { ServiceError } from '../errors.ts';
import type { JsonDesk } from '../json/service.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RequestObserver, RequestRecord } from '../observability/request-record.ts';
import type { Permits } from '../threads/permits.ts';
import type { ApiKeys } from './auth/api-keys.ts';
import { type Access, authorise, SECURITY } from './auth/authorise.ts';
import type { IncomingBody } from './body/incoming-body.ts';
import type { Lifecycle } from './lifecycle.ts';

/** What the application is made of. */
export interface AppDependencies {
  config: Config;
  engine: FaceEngine;
  json: JsonDesk;
  keys: ApiKeys;
  /** The bytes of request bodies that may be held at one time. */
  bodies: Permits;
  metrics: Metrics;
  lifecycle: Lifecycle;
  /** Told of every request, the metrics included. */
  observers: readonly RequestObserver[];
  log: Logger;
}

export interface AppEnvironment {
  Variables: {
    requestId: string;
    record: RequestRecord;
    body: IncomingBody;
    /** Set when the answer is a stream: settles at its end, when the record does not change any more. */
    streamed: Promise<void> | undefined;
  };
}

export type Handler = (c: Context<AppEnvironment>) => Response | Promise<Response>;

type Method = RouteConfig['method'];

/** The routes of the application, and what they work with. */
export interface Api extends AppDependencies {
  app: OpenAPIHono<AppEnvironment>;
  /** Serves a route and documents it. Validation is the handler's, which knows the transports and the limits. */
  add: (route: RouteConfig, access: Access, handler: Handler) => void;
  addUndocumented: (method: Method, path: string, handler: Handler) => void;
  /** Answers every other method of the paths added so far. Returns those paths, without the prefix. */
  finish: () => string[];
}

export function createApi(app: OpenAPIHono<AppEnvironment>, dependencies: AppDependencies): Api {
  const { config } = dependencies;
  const methods = new Map<string, Method[]>();

  const serve = (method: Method, path: string, access: Access, handler: Handler) => {
    methods.set(path, [...(methods.get(path) ?? []), method]);
    app.on(method.toUpperCase(), config.API_PREFIX + path, async (c) => {
      c.get('record').route = path;
      try {
        authorise(c, access, dependencies);
        return await handler(c);
      } catch (thrown) {
        // Hono passes anything else than an Error by, and the reason of an abort may be a text.
        throw thrown instanceof Error ? thrown : new Error(String(thrown));
      }
    });
  };

  return {
    ...dependencies,
    app,
    add(route, access, handler) {
      const security = access === 'everyone' ? {} : { security: SECURITY };
      app.openAPIRegistry.registerPath({ ...route, ...security, path: config.API_PREFIX + route.path });
      serve(route.method, route.path, access, handler);
    },
    addUndocumented: (method, path, handler) => serve(method, path, 'everyone', handler),
    finish() {
      for (const [path, allowed] of methods) {
        // Hono answers HEAD with the GET handler.
        const names = allowed.flatMap((method) =>
          method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
        );
        app.all(config.API_PREFIX + path, (c) => {
          c.get('record').route = path;
          c.header('Allow', names.join(', '));
          throw new ServiceError('METHOD_NOT_ALLOWED', { detail: `Allowed: ${names.join(', ')}.` });
        });
      }
      return [...methods.keys()];
    },
  };
}
