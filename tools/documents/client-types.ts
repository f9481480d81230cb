import { ERROR_CATALOGUE } from '../../src/errors.ts';
import {
  type Content,
  type OpenApiDocument,
  type Operation,
  openApiDocument,
  queryParameters,
  type Schema,
} from '../openapi/document.ts';
import { comment, key, objectType, typeOf } from '../openapi/schema-type.ts';

const HEADER = `// Generated from the OpenAPI document of the service by "npm run generate". Do not edit.

/** The bytes of a file. */
export type Binary = Blob | Uint8Array;
`;

/**
 * The types of the TypeScript client: each named schema, and of each path its query, bodies and answers. Our own generator
 * rather than openapi-typescript, which prints with the compiler's API, and TypeScript 7 has none.
 */
export function renderClientTypes(): string {
  const { paths, components } = openApiDocument();
  const schemas = Object.entries(components.schemas).map(([name, schema]) => namedType(name, schema));
  const routes = Object.entries(paths).map(
    ([path, methods]) =>
      `  ${key(path)}: {\n${Object.entries(methods)
        .map((entry) => operation(entry, components))
        .join('')}  };\n`,
  );
  return [
    HEADER,
    ...schemas,
    `/** What each path takes and answers. */\nexport interface Paths {\n${routes.join('')}}\n`,
    retryableCodes(),
  ].join('\n');
}

function namedType(name: string, schema: Schema): string {
  const hasMembers = Object.keys(schema.properties ?? {}).length > 0;
  const isObject = schema.type === 'object' && !schema.oneOf && !schema.anyOf && hasMembers;
  const type = isObject ? `interface ${name} ${objectType(schema, '')}` : `type ${name} = ${typeOf(schema)};`;
  return `${comment(schema.description)}export ${type}\n`;
}

function operation(
  [method, described]: [string, Operation],
  components: OpenApiDocument['components'],
): string {
  const { summary, requestBody, responses } = described;
  const query = queryParameters(described, { components });
  const properties = Object.fromEntries(
    query.map(({ name, schema, description }) => [name, { ...schema, ...(description && { description }) }]),
  );
  const required = query.filter((parameter) => parameter.required).map(({ name }) => name);
  const members = [
    query.length > 0 ? `      query: ${objectType({ properties, required }, '      ')};\n` : '',
    requestBody ? `      body: ${contentType(requestBody.content)};\n` : '',
    '      answers: {\n',
    ...Object.entries(responses).map(
      ([status, { content }]) =>
        `        ${status}: ${content ? contentType(content, '        ') : 'never'};\n`,
    ),
    '      };\n',
  ];
  return `${comment(summary, '    ')}    ${method}: {\n${members.join('')}    };\n`;
}

function contentType(content: Content, indent = '      '): string {
  const types = Object.entries(content).map(
    ([type, { schema }]) => `${indent}  ${key(type)}: ${typeOf(schema, `${indent}  `)};\n`,
  );
  return `{\n${types.join('')}${indent}}`;
}

/** Which codes are worth another attempt is said in the catalogue, and not in the document. */
function retryableCodes(): string {
  const codes = Object.entries(ERROR_CATALOGUE).filter(([, { retryable }]) => retryable);
  return (
    '/** The error codes after which the same request may succeed later. */\n' +
    `export const RETRYABLE_CODES: readonly string[] = [${codes.map(([code]) => `'${code}'`).join(', ')}];\n`
  );
}
