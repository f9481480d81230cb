import { describe, expect, it } from 'vitest';
import { parseNpmrc } from '../../../src/packs/download/npm/npmrc.ts';

const parse = (text: string, environment: Record<string, string> = {}) =>
  Object.fromEntries(parseNpmrc(text, environment));

describe('parseNpmrc', () => {
  it('reads keys, values, comments and quotes', () => {
    expect(
      parse(
        [
          '\uFEFF; a comment',
          '# another',
          'registry = https://npm.example.com/ ; why',
          '"@scope:registry"="https://scope.example.com/"',
          "//npm.example.com/:_authToken='a=b'",
          'strict-ssl=false',
          'flag',
          'omit[]=dev',
          'escaped=a\\;b',
          '[section]',
          'registry=https://section.example.com/',
        ].join('\r\n'),
      ),
    ).toEqual({
      registry: 'https://npm.example.com/',
      '@scope:registry': 'https://scope.example.com/',
      '//npm.example.com/:_authToken': 'a=b',
      'strict-ssl': 'false',
      flag: 'true',
      escaped: 'a;b',
    });
  });

  it('expands variables of the environment in keys and values', () => {
    const text = [
      `//\${HOST}/:_authToken=\${TOKEN}`,
      `missing=\${MISSING}`,
      `optional=\${MISSING?}`,
      `two=\${TOKEN}-\${TOKEN}`,
    ].join('\n');
    expect(parse(text, { HOST: 'npm.example.com', TOKEN: 'secret' })).toEqual({
      '//npm.example.com/:_authToken': 'secret',
      missing: `\${MISSING}`,
      optional: '',
      two: 'secret-secret',
    });
  });
});
