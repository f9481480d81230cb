import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import { ServiceError } from '../errors.ts';
import { authorise, SECURITY } from './auth/authorise.ts';
import { ClientDisconnected } from './body/body-source.ts';
import type { Access, AppEnvironment, Handler, HttpDependencies } from './context.ts';
import { type HeaderName, headersOf } from './document/headers.ts';

type Method = RouteConfig['method'];

/** The routes of an application. */
export interface RouteTable {
  app: OpenAPIHono<AppEnvironment>;
  /**
   * Serves a route and documents it. The handler validates, since it knows the transports and the limits.
   *
   * @param countedAs the route as which the log and the metrics know it: of several paths to one operation, its main one.
   */
  add: (route: RouteConfig, access: Access, handler: Handler, countedAs?: string) => void;
  addUndocumented: (method: Method, path: string, handler: Handler, countedAs?: string) => void;
  /** Answers all other methods of the paths added so far. @returns the routes that are counted, without the prefix. */
  refuseOtherMethods: () => string[];
}

export function createRouteTable(
  app: OpenAPIHono<AppEnvironment>,
  dependencies: Pick<HttpDependencies, 'config' | 'keys' | 'rates'>,
): RouteTable {
  const { API_PREFIX } = dependencies.config;
  const methods = new Map<string, Method[]>();
  /** By path, the route as which it is counted. */
  const counted = new Map<string, string>();

  const serve = (method: Method, path: string, access: Access, handler: Handler, countedAs = path) => {
    methods.set(path, [...(methods.get(path) ?? []), method]);
    counted.set(path, countedAs);
    app.on(method.toUpperCase(), API_PREFIX + path, async (c) => {
      c.get('record').route = countedAs;
      try {
        authorise(c, access, dependencies);
        return await handler(c);
      } catch (thrown) {
        if (thrown instanceof ServiceError) throw thrown;
        const { signal } = c.req.raw;
        if (signal.aborted && thrown === signal.reason) throw new ClientDisconnected(String(thrown));
        // Hono passes only Errors to its error handler.
        throw thrown instanceof Error ? thrown : new Error(String(thrown));
      }
    });
  };

  return {
    app,
    add(route, access, handler, countedAs) {
      const security = access === 'everyone' ? {} : { security: SECURITY };
      const responses = withHeaders(route);
      app.openAPIRegistry.registerPath({ ...route, responses, ...security, path: API_PREFIX + route.path });
      serve(route.method, route.path, access, handler, countedAs);
    },
    addUndocumented: (method, path, handler, countedAs) =>
      serve(method, path, 'everyone', handler, countedAs),
    refuseOtherMethods() {
      for (const [path, allowed] of methods) {
        // Hono answers HEAD with the GET handler.
        const names = allowed.flatMap((method) =>
          method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
        );
        app.all(API_PREFIX + path, (c) => {
          c.get('record').route = counted.get(path) ?? path;
          c.header('Allow', names.join(', '));
          throw new ServiceError('METHOD_NOT_ALLOWED', { detail: `Allowed: ${names.join(', ')}.` });
        });
      }
      return [...new Set(counted.values())];
    },
  };
}

/** The answers of a route, with the headers that each of them can have. */
function withHeaders({ method, responses }: RouteConfig): RouteConfig['responses'] {
  const timing: HeaderName[] = method === 'post' ? ['Server-Timing'] : [];
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [
      status,
      { headers: headersOf(Number(status), ...timing), ...response },
    ]),
  );
}
