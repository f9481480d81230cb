import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenApiDocument, type Operation, queryParameters } from '../../tools/openapi/document.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { codeOf, readDocument } from './documents.ts';

/** docs/API.md is written by hand; the OpenAPI document says what has to be in it. */
describe('docs/API.md', () => {
  const code = codeOf('docs/API.md').join('\n');
  let service: ServiceProcess;
  let openapi: OpenApiDocument;

  beforeAll(async () => {
    service = new ServiceProcess();
    const answer = await fetch(`${await service.listening()}/openapi.json`);
    openapi = (await answer.json()) as OpenApiDocument;
  });

  afterAll(() => service.kill('SIGTERM'));

  it('describes every path', () => {
    for (const path of Object.keys(openapi.paths)) expect(code).toContain(path);
  });

  it('lists the options of /v1/embed, and no others', () => {
    const section = /^## Options of embed$(.*?)^## /ms.exec(readDocument('docs/API.md'))?.[1] ?? '';
    const listed = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    const post = openapi.paths['/v1/embed']?.post as Operation;
    const options = queryParameters(post, openapi).map(({ name }) => name);
    expect(listed.toSorted()).toEqual(options.toSorted());
  });

  it('names every member of a compare request', () => {
    const members = Object.keys(openapi.components.schemas.CompareRequest?.properties ?? {});
    expect(members.length).toBeGreaterThan(0);
    for (const member of members) expect(code).toContain(member);
  });
});
