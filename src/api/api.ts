import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Config } from '../config.ts';
import type { FaceEngine } from '../engine/engine.ts';
import { type ErrorCode, ServiceError } from '../errors.ts';

export interface AppEnvironment {
  Variables: {
    requestId: string;
    /** Set when the answer is an error. */
    errorCode?: ErrorCode;
  };
}

export type Handler = (c: Context<AppEnvironment>) => Response | Promise<Response>;

/** What a route needs: where to put itself, and what it works with. */
export interface Api {
  app: OpenAPIHono<AppEnvironment>;
  config: Config;
  engine: FaceEngine;
  /** Serves a route and documents it. Validation is the handler's, which knows the transports and the limits. */
  add: (route: RouteConfig, handler: Handler) => void;
  addUndocumented: (method: Method, path: string, handler: Handler) => void;
  /** Answers every other method of the paths added so far. */
  refuseOtherMethods: () => void;
}

type Method = RouteConfig['method'];

export function createApi(app: OpenAPIHono<AppEnvironment>, config: Config, engine: FaceEngine): Api {
  const methods = new Map<string, Method[]>();
  const serve = (method: Method, path: string, handler: Handler) => {
    methods.set(path, [...(methods.get(path) ?? []), method]);
    app.on(method.toUpperCase(), path, async (c) => {
      try {
        return await handler(c);
      } catch (thrown) {
        // Hono passes anything else than an Error by, and the reason of an abort may be a text.
        throw thrown instanceof Error ? thrown : new Error(String(thrown));
      }
    });
  };
  return {
    app,
    config,
    engine,
    add(route, handler) {
      const path = config.API_PREFIX + route.path;
      app.openAPIRegistry.registerPath({ ...route, path });
      serve(route.method, path, handler);
    },
    addUndocumented: (method, path, handler) => serve(method, config.API_PREFIX + path, handler),
    refuseOtherMethods() {
      for (const [path, allowed] of methods) {
        // Hono answers HEAD with the GET handler.
        const names = allowed.flatMap((method) =>
          method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
        );
        app.all(path, (c) => {
          c.header('Allow', names.join(', '));
          throw new ServiceError('METHOD_NOT_ALLOWED', { detail: `Allowed: ${names.join(', ')}.` });
        });
      }
    },
  };
}
