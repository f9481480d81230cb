import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StartupError } from '../../src/errors.ts';
import { CATALOGUE } from '../../src/packs/catalogue.ts';
import {
  assertCommercialLiveness,
  assertCommercialUse,
  assertNoExcludedNetwork,
} from '../../src/packs/commercial-use.ts';
import { hashFile } from '../../src/packs/file-hash.ts';
import { combinedProvenance, type Provenance } from '../../src/packs/provenance.ts';
import { resolvePack } from '../../src/packs/resolve.ts';
import { writeDescribedPack } from '../support/packs/described-packs.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

const provenance = (commercialUse: Provenance['commercialUse'], text = 'MIT.'): Provenance => ({
  licence: text,
  trainingData: text,
  commercialUse,
});

describe('assertCommercialUse', () => {
  const check =
    (name: string, modelsDir = '/none') =>
    () =>
      assertCommercialUse({ name, modelsDir });

  it.each([
    ['buffalo_l', /commercial use of buffalo_l is excluded.*non-commercial research/],
    ['opencv', /commercial use of opencv is disputed.*not disclosed.*WIDER FACE/],
    ['lite', /is disputed.*Not disclosed/],
  ])('refuses %s and says why', (name, message) => {
    expect(check(name)).toThrow(StartupError);
    expect(check(name)).toThrow(message);
  });

  it("refuses InsightFace's liveness network, and leaves files to the operator", () => {
    expect(() => assertCommercialLiveness('insightface-liveness')).toThrow(
      /is excluded.*non-commercial research/,
    );
    for (const model of ['', 'mine.onnx']) expect(() => assertCommercialLiveness(model)).not.toThrow();
  });

  it('accepts the synthetic pack, and what a catalogue allows', () => {
    expect(check('synthetic')).not.toThrow();
    const lite = CATALOGUE.get('lite');
    if (!lite) throw new Error('lite is missing');
    const catalogue = new Map([['lite', { ...lite, commercialUse: 'allowed' as const }]]);
    expect(() => assertCommercialUse({ name: 'lite', modelsDir: '/none', catalogue })).not.toThrow();
  });

  it('believes the manifest of a pack, and refuses one that does not say', async () => {
    const stated = { training_data: 'Our own photographs.', commercial_use: 'allowed' };
    const allowed = await writeDescribedPack({ manifest: (manifest) => ({ ...manifest, ...stated }) });
    expect(check('own', allowed)).not.toThrow();
    expect(await resolvePack({ name: 'own', modelsDir: allowed })).toMatchObject({
      trainingData: 'Our own photographs.',
      commercialUse: 'allowed',
    });
    expect(check('own', await writeDescribedPack())).toThrow(/is unknown\. The pack does not say/);
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'own/manifest.json': 'no JSON', 'plain/x.onnx': 'x' });
    for (const name of ['own', 'plain']) expect(check(name, folder)).toThrow(/is unknown/);
  });

  it('knows a published network by its hash, whatever a manifest says', async () => {
    const modelsDir = await writeDescribedPack();
    const buffalo = CATALOGUE.get('buffalo_sc');
    if (!buffalo) throw new Error('buffalo_sc is missing');
    await expect(assertNoExcludedNetwork({ name: 'own', modelsDir })).resolves.toBeUndefined();
    const [file = ''] = (await readdir(join(modelsDir, 'own'))).filter((name) => name.endsWith('.onnx'));
    const { sha256 } = await hashFile(join(modelsDir, 'own', file));
    const published = { ...buffalo, recogniser: { ...buffalo.recogniser, sha256 } };
    const catalogue = new Map([['buffalo_sc', published]]);
    await expect(assertNoExcludedNetwork({ name: 'own', modelsDir, catalogue })).rejects.toThrow(
      /is a network of buffalo_sc, whose commercial use is excluded.*non-commercial research/,
    );
  });

  it('does not load a manifest with a word of its own for it', async () => {
    const modelsDir = await writeDescribedPack({
      manifest: (manifest) => ({ ...manifest, commercial_use: 'yes' }),
    });
    await expect(resolvePack({ name: 'own', modelsDir })).rejects.toThrow(
      /commercial_use must be one of "allowed", "disputed", "unknown", "excluded"/,
    );
  });
});

describe('combinedProvenance', () => {
  it('has the less permissive of the uses, and the texts of both networks', () => {
    expect(combinedProvenance(provenance('disputed', 'MIT.'), provenance('allowed', 'Apache-2.0.'))).toEqual(
      provenance('disputed', 'Detector: MIT. Recogniser: Apache-2.0.'),
    );
    expect(combinedProvenance(provenance('allowed'), provenance('excluded'))).toEqual(provenance('excluded'));
  });
});
