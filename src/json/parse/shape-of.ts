import type { z } from 'zod';
import { membersOf, SCALAR, type Shape } from './parse.ts';

/**
 * What a schema has of a JSON body. A custom schema says what it takes in its metadata: `string` is base64, `array` are numbers.
 * Members of other names stay null, so that the schema refuses them by name.
 */
export function shapeOf(schema: z.ZodType): Shape {
  const { def } = schema as unknown as { def: Definition };
  switch (def.type) {
    case 'object':
      return {
        members: membersOf(
          Object.fromEntries(Object.entries(def.shape).map(([name, member]) => [name, shapeOf(member)])),
        ),
      };
    case 'array':
      return { items: shapeOf(def.element) };
    case 'union':
      return Object.assign({}, ...def.options.map(shapeOf));
    case 'optional':
    case 'default':
      return shapeOf(def.innerType);
    case 'custom': {
      const types = [schema.meta()?.type].flat();
      return { base64: types.includes('string'), numbers: types.includes('array') };
    }
    case 'string':
    case 'number':
    case 'boolean':
    case 'enum':
      return SCALAR;
    default:
      throw new Error(`It is not defined how ${(def satisfies never as { type: string }).type} is read.`);
  }
}

/** The schemas of which JSON bodies are made, as zod defines them. */
type Definition =
  | { type: 'object'; shape: Record<string, z.ZodType> }
  | { type: 'array'; element: z.ZodType }
  | { type: 'union'; options: z.ZodType[] }
  | { type: 'optional' | 'default'; innerType: z.ZodType }
  | { type: 'custom' }
  | { type: 'string' | 'number' | 'boolean' | 'enum' };
