import { loadConfig } from '../../src/config/load.ts';
import type { FaceEngine } from '../../src/engine/engine.ts';
import { ApiKeys } from '../../src/http/auth/api-keys.ts';
import type { Metrics } from '../../src/observability/metrics.ts';
import type { RouteDependencies } from '../../src/routes/api.ts';
import { createServiceApp } from '../../src/routes/apps.ts';
import { makeOpenApiDocument } from '../../src/routes/document/document.ts';

/** As far as the generators of this repository read it. */
export interface OpenApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; parameters?: Record<string, Parameter> };
}

export interface Operation {
  summary?: string;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { required?: boolean; content: Content };
  responses: Record<string, { content?: Content }>;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema?: Schema;
  description?: string;
}

export type Content = Record<string, { schema?: Schema }>;

/** A schema of JSON Schema 2020-12, as far as the service uses it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  contentMediaType?: string;
  description?: string;
  const?: unknown;
  enum?: unknown[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema | boolean;
  prefixItems?: Schema[];
  minItems?: number;
  maxItems?: number;
}

/** The query parameters of an operation, which the document may have among its components. */
export function queryParameters(
  { parameters = [] }: Operation,
  { components }: Pick<OpenApiDocument, 'components'>,
): Parameter[] {
  return parameters
    .map((one) => ('$ref' in one ? components.parameters?.[one.$ref.split('/').at(-1) as string] : one))
    .filter((parameter) => parameter !== undefined)
    .filter((parameter) => parameter.in === 'query');
}

/** The OpenAPI document of a service with default settings, as `/openapi.json` answers it. Starts nothing. */
export function openApiDocument(): OpenApiDocument {
  const config = loadConfig({ MODEL_NAME: 'synthetic' });
  // The document is made of the routes' schemas. What answers requests is never called.
  const parts = { initialise() {} } as unknown;
  const app = createServiceApp({
    config,
    keys: ApiKeys.none,
    engine: parts as FaceEngine,
    metrics: parts as Metrics,
    observers: [],
    lifecycle: { draining: false },
  } as unknown as RouteDependencies);
  return makeOpenApiDocument(app, config.APP_NAME) as unknown as OpenApiDocument;
}
