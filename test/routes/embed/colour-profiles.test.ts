import { afterEach, expect, it } from 'vitest';
import { encodeForm } from '../../support/colour-forms.ts';
import { bytesOf } from '../../support/pictures.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';

let service: ServiceProcess;
afterEach(() => service.end());

interface Answer {
  faces: { embedding: number[] }[];
  model: { embedding_space: string };
}

it('COLOUR_PROFILES=honour gives other embeddings of pictures with a profile, in a space of their own', async () => {
  const answers: Answer[] = [];
  for (const COLOUR_PROFILES of ['ignore', 'honour']) {
    service = new ServiceProcess({ COLOUR_PROFILES });
    const response = await fetch(`${await service.ready()}/v1/embed?faces=all&detection_threshold=0`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: bytesOf(await encodeForm('PNG, Display P3')),
    });
    answers.push((await response.json()) as Answer);
    await service.end();
  }
  const [ignoring, honouring] = answers as [Answer, Answer];
  expect(ignoring.faces[0]?.embedding).toHaveLength(512);
  expect(honouring.faces[0]?.embedding).not.toEqual(ignoring.faces[0]?.embedding);
  expect(honouring.model.embedding_space).toBe(`${ignoring.model.embedding_space}:icc`);
});
