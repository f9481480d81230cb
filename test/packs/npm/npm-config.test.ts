import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { readNpmConfig } from '../../../src/packs/download/npm/npm-config.ts';
import { temporaryFolder, writeFiles } from '../../support/temporary-folder.ts';

/** The configuration with these .npmrc files: of the project, the user and the installation. */
async function configure({
  project = '',
  user = '',
  global = '',
  environment = {},
}: {
  project?: string;
  user?: string;
  global?: string;
  environment?: Record<string, string>;
}) {
  const folder = await temporaryFolder();
  await writeFiles(folder, { 'project/.npmrc': project, '.npmrc': user, 'prefix/etc/npmrc': global });
  const variables = { HOME: folder, PREFIX: join(folder, 'prefix'), ...environment };
  return { folder, config: readNpmConfig(variables, join(folder, 'project')) };
}

describe('readNpmConfig', () => {
  it('takes npm’s own registry where nothing else is configured', async () => {
    const { config } = await configure({});
    expect(config.registryOf('any').href).toBe('https://registry.npmjs.org/');
    expect(config.authorizationFor(config.registryOf('any'))).toBeUndefined();
  });

  it('prefers the environment, then the files of the project, the user and the installation', async () => {
    const layers = {
      global: 'registry=https://global.example.com',
      user: 'registry=https://user.example.com',
      project: 'registry=https://project.example.com/npm',
    };
    const registry = async (options: Parameters<typeof configure>[0]) =>
      (await configure(options)).config.registryOf('any').href;
    expect(await registry({ global: layers.global })).toBe('https://global.example.com/');
    expect(await registry({ global: layers.global, user: layers.user })).toBe('https://user.example.com/');
    expect(await registry(layers)).toBe('https://project.example.com/npm/');
    for (const variable of ['npm_config_registry', 'NPM_CONFIG_REGISTRY'])
      expect(await registry({ ...layers, environment: { [variable]: 'http://env.example.com' } })).toBe(
        'http://env.example.com/',
      );
    expect(await registry({ user: 'registry=nonsense' })).toBe('https://registry.npmjs.org/');
  });

  it('reads the files that npm was told to read', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'my-npmrc': 'registry=https://mine.example.com/' });
    for (const variable of ['npm_config_userconfig', 'npm_config_globalconfig']) {
      const { config } = await configure({ environment: { [variable]: join(folder, 'my-npmrc') } });
      expect(config.registryOf('any').href).toBe('https://mine.example.com/');
    }
  });

  it('has a registry of its own for a scope', async () => {
    const { config } = await configure({ user: '@faces:registry=https://faces.example.com/' });
    expect(config.registryOf('@faces/lite').href).toBe('https://faces.example.com/');
    expect(config.registryOf('lite').href).toBe('https://registry.npmjs.org/');
  });

  it('finds the credentials of a host and path', async () => {
    const { config } = await configure({
      user: [
        '//npm.example.com/:_authToken=for-all',
        `//npm.example.com/team/:_authToken=\${TEAM_TOKEN}`,
        `//basic.example.com/:_auth=${btoa('anna:secret')}`,
        '//password.example.com:8443/:username=anna',
        `//password.example.com:8443/:_password=${btoa('secret')}`,
      ].join('\n'),
      environment: { TEAM_TOKEN: 'for-the-team', 'npm_config_//env.example.com/:_authToken': 'of-env' },
    });
    const authorization = (url: string) => config.authorizationFor(new URL(url));
    expect(authorization('https://npm.example.com/package')).toBe('Bearer for-all');
    expect(authorization('https://npm.example.com/team/package')).toBe('Bearer for-the-team');
    expect(authorization('https://npm.example.com/teams/package')).toBe('Bearer for-all');
    expect(authorization('https://basic.example.com/package')).toBe(`Basic ${btoa('anna:secret')}`);
    expect(authorization('https://password.example.com:8443/x')).toBe(`Basic ${btoa('anna:secret')}`);
    expect(authorization('https://env.example.com/x')).toBe('Bearer of-env');
    expect(authorization('https://example.com/x')).toBeUndefined();
    expect(authorization('https://npm.example.com:444/package')).toBeUndefined();
  });

  it('prefers its proxies to those of the environment', async () => {
    const environment = { HTTPS_PROXY: 'http://other:1', NO_PROXY: 'a.example.com' };
    expect((await configure({ environment })).config.connection.proxies).toMatchObject(environment);
    const user = 'proxy=http://proxy:3128\nhttps-proxy=http://secure:3129\nnoproxy=b.example.com';
    expect((await configure({ user, environment })).config.connection.proxies).toMatchObject({
      http_proxy: 'http://proxy:3128',
      https_proxy: 'http://secure:3129',
      no_proxy: 'b.example.com',
    });
    const none = (await configure({ user: 'https-proxy=null', environment })).config.connection.proxies;
    expect(none).not.toHaveProperty('https_proxy');
  });

  it('adds certificates to those of Node.js', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'company.pem': 'a certificate' });
    const { config } = await configure({
      user: `cafile=${join(folder, 'company.pem')}\nstrict-ssl=false`,
    });
    expect(config.connection.tls).toEqual({
      ca: [...rootCertificates, 'a certificate'],
      rejectUnauthorized: false,
    });
    expect((await configure({})).config.connection.tls).toEqual({});
  });
});
