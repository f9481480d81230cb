import type { FaceEngine } from '../engine/engine.ts';
import type { ErrorCode } from '../errors.ts';
import type { HttpDependencies } from '../http/context.ts';
import type { RouteTable } from '../http/route-table.ts';
import type { JsonService } from '../json/service.ts';
import type { Metrics } from '../observability/metrics.ts';

/** The dependencies of the routes. */
export interface RouteDependencies extends HttpDependencies {
  engine: FaceEngine;
  json: JsonService;
  metrics: Metrics;
}

/** A route table together with the dependencies of its routes. */
export interface Api extends RouteDependencies, RouteTable {}

/** The errors of every route that takes images. */
export const IMAGE_ERRORS = [
  'INVALID_REQUEST',
  'UNAUTHORIZED',
  'IMAGE_TOO_LARGE',
  'REQUEST_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'UNSUPPORTED_FORMAT',
  'INVALID_IMAGE',
  'NO_FACE_DETECTED',
  'MULTIPLE_FACES_DETECTED',
  'RATE_LIMITED',
  'OVERLOADED',
  'MODEL_NOT_LOADED',
  'DEADLINE_EXCEEDED',
] as const satisfies ErrorCode[];
