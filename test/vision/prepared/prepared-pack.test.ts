import { createHash } from 'node:crypto';
import { appendFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { GRAPH_FILE, preparedName, WEIGHTS_FILE } from '../../../src/vision/prepared/prepared-graph.ts';
import { servePack, writeDescribedPack } from '../../support/packs/described-packs.ts';
import { blobsPng } from '../../support/pictures.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let picture: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  picture = await blobsPng(1);
});

/** Starts the service with a pack and gives its answer, and what is in the folder of prepared graphs then. */
async function startWith(modelsDir: string, folder: string) {
  const { embed, ready, warnings, errors } = await servePack(modelsDir, 'own', { PREPARED_DIR: folder });
  const { body } = await embed(picture);
  return {
    ready: ready.status,
    embedding: body.embedding,
    warnings,
    errors,
    files: await contentsOf(folder),
  };
}

/** Each file with when it was written and what is in it. */
async function contentsOf(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const entries = await Promise.all(
    names.sort().map(async (name) => {
      const stats = await stat(join(folder, name));
      if (stats.isDirectory()) return [];
      const hash = createHash('sha256')
        .update(await readFile(join(folder, name)))
        .digest('hex');
      return [[name, `${stats.mtimeMs} ${hash}`]];
    }),
  );
  return Object.fromEntries(entries.flat());
}

const hashesOf = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.split(' ')[1]]));

describe('prepared graphs', () => {
  it('are made at the first start and used at the next, with the same embedding to the bit', async () => {
    const modelsDir = await writeDescribedPack();
    const without = await startWith(modelsDir, 'none');
    const first = await startWith(modelsDir, join(modelsDir, '.prepared'));
    const second = await startWith(modelsDir, join(modelsDir, '.prepared'));
    expect(Object.keys(first.files).filter((name) => name.endsWith(GRAPH_FILE))).toHaveLength(2);
    expect(Object.keys(first.files).filter((name) => name.endsWith('.lock'))).toEqual([]);
    expect(second.files).toEqual(first.files);
    for (const { embedding, warnings, errors } of [first, second]) {
      expect(embedding).toEqual(without.embedding);
      expect([...warnings, ...errors]).toEqual([]);
    }
  });

  it.each<[string, (file: string) => Promise<void>]>([
    ['cut short', (file) => truncate(file, 1000)],
    ['with a byte more', (file) => appendFile(file, '0')],
    ['changed', async (file) => writeFile(file, (await readFile(file)).fill(1, 500, 600))],
    ['missing', (file) => rm(file)],
  ])('%s are made anew', async (_what, damage) => {
    const modelsDir = await writeDescribedPack();
    const folder = await temporaryFolder();
    const whole = await startWith(modelsDir, folder);
    const damaged = Object.keys(whole.files).find((name) => name.endsWith(WEIGHTS_FILE)) as string;
    await damage(join(folder, damaged));
    const repaired = await startWith(modelsDir, folder);
    expect(hashesOf(repaired.files)).toEqual(hashesOf(whole.files));
    expect(repaired.embedding).toEqual(whole.embedding);
  });

  it('of another name are passed by', async () => {
    const modelsDir = await writeDescribedPack();
    const folder = await temporaryFolder();
    const whole = await startWith(modelsDir, folder);
    for (const name of Object.keys(whole.files).filter((file) => file.endsWith('prepared.json'))) {
      const text = await readFile(join(folder, name), 'utf8');
      await writeFile(join(folder, name), text.replace('-ort', '-ort0.'));
    }
    const { files, embedding } = await startWith(modelsDir, folder);
    expect(hashesOf(files)).toEqual(hashesOf(whole.files));
    expect(embedding).toEqual(whole.embedding);
  });

  it('are not needed: where nothing can be written, the log says so, and the pack is loaded', async () => {
    const modelsDir = await writeDescribedPack();
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const { ready, warnings, errors } = await startWith(modelsDir, file);
    expect(ready).toBe(200);
    expect(warnings).toEqual([expect.stringMatching(/PREPARED_DIR.*none/)]);
    expect(errors).toEqual([]);
  });

  it('that ONNX Runtime refuses are given up, and the pack is loaded', async () => {
    const modelsDir = await writeDescribedPack();
    const folder = await temporaryFolder();
    const whole = await startWith(modelsDir, folder);
    for (const name of Object.keys(whole.files).filter((file) => file.endsWith('prepared.json'))) {
      const path = join(folder, name);
      const description = JSON.parse(await readFile(path, 'utf8'));
      const graph = Buffer.from('no graph');
      await writeFile(join(path, '..', GRAPH_FILE), graph);
      description.files[0].bytes = graph.length;
      description.files[0].sha256 = createHash('sha256').update(graph).digest('hex');
      await writeFile(path, JSON.stringify(description));
    }
    const served = await servePack(modelsDir, 'own', { PREPARED_DIR: folder });
    expect(served.errors).toHaveLength(1);
    await expect.poll(async () => (await served.get('/readyz')).status).toBe(200);
    expect((await served.embed(picture)).body.embedding).toEqual(whole.embedding);
  });

  it('are made once by services that start together', async () => {
    const modelsDir = await writeDescribedPack();
    const folder = await temporaryFolder();
    const [one, other] = await Promise.all([startWith(modelsDir, folder), startWith(modelsDir, folder)]);
    // The other one may have had the lock when the files of the first were listed.
    const { '.lock': _lock, ...files } = one.files;
    expect(await contentsOf(folder)).toEqual(files);
    expect(other.embedding).toEqual(one.embedding);
  });
});

describe('the name of a prepared graph', () => {
  it('says the file of the pack, the rewrites, the version of ONNX Runtime and the processor', () => {
    const sha256 = 'ab'.repeat(32);
    const name = preparedName(sha256, true);
    expect(name).toMatch(/^abababababababab-[0-9a-f]{12}-ort1\.\d+\.\d+-[0-9a-f]{12}$/);
    expect(preparedName(sha256, true)).toBe(name);
    expect(preparedName(sha256, false)).not.toBe(name);
    expect(preparedName('cd'.repeat(32), true)).not.toBe(name);
  });
});
