import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorMessage, StartupError } from '../../errors.ts';
import type { Logger } from '../../observability/log.ts';

/** What the service keeps of a key: not the key itself. */
interface ApiKey {
  /** For the log. */
  name: string;
  /** SHA-256 of the key. */
  digest: Buffer;
}

/** A bearer token (RFC 6750, b64token) long enough not to be guessed. */
const PLAIN_KEY = /^[A-Za-z0-9\-._~+/]{16,}=*$/;
const HASHED_KEY = /^sha256:([0-9a-fA-F]{64})$/;
const NAMED = /^([\w.-]{1,64})=(.+)$/;

/** How often a key file is read for changes, in milliseconds. */
const FILE_POLL_MS = 5_000;

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/**
 * Reads keys separated by commas or line breaks; lines that begin with `#` are comments.
 *
 * @param source names the text in an error, which gives the position of a malformed key and never the key.
 * @throws {StartupError}
 */
export function parseApiKeys(text: string, source: string): ApiKey[] {
  return text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .flatMap((line) => line.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry, index) => {
      const key = parseKey(entry);
      if (key) return key;
      throw new StartupError(
        `${source} has a malformed key at position ${index + 1}; accepted is [name=]sha256:<64 hex digits>, or ` +
          '[name=]key of at least 16 characters A–Z a–z 0–9 - . _ ~ + /.',
      );
    });
}

function parseKey(entry: string): ApiKey | undefined {
  const [, name, rest] = entry.match(NAMED) ?? [];
  // A key may end in "=" itself, so it is a name only when a whole key follows.
  const named = rest === undefined ? undefined : digestOf(rest);
  if (name !== undefined && named) return { name, digest: named };
  const digest = digestOf(entry);
  return digest && { name: `sha256:${digest.toString('hex', 0, 4)}`, digest };
}

function digestOf(key: string): Buffer | undefined {
  const [, hex] = key.match(HASHED_KEY) ?? [];
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  return PLAIN_KEY.test(key) ? sha256(key) : undefined;
}

/** The keys in force: those of the configuration, and those of a file that may change at run time. */
export class ApiKeys {
  /** No keys: every caller is allowed. */
  static readonly none = new ApiKeys([]);

  readonly #configured: ApiKey[];
  #fromFile: ApiKey[] = [];
  #poll: NodeJS.Timeout | undefined;
  #lastProblem = '';

  private constructor(configured: ApiKey[]) {
    this.#configured = configured;
  }

  /** @throws {StartupError} for a malformed key, or a file that cannot be read or holds no key. */
  static load(config: { API_KEYS: string; API_KEYS_FILE: string }, log: Logger): ApiKeys {
    const configured = parseApiKeys(config.API_KEYS, 'API_KEYS');
    // Two secrets that are both empty leave a comma. To serve every caller then would be a surprise.
    if (config.API_KEYS !== '' && configured.length === 0) {
      throw new StartupError('API_KEYS holds no key; accepted is at least one, or no value at all.');
    }
    const empty = config.API_KEYS.split(',').filter((entry) => entry.trim() === '').length;
    if (configured.length > 0 && empty > 0) {
      log.warn({ keys: configured.length, empty }, 'API_KEYS has empty entries; is a secret missing?');
    }
    const keys = new ApiKeys(configured);
    if (config.API_KEYS_FILE !== '') keys.#follow(config.API_KEYS_FILE, log);
    return keys;
  }

  /** Whether requests need a key. */
  get required(): boolean {
    return this.count > 0;
  }

  /** The names of the keys in force. */
  get names(): string[] {
    return [...this.#configured, ...this.#fromFile].map(({ name }) => name);
  }

  /** Keys in force. */
  get count(): number {
    return this.#configured.length + this.#fromFile.length;
  }

  /** Whether the key file could be read and parsed when it was last looked at; true without one. */
  get fileIsValid(): boolean {
    return this.#lastProblem === '';
  }

  /** @returns the name of the key that these headers carry, or undefined if it is none of those in force. */
  identify(headers: Headers): string | undefined {
    const sent = bearerToken(headers) ?? headers.get('x-api-key') ?? '';
    const digest = sha256(sent);
    let name: string | undefined;
    // All keys are compared, each in constant time, so that the time reveals nothing about a key.
    for (const key of [...this.#configured, ...this.#fromFile]) {
      if (timingSafeEqual(key.digest, digest)) name ??= key.name;
    }
    return name;
  }

  /** Stops reading the file. */
  close(): void {
    clearInterval(this.#poll);
  }

  /**
   * Polls the file, since a mounted secret changes by moving links, which file notifications miss. A file that cannot be read or
   * parsed changes nothing: the keys in force stay in force.
   */
  #follow(file: string, log: Logger): void {
    let known = readKeyFile(file);
    this.#fromFile = known.keys;
    this.#poll = setInterval(() => {
      try {
        const found = readKeyFile(file);
        this.#lastProblem = '';
        if (found.text === known.text) return;
        known = found;
        this.#fromFile = found.keys;
        log.info({ keys: found.keys.map(({ name }) => name) }, 'the API keys were read again');
      } catch (error) {
        if (errorMessage(error) === this.#lastProblem) return;
        this.#lastProblem = errorMessage(error);
        log.error(`The API keys stay as they were. ${this.#lastProblem}`);
      }
    }, FILE_POLL_MS);
    this.#poll.unref();
  }
}

function readKeyFile(file: string): { text: string; keys: ApiKey[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(`API_KEYS_FILE is ${JSON.stringify(file)}; it cannot be read (${code}).`);
  }
  const keys = parseApiKeys(text, 'API_KEYS_FILE');
  if (keys.length === 0) throw new StartupError('API_KEYS_FILE holds no key; accepted is at least one.');
  return { text, keys };
}

export function bearerToken(headers: Headers): string | undefined {
  return headers.get('authorization')?.match(/^Bearer +(\S+) *$/i)?.[1];
}

/** Compares two secrets in a time that depends on neither. */
export function equalSecrets(sent: string, expected: string): boolean {
  return timingSafeEqual(sha256(sent), sha256(expected));
}
