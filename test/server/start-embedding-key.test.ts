import { afterEach, describe, expect, it } from 'vitest';
import { SECRET } from '../protection/keys.ts';
import { blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

let service: ServiceProcess;
afterEach(() => service.end());

describe('a service with a wrong embedding key', () => {
  it.each([
    [
      { EMBEDDING_KEY_FILE: 'key' },
      'EMBEDDING_KEY_FILE has a malformed key in line 1; accepted is name=secret',
    ],
    [
      { EMBEDDING_KEYS: `door=${SECRET}` },
      'EMBEDDING_KEYS is no setting, and no embedding key is configured: embeddings would leave unprotected. EMBEDDING_KEY may be meant.',
    ],
  ])('(%j) does not start, and does not quote it', async (environment, sentence) => {
    service = new ServiceProcess(environment, { key: `door ${SECRET}\n` });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toContain(sentence);
    expect(service.stderr.trim().split('\n')).toHaveLength(1);
    expect(service.stdout + service.stderr).not.toContain(SECRET.slice(0, 12));
  });
});

describe('a service with a key in a file', () => {
  it('embeds in the space of the key, and logs its name only', async () => {
    service = new ServiceProcess(
      { EMBEDDING_KEY_FILE: 'key', LOG_LEVEL: 'trace' },
      { key: `# of the door\ndoor=${SECRET}\n` },
    );
    const response = await fetch(`${await service.ready()}/v1/embed`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: await blobsPng(1),
    });
    const { model } = (await response.json()) as { model: { embedding_space: string } };
    expect(model.embedding_space).toMatch(/^synthetic:[0-9a-f]{12}:k-door$/);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.log.find(({ msg }) => msg === 'the model pack is loaded')).toMatchObject({
      embeddingSpace: model.embedding_space,
    });
    expect(service.stdout + service.stderr).not.toContain(SECRET.slice(0, 12));
  });
});
