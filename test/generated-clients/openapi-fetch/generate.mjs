import { writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

// Binary data is a Blob, as the documentation of the generator has it.
const blob = ts.factory.createTypeReferenceNode('Blob');
const nodes = await openapiTS(new URL('openapi.json', import.meta.url), {
  transform: (schema) => (schema.format === 'binary' ? blob : undefined),
});
await writeFile('src/api.ts', astToString(nodes));
