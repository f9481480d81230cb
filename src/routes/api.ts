import type { FaceEngine } from '../engine/engine.ts';
import type { HttpDependencies } from '../http/context.ts';
import type { RouteTable } from '../http/route-table.ts';
import type { JsonService } from '../json/service.ts';
import type { Metrics } from '../observability/metrics.ts';

/** What the routes work with. */
export interface RouteDependencies extends HttpDependencies {
  engine: FaceEngine;
  json: JsonService;
  metrics: Metrics;
}

/** A route table together with what its routes work with. */
export interface Api extends RouteDependencies, RouteTable {}
