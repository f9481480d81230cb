import type { Schema } from './document.ts';

/** The maximum length of a fixed array that is written as a tuple. */
const MAX_TUPLE = 4;

/**
 * The TypeScript type of a schema.
 *
 * @param indent of the line on which it begins.
 */
export function typeOf(schema: Schema | boolean | undefined, indent = ''): string {
  if (schema === undefined || typeof schema === 'boolean') return 'unknown';
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum) return union(schema.enum.map(literal));
  const parts = schema.oneOf ?? schema.anyOf;
  if (parts) {
    const types = union(parts.map((part) => typeOf(part, indent)));
    // Members beside a choice hold for each of its sides.
    return schema.properties ? `(${types}) & ${objectType(schema, indent)}` : types;
  }
  if (schema.allOf) {
    // A part may only describe, or give an example.
    const parts = schema.allOf.map((part) => typeOf(part, indent)).filter((type) => type !== 'unknown');
    return parts.length === 1 ? (parts[0] as string) : parts.map((type) => `(${type})`).join(' & ');
  }
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return schema.properties ? objectType(schema, indent) : 'unknown';
  return union(types.map((type) => plainType(type, schema, indent)));
}

function plainType(type: string, schema: Schema, indent: string): string {
  switch (type) {
    case 'string':
      return schema.format === 'binary' || schema.contentMediaType === 'application/octet-stream'
        ? 'Binary'
        : 'string';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
    case 'null':
      return type;
    case 'array':
      return arrayType(schema, indent);
    case 'object':
      return objectType(schema, indent);
    default:
      throw new Error(`The generator does not know the type "${type}".`);
  }
}

function arrayType({ items, prefixItems, minItems, maxItems }: Schema, indent: string): string {
  if (prefixItems) return `[${prefixItems.map((item) => typeOf(item, indent)).join(', ')}]`;
  const item = typeOf(items, indent);
  if (minItems !== undefined && minItems === maxItems && minItems <= MAX_TUPLE)
    return `[${Array(minItems).fill(item).join(', ')}]`;
  return /[ {]/.test(item) ? `(${item})[]` : `${item}[]`;
}

/** An object type with its descriptions, over several lines. */
export function objectType(schema: Schema, indent: string): string {
  const { properties = {}, required = [], additionalProperties } = schema;
  const members = Object.entries(properties).map(([name, member]) => {
    const optional = required.includes(name) ? '' : '?';
    return `${comment(member.description, `${indent}  `)}${indent}  ${key(name)}${optional}: ${typeOf(member, `${indent}  `)};\n`;
  });
  // An object without named members is a map.
  if (members.length === 0) {
    const value = typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : 'unknown';
    return `Record<string, ${value}>`;
  }
  return `{\n${members.join('')}${indent}}`;
}

/** A description as a comment above what it describes. */
export function comment(description: string | undefined, indent = ''): string {
  if (!description) return '';
  return `${indent}/** ${description.replaceAll('*/', '* /').replaceAll('\n', `\n${indent} * `)} */\n`;
}

/** The name that a reference refers to. */
export function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}

export function key(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : literal(name);
}

function union(types: string[]): string {
  return [...new Set(types)].join(' | ');
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, '\\$&')}'` : JSON.stringify(value);
}
