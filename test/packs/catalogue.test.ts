import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOf, type PackSource } from '../../src/packs/catalogue/published-pack.ts';
import { CATALOGUE } from '../../src/packs/catalogue.ts';
import { ROOT } from '../support/shared.ts';

const packs = [...CATALOGUE.values()];

/** URLs from which a file can be had; a package of the registry counts as one. */
function sourcesOf(source: PackSource, file: string): readonly string[] {
  if (source.kind === 'files') return source.urls[file] ?? [];
  return source.kind === 'archive' ? [source.url] : [`npm:${source.package}/${source.paths[file]}`];
}

describe.each(packs)('the pack $name', (pack) => {
  it('has every file pinned, under a name of its own', () => {
    const files = filesOf(pack);
    for (const { name, bytes, sha256 } of files) {
      expect(name).toMatch(/^[\w.-]+\.onnx$/);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(bytes).toBeGreaterThan(100_000);
    }
    expect(new Set(files.map(({ name }) => name)).size).toBe(files.length);
  });

  it('has two sources for every file that does not come from the npm registry', () => {
    for (const { name } of filesOf(pack)) {
      const urls = pack.sources.flatMap((source) => sourcesOf(source, name));
      expect(urls.length).toBeGreaterThanOrEqual(pack.sources[0]?.kind === 'npm' ? 1 : 2);
      expect(new Set(urls).size).toBe(urls.length);
      // A branch would change under the address.
      for (const url of urls) expect(url).toMatch(/^(https|npm):(?!.*\/(main|master)\/)/);
    }
  });

  it('says what is known of its weights', () => {
    expect(pack.licence).toMatch(/\.$/);
    expect(pack.trainingData).toMatch(/\.$/);
    expect(pack.commercialUse === 'excluded').toBe(pack.licence.includes('non-commercial'));
  });
});

it('no text promises that weights are free of claims', () => {
  const files = [
    'README.md',
    ...['docs', 'src'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name),
      ),
    ),
  ].filter((name) => /\.(md|ts)$/.test(name));
  for (const name of files) {
    expect(readFileSync(join(ROOT, name), 'utf8'), name).not.toMatch(
      /free of (any )?claims|free for commercial/i,
    );
  }
});
