import { expect } from 'vitest';
import type { createServiceApp } from '../../../src/routes/apps.ts';
import type { Answer } from './answer.ts';

/** What a reference of a document refers to; anything else as it is. */
export function resolve(document: Answer['body'], value: Answer['body']): Answer['body'] {
  if (value?.$ref === undefined) return value;
  const { $ref, ...siblings } = value;
  const names = ($ref as string).slice('#/'.length).split('/');
  const found = names.reduce((place, name) => place?.[name], document);
  if (found === undefined) throw new Error(`There is nothing at ${$ref}.`);
  return { ...resolve(document, found), ...siblings };
}

/** The query parameters of an operation, each with its schema. */
export function parametersOf(document: Answer['body'], path: string): Answer['body'][] {
  const { parameters = [] } = document.paths[path].post;
  return (parameters as Answer['body'][])
    .map((parameter) => resolve(document, parameter))
    .filter((parameter) => parameter.in === 'query')
    .map((parameter) => ({ ...parameter, schema: resolve(document, parameter.schema) }));
}

/** Sends every example of a JSON body as it stands in the document of the service. */
export async function expectExamplesToSucceed(
  app: Pick<ReturnType<typeof createServiceApp>, 'request'>,
): Promise<void> {
  const document = (await (await app.request('/openapi.json')).json()) as Answer['body'];
  let count = 0;
  for (const [path, { post }] of Object.entries<Answer['body']>(document.paths)) {
    const { examples = {} } = post?.requestBody.content['application/json'] ?? {};
    for (const [name, { value }] of Object.entries<Answer['body']>(examples)) {
      const headers = { 'Content-Type': 'application/json' };
      const response = await app.request(path, { method: 'POST', headers, body: JSON.stringify(value) });
      const text = await response.text();
      expect([path, name, response.status]).toEqual([path, name, 200]);
      // An image of a batch fails by itself.
      expect(text).not.toContain('error_code');
      count++;
    }
  }
  expect(count).toBe(9);
}
