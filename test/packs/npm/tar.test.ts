import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTarball } from '../../../src/packs/download/npm/tar.ts';
import { packageOf, paxName, type TarMember, tarballOf } from '../../support/packs/tar.ts';
import { bytesOf } from '../../support/packs/tiny-packs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const NETWORK = bytesOf('network', 100_000);

async function read(tarball: Uint8Array, path = 'model/net.onnx', bytes = NETWORK.length): Promise<Buffer> {
  const file = join(await temporaryFolder(), 'package.tgz');
  await writeFile(file, tarball);
  const chunks: Uint8Array[] = [];
  for await (const chunk of readTarball(file, path, bytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const readMembers = (...members: TarMember[]) => read(tarballOf(members));

describe('readTarball', () => {
  it.each(['package', 'any-folder'])('finds a file in the folder %s', async (folder) => {
    const files = { 'package.json': Buffer.from('{}'), 'model/other.onnx': bytesOf('other', 1_000) };
    const members = packageOf({ ...files, 'model/net.onnx': NETWORK, 'z.js': Buffer.alloc(0) }, folder);
    expect((await readMembers({ name: `${folder}/`, type: '5' }, ...members)).equals(NETWORK)).toBe(true);
  });

  it('understands long names of pax and GNU', async () => {
    const long = `${'deep/'.repeat(40)}net.onnx`;
    const named = { name: 'cut off', content: NETWORK };
    const pax = tarballOf([paxName(`package/${long}`), named]);
    const gnu = tarballOf([
      { name: '././@LongLink', type: 'L', content: Buffer.from(`package/${long}\0`) },
      named,
    ]);
    for (const tarball of [pax, gnu]) expect((await read(tarball, long)).equals(NETWORK)).toBe(true);
  });

  it.each([
    ['a link', { name: 'package/model/net.onnx', type: '2' }],
    ['a path that leads out of it', { name: 'package/../model/net.onnx', content: NETWORK }],
    ['an absolute path', { name: '/model/../net.onnx', content: NETWORK }],
    ['nothing of this name', { name: 'package/net.onnx', content: NETWORK }],
  ])('finds no file in %s', async (_, member) => {
    await expect(readMembers(member)).rejects.toThrow('It has no file model/net.onnx');
  });

  it('refuses a member of another size before it is read', async () => {
    const huge = { name: 'package/model/net.onnx', size: 7 * 1024 ** 3 };
    await expect(readMembers(huge)).rejects.toThrow(/has 7516192768 bytes, expected are 100000/);
    const longName = { name: 'x', type: 'x', size: 1024 ** 3 };
    await expect(readMembers(longName)).rejects.toThrow('It has a name of 1073741824 bytes');
  });

  it('refuses one that is cut off, or is something else', async () => {
    const whole = tarballOf(packageOf({ 'model/net.onnx': NETWORK }));
    await expect(read(whole.subarray(0, whole.length / 2))).rejects.toThrow(/unexpected end of file|cut off/);
    const claims = tarballOf([
      { name: 'package/model/net.onnx', content: NETWORK.subarray(0, 512), size: 100_000 },
    ]);
    await expect(read(claims)).rejects.toThrow('It is cut off');
    await expect(read(gzipSync(bytesOf('noise', 5_000)))).rejects.toThrow('It is not a tar archive');
    await expect(read(bytesOf('noise', 5_000))).rejects.toThrow('incorrect header check');
  });
});
