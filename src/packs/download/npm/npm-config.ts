import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../../../config/package.ts';
import type { ConnectionOptions } from '../http-request.ts';
import { parseNpmrc } from './npmrc.ts';

const DEFAULT_REGISTRY = 'https://registry.npmjs.org/';

type Environment = Readonly<Record<string, string | undefined>>;

/** The part of npm's configuration that a request to the registry needs. It may hold credentials and must not be shown. */
export interface NpmConfig {
  /** The registry of a package, with a slash at its end. */
  registryOf(packageName: string): URL;
  /**
   * The value of an Authorization header for this URL, by the tokens and passwords that are configured for its host and path, as
   * npm chooses them: one for a longer path comes first.
   */
  authorizationFor(url: URL): string | undefined;
  /** Proxies and certificates. */
  connection: ConnectionOptions;
}

/**
 * Reads the configuration that npm itself would use in this project: variables of the environment (`npm_config_…`, in any case),
 * then the .npmrc files of the project, the user and the installation. The file inside of npm's own package is not read.
 * Source: npm's documentation, npmrc(5) and config(7); @npmcli/config, lib/index.js; npm-registry-fetch, lib/auth.js.
 */
export function readNpmConfig(
  environment: Environment = process.env,
  project: string = fileURLToPath(PACKAGE_ROOT),
): NpmConfig {
  const fromEnvironment = configOfEnvironment(environment);
  const user = fromEnvironment.get('userconfig') ?? join(homeFolder(environment), '.npmrc');
  const files = [join(project, '.npmrc'), user];
  const [inProject, ofUser] = files.map((path) => readNpmrc(path, environment));
  const global = [fromEnvironment, inProject, ofUser]
    .map((layer) => layer?.get('globalconfig'))
    .find((path) => path !== undefined);
  const prefix = [fromEnvironment, ofUser].map((layer) => layer?.get('prefix')).find(Boolean);
  const ofInstallation = readNpmrc(
    global ?? join(prefix ?? installationPrefix(environment), 'etc', 'npmrc'),
    environment,
  );
  // What comes first is taken.
  const layers = [fromEnvironment, inProject, ofUser, ofInstallation];
  const get = (key: string) => layers.map((layer) => layer?.get(key)).find((value) => value !== undefined);
  return {
    registryOf: (name) => registryOf(name, get),
    authorizationFor: (url) => authorizationFor(url, get),
    connection: { proxies: proxiesOf(get, environment), tls: tlsOf(get) },
  };
}

type Get = (key: string) => string | undefined;

/** `npm_config_strict_ssl` is the key strict-ssl; keys of a host (`//host/:_authToken`) stand as they are. */
function configOfEnvironment(environment: Environment): Map<string, string> {
  const config = new Map<string, string>();
  for (const [variable, value] of Object.entries(environment)) {
    if (!/^npm_config_/i.test(variable) || !value) continue;
    const name = variable.slice('npm_config_'.length);
    config.set(name.startsWith('//') ? name : name.replaceAll(/(?!^)_/g, '-').toLowerCase(), value);
  }
  return config;
}

function readNpmrc(path: string, environment: Environment): Map<string, string> {
  try {
    return parseNpmrc(readFileSync(path, 'utf8'), environment);
  } catch {
    // There is none, or another user's: npm goes on without it, too.
    return new Map();
  }
}

/** A user without an entry in the system's list, as in some containers, has no other folder than HOME. */
function homeFolder({ HOME }: Environment): string {
  try {
    return HOME || homedir();
  } catch {
    return '/';
  }
}

/** Where npm's installation has its files: the folder above that of the Node.js executable, or on Windows its folder. */
function installationPrefix({ PREFIX, DESTDIR }: Environment): string {
  if (PREFIX) return PREFIX;
  const folder = dirname(process.execPath);
  return process.platform === 'win32' ? folder : join(DESTDIR ?? '', dirname(folder));
}

function registryOf(packageName: string, get: Get): URL {
  const [, scope] = /^(@[^/]+)\//.exec(packageName) ?? [];
  const text = (scope && get(`${scope}:registry`)) || get('registry') || DEFAULT_REGISTRY;
  // As npm: a value that is no registry's address is passed over.
  const url = new URL(/^https?:/i.test(text) && URL.canParse(text) ? text : DEFAULT_REGISTRY);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** Keys are `//host:port/path/:_authToken`. Those of a user and password may have either as base64. */
function authorizationFor(url: URL, get: Get): string | undefined {
  const parts = url.pathname.split('/').filter((part) => part !== '');
  for (let length = parts.length; length >= 0; length--) {
    const path = ['', ...parts.slice(0, length)].join('/');
    for (const key of new Set([`//${url.host}${path}/`, `//${url.host}${path}`])) {
      const token = get(`${key}:_authToken`);
      if (token) return `Bearer ${token}`;
      const basic = get(`${key}:_auth`);
      if (basic) return `Basic ${basic}`;
      const username = get(`${key}:username`);
      const password = get(`${key}:_password`);
      if (username && password) {
        const plain = Buffer.from(password, 'base64').toString('utf8');
        return `Basic ${Buffer.from(`${username}:${plain}`).toString('base64')}`;
      }
    }
  }
  return undefined;
}

/** Proxies of npm's configuration come before the variables that other programs read, too. `null` and `false` mean none is set. */
function proxiesOf(get: Get, environment: Environment): ConnectionOptions['proxies'] {
  const value = (key: string) => {
    const text = get(key);
    return text === undefined || text === 'null' || text === 'false' ? undefined : text;
  };
  const [https, http, none] = [value('https-proxy'), value('proxy'), value('noproxy')];
  return {
    ...environment,
    ...((https ?? http) !== undefined && { https_proxy: https ?? http }),
    ...(http !== undefined && { http_proxy: http }),
    ...(none !== undefined && { no_proxy: none }),
  };
}

/** A company's certificates are added to those of Node.js. */
function tlsOf(get: Get): ConnectionOptions['tls'] {
  const file = get('cafile');
  const inline = get('ca')?.replaceAll('\\n', '\n');
  const own = inline ?? (file === undefined ? undefined : readText(file));
  return {
    ...(own !== undefined && own !== 'null' && { ca: [...rootCertificates, own] }),
    ...(get('strict-ssl') === 'false' && { rejectUnauthorized: false }),
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
