type Json = Record<string, unknown>;

/** The names of lists of values: a schema that allows just these values gets the name. */
export type EnumNames = Readonly<Record<string, readonly string[]>>;

/** As far as it is changed here. */
export interface OpenApiDocument {
  paths?: Record<string, Record<string, { parameters?: unknown[] }>>;
  components?: { schemas?: Record<string, unknown>; parameters?: object };
}

/** Members of a schema whose values are no schemas. */
const PLAIN = new Set(['const', 'default', 'enum', 'example', 'examples', 'required']);
/** Members of a schema that map names to schemas. */
const MAPS = new Set(['properties', 'patternProperties', '$defs']);

/**
 * Gives a document the form that generators of clients understand best. It says the same as before.
 *
 * - No schema has a `default`: some generators send it, some require the member of their caller. The description names it.
 * - A reference with a description is no `allOf` of one schema, but a reference with a sibling, as OpenAPI 3.1 has it.
 * - A list of values that several options have is a schema of its own, below components.
 * - A parameter that several operations have is described once, below components.
 */
export function finishDocument<Document extends object>(made: Document, enums: EnumNames): Document {
  const document = structuredClone(made) as Document & OpenApiDocument;
  const { components = {}, paths = {} } = document;
  const { schemas = {} } = components;
  const names = new Map(Object.entries(enums).map(([name, values]) => [JSON.stringify(values), name]));
  for (const [name, schema] of Object.entries(schemas)) schemas[name] = finishSchema(schema, names);
  for (const [name, values] of Object.entries(enums)) schemas[name] = { type: 'string', enum: values };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  for (const operation of operations) finishSchemasOf(operation, names);
  const shared = shareParameters(operations);
  if (Object.keys(shared).length > 0) components.parameters = { ...components.parameters, ...shared };
  return document;
}

/** The schemas of parameters, bodies and answers. @param names of lists of values, by their JSON. */
function finishSchemasOf(value: unknown, names: ReadonlyMap<string, string>): void {
  if (typeof value !== 'object' || value === null) return;
  const holder = value as Json;
  for (const [name, member] of Object.entries(holder)) {
    if (name === 'schema') holder.schema = withoutDescriptionOf(holder, finishSchema(member, names) as Json);
    else if (name !== 'examples') finishSchemasOf(member, names);
  }
}

/** A parameter has the description of its schema too. */
function withoutDescriptionOf(holder: Json, schema: Json): Json {
  const { description, ...rest } = schema;
  return description !== undefined && description === holder.description ? rest : schema;
}

function finishSchema(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((one) => finishSchema(one, names));
  if (typeof value !== 'object' || value === null) return value;
  const schema: Json = {};
  for (const [name, member] of Object.entries(value)) {
    if (PLAIN.has(name)) schema[name] = member;
    else if (MAPS.has(name)) {
      const finished = Object.entries(member as Json).map(([key, one]) => [key, finishSchema(one, names)]);
      schema[name] = Object.fromEntries(finished);
    } else schema[name] = finishSchema(member, names);
  }
  return withoutDefault(nameEnum(flattenReference(schema), names));
}

/** `allOf` of a reference, and perhaps of what else is said of it. */
function flattenReference(schema: Json): Json {
  const { allOf, ...rest } = schema as { allOf?: Json[] };
  const [reference, more, ...others] = allOf ?? [];
  return reference?.$ref !== undefined && others.length === 0 ? { ...reference, ...rest, ...more } : schema;
}

function nameEnum(schema: Json, names: ReadonlyMap<string, string>): Json {
  const name = names.get(JSON.stringify(schema.enum));
  if (name === undefined) return schema;
  const { type: _, enum: __, ...rest } = schema;
  return { $ref: `#/components/schemas/${name}`, ...rest };
}

function withoutDefault(schema: Json): Json {
  const { default: value, description = '', ...rest } = schema;
  if (value === undefined) return schema;
  return { ...rest, description: `${description} Default: \`${value}\`.`.trim() };
}

/** Replaces parameters that several operations have by references. @returns the parameters, by their new names. */
function shareParameters(operations: { parameters?: unknown[] }[]): Record<string, unknown> {
  const uses = new Map<string, number>();
  for (const parameter of operations.flatMap(({ parameters = [] }) => parameters)) {
    const text = JSON.stringify(parameter);
    uses.set(text, (uses.get(text) ?? 0) + 1);
  }
  const shared: Record<string, unknown> = {};
  const references = new Map<string, { $ref: string }>();
  for (const [text, count] of uses) {
    if (count < 2) continue;
    const parameter = JSON.parse(text);
    let name: string = parameter.name;
    while (name in shared) name += '_2';
    shared[name] = parameter;
    references.set(text, { $ref: `#/components/parameters/${name}` });
  }
  for (const operation of operations) {
    operation.parameters &&= operation.parameters.map(
      (parameter) => references.get(JSON.stringify(parameter)) ?? parameter,
    );
  }
  return shared;
}
